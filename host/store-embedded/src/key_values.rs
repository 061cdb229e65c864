use async_trait::async_trait;
use cofferdam_store_api::{KeyValues, StoreError};
use cofferdam_types::key_value::{Kept, Key, Quota, Space, Write, Written};
use cofferdam_types::page::{Page, PageRequest};
use rusqlite::{Connection, OptionalExtension, params};

use crate::embedded::Tables;
use crate::error::Fault;
use crate::record;

#[async_trait]
impl KeyValues for Tables {
    async fn get(&self, space: &Space, key: &Key) -> Result<Option<Vec<u8>>, StoreError> {
        let (row, key) = (Row::of(space), key.clone());
        self.read(move |connection| row.value(connection, &key))
            .await
    }

    async fn write(
        &self,
        space: &Space,
        write: &Write,
        quota: &Quota,
    ) -> Result<Written, StoreError> {
        let (row, write, quota) = (Row::of(space), write.clone(), *quota);
        self.write(move |connection| row.write(connection, &write, &quota))
            .await
    }

    async fn list(
        &self,
        space: &Space,
        prefix: &str,
        page: &PageRequest<Key>,
    ) -> Result<Page<Key, Key>, StoreError> {
        let (row, prefix) = (Row::of(space), prefix.to_owned());
        let after = page.after.as_ref().map(ToString::to_string);
        let items_max = page.items_max();
        self.read(move |connection| {
            let keys = row.keys(connection, &prefix, after.as_deref(), items_max + 1)?;
            Ok(Page::cut(keys, items_max, Key::clone))
        })
        .await
    }
}

/// A space as its columns.
struct Row {
    tenant: String,
    owner: String,
}

impl Row {
    fn of(space: &Space) -> Self {
        Self {
            tenant: space.tenant.to_string(),
            owner: space.owner.to_string(),
        }
    }

    fn value(&self, connection: &Connection, key: &Key) -> Result<Option<Vec<u8>>, Fault> {
        let mut get = connection.prepare_cached(
            "SELECT value FROM key_values WHERE tenant = ?1 AND owner = ?2 AND key = ?3",
        )?;
        let key = params![self.tenant, self.owner, key.as_str()];
        Ok(get.query_row(key, |row| row.get(0)).optional()?)
    }

    fn write(
        &self,
        connection: &Connection,
        write: &Write,
        quota: &Quota,
    ) -> Result<Written, Fault> {
        let found = self.value(connection, &write.key)?;
        if !write.when.holds(found.as_deref()) {
            return Ok(Written::Differs);
        }
        let (before, after) = (
            found.as_ref().map(Vec::len),
            write.value.as_ref().map(Vec::len),
        );
        let key_bytes = write.key.as_str().len();
        let kept = self.kept(connection)?;
        let kept = match kept.changed(key_bytes, before, after, quota) {
            Ok(kept) => kept,
            Err(full) => return Ok(Written::Full(full)),
        };
        let existed = found.is_some();
        if !existed && write.value.is_none() {
            return Ok(Written::Done { existed });
        }
        self.put(connection, write)?;
        self.keep(connection, kept)?;
        Ok(Written::Done { existed })
    }

    fn put(&self, connection: &Connection, write: &Write) -> Result<(), Fault> {
        let key = write.key.as_str();
        if let Some(value) = &write.value {
            let mut put = connection.prepare_cached(
                "INSERT INTO key_values (tenant, owner, key, value) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT DO UPDATE SET value = excluded.value",
            )?;
            put.execute(params![self.tenant, self.owner, key, value])?;
        } else {
            let mut remove = connection.prepare_cached(
                "DELETE FROM key_values WHERE tenant = ?1 AND owner = ?2 AND key = ?3",
            )?;
            remove.execute(params![self.tenant, self.owner, key])?;
        }
        Ok(())
    }

    /// The sum, kept beside the values: adding them up again would read them all at each write.
    fn kept(&self, connection: &Connection) -> Result<Kept, Fault> {
        let mut get = connection.prepare_cached(
            "SELECT entries, bytes FROM key_value_sums WHERE tenant = ?1 AND owner = ?2",
        )?;
        let found = get
            .query_row([&self.tenant, &self.owner], |row| {
                Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?))
            })
            .optional()?;
        let Some((entries, bytes)) = found else {
            return Ok(Kept::default());
        };
        let number = |value: i64| {
            u64::try_from(value).map_err(|error| record::unreadable("key_value_sums", error))
        };
        Ok(Kept {
            entries: number(entries)?,
            bytes: number(bytes)?,
        })
    }

    fn keep(&self, connection: &Connection, kept: Kept) -> Result<(), Fault> {
        let mut put = connection.prepare_cached(
            "INSERT INTO key_value_sums (tenant, owner, entries, bytes) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT DO UPDATE SET entries = excluded.entries, bytes = excluded.bytes",
        )?;
        put.execute(params![
            self.tenant,
            self.owner,
            record::number(kept.entries),
            record::number(kept.bytes)
        ])?;
        Ok(())
    }

    fn keys(
        &self,
        connection: &Connection,
        prefix: &str,
        after: Option<&str>,
        count: usize,
    ) -> Result<Vec<Key>, Fault> {
        // Keys sort by their bytes, so those with the prefix stand together, from it on.
        let mut list = connection.prepare_cached(
            "SELECT key FROM key_values
             WHERE tenant = ?1 AND owner = ?2 AND key >= ?3 AND key > ?4
             ORDER BY key LIMIT ?5",
        )?;
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        let after = after.unwrap_or_default();
        let mut rows = list.query(params![self.tenant, self.owner, prefix, after, count])?;
        let mut keys = Vec::new();
        while let Some(row) = rows.next()? {
            let text = row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?;
            if !text.starts_with(prefix) {
                break;
            }
            let key = text.parse();
            keys.push(key.map_err(|error| record::unreadable("key_values", error))?);
        }
        Ok(keys)
    }
}
