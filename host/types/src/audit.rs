//! What the audit keeps: one record for each call and each administrative act.

use serde::{Deserialize, Serialize};

use crate::call::{Denial, Origin, Usage};
use crate::tool::Identity;
use crate::{CallId, Code, Digest, Tenant, Timestamp};

/// One record. The store gives each its number and links it to the one before.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AuditRecord {
    /// Whose data it was about.
    pub tenant: Tenant,
    /// When it was written.
    pub at: Timestamp,
    /// Who, as [`crate::caller::Caller::principal`].
    pub actor: String,
    /// What.
    #[serde(flatten)]
    pub act: Act,
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "snake_case")]
pub enum Act {
    /// A tool was called, or was to be.
    Call(Box<CallAct>),
    /// A component was added.
    Publish {
        /// Its name and version, as `name@version`.
        component: String,
        /// Its digest.
        digest: Digest,
    },
    /// A component was refused.
    PublishRefused {
        /// Its digest.
        digest: Digest,
        /// Why.
        code: Code,
    },
}

/// The facts of a call that the audit keeps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CallAct {
    /// The call.
    pub call_id: CallId,
    /// Through which door.
    pub origin: Origin,
    /// The name that was asked for.
    pub asked: String,
    /// What ran; absent when nothing was found.
    pub tool: Option<Identity>,
    /// Digest of the arguments' JSON text.
    pub arguments_digest: Digest,
    /// The policy that decided.
    pub policy: String,
    /// What it granted, in words.
    pub granted: Vec<String>,
    /// How it ended: absent for success.
    pub code: Option<Code>,
    /// What was refused.
    pub denials: Vec<Denial>,
    /// What it cost.
    pub usage: Usage,
}
