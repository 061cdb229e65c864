//! Who asks.

use serde::{Deserialize, Serialize};

use crate::Tenant;

/// What a caller may do at the doors. Roles are ordered: each may do all that the one before may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Reads tools, tasks and runs.
    Viewer,
    /// Also calls tools and runs tasks.
    User,
    /// Also publishes components.
    Author,
    /// Also reads the audit and runs the registry.
    Admin,
}

impl Role {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::User => "user",
            Self::Author => "author",
            Self::Admin => "admin",
        }
    }
}

/// Who asks, as `access` or the command line established it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Caller {
    /// `key:<id>`, `local` or `host`: what the audit records as the actor.
    pub principal: String,
    /// What they may do.
    pub role: Role,
    /// Whose data they work on.
    pub tenant: Tenant,
}

impl Caller {
    /// The person at the command line of this machine, who owns the data directory.
    pub fn local() -> Self {
        Self {
            principal: "local".to_owned(),
            role: Role::Admin,
            tenant: Tenant::default(),
        }
    }
}
