use async_trait::async_trait;
use cofferdam_types::{Digest, Tenant};

use crate::StoreError;

/// Bytes by digest.
#[async_trait]
pub trait Blobs: Send + Sync {
    /// Keeps `bytes` under `digest`, which the caller computed from them. **Idempotent**: what is
    /// there stays.
    async fn put(&self, tenant: &Tenant, digest: &Digest, bytes: &[u8]) -> Result<(), StoreError>;

    /// The bytes as they were put. The caller checks them against the digest again, since a disk
    /// can change them.
    async fn get(&self, tenant: &Tenant, digest: &Digest) -> Result<Option<Vec<u8>>, StoreError>;
}
