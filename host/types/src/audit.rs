//! What the audit keeps: one record for each call and each administrative act.

use serde::{Deserialize, Serialize};

use crate::call::{Denial, Origin, Parent, Usage, Use, is_zero};
use crate::change::is_false;
use crate::tool::Identity;
use crate::{CallId, Code, Digest, Tenant, Timestamp};

/// The form of the records that this version writes. A record without the number has form 1.
///
/// Within a form, fields are only added, each with a default. The chain is over the text that was
/// written, so that no new form breaks an old record's digest.
pub const RECORD_SCHEMA: u32 = 2;

/// One record. The store gives each its number and links it to the one before.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AuditRecord {
    /// The form it was written in.
    #[serde(default = "first_schema")]
    pub schema: u32,
    /// Whose data it was about. Acts on the host as a whole belong to the tenant `default`, as the
    /// operator does.
    pub tenant: Tenant,
    /// When it was written.
    pub at: Timestamp,
    /// Who, as [`crate::caller::Caller::principal`].
    pub actor: String,
    /// What.
    #[serde(flatten)]
    pub act: Act,
}

impl AuditRecord {
    /// In the form of this version.
    pub fn new(tenant: Tenant, at: Timestamp, actor: impl Into<String>, act: Act) -> Self {
        Self {
            schema: RECORD_SCHEMA,
            tenant,
            at,
            actor: actor.into(),
            act,
        }
    }
}

fn first_schema() -> u32 {
    1
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "snake_case")]
pub enum Act {
    /// A tool was called, or was to be.
    Call(Box<CallAct>),
    /// Uses of a call beyond those that its own record has room for.
    Uses {
        /// The call.
        call_id: CallId,
        /// The call that it was made for in the end: itself, when no tool made it.
        root_id: CallId,
        /// What it used.
        uses: Vec<Use>,
    },
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
    /// A policy is in force, from the start of the host or from now on.
    PolicyLoaded {
        /// Its name.
        policy: String,
        /// Where it was read, or `built-in`.
        source: String,
        /// The one in force before; absent at the start of the host.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        old_digest: Option<Digest>,
        /// Its own.
        new_digest: Digest,
        /// Its number; each that comes into force has the next.
        generation: u64,
    },
    /// A policy was refused; the one before stays in force.
    PolicyRefused {
        /// Where it was read.
        source: String,
        /// The one that stays in force.
        old_digest: Digest,
        /// The refused one; absent when it could not be read.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        new_digest: Option<Digest>,
        /// The number of the one that stays.
        generation: u64,
        /// Why, for people.
        reason: String,
    },
    /// A secret was set, changed or removed. Its value appears nowhere.
    Secret {
        /// What was done to it.
        change: SecretChange,
        /// Its name.
        name: String,
    },
    /// Another act of an administrator.
    Admin {
        /// In one word, as `create_key`.
        operation: String,
        /// On what.
        subject: String,
        /// Why it was refused; absent when it was done.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        code: Option<Code>,
    },
    /// Records were read out of the audit as a whole.
    Exported {
        /// From this number on.
        from: u64,
        /// To this number, included.
        to: u64,
    },
    /// Old records were removed from the front of the chain, which begins behind `through` from
    /// then on.
    Pruned {
        /// The number of the last one removed.
        through: u64,
        /// Its digest, which the first one kept names as the one before.
        digest: Digest,
        /// The time before which records were written that are removed.
        before: Timestamp,
    },
    /// Records of a class that may be lost under load were lost.
    Gap {
        /// Which class.
        class: Class,
        /// How many.
        records: u64,
        /// When the first of them was to be written.
        from: Timestamp,
        /// When the last was.
        to: Timestamp,
    },
    /// The host began to serve.
    HostStarted {
        /// Its version.
        version: String,
        /// Of its settings, so that a change of them shows.
        settings_digest: Digest,
    },
    /// The host ended in good order. After a start without it, the one before was killed.
    HostStopped {},
    /// An act that this version does not know, written by a newer one. Its text is in the export.
    #[serde(other)]
    Unknown,
}

