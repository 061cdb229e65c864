use async_trait::async_trait;
use cofferdam_store_api::{SecretHead, SecretPlace, SecretRecord, Secrets, StoreError};
use cofferdam_types::page::{Page, PageRequest};
use cofferdam_types::{SecretName, Tenant};
use redis::Cmd;

use crate::record;
use crate::script::{self, SECRET_PUT, SECRET_REMOVE};
use crate::store::Tables;

#[async_trait]
impl Secrets for Tables {
    async fn put(
        &self,
        record: &SecretRecord,
        replaces: Option<&SecretHead>,
    ) -> Result<(), StoreError> {
        let head = &record.head;
        let key = self.secret(&head.tenant, &head.name);
        // What is there as its text, which the script compares: a head that an older version wrote
        // may have another text than this one would give it.
        let kept: Option<Vec<u8>> = self.link.command(&Cmd::hget(&key, "head")).await?;
        let seen = kept
            .as_deref()
            .map(|text| record::decode::<SecretHead>("secrets", text));
        if seen.transpose()?.as_ref() != replaces {
            return Err(StoreError::Conflict);
        }
        let place = place(&head.tenant, &head.name);
        let text = record::encode(head)?;
        let arguments = [
            place.as_bytes(),
            kept.as_deref().unwrap_or_default(),
            text.as_bytes(),
            &record.sealed,
        ];
        let keys = [key, self.names.secrets()];
        self.write(&SECRET_PUT, &keys, &arguments).await?;
        Ok(())
    }

    async fn get(
        &self,
        tenant: &Tenant,
        name: &SecretName,
    ) -> Result<Option<SecretRecord>, StoreError> {
        let get = Cmd::hmget(self.secret(tenant, name), &["head", "sealed"]);
        let kept: (Option<Vec<u8>>, Option<Vec<u8>>) = self.link.command(&get).await?;
        let (Some(head), Some(sealed)) = kept else {
            return Ok(None);
        };
        let head = record::decode("secrets", &head)?;
        Ok(Some(SecretRecord { head, sealed }))
    }

    async fn list(&self, tenant: &Tenant) -> Result<Vec<SecretHead>, StoreError> {
        // `!` is what follows the space that ends the tenant's name.
        let range = Cmd::zrangebylex(
            self.names.secrets(),
            format!("[{tenant} "),
            format!("({tenant}!"),
        );
        let places = self.link.command(&range).await?;
        self.heads(places).await
    }

    async fn every(
        &self,
        page: &PageRequest<SecretPlace>,
    ) -> Result<Page<SecretHead, SecretPlace>, StoreError> {
        let from = page.after.as_ref().map_or_else(
            || "-".to_owned(),
            |(tenant, name)| format!("({}", place(tenant, name)),
        );
        let count = isize::try_from(page.items_max() + 1).unwrap_or(isize::MAX);
        let range = Cmd::zrangebylex_limit(self.names.secrets(), from, "+", 0, count);
        let places: Vec<String> = self.link.command(&range).await?;
        let Page { items, next } = Page::cut(places, page.items_max(), String::clone);
        let next = next.map(|place| placed(&place)).transpose()?;
        let items = self.heads(items).await?;
        Ok(Page { items, next })
    }

    async fn remove(&self, tenant: &Tenant, name: &SecretName) -> Result<bool, StoreError> {
        let keys = [self.secret(tenant, name), self.names.secrets()];
        let place = place(tenant, name);
        let code = self
            .link
            .script(&SECRET_REMOVE, &keys, &[place.as_bytes()])
            .await?;
        script::answer(code)
    }
}

impl Tables {
    fn secret(&self, tenant: &Tenant, name: &SecretName) -> String {
        format!("{}secret:{name}", self.names.of(tenant))
    }

    /// The heads at these places; what was removed meanwhile is left out.
    async fn heads(&self, places: Vec<String>) -> Result<Vec<SecretHead>, StoreError> {
        let mut fetch = redis::pipe();
        for place in &places {
            let (tenant, name) = placed(place)?;
            fetch.hget(self.secret(&tenant, &name), "head");
        }
        let texts: Vec<Option<Vec<u8>>> = self.link.pipeline(&fetch).await?;
        texts
            .into_iter()
            .flatten()
            .map(|text| record::decode("secrets", &text))
            .collect()
    }
}

/// Tenants and names are of one grammar, in which nothing sorts before the space: so places are in
/// the order of tenant and name.
fn place(tenant: &Tenant, name: &SecretName) -> String {
    format!("{tenant} {name}")
}

fn placed(place: &str) -> Result<SecretPlace, StoreError> {
    let parts = place.split_once(' ');
    let parts = parts.and_then(|(tenant, name)| Some((tenant.parse().ok()?, name.parse().ok()?)));
    parts.ok_or_else(|| record::unreadable("secrets", place))
}
