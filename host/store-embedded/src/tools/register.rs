//! Adding tools: what is claimed, and by whom.

use cofferdam_store_api::{StoreError, ToolRecord};
use cofferdam_types::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::row;
use crate::error::Fault;
use crate::record::{self, RECORD_VERSION};

/// A record as its columns.
pub(super) struct Row {
    name: String,
    skeleton: String,
    component: String,
    version: String,
    digest: String,
    created_at: Timestamp,
    text: String,
}

impl Row {
    pub(super) fn of(record: &ToolRecord) -> Result<Self, StoreError> {
        Ok(Self {
            name: record.spec.name.to_string(),
            skeleton: record.spec.name.skeleton(),
            component: record.component.to_string(),
            version: record.spec.version.to_string(),
            digest: record.digest.to_string(),
            created_at: record.created_at,
            text: record::encode(record)?,
        })
    }
}

/// Adds the rows that are not there; a refusal undoes those before it, since a write that fails is
/// rolled back.
pub(super) fn register(connection: &Connection, tenant: &str, rows: &[Row]) -> Result<bool, Fault> {
    let generation = row::generation(connection, tenant)? + 1;
    let mut added = false;
    for row in rows {
        row.claim(connection, tenant)?;
        if row.is_there(connection, tenant)? {
            continue;
        }
        row.add(connection, tenant)?;
        let mut change = connection.prepare_cached(
            "UPDATE tool_names SET generation = ?3 WHERE tenant = ?1 AND name = ?2",
        )?;
        change.execute(params![tenant, row.name, generation])?;
        added = true;
    }
    Ok(added)
}

impl Row {
    /// Makes the name its component's, if it was nobody's and looks like no other. Of names that
    /// look alike in the file of an older host, each goes on.
    fn claim(&self, connection: &Connection, tenant: &str) -> Result<(), Fault> {
        let mut get = connection
            .prepare_cached("SELECT component FROM tool_names WHERE tenant = ?1 AND name = ?2")?;
        let owner: Option<String> = get
            .query_row([tenant, &self.name], |row| row.get(0))
            .optional()?;
        match owner {
            Some(owner) if owner == self.component => return Ok(()),
            Some(_) => return Err(StoreError::Conflict.into()),
            None => {}
        }
        let mut get = connection
            .prepare_cached("SELECT 1 FROM tool_names WHERE tenant = ?1 AND skeleton = ?2")?;
        if get.exists([tenant, &self.skeleton])? {
            return Err(StoreError::Conflict.into());
        }
        // A claim comes with a version, or is rolled back with it: so it gets its generation there.
        let mut add = connection.prepare_cached(
            "INSERT INTO tool_names (tenant, name, component, skeleton, generation)
             VALUES (?1, ?2, ?3, ?4, 0)",
        )?;
        add.execute([tenant, &self.name, &self.component, &self.skeleton])?;
        Ok(())
    }

    /// Whether the version is there with these bytes; refused when it is or was with others.
    fn is_there(&self, connection: &Connection, tenant: &str) -> Result<bool, Fault> {
        let mut get = connection.prepare_cached(
            "SELECT digest, 1 FROM tools WHERE tenant = ?1 AND name = ?2 AND version = ?3
             UNION ALL
             SELECT digest, 0 FROM tool_tombstones
             WHERE tenant = ?1 AND name = ?2 AND version = ?3",
        )?;
        let mut rows = get.query([tenant, &self.name, &self.version])?;
        let mut is_there = false;
        while let Some(row) = rows.next()? {
            let digest = row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?;
            if digest != self.digest {
                return Err(StoreError::Conflict.into());
            }
            is_there |= row.get::<_, bool>(1)?;
        }
        Ok(is_there)
    }

    fn add(&self, connection: &Connection, tenant: &str) -> Result<(), Fault> {
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
        let mut add = connection.prepare_cached(
            "INSERT INTO tool_standings (tenant, name, version, status, since_ms, pinned,
                 calls, failures, wall_us, last_used_ms)
             VALUES (?1, ?2, ?3, 'active', ?4, 0, 0, 0, 0, NULL)",
        )?;
        let since = record::number(self.created_at.as_millis());
        add.execute(params![tenant, self.name, self.version, since])?;
        Ok(())
    }
}
