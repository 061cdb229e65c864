use async_trait::async_trait;
use cofferdam_store_api::{SecretHead, SecretPlace, SecretRecord, Secrets, StoreError};
use cofferdam_types::page::{Page, PageRequest};
use cofferdam_types::{SecretName, Tenant};
use rusqlite::params;

use crate::embedded::Tables;
use crate::record::{self, RECORD_VERSION};

#[async_trait]
impl Secrets for Tables {
    async fn put(
        &self,
        record: &SecretRecord,
        replaces: Option<&SecretHead>,
    ) -> Result<(), StoreError> {
        let text = record::encode(&record.head)?;
        let (record, replaces) = (record.clone(), replaces.cloned());
        self.write(move |connection| {
            let (tenant, name) = (record.head.tenant.as_str(), record.head.name.as_str());
            let mut get = connection.prepare_cached(
                "SELECT record_version, record FROM secrets WHERE tenant = ?1 AND name = ?2",
            )?;
            let kept: Option<SecretHead> = record::one(&mut get, [tenant, name], "secrets")?;
            if kept != replaces {
                return Err(StoreError::Conflict.into());
            }
            let mut put = connection.prepare_cached(
                "INSERT INTO secrets (tenant, name, record_version, record, sealed)
                 VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT DO UPDATE SET record_version = ?3, record = ?4, sealed = ?5",
            )?;
            put.execute(params![tenant, name, RECORD_VERSION, text, record.sealed])?;
            Ok(())
        })
        .await
    }

    async fn get(
        &self,
        tenant: &Tenant,
        name: &SecretName,
    ) -> Result<Option<SecretRecord>, StoreError> {
        let key = [tenant.to_string(), name.to_string()];
        self.read(move |connection| {
            let mut get = connection.prepare_cached(
                "SELECT record_version, record, sealed FROM secrets
                 WHERE tenant = ?1 AND name = ?2",
            )?;
            let mut rows = get.query(key)?;
            let Some(row) = rows.next()? else {
                return Ok(None);
            };
            let head = record::decode("secrets", row)?;
            let sealed = row.get(2)?;
            Ok(Some(SecretRecord { head, sealed }))
        })
        .await
    }

    async fn list(&self, tenant: &Tenant) -> Result<Vec<SecretHead>, StoreError> {
        let key = [tenant.to_string()];
        self.read(move |connection| {
            let mut list = connection.prepare_cached(
                "SELECT record_version, record FROM secrets WHERE tenant = ?1 ORDER BY name",
            )?;
            record::all(&mut list, key, "secrets")
        })
        .await
    }

    async fn every(
        &self,
        page: &PageRequest<SecretPlace>,
    ) -> Result<Page<SecretHead, SecretPlace>, StoreError> {
        // No tenant has an empty name, so nothing stands before this.
        let (tenant, name) = page.after.as_ref().map_or_else(Default::default, |after| {
            (after.0.to_string(), after.1.to_string())
        });
        let items_max = page.items_max();
        self.read(move |connection| {
            let mut list = connection.prepare_cached(
                "SELECT record_version, record FROM secrets WHERE (tenant, name) > (?1, ?2)
                 ORDER BY tenant, name LIMIT ?3",
            )?;
            let key = params![tenant, name, record::fetch(items_max)];
            let heads = record::all(&mut list, key, "secrets")?;
            Ok(Page::cut(heads, items_max, |head: &SecretHead| {
                (head.tenant.clone(), head.name.clone())
            }))
        })
        .await
    }

    async fn remove(&self, tenant: &Tenant, name: &SecretName) -> Result<bool, StoreError> {
        let key = [tenant.to_string(), name.to_string()];
        self.write(move |connection| {
            let mut remove =
                connection.prepare_cached("DELETE FROM secrets WHERE tenant = ?1 AND name = ?2")?;
            Ok(remove.execute(key)? > 0)
        })
        .await
    }
}
