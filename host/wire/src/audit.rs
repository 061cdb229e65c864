//! The audit as it is read.

use cofferdam_types::Digest;
use cofferdam_types::audit::AuditRecord;
use serde::{Deserialize, Serialize};

/// One record in its place in the chain.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AuditView {
    /// 1, 2, 3 … over all tenants.
    pub seq: u64,
    /// The digest of the entry before.
    pub previous: Digest,
    /// The digest of this entry.
    pub digest: Digest,
    /// What was done, by whom and when.
    #[serde(flatten)]
    pub record: AuditRecord,
}
