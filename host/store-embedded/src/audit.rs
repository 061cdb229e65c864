use std::fmt::Display;
use std::str::FromStr;

use async_trait::async_trait;
use cofferdam_store_api::{Audit, AuditEntry, CallKey, StoreError};
use cofferdam_types::page::{PAGE_ITEMS_MAX, Page, PageRequest};
use cofferdam_types::{CallId, Digest, Tenant};
use rusqlite::{Connection, OptionalExtension, Params, Row, Statement, params};

use crate::embedded::Tables;
use crate::error::Fault;
use crate::record::{self, RECORD_VERSION};

/// The columns that [`entry`] reads, in its order.
macro_rules! columns {
    () => {
        "seq, previous, digest, tenant, call_id, root_id, record"
    };
}

#[async_trait]
impl Audit for Tables {
    async fn append(&self, entries: &[AuditEntry]) -> Result<(), StoreError> {
        let entries = entries.to_vec();
        self.write(move |connection| {
            let last = last(connection)?.map_or(0, |(seq, _)| seq);
            for (expected, entry) in (last + 1..).zip(&entries) {
                if entry.seq != expected {
                    return Err(StoreError::Conflict.into());
                }
                add(connection, entry)?;
            }
            Ok(())
        })
        .await
    }

    async fn last(&self) -> Result<Option<(u64, Digest)>, StoreError> {
        Tables::read(self, last).await
    }

    async fn list(
        &self,
        tenant: &Tenant,
        page: &PageRequest<u64>,
    ) -> Result<Page<AuditEntry, u64>, StoreError> {
        let tenant = tenant.to_string();
        let below = record::number(page.after.unwrap_or(u64::MAX));
        let items_max = page.items_max();
        Tables::read(self, move |connection| {
            let mut list = connection.prepare_cached(concat!(
                "SELECT ",
                columns!(),
                " FROM audit WHERE tenant = ?1 AND seq < ?2 ORDER BY seq DESC LIMIT ?3",
            ))?;
            let found = entries(&mut list, params![tenant, below, record::fetch(items_max)])?;
            Ok(Page::cut(found, items_max, |entry: &AuditEntry| entry.seq))
        })
        .await
    }

    async fn read(&self, after: u64, limit: u32) -> Result<Vec<AuditEntry>, StoreError> {
        let (after, limit) = (record::number(after), limit.clamp(1, PAGE_ITEMS_MAX));
        Tables::read(self, move |connection| {
            let mut read = connection.prepare_cached(concat!(
                "SELECT ",
                columns!(),
                " FROM audit WHERE seq > ?1 ORDER BY seq LIMIT ?2",
            ))?;
            entries(&mut read, params![after, limit])
        })
        .await
    }

    async fn of_call(&self, tenant: &Tenant, call: &CallId) -> Result<Vec<AuditEntry>, StoreError> {
        let (tenant, call) = (tenant.to_string(), call.to_string());
        Tables::read(self, move |connection| {
            let mut find = connection.prepare_cached(
                "SELECT ifnull(root_id, call_id) FROM audit
                 WHERE tenant = ?1 AND call_id = ?2 LIMIT 1",
            )?;
            let root = find.query_row(params![tenant, call], |row| row.get(0));
            let Some(root): Option<String> = root.optional()? else {
                return Ok(Vec::new());
            };
            // Both halves by their index; the root's own entries name no root.
            let mut tree = connection.prepare_cached(concat!(
                "SELECT ",
                columns!(),
                " FROM audit WHERE tenant = ?1 AND root_id = ?2 UNION ALL SELECT ",
                columns!(),
                " FROM audit WHERE tenant = ?1 AND call_id = ?2 AND root_id IS NULL
                 ORDER BY seq LIMIT ?3",
            ))?;
            entries(&mut tree, params![tenant, root, PAGE_ITEMS_MAX])
        })
        .await
    }

    async fn prune(&self, through: u64) -> Result<u64, StoreError> {
        self.write(move |connection| {
            if last(connection)?.is_some_and(|(last, _)| last <= through) {
                return Err(StoreError::Conflict.into());
            }
            let mut prune = connection.prepare_cached("DELETE FROM audit WHERE seq <= ?1")?;
            let removed = prune.execute([record::number(through)])?;
            Ok(u64::try_from(removed).unwrap_or(u64::MAX))
        })
        .await
    }
}

fn add(connection: &Connection, entry: &AuditEntry) -> Result<(), Fault> {
    let mut add = connection.prepare_cached(
        "INSERT INTO audit (seq, tenant, call_id, root_id, previous, digest, record_version, record)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?;
    let nested = entry.call.filter(|call| call.root != call.id);
    add.execute(params![
        record::number(entry.seq),
        entry.tenant.as_str(),
        entry.call.map(|call| call.id.to_string()),
        nested.map(|call| call.root.to_string()),
        entry.previous.to_string(),
        entry.digest.to_string(),
        RECORD_VERSION,
        entry.text
    ])?;
    Ok(())
}

fn last(connection: &Connection) -> Result<Option<(u64, Digest)>, Fault> {
    let mut last =
        connection.prepare_cached("SELECT seq, digest FROM audit ORDER BY seq DESC LIMIT 1")?;
    let found = last.query_row([], |row| Ok((row.get(0)?, row.get(1)?)));
    let found: Option<(i64, String)> = found.optional()?;
    found
        .map(|(seq, digest)| Ok((seq_of(seq)?, parsed(&digest)?)))
        .transpose()
}

/// Every entry that a query of [`columns`] finds.
fn entries(query: &mut Statement<'_>, key: impl Params) -> Result<Vec<AuditEntry>, Fault> {
    let mut rows = query.query(key)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(entry(row)?);
    }
    Ok(found)
}

/// The text is not looked into: whether it is what was written is for the chain to say, and it says
/// its form itself.
fn entry(row: &Row<'_>) -> Result<AuditEntry, Fault> {
    let seq = seq_of(row.get(0)?)?;
    // Whoever repairs a damaged file wants to know where.
    read_entry(seq, row).map_err(|fault| {
        let reason = StoreError::from(fault).to_string();
        StoreError::Damaged(format!("entry {seq} of the audit can't be read: {reason}")).into()
    })
}

fn read_entry(seq: u64, row: &Row<'_>) -> Result<AuditEntry, Fault> {
    let text = |column| -> Result<String, Fault> { Ok(row.get(column)?) };
    let id: Option<String> = row.get(4)?;
    let root: Option<String> = row.get(5)?;
    let call = id.map(|id| -> Result<CallKey, Fault> {
        let id = parsed(&id)?;
        let root = root.map_or(Ok(id), |root| parsed(&root))?;
        Ok(CallKey { id, root })
    });
    Ok(AuditEntry {
        seq,
        previous: parsed(&text(1)?)?,
        digest: parsed(&text(2)?)?,
        tenant: parsed(&text(3)?)?,
        call: call.transpose()?,
        text: text(6)?,
    })
}

fn seq_of(number: i64) -> Result<u64, Fault> {
    u64::try_from(number).map_err(|error| record::unreadable("audit", error))
}

fn parsed<T: FromStr<Err: Display>>(text: &str) -> Result<T, Fault> {
    text.parse()
        .map_err(|error| record::unreadable("audit", error))
}
