use async_trait::async_trait;
use cofferdam_types::audit::{Act, AuditRecord};
use cofferdam_types::page::{Page, PageRequest};
use cofferdam_types::{CallId, Digest, Tenant, Timestamp};

use crate::StoreError;

/// A record in its place in the chain.
///
/// The chain is over `text`, byte by byte, so that whatever is later added to the form of records
/// leaves it whole. `tenant` and `call` repeat what the text says, for a store to find it by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// 1, 2, 3 … over all tenants, without a gap.
    pub seq: u64,
    /// The digest of the entry before; that of no bytes for the first.
    pub previous: Digest,
    /// The digest of this entry: of `seq`, `previous` and `text`, as `audit` computes it.
    pub digest: Digest,
    /// Whose data it was about.
    pub tenant: Tenant,
    /// The call it is about, and the call that one was made for in the end.
    pub call: Option<CallKey>,
    /// What was done: an [`AuditRecord`] as JSON of one line.
    pub text: String,
}

/// A call, and the call that it was made for in the end: itself, when no tool made it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallKey {
    /// The call.
    pub id: CallId,
    /// The first of the line.
    pub root: CallId,
}

impl AuditEntry {
    /// What was done. A text that this version can't read, of a newer one or a damaged one, is an
    /// [`Act::Unknown`] of nobody at time zero: the rest of a list is worth showing.
    pub fn record(&self) -> AuditRecord {
        serde_json::from_str(&self.text).unwrap_or_else(|_| AuditRecord {
            schema: 0,
            tenant: self.tenant.clone(),
            at: Timestamp::from_millis(0),
            actor: String::new(),
            act: Act::Unknown,
        })
    }
}

/// The audit: a chain that grows at its end and is cut at its front. One writer, the `audit` crate,
/// numbers and links it.
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

    /// Entries of all tenants behind number `after`, oldest first; at most `limit` of them, brought
    /// into the range of a page.
    async fn read(&self, after: u64, limit: u32) -> Result<Vec<AuditEntry>, StoreError>;

    /// Entries of one tenant about a call and all calls of its tree, up and down, oldest first; at
    /// most as many as a page can hold.
    async fn of_call(&self, tenant: &Tenant, call: &CallId) -> Result<Vec<AuditEntry>, StoreError>;

    /// Removes the entries up to number `through`, included, and says how many there were.
    /// **Atomic.** **Retry**: safe; those that are gone are gone. **Errors**:
    /// [`StoreError::Conflict`] when that would be the last one: the chain goes on from it.
    async fn prune(&self, through: u64) -> Result<u64, StoreError>;
}
