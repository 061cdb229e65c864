//! Reading: a tool from its record and its standing.

use cofferdam_store_api::Tool;
use cofferdam_types::tool::{Standing, ToolStatus, ToolUsage};
use cofferdam_types::{Tenant, Timestamp, ToolName, Version};
use rusqlite::{Connection, Params, Row, Statement};

use crate::error::Fault;
use crate::record;

/// A version of a tool as its key.
pub(super) struct Place {
    pub(super) tenant: String,
    pub(super) name: String,
    pub(super) version: String,
}

impl Place {
    pub(super) fn of(tenant: &Tenant, name: &ToolName, version: &Version) -> Self {
        Self {
            tenant: tenant.to_string(),
            name: name.to_string(),
            version: version.to_string(),
        }
    }

    pub(super) fn key(&self) -> [&str; 3] {
        [&self.tenant, &self.name, &self.version]
    }

    pub(super) fn tool(&self, connection: &Connection) -> Result<Option<Tool>, Fault> {
        let mut get = connection.prepare_cached(
            "SELECT record_version, record, status, since_ms, pinned,
                 calls, failures, wall_us, last_used_ms
             FROM tools LEFT JOIN tool_standings USING (tenant, name, version)
             WHERE tenant = ?1 AND name = ?2 AND version = ?3",
        )?;
        Ok(all(&mut get, self.key())?.pop())
    }

    pub(super) fn usage(&self, connection: &Connection) -> Result<Option<ToolUsage>, Fault> {
        let mut get = connection.prepare_cached(
            "SELECT calls, failures, wall_us, last_used_ms FROM tool_standings
             WHERE tenant = ?1 AND name = ?2 AND version = ?3",
        )?;
        let mut rows = get.query(self.key())?;
        rows.next()?.map(|row| usage(row, 0)).transpose()
    }
}

/// All versions of the name, ascending.
pub(super) fn versions(connection: &Connection, key: [String; 2]) -> Result<Vec<Tool>, Fault> {
    let mut list = connection.prepare_cached(
        "SELECT record_version, record, status, since_ms, pinned,
             calls, failures, wall_us, last_used_ms
         FROM tools LEFT JOIN tool_standings USING (tenant, name, version)
         WHERE tenant = ?1 AND name = ?2",
    )?;
    let mut versions = all(&mut list, key)?;
    sort(&mut versions);
    Ok(versions)
}

/// The tools of all rows that a query finds, whose columns are those of [`versions`].
pub(super) fn all(query: &mut Statement<'_>, key: impl Params) -> Result<Vec<Tool>, Fault> {
    let mut rows = query.query(key)?;
    let mut tools = Vec::new();
    while let Some(row) = rows.next()? {
        let record = record::decode("tools", row)?;
        let standing = standing(row)?;
        tools.push(Tool { record, standing });
    }
    Ok(tools)
}

/// The versions of each name, ascending, of tools that come name by name.
pub(super) fn by_name(tools: Vec<Tool>) -> Vec<(ToolName, Vec<Tool>)> {
    let mut names: Vec<(ToolName, Vec<Tool>)> = Vec::new();
    for tool in tools {
        let name = &tool.record.spec.name;
        match names.last_mut().filter(|(last, _)| last == name) {
            Some((_, versions)) => versions.push(tool),
            None => names.push((name.clone(), vec![tool])),
        }
    }
    for (_, versions) in &mut names {
        sort(versions);
    }
    names
}

/// SQLite would order versions as text: 1.10.0 before 1.9.0.
fn sort(versions: &mut [Tool]) {
    versions.sort_by(|one, other| one.record.spec.version.cmp(&other.record.spec.version));
}

/// The number of the tenant's last change.
pub(super) fn generation(connection: &Connection, tenant: &str) -> Result<i64, Fault> {
    let mut last =
        connection.prepare_cached("SELECT max(generation) FROM tool_names WHERE tenant = ?1")?;
    let last: Option<i64> = last.query_row([tenant], |row| row.get(0))?;
    Ok(last.unwrap_or_default())
}

/// A number that counts something.
pub(super) fn count(value: i64) -> Result<u64, Fault> {
    u64::try_from(value).map_err(|error| record::unreadable("tool_standings", error))
}

fn standing(row: &Row<'_>) -> Result<Standing, Fault> {
    let status = row.get_ref(2)?.as_str().map_err(rusqlite::Error::from)?;
    let status = status.parse::<ToolStatus>();
    Ok(Standing {
        status: status.map_err(|error| record::unreadable("tool_standings", error))?,
        since: Timestamp::from_millis(count(row.get(3)?)?),
        pinned: row.get(4)?,
        usage: usage(row, 5)?,
    })
}

/// The four columns from `at` on.
fn usage(row: &Row<'_>, at: usize) -> Result<ToolUsage, Fault> {
    let last_used_ms: Option<i64> = row.get(at + 3)?;
    Ok(ToolUsage {
        calls: count(row.get(at)?)?,
        failures: count(row.get(at + 1)?)?,
        wall_us: count(row.get(at + 2)?)?,
        last_used_at: last_used_ms
            .map(count)
            .transpose()?
            .map(Timestamp::from_millis),
    })
}
