use async_trait::async_trait;
use cofferdam_store_api::{Audit, AuditEntry, StoreError};
use cofferdam_types::page::{Page, PageRequest};
use cofferdam_types::{Digest, Tenant};
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::embedded::Tables;
use crate::error::Fault;
use crate::record::{self, RECORD_VERSION};

#[async_trait]
impl Audit for Tables {
    async fn append(&self, entries: &[AuditEntry]) -> Result<(), StoreError> {
        let texts: Result<Vec<_>, _> = entries
            .iter()
            .map(|entry| record::encode(&entry.record))
            .collect();
        let rows: Vec<_> = entries.iter().cloned().zip(texts?).collect();
        self.write(move |connection| {
            let last = last(connection)?.map_or(0, |(seq, _)| seq);
            for (expected, (entry, text)) in (last + 1..).zip(&rows) {
                if entry.seq != expected {
                    return Err(StoreError::Conflict.into());
                }
                add(connection, entry, text)?;
            }
            Ok(())
        })
        .await
    }

    async fn last(&self) -> Result<Option<(u64, Digest)>, StoreError> {
        self.read(last).await
    }

    async fn list(
        &self,
        tenant: &Tenant,
        page: &PageRequest<u64>,
    ) -> Result<Page<AuditEntry, u64>, StoreError> {
        let tenant = tenant.to_string();
        let below = record::number(page.after.unwrap_or(u64::MAX));
        let items_max = page.items_max();
        self.read(move |connection| {
            let mut list = connection.prepare_cached(
                "SELECT record_version, record, seq, previous, digest FROM audit
                 WHERE tenant = ?1 AND seq < ?2 ORDER BY seq DESC LIMIT ?3",
            )?;
            let mut rows = list.query(params![tenant, below, record::fetch(items_max)])?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                found.push(entry(row)?);
            }
            Ok(Page::cut(found, items_max, |entry: &AuditEntry| entry.seq))
        })
        .await
    }
}

fn add(connection: &Connection, entry: &AuditEntry, text: &str) -> Result<(), Fault> {
    let mut add = connection.prepare_cached(
        "INSERT INTO audit (seq, tenant, previous, digest, record_version, record)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    add.execute(params![
        record::number(entry.seq),
        entry.record.tenant.as_str(),
        entry.previous.to_string(),
        entry.digest.to_string(),
        RECORD_VERSION,
        text
    ])?;
    Ok(())
}

fn last(connection: &Connection) -> Result<Option<(u64, Digest)>, Fault> {
    let mut last =
        connection.prepare_cached("SELECT seq, digest FROM audit ORDER BY seq DESC LIMIT 1")?;
    let found = last.query_row([], |row| Ok((row.get(0)?, row.get(1)?)));
    let found: Option<(i64, String)> = found.optional()?;
    found
        .map(|(seq, digest)| Ok((seq_of(seq)?, digest_of(&digest)?)))
        .transpose()
}

/// Reads an entry from the columns that the list asks for.
fn entry(row: &Row<'_>) -> Result<AuditEntry, Fault> {
    let (previous, digest): (String, String) = (row.get(3)?, row.get(4)?);
    Ok(AuditEntry {
        seq: seq_of(row.get(2)?)?,
        previous: digest_of(&previous)?,
        digest: digest_of(&digest)?,
        record: record::decode("audit", row)?,
    })
}

fn seq_of(number: i64) -> Result<u64, Fault> {
    u64::try_from(number).map_err(|error| record::unreadable("audit", error))
}

fn digest_of(text: &str) -> Result<Digest, Fault> {
    text.parse()
        .map_err(|error| record::unreadable("audit", error))
}
