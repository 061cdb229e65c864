use async_trait::async_trait;
use cofferdam_store_api::{Audit, AuditEntry, CallKey, StoreError};
use cofferdam_types::page::{PAGE_ITEMS_MAX, Page, PageRequest};
use cofferdam_types::{CallId, Digest, Tenant};

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
            .filter(|entry| entry.tenant == *tenant)
            .take(page.items_max() + 1)
            .cloned()
            .collect();
        Ok(Page::cut(
            fetched,
            page.items_max(),
            |entry: &AuditEntry| entry.seq,
        ))
    }

    async fn read(&self, after: u64, limit: u32) -> Result<Vec<AuditEntry>, StoreError> {
        let request = PageRequest {
            after: Some(after),
            limit,
        };
        let tables = self.tables();
        let behind = tables.audit.iter().filter(|entry| entry.seq > after);
        Ok(behind.take(request.items_max()).cloned().collect())
    }

    async fn of_call(&self, tenant: &Tenant, call: &CallId) -> Result<Vec<AuditEntry>, StoreError> {
        let tables = self.tables();
        let own = || {
            let calls = tables.audit.iter().filter(|entry| entry.tenant == *tenant);
            calls.filter_map(|entry| entry.call.map(|key| (key, entry)))
        };
        let found = own().find(|(key, _)| key.id == *call);
        let Some((CallKey { root, .. }, _)) = found else {
            return Ok(Vec::new());
        };
        let tree = own().filter(|(key, _)| key.root == root);
        let tree = tree.map(|(_, entry)| entry.clone());
        Ok(tree.take(PAGE_ITEMS_MAX as usize).collect())
    }

    async fn prune(&self, through: u64) -> Result<u64, StoreError> {
        let mut tables = self.tables();
        if tables.audit.last().is_some_and(|last| last.seq <= through) {
            return Err(StoreError::Conflict);
        }
        let before = tables.audit.len();
        tables.audit.retain(|entry| entry.seq > through);
        Ok((before - tables.audit.len()) as u64)
    }
}
