use async_trait::async_trait;
use cofferdam_types::audit::AuditRecord;
use cofferdam_types::page::{Page, PageRequest};
use cofferdam_types::{Digest, Tenant};

use crate::StoreError;

/// A record in its place in the chain.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditEntry {
    /// 1, 2, 3 … over all tenants, without a gap.
    pub seq: u64,
    /// The digest of the entry before; that of no bytes for the first.
    pub previous: Digest,
    /// The digest of this entry: of `seq`, `previous` and the record, as `audit` computes it.
    pub digest: Digest,
    /// What was done.
    pub record: AuditRecord,
}

/// The audit: a chain that only grows. One writer, the `audit` crate, numbers and links it.
#[async_trait]
pub trait Audit: Send + Sync {
    /// Adds entries. **Atomic.** **Errors**: [`StoreError::Conflict`] when the first entry's number
    /// does not follow the last one kept, or another's the one before it.
    async fn append(&self, entries: &[AuditEntry]) -> Result<(), StoreError>;

    /// The number and digest of the last entry, if there is one.
    async fn last(&self) -> Result<Option<(u64, Digest)>, StoreError>;

    /// Entries of one tenant, newest first; `after` is the last number of the page before.
    async fn list(
        &self,
        tenant: &Tenant,
        page: &PageRequest<u64>,
    ) -> Result<Page<AuditEntry, u64>, StoreError>;
}
