//! Write a Cofferdam tool as a plain Rust function.
//!
//! ```
//! use cofferdam_sdk::{ToolError, tool, tools};
//!
//! /// Greets somebody by name.
//! #[tool(read_only, idempotent)]
//! fn greet(
//!     /// Who to greet.
//!     name: String,
//! ) -> Result<String, ToolError> {
//!     if name.is_empty() {
//!         return Err(ToolError::new("name_empty", "say whom to greet"));
//!     }
//!     Ok(format!("Hello, {name}!"))
//! }
//!
//! tools! { component = "hello"; greet }
//! # fn main() { assert_eq!(greet("Ada".into()).unwrap(), "Hello, Ada!"); }
//! ```
//!
//! Doc comments become descriptions, types become JSON Schemas, attributes become the manifest that
//! the host reads. The function stays as it is written and is tested with `cargo test`.
//!
//! Owns what an author sees: [`tool`], [`tools`], [`data`], [`ToolError`], [`log`] and
//! [`progress`](fn@progress), and the component's side of the package `cofferdam:tool`. Refuses to know how a
//! host runs, limits or grants anything.
//!
//! Start reading in `component.rs`: what a component describes and how it answers a call.

#![deny(unsafe_code)]
#![warn(missing_docs)]

extern crate self as cofferdam_sdk;

#[cfg(target_family = "wasm")]
#[doc(hidden)]
pub mod bindings;
mod component;
mod error;
mod host;
pub mod log;
mod manifest;
mod progress;
mod schema;

#[doc(hidden)]
pub mod __private;

pub use component::Component;
pub use error::ToolError;
pub use progress::{Amount, progress};
pub use {schemars, serde, serde_json};

pub use cofferdam_sdk_macros::{data, tool, tools};