impl Act {
    /// The word on the wire.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Call(_) => "call",
            Self::Uses { .. } => "uses",
            Self::Publish { .. } => "publish",
            Self::PublishRefused { .. } => "publish_refused",
            Self::PolicyLoaded { .. } => "policy_loaded",
            Self::PolicyRefused { .. } => "policy_refused",
            Self::Secret { .. } => "secret",
            Self::Admin { .. } => "admin",
            Self::Exported { .. } => "exported",
            Self::Pruned { .. } => "pruned",
            Self::Gap { .. } => "gap",
            Self::HostStarted { .. } => "host_started",
            Self::HostStopped { .. } => "host_stopped",
            Self::Unknown => "unknown",
        }
    }

    /// The call it is about, and the call that this one was made for in the end: itself, when no
    /// tool made it.
    pub fn call(&self) -> Option<(CallId, CallId)> {
        match self {
            Self::Call(call) => {
                let root = call.parent.map_or(call.call_id, |parent| parent.root_id);
                Some((call.call_id, root))
            }
            Self::Uses {
                call_id, root_id, ..
            } => Some((*call_id, *root_id)),
            _ => None,
        }
    }
}

/// What happens to records of a kind when they can't be written as fast as they come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Calls: a call without a place for its record is refused.
    Call,
    /// Acts of administrators: refused likewise.
    Admin,
    /// Details of calls, many for one: lost ones are counted, and a record says so.
    Detail,
}

impl Class {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Call => "call",
            Self::Admin => "admin",
            Self::Detail => "detail",
        }
    }
}

/// What was done to a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SecretChange {
    /// It has a value that it did not have.
    Set,
    /// It is gone.
    Removed,
    /// It is encrypted under a new key.
    Rotated,
}

impl SecretChange {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Set => "set",
            Self::Removed => "removed",
            Self::Rotated => "rotated",
        }
    }
}

/// The facts of a call that the audit keeps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CallAct {
    /// The call.
    pub call_id: CallId,
    /// The call that made it, when a tool did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<Parent>,
    /// Through which door, and for which run.
    pub origin: Origin,
    /// The agent at work, where one is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// The name that was asked for.
    pub asked: String,
    /// What ran; absent when nothing was found.
    pub tool: Option<Identity>,
    /// Digest of the arguments' JSON text.
    pub arguments_digest: Digest,
    /// Digest of the result's JSON text; absent when there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result_digest: Option<Digest>,
    /// The policy that decided.
    pub policy: String,
    /// Its digest; absent in records of form 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_digest: Option<Digest>,
    /// Its number since the host started, 0 in records of form 1.
    #[serde(default)]
    pub policy_generation: u64,
    /// What it granted, in words.
    pub granted: Vec<String>,
    /// What was used of that.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub uses: Vec<Use>,
    /// Uses that are not among `uses`: too many different ones.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub uses_dropped: u64,
    /// How it ended: absent for success.
    pub code: Option<Code>,
    /// What was refused.
    pub denials: Vec<CountedDenial>,
    /// Refusals that are not among `denials`: too many different ones.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub denials_dropped: u64,
    /// What it changed in the workspace, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changes: Option<Changes>,
    /// Whether it was a preview: what it changed was told and dropped.
    #[serde(default, skip_serializing_if = "is_false")]
    pub preview: bool,
    /// What it cost.
    pub usage: Usage,
}

/// All refusals of a call that are the same but for their time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CountedDenial {
    /// The first of them.
    #[serde(flatten)]
    pub denial: Denial,
    /// How many.
    #[serde(default = "once")]
    pub count: u64,
}

impl From<Denial> for CountedDenial {
    fn from(denial: Denial) -> Self {
        Self { denial, count: 1 }
    }
}

fn once() -> u64 {
    1
}

/// What a call changed in its workspace.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changes {
    /// Files and directories that were not there.
    pub created: u64,
    /// Files whose content is another.
    pub modified: u64,
    /// Files and directories that are gone.
    pub deleted: u64,
    /// Bytes written to files that are kept.
    pub bytes: u64,
    /// Digest of the whole list of changes and of the contents they left, by which two calls can be
    /// compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
    /// The first paths, as the guest sees them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<String>,
}
