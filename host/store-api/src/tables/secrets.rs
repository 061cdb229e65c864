use std::fmt;
use std::str::FromStr;

use async_trait::async_trait;
use cofferdam_types::page::{Page, PageRequest};
use cofferdam_types::{SecretName, Tenant, Timestamp};
use serde::{Deserialize, Serialize};

use crate::StoreError;

/// Names the key that a secret is sealed with.
///
/// **Shape**: 16 hexadecimal digits, lower case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SealKeyId([u8; 8]);

impl SealKeyId {
    /// From random bytes.
    pub fn new(bytes: [u8; 8]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8; 8] {
        &self.0
    }
}

impl fmt::Display for SealKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", u64::from_be_bytes(self.0))
    }
}

impl From<SealKeyId> for String {
    fn from(id: SealKeyId) -> Self {
        id.to_string()
    }
}

impl FromStr for SealKeyId {
    type Err = StoreError;

    fn from_str(text: &str) -> Result<Self, StoreError> {
        let digit = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        let number = Some(text)
            .filter(|text| text.len() == 16 && text.bytes().all(digit))
            .and_then(|text| u64::from_str_radix(text, 16).ok());
        number
            .map(|number| Self(number.to_be_bytes()))
            .ok_or_else(|| StoreError::Damaged("the id of a sealing key can't be read".to_owned()))
    }
}

impl TryFrom<String> for SealKeyId {
    type Error = StoreError;

    fn try_from(text: String) -> Result<Self, StoreError> {
        text.parse()
    }
}

/// What is known of a secret without opening it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretHead {
    /// Whose it is.
    pub tenant: Tenant,
    /// Its name, unique in the tenant.
    pub name: SecretName,
    /// Counts the values it has had, from 1.
    pub version: u64,
    /// When it got its first value.
    pub created_at: Timestamp,
    /// When it got this one.
    pub rotated_at: Timestamp,
    /// The key it is sealed with.
    pub key: SealKeyId,
}

/// A secret as it is kept: sealed by the `secrets` crate, opaque to every store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretRecord {
    /// What is known without opening it.
    pub head: SecretHead,
    /// Its sealed value, some 64 KiB at most.
    pub sealed: Vec<u8>,
}

/// Where a list over all tenants goes on: behind this secret.
pub type SecretPlace = (Tenant, SecretName);

/// Secrets, sealed.
#[async_trait]
pub trait Secrets: Send + Sync {
    /// Writes a secret in place of what `replaces` says is there: nothing, or a secret of exactly
    /// this head. So of two who change one secret at once the second is refused.
    ///
    /// **Atomic.** **Errors**: [`StoreError::Conflict`] when something else is there.
    async fn put(
        &self,
        record: &SecretRecord,
        replaces: Option<&SecretHead>,
    ) -> Result<(), StoreError>;

    /// One secret.
    async fn get(
        &self,
        tenant: &Tenant,
        name: &SecretName,
    ) -> Result<Option<SecretRecord>, StoreError>;

    /// The heads of a tenant's secrets, by name.
    async fn list(&self, tenant: &Tenant) -> Result<Vec<SecretHead>, StoreError>;

    /// The heads of all tenants' secrets, by tenant and name; for whoever changes the key.
    async fn every(
        &self,
        page: &PageRequest<SecretPlace>,
    ) -> Result<Page<SecretHead, SecretPlace>, StoreError>;

    /// Removes a secret; false when there was none. Nothing of its sealed value is left that a
    /// query could find; what a disk or a backup keeps is useless without the key.
    async fn remove(&self, tenant: &Tenant, name: &SecretName) -> Result<bool, StoreError>;
}
