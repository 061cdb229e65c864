use std::sync::Arc;
use std::time::Duration;

use cofferdam_store_api::{KeyRecord, Keys};
use cofferdam_types::caller::{Caller, Role};
use cofferdam_types::{Ambient, Tenant};
use moka::sync::Cache;
use sha2::{Digest as _, Sha256};

use crate::{ApiKey, Error};

#[cfg(test)]
mod tests;

/// How long a key that was recognised is not looked up again: a key that is taken away works on
/// for at most this long on every host.
const KNOWN_FOR: Duration = Duration::from_secs(5);

/// Most keys remembered at once, some 300 bytes each. Only keys that were recognised are kept, so
/// guessing doesn't push them out.
const KNOWN_KEYS_MAX: u64 = 10_000;

/// Knows who calls.
pub struct Access {
    keys: Arc<dyn Keys>,
    ambient: Arc<dyn Ambient>,
    /// Callers by the SHA-256 of the key they presented.
    known: Cache<[u8; 32], Caller>,
}

impl Access {
    /// Reads and writes keys in `keys`.
    pub fn new(keys: Arc<dyn Keys>, ambient: Arc<dyn Ambient>) -> Self {
        Self {
            keys,
            ambient,
            known: Cache::builder()
                .max_capacity(KNOWN_KEYS_MAX)
                .time_to_live(KNOWN_FOR)
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
        if let Some(caller) = self.known.get(&fingerprint) {
            return Ok(caller);
        }
        let record = self.keys.get(&key.id()).await?;
        let recognised = key.matches(record.as_ref());
        let record = record.filter(|_| recognised).ok_or(Error::Unknown)?;
        let caller = Caller {
            principal: format!("key:{}", record.id),
            role: record.role,
            tenant: record.tenant,
        };
        self.known.insert(fingerprint, caller.clone());
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
