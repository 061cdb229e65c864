//! What generated code uses. Not for authors; changes without notice.

pub use std::string::String;

pub use crate::component::{Entry, Tool, check, component, decode, encode, fail};
pub use crate::manifest::{Access, Capability, Example, Limits, Meta, Safety};
pub use crate::schema::{args_schema, returns_schema};
