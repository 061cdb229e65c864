//! Decides what a call may use: a grant, or a denial that explains itself.
//!
//! Owns [`Grant`], the only key to the sandbox: it has private fields and is made here alone, so
//! running a tool that nobody decided about does not compile. Refuses to know files, clocks and
//! stores: a decision is a pure function of the policy, the tool and the offer. Start with
//! [`Policy::decide`].

mod applicable;
mod below;
mod bounds;
mod callers;
pub mod capability;
mod decision;
mod declared;
mod delegation;
mod denial;
mod diff;
mod document;
mod error;
mod explain;
mod glob;
mod grant;
mod index;
mod journal;
mod learn;
mod lint;
mod load;
mod merge;
mod narrowing;
mod node;
mod opaque;
mod origin;
mod patch;
mod permissions;
mod policy;
mod profile;
mod quantity;
mod read;
mod recorded;
mod revision;
mod rule;
mod safety;
mod schemas;
mod selector;
mod slice;
mod snapshot;
mod subject;
mod table;
#[cfg(test)]
mod testing;
mod walk;

pub use bounds::{LIMITS, LimitsEntry};
pub use callers::Callers;
pub use capability::{Capability, Fault};
pub use decision::Request;
pub use delegation::{Carried, Delegation};
pub use denial::patch_of;
pub use diff::{Difference, diff};
pub use document::{Source, schema};
pub use error::{Mistake, PolicyError};
pub use explain::{Explanation, LimitOrigin, LimitSource, UseExplanation};
pub use grant::{Describe, Grant};
pub use journal::{Journal, Journaled};
pub use learn::Lesson;
pub use lint::{Warning, lint};
pub use load::{Load, Over, Per, Rate};
pub use narrowing::{Narrowing, NarrowingError, Sourced};
pub use node::Place;
pub use origin::{Located, Origin};
pub use patch::Patch;
pub use permissions::{CAPABILITIES, Side, Written};
pub use policy::Policy;
pub use profile::ISOLATED;
pub use quantity::{Bytes, QuantityError, Span};
pub use read::{Format, TEXT_BYTES_MAX};
pub use recorded::{Recorded, Unkept};
pub use revision::Revision;
pub use rule::Miss;
pub use safety::{Demand, Safety, Verdict};
pub use schemas::SchemasEntry;
pub use selector::{Selector, SelectorError};
pub use slice::{Allowed, Caps, Layer, Party, Pattern, Refused, Slice};
pub use subject::{Kind, Subject};
pub use table::{Checked, Decision, Expected, Said, Table, Use};
