//! Changing how a version of a tool stands, and taking it away.

use cofferdam_store_api::StoreError;
use cofferdam_types::Timestamp;
use cofferdam_types::tool::{ToolStatus, ToolUsage};
use rusqlite::{Connection, params};

use super::row::{self, Place};
use crate::error::Fault;
use crate::record;

pub(super) fn set_status(
    connection: &Connection,
    place: &Place,
    status: ToolStatus,
    at: Timestamp,
    idle_since: Option<Timestamp>,
) -> Result<bool, Fault> {
    let tool = place.tool(connection)?.ok_or(StoreError::Missing)?;
    let may = idle_since.is_none_or(|since| tool.is_idle(since));
    if !may || tool.standing.status == status {
        return Ok(false);
    }
    let mut set = connection.prepare_cached(
        "UPDATE tool_standings SET status = ?4, since_ms = ?5
         WHERE tenant = ?1 AND name = ?2 AND version = ?3",
    )?;
    let [tenant, name, version] = place.key();
    let at = record::number(at.as_millis());
    set.execute(params![tenant, name, version, status.as_str(), at])?;
    count_up(connection, place)
}

pub(super) fn set_pinned(
    connection: &Connection,
    place: &Place,
    pinned: bool,
) -> Result<bool, Fault> {
    let tool = place.tool(connection)?.ok_or(StoreError::Missing)?;
    if tool.standing.pinned == pinned {
        return Ok(false);
    }
    let mut set = connection.prepare_cached(
        "UPDATE tool_standings SET pinned = ?4
         WHERE tenant = ?1 AND name = ?2 AND version = ?3",
    )?;
    let [tenant, name, version] = place.key();
    set.execute(params![tenant, name, version, pinned])?;
    count_up(connection, place)
}

pub(super) fn remove(
    connection: &Connection,
    place: &Place,
    idle_since: Option<Timestamp>,
) -> Result<bool, Fault> {
    let Some(tool) = place.tool(connection)? else {
        return Ok(false);
    };
    let deprecated = tool.standing.status == ToolStatus::Deprecated;
    if idle_since.is_some_and(|since| !deprecated || !tool.is_idle(since)) {
        return Ok(false);
    }
    let mut bury = connection.prepare_cached(
        "INSERT INTO tool_tombstones (tenant, name, version, digest)
         SELECT tenant, name, version, digest FROM tools
         WHERE tenant = ?1 AND name = ?2 AND version = ?3
         ON CONFLICT DO NOTHING",
    )?;
    bury.execute(place.key())?;
    for table in ["tools", "tool_standings"] {
        let mut remove = connection.prepare_cached(&format!(
            "DELETE FROM {table} WHERE tenant = ?1 AND name = ?2 AND version = ?3"
        ))?;
        remove.execute(place.key())?;
    }
    count_up(connection, place)
}

pub(super) fn touch(connection: &Connection, place: &Place, more: &ToolUsage) -> Result<(), Fault> {
    let Some(mut usage) = place.usage(connection)? else {
        return Ok(());
    };
    usage.add(more);
    let mut set = connection.prepare_cached(
        "UPDATE tool_standings SET calls = ?4, failures = ?5, wall_us = ?6, last_used_ms = ?7
         WHERE tenant = ?1 AND name = ?2 AND version = ?3",
    )?;
    let [tenant, name, version] = place.key();
    set.execute(params![
        tenant,
        name,
        version,
        record::number(usage.calls),
        record::number(usage.failures),
        record::number(usage.wall_us),
        usage.last_used_at.map(|at| record::number(at.as_millis())),
    ])?;
    Ok(())
}

/// Gives the name the tenant's next generation. Always true: something changed.
fn count_up(connection: &Connection, place: &Place) -> Result<bool, Fault> {
    let generation = row::generation(connection, &place.tenant)? + 1;
    let mut change = connection
        .prepare_cached("UPDATE tool_names SET generation = ?3 WHERE tenant = ?1 AND name = ?2")?;
    change.execute(params![place.tenant, place.name, generation])?;
    Ok(true)
}
