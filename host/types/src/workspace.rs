//! The directory a call may see.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::WorkspaceName;

/// What may be done in a workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// List and read.
    ReadOnly,
    /// Also create, change and delete.
    ReadWrite,
}

impl Access {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ReadOnly => "read_only",
            Self::ReadWrite => "read_write",
        }
    }
}

/// Where a workspace is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// Below the server's data directory, by name.
    Named(WorkspaceName),
    /// Any directory; only the person at the command line can name one.
    Directory(PathBuf),
}

/// The workspace a caller offers to a call: the most the tool can be granted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// Which directory.
    pub place: Place,
    /// What may be done there.
    pub access: Access,
}
