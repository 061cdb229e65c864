//! Decides what a call may use: a grant, or a denial that explains itself.
//!
//! Owns [`Grant`], the only key to the sandbox: it has private fields and is made here alone, so
//! running a tool that nobody decided about does not compile. Refuses to know files, clocks and
//! stores: a decision is a pure function of the policy, the tool and the offer. Start with
//! [`Policy::decide`].

pub mod capability;
mod decision;
mod glob;
mod grant;
mod origin;
mod policy;
mod quantity;
mod revision;
mod slice;

pub use capability::{Capability, Fault};
pub use decision::Request;
pub use grant::{Describe, Grant};
pub use origin::{Located, Origin};
pub use policy::{Ceiling, Policy};
pub use quantity::{Bytes, QuantityError, Span};
pub use revision::Revision;
pub use slice::{Allowed, Caps, Layer, Party, Pattern, Refused, Slice};
