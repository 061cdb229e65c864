mod change;
mod register;
mod row;

use async_trait::async_trait;
use cofferdam_store_api::{Changed, StoreError, Tool, ToolRecord, ToolUse, Tools};
use cofferdam_types::page::{Page, PageRequest};
use cofferdam_types::tool::ToolStatus;
use cofferdam_types::{Tenant, Timestamp, ToolName, Version};
use rusqlite::{Connection, params};

use crate::embedded::Tables;
use crate::error::Fault;
use crate::record;
use register::Row;
use row::Place;

/// A page of names in one look, so that nothing changes between its parts. Which names it holds, the
/// small table of names says; the records, which are large, are then found by their keys.
///
/// No sign of a name sorts behind `~`, so `?2 || '~'` stands behind all names that begin with `?2`.
const PAGE: &str = "
SELECT tools.record_version, tools.record, status, since_ms, pinned,
    calls, failures, wall_us, last_used_ms
FROM (
    SELECT name FROM tool_names AS names
    WHERE tenant = ?1 AND name >= ?2 AND name > ?3 AND name < ?2 || '~' AND EXISTS (
        SELECT 1 FROM tools WHERE tools.tenant = names.tenant AND tools.name = names.name
    )
    ORDER BY name LIMIT ?4
) AS page
CROSS JOIN tools ON tools.tenant = ?1 AND tools.name = page.name
LEFT JOIN tool_standings AS standings ON standings.tenant = ?1
    AND standings.name = tools.name AND standings.version = tools.version";

#[async_trait]
impl Tools for Tables {
    async fn register(&self, tenant: &Tenant, records: &[ToolRecord]) -> Result<bool, StoreError> {
        let tenant = tenant.to_string();
        let rows: Result<Vec<_>, _> = records.iter().map(Row::of).collect();
        let rows = rows?;
        self.write(move |connection| register::register(connection, &tenant, &rows))
            .await
    }

    async fn get(
        &self,
        tenant: &Tenant,
        name: &ToolName,
        version: &Version,
    ) -> Result<Option<Tool>, StoreError> {
        let place = Place::of(tenant, name, version);
        self.read(move |connection| place.tool(connection)).await
    }

    async fn versions(&self, tenant: &Tenant, name: &ToolName) -> Result<Vec<Tool>, StoreError> {
        let key = [tenant.to_string(), name.to_string()];
        self.read(move |connection| row::versions(connection, key))
            .await
    }

    async fn list(
        &self,
        tenant: &Tenant,
        prefix: &str,
        page: &PageRequest<ToolName>,
    ) -> Result<Page<Vec<Tool>, ToolName>, StoreError> {
        let (tenant, prefix) = (tenant.to_string(), prefix.to_owned());
        // No name is empty, so nothing stands before this.
        let after = page.after.as_ref().map(ToString::to_string);
        let after = after.unwrap_or_default();
        let items_max = page.items_max();
        self.read(move |connection| {
            let mut list = connection.prepare_cached(PAGE)?;
            let key = params![tenant, prefix, after, record::fetch(items_max)];
            let names = row::by_name(row::all(&mut list, key)?);
            let Page { items, next } = Page::cut(names, items_max, |(name, _)| name.clone());
            let items = items.into_iter().map(|(_, versions)| versions).collect();
            Ok(Page { items, next })
        })
        .await
    }

    async fn set_status(
        &self,
        tenant: &Tenant,
        name: &ToolName,
        version: &Version,
        status: ToolStatus,
        at: Timestamp,
        idle_since: Option<Timestamp>,
    ) -> Result<bool, StoreError> {
        let place = Place::of(tenant, name, version);
        self.write(move |connection| change::set_status(connection, &place, status, at, idle_since))
            .await
    }

    async fn set_pinned(
        &self,
        tenant: &Tenant,
        name: &ToolName,
        version: &Version,
        pinned: bool,
    ) -> Result<bool, StoreError> {
        let place = Place::of(tenant, name, version);
        self.write(move |connection| change::set_pinned(connection, &place, pinned))
            .await
    }

    async fn remove(
        &self,
        tenant: &Tenant,
        name: &ToolName,
        version: &Version,
        idle_since: Option<Timestamp>,
    ) -> Result<bool, StoreError> {
        let place = Place::of(tenant, name, version);
        self.write(move |connection| change::remove(connection, &place, idle_since))
            .await
    }

    async fn touch(&self, tenant: &Tenant, uses: &[ToolUse]) -> Result<(), StoreError> {
        let place = |used: &ToolUse| Place::of(tenant, &used.name, &used.version);
        let uses: Vec<_> = uses.iter().map(|used| (place(used), used.usage)).collect();
        self.write(move |connection| {
            for (place, usage) in &uses {
                change::touch(connection, place, usage)?;
            }
            Ok(())
        })
        .await
    }

    async fn changed(
        &self,
        tenant: &Tenant,
        after: u64,
        limit: u32,
    ) -> Result<Changed, StoreError> {
        let request = PageRequest {
            after: None::<u64>,
            limit,
        };
        let (tenant, items_max) = (tenant.to_string(), request.items_max());
        self.read(move |connection| changed(connection, &tenant, after, items_max))
            .await
    }
}

fn changed(
    connection: &Connection,
    tenant: &str,
    after: u64,
    items_max: usize,
) -> Result<Changed, Fault> {
    // Read first: what is written after it is behind this number, and found the next time.
    let all = row::generation(connection, tenant)?;
    let mut list = connection.prepare_cached(
        "SELECT name, generation FROM tool_names
         WHERE tenant = ?1 AND generation > ?2 AND generation <= min(?3, coalesce((
             SELECT generation FROM tool_names WHERE tenant = ?1 AND generation > ?2
             ORDER BY generation, name LIMIT 1 OFFSET ?4 - 1
         ), ?3))
         ORDER BY generation, name",
    )?;
    let items_max = i64::try_from(items_max).unwrap_or(i64::MAX);
    let mut rows = list.query(params![tenant, record::number(after), all, items_max])?;
    let (mut names, mut told) = (Vec::new(), all);
    while let Some(row) = rows.next()? {
        let name = row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?;
        let name = name.parse();
        names.push(name.map_err(|error| record::unreadable("tool_names", error))?);
        told = row.get(1)?;
    }
    Ok(Changed {
        generation: row::count(told)?,
        more: told < all,
        names,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::{Durability, open_writer};

    /// A page costs what it holds, however many tools there are.
    #[test]
    fn a_page_is_found_by_indexes() {
        let directory = tempfile::TempDir::new().expect("a temporary directory");
        let path = directory.path().join("store.db");
        let connection = open_writer(&path, Durability::Fast).expect("a new file");
        let plan = format!("EXPLAIN QUERY PLAN {PAGE}");
        let mut plan = connection.prepare(&plan).expect("a statement");
        let steps = plan.query_map(params!["default", "", "", 10], |row| {
            row.get::<_, String>(3)
        });
        let steps: Result<Vec<_>, _> = steps.expect("a plan").collect();
        let steps = steps.expect("its steps");
        let scans = |step: &&String| step.starts_with("SCAN ") && *step != "SCAN page";
        assert_eq!(steps.iter().find(scans), None, "{steps:?}");
        let sorts = |step: &&String| step.contains("TEMP B-TREE");
        assert_eq!(steps.iter().find(sorts), None, "{steps:?}");
    }
}
