use async_trait::async_trait;
use cofferdam_types::key_value::{Key, Quota, Space, Write, Written};
use cofferdam_types::page::{Page, PageRequest};

use crate::StoreError;

/// The small state that tools keep between calls. A space holds only what was written to it.
#[async_trait]
pub trait KeyValues: Send + Sync {
    /// What a key holds.
    async fn get(&self, space: &Space, key: &Key) -> Result<Option<Vec<u8>>, StoreError>;

    /// Makes a change if its condition holds and the quota leaves room, which are checked in that
    /// order.
    ///
    /// **Atomic**: of many changes at once none is made on a state that another has changed, and
    /// together they never go over the quota.
    async fn write(
        &self,
        space: &Space,
        write: &Write,
        quota: &Quota,
    ) -> Result<Written, StoreError>;

    /// The keys that begin with `prefix`, in the order of their bytes; `after` is the last key of the
    /// page before.
    async fn list(
        &self,
        space: &Space,
        prefix: &str,
        page: &PageRequest<Key>,
    ) -> Result<Page<Key, Key>, StoreError>;
}
