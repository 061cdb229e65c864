use async_trait::async_trait;
use cofferdam_store_api::{Blobs, StoreError};
use cofferdam_types::{Digest, Tenant};
use rusqlite::{OptionalExtension, params};

use crate::embedded::Tables;
use crate::record::RECORD_VERSION;

#[async_trait]
impl Blobs for Tables {
    async fn put(&self, tenant: &Tenant, digest: &Digest, bytes: &[u8]) -> Result<(), StoreError> {
        let (tenant, digest) = (tenant.to_string(), digest.to_string());
        let bytes = bytes.to_vec();
        self.write(move |connection| {
            let mut put = connection.prepare_cached(
                "INSERT INTO blobs (tenant, digest, record_version, bytes) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT DO NOTHING",
            )?;
            put.execute(params![tenant, digest, RECORD_VERSION, bytes])?;
            Ok(())
        })
        .await
    }

    async fn get(&self, tenant: &Tenant, digest: &Digest) -> Result<Option<Vec<u8>>, StoreError> {
        let key = [tenant.to_string(), digest.to_string()];
        self.read(move |connection| {
            let mut get = connection
                .prepare_cached("SELECT bytes FROM blobs WHERE tenant = ?1 AND digest = ?2")?;
            Ok(get.query_row(key, |row| row.get(0)).optional()?)
        })
        .await
    }
}
