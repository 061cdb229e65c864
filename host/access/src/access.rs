use std::sync::Arc;
use std::time::Duration;

use cofferdam_store_api::{KeyRecord, Keys, StoreError};
use cofferdam_types::caller::{Caller, Role};
use cofferdam_types::{Ambient, Tenant, Timestamp};
use moka::sync::Cache;
use sha2::{Digest as _, Sha256};

use crate::{ApiKey, Error};

#[cfg(test)]
mod tests;

/// How long a key that was recognised is not looked up again: a key that is taken away works on
/// for at most this long on every host.
const KNOWN_FOR: Duration = Duration::from_secs(5);

/// How long a key that was recognised is believed while the store can't be asked: a server that is
/// started again takes no caller away, and a key that was taken away works for no longer.
const TRUSTED_FOR: Duration = Duration::from_mins(1);

/// Most keys remembered at once, some 300 bytes each. Only keys that were recognised are kept, so
/// guessing doesn't push them out.
const KNOWN_KEYS_MAX: u64 = 10_000;

/// Knows who calls.
pub struct Access {
    keys: Arc<dyn Keys>,
    ambient: Arc<dyn Ambient>,
    /// Callers by the SHA-256 of the key they presented.
    known: Cache<[u8; 32], Recognised>,
}

/// A caller, and when the store said so.
#[derive(Clone)]
struct Recognised {
    caller: Caller,
    at: Timestamp,
}

impl Access {
    /// Reads and writes keys in `keys`.
    pub fn new(keys: Arc<dyn Keys>, ambient: Arc<dyn Ambient>) -> Self {
        Self {
            keys,
            ambient,
            known: Cache::builder()
                .max_capacity(KNOWN_KEYS_MAX)
                .time_to_live(TRUSTED_FOR)
                .build(),
        }
    }

    /// The caller who presents this key.
    ///
    /// **Errors**: [`Error::Unknown`], after the same work for a key that doesn't exist as for one
    /// with a wrong secret; [`Error::Store`]. **Cancel**: nothing is left behind.
    pub async fn authenticate(&self, presented: &str) -> Result<Caller, Error> {
        let key: ApiKey = presented.parse().map_err(|_| Error::Unknown)?;
        let fingerprint = Sha256::digest(presented).into();
        let known = self.known.get(&fingerprint);
        let now = self.ambient.now();
        let is_within = |known: &Recognised, time| now.since(known.at) < time;
        if let Some(known) = known.as_ref().filter(|known| is_within(known, KNOWN_FOR)) {
            return Ok(known.caller.clone());
        }
        let record = match (self.keys.get(&key.id()).await, known) {
            (Err(StoreError::Unavailable(_)), Some(known)) if is_within(&known, TRUSTED_FOR) => {
                return Ok(known.caller);
            }
            (record, _) => record?,
        };
        let recognised = key.matches(record.as_ref());
        let Some(record) = record.filter(|_| recognised) else {
            self.known.invalidate(&fingerprint);
            return Err(Error::Unknown);
        };
        let caller = Caller {
            principal: format!("key:{}", record.id),
            role: record.role,
            tenant: record.tenant,
        };
        let recognised = Recognised {
            caller: caller.clone(),
            at: now,
        };
        self.known.insert(fingerprint, recognised);
        Ok(caller)
    }

    /// Makes a key. What it returns is the only copy of the secret.
    ///
    /// **Errors**: [`Error::Store`]. **Cancel**: a key that nobody holds may be left behind.
    pub async fn create_key(
        &self,
        name: &str,
        role: Role,
        tenant: &Tenant,
    ) -> Result<ApiKey, Error> {
        let key = ApiKey::generate(&*self.ambient);
        let record = KeyRecord {
            id: key.id(),
            tenant: tenant.clone(),
            name: name.to_owned(),
            role,
            secret_hash: key.secret_hash(),
            created_at: self.ambient.now(),
        };
        self.keys.create(&record).await?;
        Ok(key)
    }
}
