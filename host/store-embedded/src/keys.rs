use async_trait::async_trait;
use cofferdam_store_api::{KeyRecord, Keys, StoreError};
use cofferdam_types::KeyId;
use rusqlite::params;

use crate::embedded::Tables;
use crate::record::{self, RECORD_VERSION};

#[async_trait]
impl Keys for Tables {
    async fn create(&self, key: &KeyRecord) -> Result<(), StoreError> {
        let (id, tenant) = (key.id.to_string(), key.tenant.to_string());
        let text = record::encode(key)?;
        self.write(move |connection| {
            let mut add = connection.prepare_cached(
                "INSERT INTO keys (id, tenant, record_version, record) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT DO NOTHING",
            )?;
            match add.execute(params![id, tenant, RECORD_VERSION, text])? {
                0 => Err(StoreError::Conflict.into()),
                _ => Ok(()),
            }
        })
        .await
    }

    async fn get(&self, id: &KeyId) -> Result<Option<KeyRecord>, StoreError> {
        let key = [id.to_string()];
        self.read(move |connection| {
            let mut get = connection
                .prepare_cached("SELECT record_version, record FROM keys WHERE id = ?1")?;
            record::one(&mut get, key, "keys")
        })
        .await
    }
}
