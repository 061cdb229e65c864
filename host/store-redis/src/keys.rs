use async_trait::async_trait;
use cofferdam_store_api::{KeyRecord, Keys, StoreError};
use cofferdam_types::KeyId;
use redis::Cmd;

use crate::record;
use crate::script::KEY_CREATE;
use crate::store::Tables;

#[async_trait]
impl Keys for Tables {
    async fn create(&self, key: &KeyRecord) -> Result<(), StoreError> {
        let keys = [self.names.key(&key.id)];
        let text = record::encode(key)?;
        self.write(&KEY_CREATE, &keys, &[text.as_bytes()]).await?;
        Ok(())
    }

    async fn get(&self, id: &KeyId) -> Result<Option<KeyRecord>, StoreError> {
        let text: Option<Vec<u8>> = self.link.command(&Cmd::get(self.names.key(id))).await?;
        text.map(|text| record::decode("keys", &text)).transpose()
    }
}
