use async_trait::async_trait;
use cofferdam_store_api::{Blobs, StoreError};
use cofferdam_types::{Digest, Tenant};

use crate::tables::Memory;

#[async_trait]
impl Blobs for Memory {
    async fn put(&self, tenant: &Tenant, digest: &Digest, bytes: &[u8]) -> Result<(), StoreError> {
        let key = (tenant.clone(), *digest);
        self.tables()
            .blobs
            .entry(key)
            .or_insert_with(|| bytes.to_vec());
        Ok(())
    }

    async fn get(&self, tenant: &Tenant, digest: &Digest) -> Result<Option<Vec<u8>>, StoreError> {
        let key = (tenant.clone(), *digest);
        Ok(self.tables().blobs.get(&key).cloned())
    }
}
