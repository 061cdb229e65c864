use async_trait::async_trait;
use cofferdam_store_api::{Audit, AuditEntry, StoreError};
use cofferdam_types::page::{Page, PageRequest};
use cofferdam_types::{Digest, Tenant};

use crate::tables::Memory;

#[async_trait]
impl Audit for Memory {
    async fn append(&self, entries: &[AuditEntry]) -> Result<(), StoreError> {
        let mut tables = self.tables();
        let last = tables.audit.last().map_or(0, |entry| entry.seq);
        let numbered = (last + 1..)
            .zip(entries)
            .all(|(seq, entry)| seq == entry.seq);
        if !numbered {
            return Err(StoreError::Conflict);
        }
        tables.audit.extend_from_slice(entries);
        Ok(())
    }

    async fn last(&self) -> Result<Option<(u64, Digest)>, StoreError> {
        let tables = self.tables();
        Ok(tables.audit.last().map(|entry| (entry.seq, entry.digest)))
    }

    async fn list(
        &self,
        tenant: &Tenant,
        page: &PageRequest<u64>,
    ) -> Result<Page<AuditEntry, u64>, StoreError> {
        let tables = self.tables();
        let fetched = tables
            .audit
            .iter()
            .rev()
            .filter(|entry| page.after.is_none_or(|after| entry.seq < after))
            .filter(|entry| entry.record.tenant == *tenant)
            .take(page.items_max() + 1)
            .cloned()
            .collect();
        Ok(Page::cut(
            fetched,
            page.items_max(),
            |entry: &AuditEntry| entry.seq,
        ))
    }
}
