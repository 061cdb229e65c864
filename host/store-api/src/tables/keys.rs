use async_trait::async_trait;
use cofferdam_types::caller::Role;
use cofferdam_types::{KeyId, Tenant, Timestamp};
use serde::{Deserialize, Serialize};

use crate::StoreError;

/// An API key as it is kept: enough to recognise it, not enough to use it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyRecord {
    /// Names it; part of the key's text.
    pub id: KeyId,
    /// Whose data it opens.
    pub tenant: Tenant,
    /// For people.
    pub name: String,
    /// What its holder may do.
    pub role: Role,
    /// SHA-256 of its secret part. A fast hash is right here: the secret is 32 random bytes.
    pub secret_hash: [u8; 32],
    /// When it was made.
    pub created_at: Timestamp,
}

/// API keys. A key is looked up by id before its tenant is known, so these take none.
#[async_trait]
pub trait Keys: Send + Sync {
    /// Adds a key. **Errors**: [`StoreError::Conflict`] when the id is taken.
    async fn create(&self, key: &KeyRecord) -> Result<(), StoreError>;

    /// One key.
    async fn get(&self, id: &KeyId) -> Result<Option<KeyRecord>, StoreError>;
}
