use async_trait::async_trait;
use cofferdam_store_api::{Append, Claimed, RunFilter, Runs, StoreError};
use cofferdam_types::page::{Page, PageRequest};
use cofferdam_types::run::Run;
use cofferdam_types::task::TaskStatus;
use cofferdam_types::{AgentId, RunId, Tenant, Timestamp};
use rusqlite::{Connection, params};

use crate::embedded::Tables;
use crate::error::Fault;
use crate::record::{self, RECORD_VERSION};
use crate::{events, tasks};

#[async_trait]
impl Runs for Tables {
    async fn create(&self, first: Append<'_>) -> Result<(), StoreError> {
        first.check()?;
        let next = Next::of(&first)?;
        self.write(move |connection| {
            let run = &next.run;
            if has(connection, &run.id)? || next.log.first() != 1 {
                return Err(StoreError::Conflict.into());
            }
            let (tenant, task_id) = (run.tenant.to_string(), run.task_id.to_string());
            let task = tasks::find(connection, &tenant, &task_id)?.ok_or(StoreError::Missing)?;
            if task.status == TaskStatus::Cancelled || has_live(connection, &task_id)? {
                return Err(StoreError::Conflict.into());
            }
            next.write(connection)
        })
        .await
    }

    async fn get(&self, tenant: &Tenant, id: &RunId) -> Result<Option<Run>, StoreError> {
        let (tenant, id) = (tenant.clone(), *id);
        self.read(move |connection| find(connection, &tenant, &id))
            .await
    }

    async fn list(
        &self,
        tenant: &Tenant,
        filter: &RunFilter,
        page: &PageRequest<RunId>,
    ) -> Result<Page<Run, RunId>, StoreError> {
        let tenant = tenant.to_string();
        let task_id = filter.task_id.map(|id| id.to_string());
        let below = record::below(page.after.as_ref());
        let items_max = page.items_max();
        self.read(move |connection| {
            // One statement for each case, so that each walks its own index.
            let mut list = connection.prepare_cached(match task_id {
                None => {
                    "SELECT record_version, record FROM runs
                     WHERE tenant = ?1 AND ?2 IS NULL AND id < ?3 ORDER BY id DESC LIMIT ?4"
                }
                Some(_) => {
                    "SELECT record_version, record FROM runs
                     WHERE tenant = ?1 AND task_id = ?2 AND id < ?3 ORDER BY id DESC LIMIT ?4"
                }
            })?;
            let key = params![tenant, task_id, below, record::fetch(items_max)];
            let found = record::all(&mut list, key, "runs")?;
            Ok(Page::cut(found, items_max, |run: &Run| run.id))
        })
        .await
    }

    async fn claim(
        &self,
        tenant: &Tenant,
        id: &RunId,
        agent: &AgentId,
    ) -> Result<Claimed, StoreError> {
        let (tenant, id, agent) = (tenant.clone(), *id, *agent);
        self.write(move |connection| {
            let mut run = find(connection, &tenant, &id)?.ok_or(StoreError::Missing)?;
            if run.status.is_terminal() {
                return Err(StoreError::Conflict.into());
            }
            run.epoch += 1;
            run.agent_id = Some(agent);
            put(connection, &run)?;
            let task = tasks::find(connection, tenant.as_str(), &run.task_id.to_string())?
                .ok_or_else(|| StoreError::Damaged(format!("{id} has no task")))?;
            Ok(Claimed { run, task })
        })
        .await
    }

    async fn append(&self, next: Append<'_>) -> Result<(), StoreError> {
        next.check()?;
        let mut next = Next::of(&next)?;
        self.write(move |connection| {
            let run = &mut next.run;
            let head = find(connection, &run.tenant, &run.id)?.ok_or(StoreError::Missing)?;
            let follows = head.seq.checked_add(1) == Some(next.log.first());
            if head.status.is_terminal() || head.epoch != run.epoch || !follows {
                return Err(StoreError::Stale.into());
            }
            if head.task_id != run.task_id {
                return Err(StoreError::Conflict.into());
            }
            run.cancel_requested = head.cancel_requested;
            next.write(connection)
        })
        .await
    }

