use std::sync::Arc;

use cofferdam_store_api::{StoreError, Stores, ToolRecord};
use cofferdam_types::tool::{Contract, Manifest, ToolRef};
use cofferdam_types::{Digest, Tenant, Timestamp};
use tokio::sync::watch;

use crate::entry::Entry;
use crate::error::Error;
use crate::known::Known;
use crate::{names, upgrade};

/// The catalogue of every tenant, over the tables `tools` and `blobs`.
pub struct Registry {
    stores: Stores,
    known: Known,
}

/// A component that is to be added, as its own description and its bytes.
pub struct Publication<'a> {
    /// What it says about itself.
    pub manifest: Manifest,
    /// How it is known what its tools need.
    pub contract: Contract,
    /// What it imports.
    pub imports: Vec<String>,
    /// The digest of `bytes`.
    pub digest: Digest,
    /// The file.
    pub bytes: &'a [u8],
    /// Who adds it.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

impl Registry {
    /// Over these stores.
    pub fn new(stores: Stores) -> Self {
        let known = Known::new(stores.tools.clone());
        Self { stores, known }
    }

    /// Adds a component: its bytes first, so that no listed tool is ever without them, then all its
    /// tools at once. True when it was not there before.
    ///
    /// **Errors**: [`Error::Conflict`] when a name is another component's or a version other bytes';
    /// [`Error::Breaking`].
    pub async fn register(
        &self,
        tenant: &Tenant,
        publication: Publication<'_>,
    ) -> Result<bool, Error> {
        let Publication {
            manifest,
            contract,
            imports,
            digest,
            bytes,
            by,
            at,
        } = publication;
        let component = manifest.component;
        let records: Vec<_> = manifest
            .tools
            .into_iter()
            .map(|spec| ToolRecord {
                spec,
                component: component.clone(),
                digest,
                contract,
                imports: imports.clone(),
                created_at: at,
                created_by: by.clone(),
            })
            .collect();
        let catalogue = self.known.ask(tenant).await?;
        if let Some(taken) = names::taken(&catalogue, &records) {
            return Err(Error::Conflict(taken));
        }
        let breaks = upgrade::breaks(&catalogue, &records);
        if !breaks.is_empty() {
            let version = manifest.version;
            return Err(Error::Breaking(component, version, breaks));
        }
        self.stores.blobs.put(tenant, &digest, bytes).await?;
        let created = match self.stores.tools.register(tenant, &records).await {
            Ok(created) => created,
            Err(StoreError::Conflict) => {
                let version = &manifest.version;
                return Err(Error::Conflict(format!(
                    "`{component}` {version} is or was there with other bytes, or a name of its \
                     tools is taken; give these another version or another name"
                )));
            }
            Err(error) => return Err(error.into()),
        };
        self.known.ask(tenant).await?;
        Ok(created)
    }

    /// Tells whenever the tools of some tenant changed, by whichever host; whether a tenant's are
    /// others now, its [generation](Self::generation) says.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.known.changes()
    }

    /// Looks for what other hosts changed, for ever: what they take away is gone here within a
    /// second. While the store does not answer, tools stay as they are for a minute.
    pub async fn follow(&self) {
        self.known.follow().await;
    }

    /// A number for the tenant's tools as they are: while it stays the same, they do.
    pub async fn generation(&self, tenant: &Tenant) -> Result<u64, Error> {
        Ok(self.known.catalogue(tenant).await?.generation)
    }

    /// The tool a name means.
    ///
    /// **Errors**: [`Error::NotFound`].
    pub async fn resolve(&self, tenant: &Tenant, tool: &ToolRef) -> Result<Arc<Entry>, Error> {
        let catalogue = self.known.catalogue(tenant).await?;
        catalogue
            .resolve(tool)
            .cloned()
            .ok_or_else(|| Error::NotFound(tool.clone()))
    }

    /// Every version of every tool, by name and ascending version.
    pub async fn list(&self, tenant: &Tenant) -> Result<Vec<Arc<Entry>>, Error> {
        Ok(self
            .known
            .catalogue(tenant)
            .await?
            .entries()
            .cloned()
            .collect())
    }

    /// The bytes of a component, checked against its digest.
    ///
    /// **Errors**: [`StoreError::Damaged`] when they are gone or changed.
    pub async fn component(&self, tenant: &Tenant, digest: &Digest) -> Result<Vec<u8>, Error> {
        let bytes = self.stores.blobs.get(tenant, digest).await?;
        match bytes {
            Some(bytes) if Digest::of(&bytes) == *digest => Ok(bytes),
            Some(_) => Err(StoreError::Damaged(format!("the bytes of {digest} changed")).into()),
            None => Err(StoreError::Damaged(format!("the bytes of {digest} are gone")).into()),
        }
    }
}
