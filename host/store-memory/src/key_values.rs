use std::ops::Bound;

use async_trait::async_trait;
use cofferdam_store_api::{KeyValues, StoreError};
use cofferdam_types::key_value::{Key, Quota, Space, Write, Written};
use cofferdam_types::page::{Page, PageRequest};

use crate::tables::Memory;

#[async_trait]
impl KeyValues for Memory {
    async fn get(&self, space: &Space, key: &Key) -> Result<Option<Vec<u8>>, StoreError> {
        let tables = self.tables();
        let kept = tables.key_values.get(space);
        Ok(kept.and_then(|kept| kept.values.get(key)).cloned())
    }

    async fn write(
        &self,
        space: &Space,
        write: &Write,
        quota: &Quota,
    ) -> Result<Written, StoreError> {
        let mut tables = self.tables();
        let kept = tables.key_values.entry(space.clone()).or_default();
        let found = kept.values.get(&write.key);
        if !write.when.holds(found.map(Vec::as_slice)) {
            return Ok(Written::Differs);
        }
        let existed = found.is_some();
        let (before, after) = (found.map(Vec::len), write.value.as_ref().map(Vec::len));
        let key_bytes = write.key.as_str().len();
        match kept.sum.changed(key_bytes, before, after, quota) {
            Ok(sum) => kept.sum = sum,
            Err(full) => return Ok(Written::Full(full)),
        }
        match &write.value {
            Some(value) => kept.values.insert(write.key.clone(), value.clone()),
            None => kept.values.remove(&write.key),
        };
        Ok(Written::Done { existed })
    }

    async fn list(
        &self,
        space: &Space,
        prefix: &str,
        page: &PageRequest<Key>,
    ) -> Result<Page<Key, Key>, StoreError> {
        let tables = self.tables();
        let Some(kept) = tables.key_values.get(space) else {
            return Ok(Page::cut(Vec::new(), 1, Key::clone));
        };
        let from = page
            .after
            .as_ref()
            .map_or(Bound::Unbounded, Bound::Excluded);
        let own = kept
            .values
            .range::<Key, _>((from, Bound::Unbounded))
            .map(|(key, _)| key)
            .filter(|key| key.as_str().starts_with(prefix));
        let items = own.take(page.items_max() + 1).cloned().collect();
        Ok(Page::cut(items, page.items_max(), Key::clone))
    }
}
