//! The one door to run a tool: resolve, decide, validate, run, record.
//!
//! Owns the order of these steps and the record each leaves; a call from any door, an agent or
//! another tool passes here, so policy, limits and audit can't be gone around. Refuses to know who
//! may knock: doors and engine settle that. Start with [`Toolbox::call`]; how a component becomes
//! tools is in [`Toolbox::publish`].

mod addition;
mod admission;
mod audit;
mod call;
mod changed;
mod coarse;
mod decide;
mod explain;
mod governance;
mod links;
mod nested;
mod plain;
mod policies;
mod publish;
mod secrets;
mod settle;
mod shadow;
mod source;
#[cfg(test)]
mod testing;
mod toolbox;

pub use addition::{Addition, Stage};
pub use audit::AuditRange;
pub use cofferdam_audit::{AuditEntry, Export};
pub use cofferdam_policy::{
    Explanation, Format, Patch, Policy, PolicyError, Use, UseExplanation, Warning, lint,
};
pub use cofferdam_runtime::Skipped;
pub use cofferdam_secrets::{Kind as SecretKind, Listed, Rotation, Stored};
pub use decide::subject;
pub use explain::{Explained, Question};
pub use plain::Labels;
pub use policies::{Fixed, PolicySource, Ruling};
pub use publish::Published;
pub use shadow::{Shadow, Shift};
pub use toolbox::{Parts, Toolbox};
