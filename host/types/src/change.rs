//! What a call changed in its mounts, or would have, as its caller is told.

use serde::{Deserialize, Serialize};

use crate::Digest;
use crate::call::is_zero;

/// What becomes of the changes that a call makes on overlays, once it has succeeded. Those of a call
/// that failed are always dropped.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Commit {
    /// They are applied.
    #[default]
    Apply,
    /// They are told and dropped.
    Preview,
    /// They are applied if they have this digest; else they are told and dropped.
    ApplyIf(Digest),
}

impl Commit {
    /// True when the caller is told what is changed.
    pub fn is_told(self) -> bool {
        match self {
            Self::Apply => false,
            Self::Preview | Self::ApplyIf(_) => true,
        }
    }
}

/// All changes of a call, by mount.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeList {
    /// Digest of all of them, those that are not listed included: of each its kind, its path, its
    /// size and its contents. Equal for calls that would leave the same behind.
    pub digest: Digest,
    /// The mounts on which something was changed, in the order of their names.
    pub mounts: Vec<MountChanges>,
    /// Changed paths that are not listed, because there are too many; they are counted.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unlisted: u64,
}

/// The changes on one mount.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MountChanges {
    /// Its name: the guest sees it at `/<name>`.
    pub mount: String,
    /// Files and directories that were not there.
    pub created: u64,
    /// Files whose content is another.
    pub modified: u64,
    /// Files and directories that are gone.
    pub deleted: u64,
    /// Bytes of the files that were created or modified.
    pub bytes: u64,
    /// The changed paths, in their order.
    pub paths: Vec<PathChange>,
}

/// One changed path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PathChange {
    /// Where, below the mount.
    pub path: String,
    /// What came of it.
    pub change: ChangeWord,
    /// Its size in bytes after the change; 0 of directories and of what is gone.
    pub bytes: u64,
    /// Whether it is, or was, a directory.
    #[serde(default, skip_serializing_if = "is_false")]
    pub directory: bool,
}

/// What came of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeWord {
    /// It was not there.
    Created,
    /// It is another, or has other contents.
    Modified,
    /// It is gone.
    Deleted,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
pub(crate) fn is_false(flag: &bool) -> bool {
    !*flag
}
