use async_trait::async_trait;
use cofferdam_store_api::{StoreError, ToolRecord, Tools};
use cofferdam_types::{Tenant, ToolName, Version};

use crate::tables::Memory;

#[async_trait]
impl Tools for Memory {
    async fn register(&self, tenant: &Tenant, records: &[ToolRecord]) -> Result<bool, StoreError> {
        let mut tables = self.tables();
        // The change is made on a copy, so that a refusal leaves nothing of it.
        let mut tools = tables.tools.clone();
        for record in records {
            let key = (
                tenant.clone(),
                record.spec.name.clone(),
                record.spec.version.clone(),
            );
            let kept = tools.entry(key).or_insert_with(|| record.clone());
            if kept.digest != record.digest {
                return Err(StoreError::Conflict);
            }
        }
        let added = tools.len() > tables.tools.len();
        tables.tools = tools;
        Ok(added)
    }

    async fn get(
        &self,
        tenant: &Tenant,
        name: &ToolName,
        version: &Version,
    ) -> Result<Option<ToolRecord>, StoreError> {
        let key = (tenant.clone(), name.clone(), version.clone());
        Ok(self.tables().tools.get(&key).cloned())
    }

    async fn list(&self, tenant: &Tenant) -> Result<Vec<ToolRecord>, StoreError> {
        let tables = self.tables();
        let own = tables.tools.iter().filter(|(key, _)| key.0 == *tenant);
        Ok(own.map(|(_, record)| record.clone()).collect())
    }
}
