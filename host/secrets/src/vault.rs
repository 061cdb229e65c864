use std::path::{Path, PathBuf};
use std::sync::Arc;

use cofferdam_store_api::{SealKeyId, SecretHead, SecretPlace, SecretRecord, Secrets, StoreError};
use cofferdam_types::page::PageRequest;
use cofferdam_types::{Ambient, SecretName, SecretValue, Tenant, Timestamp};
use tokio::sync::{Mutex, RwLock};

use crate::error::{Error, FileFault};
use crate::ring::KeyRing;
use crate::seal::{Place, SealKey};
use crate::source::{Kind, Sources};

#[cfg(test)]
pub(crate) mod tests;

/// How often a change is tried that another change overtook.
const ATTEMPTS_MAX: u32 = 16;
/// What is opened where there is nothing to open, so that the answer takes as long.
const DECOY: &str = "a text about as long as the keys and tokens that people keep here, no more";

/// The secrets of all tenants.
///
/// Nothing is remembered between two uses: a secret that was changed or removed is so for the next
/// use of it, everywhere. Values are open only in memory, in [`SecretValue`].
pub struct Vault {
    table: Arc<dyn Secrets>,
    sources: Sources,
    ambient: Arc<dyn Ambient>,
    /// Absent when nothing is kept.
    file: Option<PathBuf>,
    /// Whoever seals holds it for reading until the store has answered; whoever changes the keys
    /// takes it for writing. So no value is stored under a key that is on its way out.
    ring: Arc<RwLock<KeyRing>>,
    /// One rotation at a time.
    rotation: Mutex<()>,
    decoy: Decoy,
}

/// A sealed value that belongs to nobody.
struct Decoy {
    key: SealKey,
    head: SecretHead,
    sealed: Vec<u8>,
}

/// A secret as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its name.
    pub name: SecretName,
    /// Where its value comes from.
    pub kind: Kind,
    /// What the store knows of it; absent for one from the environment.
    pub stored: Option<Stored>,
}

/// What the store knows of a secret without opening it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Counts the values it has had, from 1.
    pub version: u64,
    /// When it got its first value.
    pub created_at: Timestamp,
    /// When it got this one.
    pub rotated_at: Timestamp,
}

/// What a rotation of the key did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rotation {
    /// The key that everything is sealed with.
    pub key: SealKeyId,
    /// How many values were sealed anew.
    pub resealed: u64,
}

impl From<&SecretHead> for Stored {
    fn from(head: &SecretHead) -> Self {
        Self {
            version: head.version,
            created_at: head.created_at,
            rotated_at: head.rotated_at,
        }
    }
}

impl Vault {
    /// Most secrets of a tenant: a list of them is one answer, and nobody keeps track of more.
    pub const SECRETS_MAX: usize = 1_000;

