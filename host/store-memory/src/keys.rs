use std::collections::btree_map::Entry;

use async_trait::async_trait;
use cofferdam_store_api::{KeyRecord, Keys, StoreError};
use cofferdam_types::KeyId;

use crate::tables::Memory;

#[async_trait]
impl Keys for Memory {
    async fn create(&self, key: &KeyRecord) -> Result<(), StoreError> {
        match self.tables().keys.entry(key.id) {
            Entry::Occupied(_) => Err(StoreError::Conflict),
            Entry::Vacant(free) => {
                free.insert(key.clone());
                Ok(())
            }
        }
    }

    async fn get(&self, id: &KeyId) -> Result<Option<KeyRecord>, StoreError> {
        Ok(self.tables().keys.get(id).cloned())
    }
}
