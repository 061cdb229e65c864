use std::ops::Bound;

use async_trait::async_trait;
use cofferdam_store_api::{SecretHead, SecretPlace, SecretRecord, Secrets, StoreError};
use cofferdam_types::page::{Page, PageRequest};
use cofferdam_types::{SecretName, Tenant};

use crate::tables::Memory;

#[async_trait]
impl Secrets for Memory {
    async fn put(
        &self,
        record: &SecretRecord,
        replaces: Option<&SecretHead>,
    ) -> Result<(), StoreError> {
        let mut tables = self.tables();
        let place = place(&record.head);
        if tables.secrets.get(&place).map(|kept| &kept.head) != replaces {
            return Err(StoreError::Conflict);
        }
        tables.secrets.insert(place, record.clone());
        Ok(())
    }

    async fn get(
        &self,
        tenant: &Tenant,
        name: &SecretName,
    ) -> Result<Option<SecretRecord>, StoreError> {
        let place = (tenant.clone(), name.clone());
        Ok(self.tables().secrets.get(&place).cloned())
    }

    async fn list(&self, tenant: &Tenant) -> Result<Vec<SecretHead>, StoreError> {
        let tables = self.tables();
        let own = tables.secrets.values().map(|record| &record.head);
        Ok(own.filter(|head| head.tenant == *tenant).cloned().collect())
    }

    async fn every(
        &self,
        page: &PageRequest<SecretPlace>,
    ) -> Result<Page<SecretHead, SecretPlace>, StoreError> {
        let after = match &page.after {
            Some(place) => Bound::Excluded(place.clone()),
            None => Bound::Unbounded,
        };
        let items_max = page.items_max();
        let tables = self.tables();
        let rest = tables.secrets.range((after, Bound::Unbounded));
        let heads = rest.map(|(_, record)| record.head.clone());
        Ok(Page::cut(
            heads.take(items_max + 1).collect(),
            items_max,
            place,
        ))
    }

    async fn remove(&self, tenant: &Tenant, name: &SecretName) -> Result<bool, StoreError> {
        let place = (tenant.clone(), name.clone());
        Ok(self.tables().secrets.remove(&place).is_some())
    }
}

fn place(head: &SecretHead) -> SecretPlace {
    (head.tenant.clone(), head.name.clone())
}