    /// Opens the vault with the keys in `file`, which is made when there is neither it nor a
    /// secret. A rotation that was cut off is brought to its end. Blocks for some disk accesses.
    ///
    /// **Errors**: [`Error::KeyFile`], [`Error::KeysGone`], [`Error::Store`].
    pub async fn open(
        file: &Path,
        table: Arc<dyn Secrets>,
        sources: Sources,
        ambient: Arc<dyn Ambient>,
    ) -> Result<Self, Error> {
        let failed = |source| Error::KeyFile {
            path: file.to_owned(),
            source,
        };
        let ring = match KeyRing::read(file).map_err(failed)? {
            Some(ring) => ring,
            None if is_empty(&*table).await? => {
                let ring = KeyRing::generate(&*ambient);
                ring.write(file).map_err(failed)?;
                ring
            }
            None => {
                let path = file.to_owned();
                return Err(Error::KeysGone { path });
            }
        };
        let cut_off = ring.has_old_keys();
        let vault = Self::new(Some(file.to_owned()), ring, table, sources, ambient);
        if cut_off && let Err(error) = vault.end_rotation().await {
            // All keys are there still, so every value opens; the next rotation tries again.
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, "secrets are sealed with an older key still");
        }
        Ok(vault)
    }

    /// A vault whose keys are gone with it: for a host that remembers nothing.
    pub fn forgetful(table: Arc<dyn Secrets>, sources: Sources, ambient: Arc<dyn Ambient>) -> Self {
        let ring = KeyRing::generate(&*ambient);
        Self::new(None, ring, table, sources, ambient)
    }

    fn new(
        file: Option<PathBuf>,
        ring: KeyRing,
        table: Arc<dyn Secrets>,
        sources: Sources,
        ambient: Arc<dyn Ambient>,
    ) -> Self {
        Self {
            table,
            sources,
            file,
            ring: Arc::new(RwLock::new(ring)),
            rotation: Mutex::new(()),
            decoy: Decoy::new(&*ambient),
            ambient,
        }
    }

    /// The value of a secret; `None` when the tenant has none of this name, after the same work.
    ///
    /// **Errors**: [`Error::Store`], [`Error::Source`], [`Error::Damaged`]. **Cancel**: nothing is
    /// left behind.
    pub async fn get(
        &self,
        tenant: &Tenant,
        name: &SecretName,
    ) -> Result<Option<SecretValue>, Error> {
        if *tenant == Tenant::default() {
            let given = self.sources.get(name).await;
            let given = given.map_err(|source| Error::Source {
                name: name.clone(),
                source,
            })?;
            if given.is_some() {
                return Ok(given);
            }
        }
        // Between the look at the store and the look at the keys a rotation may end; then the
        // store has the value under the new key.
        for _ in 0..2 {
            let record = self.table.get(tenant, name).await?;
            let Some(record) = record else {
                self.decoy.open();
                return Ok(None);
            };
            let place = Place {
                tenant,
                name,
                version: record.head.version,
                created_at: record.head.created_at,
            };
            let ring = self.ring.read().await;
            if let Some(key) = ring.key(record.head.key) {
                let value = key.open(place, &record.sealed);
                return value.map(Some).map_err(|_| Error::Damaged(name.clone()));
            }
        }
        Err(Error::Damaged(name.clone()))
    }

    /// Gives a secret a value, its first or another one. Answers what the store knows of it then.
    ///
    /// **Errors**: [`Error::Store`], [`Error::FromEnvironment`], [`Error::Full`],
    /// [`Error::Contended`]. **Cancel**: it may or may not have its new value.
    pub async fn set(
        &self,
        tenant: &Tenant,
        name: &SecretName,
        value: &SecretValue,
    ) -> Result<Stored, Error> {
        self.check_own(tenant, name)?;
        for _ in 0..ATTEMPTS_MAX {
            let kept = self.table.get(tenant, name).await?.map(|kept| kept.head);
            if kept.is_none() && self.table.list(tenant).await?.len() >= Self::SECRETS_MAX {
                return Err(Error::Full);
            }
            let now = self.ambient.now();
            let head = |key| SecretHead {
                tenant: tenant.clone(),
                name: name.clone(),
                version: kept.as_ref().map_or(0, |kept| kept.version) + 1,
                created_at: kept.as_ref().map_or(now, |kept| kept.created_at),
                rotated_at: now,
                key,
            };
            match self.write(head, value, kept.as_ref()).await {
                Ok(head) => return Ok(Stored::from(&head)),
                Err(StoreError::Conflict) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::Contended(name.clone()))
    }

    /// Removes a secret; false when the tenant has none of this name.
    ///
    /// **Errors**: [`Error::Store`], [`Error::FromEnvironment`]. **Cancel**: it may or may not be
    /// gone.
    pub async fn remove(&self, tenant: &Tenant, name: &SecretName) -> Result<bool, Error> {
        self.check_own(tenant, name)?;
        Ok(self.table.remove(tenant, name).await?)
    }

    /// The secrets of a tenant, by name; never a value.
    ///
    /// **Errors**: [`Error::Store`].
    pub async fn list(&self, tenant: &Tenant) -> Result<Vec<Listed>, Error> {
        let heads = self.table.list(tenant).await?;
        let given = self.sources.list().filter(|_| *tenant == Tenant::default());
        let mut listed: Vec<_> = given
            .map(|(name, kind)| Listed {
                name: name.clone(),
                kind,
                stored: None,
            })
            .collect();
        // One that the environment hides is not what would be used.
        let own = heads.iter().filter(|head| !self.hides(tenant, &head.name));
        listed.extend(own.map(|head| Listed {
            name: head.name.clone(),
            kind: Kind::Stored,
            stored: Some(head.into()),
        }));
        listed.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(listed)
    }

    /// Seals everything under a fresh key and forgets the old one.
    ///
    /// The fresh key is in the file for good before the first value is sealed with it, and the old
    /// one leaves the file when every value was read back under the new one: wherever this is cut
    /// off, every value opens with a key that is there, and the next start goes on.
    ///
    /// **Errors**: [`Error::Store`], [`Error::KeyFile`]; [`Error::Damaged`] names a value that
    /// opens with no key, and the old key then stays. **Cancel**: as when it is cut off.
    pub async fn rotate_key(&self) -> Result<Rotation, Error> {
        let _one = self.rotation.lock().await;
        {
            let mut ring = self.ring.write().await;
            let fresh = ring.with_fresh(&*self.ambient);
            let fresh = fresh.map_err(|source| self.key_file(source))?;
            *ring = self.keep(fresh).await?;
        }
        self.reseal().await
    }

    async fn end_rotation(&self) -> Result<Rotation, Error> {
        let _one = self.rotation.lock().await;
        self.reseal().await
    }

    /// Seals everything under the active key, then forgets the others. The caller holds the
    /// rotation's lock.
    async fn reseal(&self) -> Result<Rotation, Error> {
        let key = self.ring.read().await.active().id;
        let mut resealed = 0;
        // What is set meanwhile is sealed with the active key, so one pass leaves none behind.
        let mut page = PageRequest::first();
        loop {
            let part = self.table.every(&page).await?;
            for head in part.items.iter().filter(|head| head.key != key) {
                resealed += u64::from(self.reseal_one(head).await?);
            }
            page.after = part.next;
            if page.after.is_none() {
                break;
            }
        }
        self.check_all(key).await?;
        let mut ring = self.ring.write().await;
        let alone = ring.without_old();
        *ring = self.keep(alone).await?;
        Ok(Rotation { key, resealed })
    }

    /// Seals one value under the active key; false when it was changed or removed meanwhile, after
    /// which there is nothing left to do.
    async fn reseal_one(&self, head: &SecretHead) -> Result<bool, Error> {
        let kept = self.table.get(&head.tenant, &head.name).await?;
        let Some(kept) = kept.filter(|kept| kept.head == *head) else {
            return Ok(false);
        };
        let damaged = || Error::Damaged(head.name.clone());
        let value = {
            let ring = self.ring.read().await;
            let key = ring.key(head.key).ok_or_else(damaged)?;
            key.open(Place::of(head), &kept.sealed)
                .map_err(|_| damaged())?
        };
        let next = |key| SecretHead {
            key,
            ..head.clone()
        };
        match self.write(next, &value, Some(head)).await {
            Ok(_) => Ok(true),
            Err(StoreError::Conflict) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Reads everything back and opens it with this key alone.
    async fn check_all(&self, key: SealKeyId) -> Result<(), Error> {
        let mut page = PageRequest::first();
        loop {
            let part = self.table.every(&page).await?;
            for head in &part.items {
                let Some(kept) = self.table.get(&head.tenant, &head.name).await? else {
                    continue;
                };
                let ring = self.ring.read().await;
                let key = ring.key(key).filter(|key| key.id == kept.head.key);
                let opened = key.map(|key| key.open(Place::of(&kept.head), &kept.sealed));
                if !matches!(opened, Some(Ok(_))) {
                    return Err(Error::Damaged(head.name.clone()));
                }
            }
            page.after = part.next;
            if page.after.is_none() {
                return Ok(());
            }
        }
    }

    /// Seals a value with the active key and stores it in place of `replaces`.
    async fn write(
        &self,
        head: impl FnOnce(SealKeyId) -> SecretHead,
        value: &SecretValue,
        replaces: Option<&SecretHead>,
    ) -> Result<SecretHead, StoreError> {
        let ring = Arc::clone(&self.ring).read_owned().await;
        let head = head(ring.active().id);
        let sealed = ring.active().seal(Place::of(&head), value, &*self.ambient);
        let record = SecretRecord { head, sealed };
        let (table, replaces) = (Arc::clone(&self.table), replaces.cloned());
        // A task of its own: the store carries out what it was given even when nobody waits any
        // more, and the keys must not change before it has.
        let write = tokio::spawn(async move {
            let answer = table.put(&record, replaces.as_ref()).await;
            drop(ring);
            answer.map(|()| record.head)
        });
        let stopped = |_| StoreError::Unavailable("the host is stopping".to_owned());
        write.await.map_err(stopped)?
    }

    /// Writes the key file; gives the ring back once it is there for good.
    async fn keep(&self, ring: KeyRing) -> Result<KeyRing, Error> {
        let Some(path) = self.file.clone() else {
            return Ok(ring);
        };
        let write = tokio::task::spawn_blocking(move || ring.write(&path).map(|()| ring));
        let stopped = |_| FileFault::Io(std::io::ErrorKind::Interrupted.into());
        let written = write.await.map_err(stopped).and_then(|written| written);
        written.map_err(|source| self.key_file(source))
    }

    fn key_file(&self, source: FileFault) -> Error {
        Error::KeyFile {
            path: self.file.clone().unwrap_or_default(),
            source,
        }
    }

    fn check_own(&self, tenant: &Tenant, name: &SecretName) -> Result<(), Error> {
        if self.hides(tenant, name) {
            Err(Error::FromEnvironment(name.clone()))
        } else {
            Ok(())
        }
    }

    /// True when the environment gives this secret, whatever the store has.
    fn hides(&self, tenant: &Tenant, name: &SecretName) -> bool {
        *tenant == Tenant::default() && self.sources.has(name)
    }
}

impl Decoy {
    fn new(ambient: &dyn Ambient) -> Self {
        let key = SealKey::generate(ambient);
        let value = SecretValue::new(DECOY.to_owned()).expect("a text of a secret's length");
        let head = SecretHead {
            tenant: Tenant::default(),
            name: "decoy".parse().expect("a name of one word"),
            version: 1,
            created_at: key.created_at,
            rotated_at: key.created_at,
            key: key.id,
        };
        let sealed = key.seal(Place::of(&head), &value, ambient);
        Self { key, head, sealed }
    }

    fn open(&self) {
        let opened = self.key.open(Place::of(&self.head), &self.sealed);
        std::hint::black_box(opened).ok();
    }
}

async fn is_empty(table: &dyn Secrets) -> Result<bool, StoreError> {
    let one: PageRequest<SecretPlace> = PageRequest {
        after: None,
        limit: 1,
    };
    Ok(table.every(&one).await?.items.is_empty())
}
