use async_trait::async_trait;
use cofferdam_store_api::{KeyValues, StoreError};
use cofferdam_types::key_value::{Full, Key, Quota, Space, When, Write, Written};
use cofferdam_types::page::{Page, PageRequest};
use redis::Cmd;

use crate::record;
use crate::script::KEY_VALUE_WRITE;
use crate::store::Tables;

/// The parts of a space's keys.
const VALUES: &str = "values";
const ORDER: &str = "keys";
const SUM: &str = "sum";

#[async_trait]
impl KeyValues for Tables {
    async fn get(&self, space: &Space, key: &Key) -> Result<Option<Vec<u8>>, StoreError> {
        let get = Cmd::hget(self.names.space(space, VALUES), key.as_str());
        self.link.command(&get).await
    }

    async fn write(
        &self,
        space: &Space,
        write: &Write,
        quota: &Quota,
    ) -> Result<Written, StoreError> {
        let keys = [VALUES, ORDER, SUM].map(|part| self.names.space(space, part));
        let act: &[u8] = if write.value.is_some() {
            b"set"
        } else {
            b"remove"
        };
        let value = write.value.as_deref().unwrap_or_default();
        let (when, expected): (&[u8], &[u8]) = match &write.when {
            When::Always => (b"always", b""),
            When::Absent => (b"absent", b""),
            When::Holds(expected) => (b"holds", expected),
        };
        let limits = [quota.entries, quota.bytes, quota.value_bytes].map(|limit| limit.to_string());
        let [entries, bytes, value_bytes] = limits.each_ref().map(String::as_bytes);
        let key = write.key.as_str().as_bytes();
        let arguments = [key, act, value, when, expected, entries, bytes, value_bytes];
        match self
            .link
            .script(&KEY_VALUE_WRITE, &keys, &arguments)
            .await?
        {
            0_i64 => Ok(Written::Differs),
            1 => Ok(Written::Done { existed: false }),
            2 => Ok(Written::Done { existed: true }),
            -1 => Ok(Written::Full(Full::Entries)),
            -2 => Ok(Written::Full(Full::Bytes)),
            -3 => Ok(Written::Full(Full::ValueBytes)),
            other => Err(StoreError::Damaged(format!("a script answered {other}"))),
        }
    }

    async fn list(
        &self,
        space: &Space,
        prefix: &str,
        page: &PageRequest<Key>,
    ) -> Result<Page<Key, Key>, StoreError> {
        let after = page.after.as_ref().map(Key::as_str);
        // The later of the two beginnings.
        let from = match after {
            Some(after) if after >= prefix => format!("({after}"),
            _ => format!("[{prefix}"),
        };
        let mut to = b"(".to_vec();
        // Text is UTF-8, in which no byte is 0xff: all that begins with the prefix is below.
        to.extend_from_slice(prefix.as_bytes());
        to.push(0xff);
        let count = isize::try_from(page.items_max() + 1).unwrap_or(isize::MAX);
        let order = self.names.space(space, ORDER);
        let range = Cmd::zrangebylex_limit(order, from.as_bytes(), to.as_slice(), 0, count);
        let keys: Vec<String> = self.link.command(&range).await?;
        let keys = keys.iter().map(|key| key.parse()).collect::<Result<_, _>>();
        let keys = keys.map_err(|error| record::unreadable("key values", error))?;
        Ok(Page::cut(keys, page.items_max(), Key::clone))
    }
}