    async fn request_cancel(
        &self,
        tenant: &Tenant,
        id: &RunId,
        at: Timestamp,
    ) -> Result<Run, StoreError> {
        let (tenant, id) = (tenant.clone(), *id);
        self.write(move |connection| {
            let mut run = find(connection, &tenant, &id)?.ok_or(StoreError::Missing)?;
            if !run.status.is_terminal() && !run.cancel_requested {
                run.cancel_requested = true;
                run.updated_at = at;
                put(connection, &run)?;
            }
            Ok(run)
        })
        .await
    }

    async fn unfinished(
        &self,
        page: &PageRequest<RunId>,
    ) -> Result<Page<(Tenant, RunId), RunId>, StoreError> {
        let above = page.after.map(|id| id.to_string()).unwrap_or_default();
        let items_max = page.items_max();
        self.read(move |connection| {
            let mut list = connection.prepare_cached(
                "SELECT tenant, id FROM runs WHERE live = 1 AND id > ?1 ORDER BY id LIMIT ?2",
            )?;
            let mut rows = list.query(params![above, record::fetch(items_max)])?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                let (tenant, id): (String, String) = (row.get(0)?, row.get(1)?);
                let tenant = tenant.parse::<Tenant>();
                let id = id.parse::<RunId>();
                found.push((
                    tenant.map_err(|error| record::unreadable("runs", error))?,
                    id.map_err(|error| record::unreadable("runs", error))?,
                ));
            }
            Ok(Page::cut(found, items_max, |item| item.1))
        })
        .await
    }
}

/// An append as the writer's thread takes it.
struct Next {
    run: Run,
    task: Option<tasks::Row>,
    log: events::Rows,
}

impl Next {
    fn of(append: &Append<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            run: append.run.clone(),
            task: append.task.map(tasks::Row::of).transpose()?,
            log: events::Rows::of(append.run, append.events)?,
        })
    }

    /// Carries out a write that was found to be right.
    fn write(&self, connection: &Connection) -> Result<(), Fault> {
        put(connection, &self.run)?;
        self.log.add(connection)?;
        match &self.task {
            Some(task) => task.replace(connection),
            None => Ok(()),
        }
    }
}

/// Adds or replaces the head of a run.
fn put(connection: &Connection, run: &Run) -> Result<(), Fault> {
    let mut put = connection.prepare_cached(
        "INSERT INTO runs (id, tenant, task_id, live, record_version, record)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (id) DO UPDATE
         SET live = excluded.live, record_version = excluded.record_version,
             record = excluded.record",
    )?;
    put.execute(params![
        run.id.to_string(),
        run.tenant.as_str(),
        run.task_id.to_string(),
        !run.status.is_terminal(),
        RECORD_VERSION,
        record::encode(run)?
    ])?;
    Ok(())
}

/// The tenant's run of that id.
fn find(connection: &Connection, tenant: &Tenant, id: &RunId) -> Result<Option<Run>, Fault> {
    let mut get = connection
        .prepare_cached("SELECT record_version, record FROM runs WHERE id = ?1 AND tenant = ?2")?;
    record::one(&mut get, params![id.to_string(), tenant.as_str()], "runs")
}

/// Whether any tenant has a run of that id.
fn has(connection: &Connection, id: &RunId) -> Result<bool, Fault> {
    let mut get = connection.prepare_cached("SELECT 1 FROM runs WHERE id = ?1")?;
    Ok(get.exists([id.to_string()])?)
}

/// Whether a task has a run that is not over.
pub(crate) fn has_live(connection: &Connection, task_id: &str) -> Result<bool, Fault> {
    let mut get =
        connection.prepare_cached("SELECT 1 FROM runs WHERE task_id = ?1 AND live = 1")?;
    Ok(get.exists([task_id])?)
}
