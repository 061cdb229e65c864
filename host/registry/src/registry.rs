use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use cofferdam_store_api::{StoreError, Stores, ToolRecord};
use cofferdam_types::page::PageRequest;
use cofferdam_types::tool::{Contract, Manifest, ToolRef};
use cofferdam_types::{Digest, Tenant, Timestamp};
use tokio::sync::{Mutex, watch};

use crate::catalogue::Catalogue;
use crate::entry::Entry;
use crate::error::Error;
use crate::names;

/// The catalogue of every tenant, over the tables `tools` and `blobs`.
pub struct Registry {
    stores: Stores,
    catalogues: RwLock<HashMap<Tenant, Arc<Catalogue>>>,
    /// Held while a component is added, so that two can't both find a name free.
    adding: Mutex<()>,
    /// Readings of the store so far.
    readings: AtomicU64,
    /// Components added so far.
    changes: watch::Sender<u64>,
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
        Self {
            stores,
            catalogues: RwLock::default(),
            adding: Mutex::default(),
            readings: AtomicU64::default(),
            changes: watch::Sender::default(),
        }
    }

    /// Adds a component: its bytes first, so that no listed tool is ever without them, then all its
    /// tools at once. True when it was not there before.
    ///
    /// **Errors**: [`Error::Conflict`] when a name is another component's or a version other bytes'.
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
        let _alone = self.adding.lock().await;
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
        let catalogue = self.catalogue(tenant).await?;
        if let Some(taken) = names::taken(&catalogue, &records) {
            return Err(Error::Conflict(taken));
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
        self.reload(tenant).await?;
        if created {
            self.changes.send_modify(|changes| *changes += 1);
        }
        Ok(created)
    }

    /// Tells whenever a component was added, to whichever tenant; whether a tenant's tools are
    /// others now, its [generation](Self::generation) says.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// A number for the tenant's tools as they are: while it stays the same, they do.
    pub async fn generation(&self, tenant: &Tenant) -> Result<u64, Error> {
        Ok(self.catalogue(tenant).await?.generation)
    }

    /// The tool a name means.
    ///
    /// **Errors**: [`Error::NotFound`].
    pub async fn resolve(&self, tenant: &Tenant, tool: &ToolRef) -> Result<Arc<Entry>, Error> {
        let catalogue = self.catalogue(tenant).await?;
        catalogue
            .resolve(tool)
            .cloned()
            .ok_or_else(|| Error::NotFound(tool.clone()))
    }

    /// Every version of every tool, by name and ascending version.
    pub async fn list(&self, tenant: &Tenant) -> Result<Vec<Arc<Entry>>, Error> {
        Ok(self.catalogue(tenant).await?.entries().cloned().collect())
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

    async fn catalogue(&self, tenant: &Tenant) -> Result<Arc<Catalogue>, Error> {
        let known = self
            .catalogues
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(tenant)
            .cloned();
        match known {
            Some(catalogue) => Ok(catalogue),
            None => self.reload(tenant).await,
        }
    }

    async fn reload(&self, tenant: &Tenant) -> Result<Arc<Catalogue>, Error> {
        let mut records = Vec::new();
        let mut page = PageRequest::first();
        loop {
            let part = self.stores.tools.list(tenant, "", &page).await?;
            let tools = part.items.into_iter().flatten();
            records.extend(tools.map(|tool| tool.record));
            page.after = part.next;
            if page.after.is_none() {
                break;
            }
        }
        let generation = self.readings.fetch_add(1, Ordering::Relaxed);
        let catalogue = Arc::new(Catalogue::new(generation, records));
        let mut catalogues = self
            .catalogues
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        catalogues.insert(tenant.clone(), catalogue.clone());
        Ok(catalogue)
    }
}
