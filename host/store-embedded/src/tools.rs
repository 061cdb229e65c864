use async_trait::async_trait;
use cofferdam_store_api::{StoreError, ToolRecord, Tools};
use cofferdam_types::{Tenant, ToolName, Version};
use rusqlite::{Connection, OptionalExtension, params};

use crate::embedded::Tables;
use crate::error::Fault;
use crate::record::{self, RECORD_VERSION};

#[async_trait]
impl Tools for Tables {
    async fn register(&self, tenant: &Tenant, records: &[ToolRecord]) -> Result<bool, StoreError> {
        let tenant = tenant.to_string();
        let rows: Result<Vec<_>, _> = records.iter().map(Row::of).collect();
        let rows = rows?;
        self.write(move |connection| {
            let mut added = false;
            for row in &rows {
                added |= row.add(connection, &tenant)?;
            }
            Ok(added)
        })
        .await
    }

    async fn get(
        &self,
        tenant: &Tenant,
        name: &ToolName,
        version: &Version,
    ) -> Result<Option<ToolRecord>, StoreError> {
        let key = [tenant.to_string(), name.to_string(), version.to_string()];
        self.read(move |connection| {
            let mut get = connection.prepare_cached(
                "SELECT record_version, record FROM tools
                 WHERE tenant = ?1 AND name = ?2 AND version = ?3",
            )?;
            record::one(&mut get, key, "tools")
        })
        .await
    }

    async fn list(&self, tenant: &Tenant) -> Result<Vec<ToolRecord>, StoreError> {
        let key = [tenant.to_string()];
        let mut records: Vec<ToolRecord> = self
            .read(move |connection| {
                let mut list = connection
                    .prepare_cached("SELECT record_version, record FROM tools WHERE tenant = ?1")?;
                record::all(&mut list, key, "tools")
            })
            .await?;
        // SQLite would order versions as text: 1.10.0 before 1.9.0.
        records.sort_by(|one, other| {
            let key = |record: &ToolRecord| (record.spec.name.clone(), record.spec.version.clone());
            key(one).cmp(&key(other))
        });
        Ok(records)
    }
}

struct Row {
    name: String,
    version: String,
    digest: String,
    text: String,
}

impl Row {
    fn of(record: &ToolRecord) -> Result<Self, StoreError> {
        Ok(Self {
            name: record.spec.name.to_string(),
            version: record.spec.version.to_string(),
            digest: record.digest.to_string(),
            text: record::encode(record)?,
        })
    }

    /// Adds the row unless it is there; refuses when another digest is.
    fn add(&self, connection: &Connection, tenant: &str) -> Result<bool, Fault> {
        let mut get = connection.prepare_cached(
            "SELECT digest FROM tools WHERE tenant = ?1 AND name = ?2 AND version = ?3",
        )?;
        let kept: Option<String> = get
            .query_row(params![tenant, self.name, self.version], |row| row.get(0))
            .optional()?;
        match kept {
            Some(digest) if digest == self.digest => Ok(false),
            Some(_) => Err(StoreError::Conflict.into()),
            None => {
                let mut add = connection.prepare_cached(
                    "INSERT INTO tools (tenant, name, version, digest, record_version, record)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                )?;
                add.execute(params![
                    tenant,
                    self.name,
                    self.version,
                    self.digest,
                    RECORD_VERSION,
                    self.text
                ])?;
                Ok(true)
            }
        }
    }
}
