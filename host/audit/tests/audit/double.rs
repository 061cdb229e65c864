use async_trait::async_trait;
use cofferdam_store_api::{Audit, AuditEntry, StoreError};
use cofferdam_types::page::{Page, PageRequest};
use cofferdam_types::{CallId, Digest, Tenant};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::watch;

/// A real table whose appends wait while the store is stalled.
pub(crate) struct Stalling {
    table: Arc<dyn Audit>,
    is_stalled: watch::Sender<bool>,
}

impl Stalling {
    pub(crate) fn new(table: Arc<dyn Audit>) -> Arc<Self> {
        Arc::new(Self {
            table,
            is_stalled: watch::Sender::new(true),
        })
    }

    /// Goes on.
    pub(crate) fn resume(&self) {
        self.is_stalled.send_replace(false);
    }
}

#[async_trait]
impl Audit for Stalling {
    async fn append(&self, entries: &[AuditEntry]) -> Result<(), StoreError> {
        let mut stalled = self.is_stalled.subscribe();
        stalled.wait_for(|is_stalled| !is_stalled).await.ok();
        self.table.append(entries).await
    }

    async fn last(&self) -> Result<Option<(u64, Digest)>, StoreError> {
        self.table.last().await
    }

    async fn list(
        &self,
        tenant: &Tenant,
        page: &PageRequest<u64>,
    ) -> Result<Page<AuditEntry, u64>, StoreError> {
        self.table.list(tenant, page).await
    }

    async fn read(&self, after: u64, limit: u32) -> Result<Vec<AuditEntry>, StoreError> {
        self.table.read(after, limit).await
    }

    async fn of_call(&self, tenant: &Tenant, call: &CallId) -> Result<Vec<AuditEntry>, StoreError> {
        self.table.of_call(tenant, call).await
    }

    async fn prune(&self, through: u64) -> Result<u64, StoreError> {
        self.table.prune(through).await
    }
}

/// A real table that appends and then says that it failed, every other time.
pub(crate) struct Forgetful {
    table: Arc<dyn Audit>,
    error: StoreError,
    appends: AtomicU64,
}

impl Forgetful {
    pub(crate) fn new(table: Arc<dyn Audit>, error: StoreError) -> Self {
        Self {
            table,
            error,
            appends: AtomicU64::new(0),
        }
    }
}

#[async_trait]
impl Audit for Forgetful {
    async fn append(&self, entries: &[AuditEntry]) -> Result<(), StoreError> {
        self.table.append(entries).await?;
        if self
            .appends
            .fetch_add(1, Ordering::Relaxed)
            .is_multiple_of(2)
        {
            // Long enough for another host to write behind it.
            tokio::time::sleep(Duration::from_secs(1)).await;
            return Err(self.error.clone());
        }
        Ok(())
    }

    async fn last(&self) -> Result<Option<(u64, Digest)>, StoreError> {
        self.table.last().await
    }

    async fn list(
        &self,
        tenant: &Tenant,
        page: &PageRequest<u64>,
    ) -> Result<Page<AuditEntry, u64>, StoreError> {
        self.table.list(tenant, page).await
    }

    async fn read(&self, after: u64, limit: u32) -> Result<Vec<AuditEntry>, StoreError> {
        self.table.read(after, limit).await
    }

    async fn of_call(&self, tenant: &Tenant, call: &CallId) -> Result<Vec<AuditEntry>, StoreError> {
        self.table.of_call(tenant, call).await
    }

    async fn prune(&self, through: u64) -> Result<u64, StoreError> {
        self.table.prune(through).await
    }
}
