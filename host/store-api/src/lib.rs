//! Store traits per table, store errors and the conformance suite.
//!
//! Owns what a backend promises: which writes are atomic, which are refused, what survives. Refuses
//! to know any backend. Start with [`Stores`]; the promise that matters most is [`Runs::append`].
//!
//! Every method takes the tenant it works for and sees nothing else; ids of tasks and runs are
//! unique over all tenants, since hosts make them and [`Runs::unfinished`] lists by them. A write
//! that returns `Ok` is seen by every read that begins after it, and is kept as the backend's
//! durability setting says; a write that returns an error, or whose future was dropped, either
//! happened as a whole or not at all.

mod error;
mod tables;

#[cfg(feature = "testing")]
pub mod conformance;

pub use error::StoreError;
pub use tables::agents::Agents;
pub use tables::audit::{Audit, AuditEntry, CallKey};
pub use tables::blobs::Blobs;
pub use tables::events::Events;
pub use tables::key_values::KeyValues;
pub use tables::keys::{KeyRecord, Keys};
pub use tables::runs::{Append, Claimed, RunFilter, Runs};
pub use tables::secrets::{SealKeyId, SecretHead, SecretPlace, SecretRecord, Secrets};
pub use tables::tasks::{TaskFilter, Tasks};
pub use tables::tools::{Changed, Tool, ToolRecord, ToolUse, Tools};

use std::sync::Arc;

/// All tables of one backend.
#[derive(Clone)]
pub struct Stores {
    /// Tools by name and version.
    pub tools: Arc<dyn Tools>,
    /// Component bytes by digest.
    pub blobs: Arc<dyn Blobs>,
    /// Tasks.
    pub tasks: Arc<dyn Tasks>,
    /// Runs and their logs.
    pub runs: Arc<dyn Runs>,
    /// Reading of the logs.
    pub events: Arc<dyn Events>,
    /// Agents of hosts.
    pub agents: Arc<dyn Agents>,
    /// API keys.
    pub keys: Arc<dyn Keys>,
    /// The audit.
    pub audit: Arc<dyn Audit>,
    /// What tools keep between calls.
    pub key_values: Arc<dyn KeyValues>,
    /// Secrets, sealed.
    pub secrets: Arc<dyn Secrets>,
}
