use async_trait::async_trait;
use cofferdam_store_api::{StoreError, TaskFilter, Tasks};
use cofferdam_types::page::{Page, PageRequest};
use cofferdam_types::task::{Task, TaskStatus};
use cofferdam_types::{TaskId, Tenant, Timestamp};
use rusqlite::{Connection, params};

use crate::embedded::Tables;
use crate::error::Fault;
use crate::record::{self, RECORD_VERSION};
use crate::runs;

#[async_trait]
impl Tasks for Tables {
    async fn create(&self, task: &Task) -> Result<(), StoreError> {
        let row = Row::of(task)?;
        self.write(move |connection| {
            let mut add = connection.prepare_cached(
                "INSERT INTO tasks (id, tenant, status, record_version, record)
                 VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING",
            )?;
            let values = params![row.id, row.tenant, row.status, RECORD_VERSION, row.text];
            match add.execute(values)? {
                0 => Err(StoreError::Conflict.into()),
                _ => Ok(()),
            }
        })
        .await
    }

    async fn get(&self, tenant: &Tenant, id: &TaskId) -> Result<Option<Task>, StoreError> {
        let (tenant, id) = (tenant.to_string(), id.to_string());
        self.read(move |connection| find(connection, &tenant, &id))
            .await
    }

    async fn list(
        &self,
        tenant: &Tenant,
        filter: &TaskFilter,
        page: &PageRequest<TaskId>,
    ) -> Result<Page<Task, TaskId>, StoreError> {
        let tenant = tenant.to_string();
        let status = filter.status.map(TaskStatus::as_str);
        let below = record::below(page.after.as_ref());
        let items_max = page.items_max();
        self.read(move |connection| {
            // One statement for each case, so that each walks its own index.
            let mut list = connection.prepare_cached(match status {
                None => {
                    "SELECT record_version, record FROM tasks
                     WHERE tenant = ?1 AND ?2 IS NULL AND id < ?3 ORDER BY id DESC LIMIT ?4"
                }
                Some(_) => {
                    "SELECT record_version, record FROM tasks
                     WHERE tenant = ?1 AND status = ?2 AND id < ?3 ORDER BY id DESC LIMIT ?4"
                }
            })?;
            let key = params![tenant, status, below, record::fetch(items_max)];
            let found = record::all(&mut list, key, "tasks")?;
            Ok(Page::cut(found, items_max, |task: &Task| task.id))
        })
        .await
    }

    async fn update(&self, task: &Task, expected: Timestamp) -> Result<(), StoreError> {
        let row = Row::of(task)?;
        self.write(move |connection| {
            let kept = find(connection, &row.tenant, &row.id)?.ok_or(StoreError::Missing)?;
            if kept.updated_at != expected || runs::has_live(connection, &row.id)? {
                return Err(StoreError::Conflict.into());
            }
            row.replace(connection)
        })
        .await
    }
}

/// A task as its row holds it.
pub(crate) struct Row {
    id: String,
    tenant: String,
    status: &'static str,
    text: String,
}

impl Row {
    pub(crate) fn of(task: &Task) -> Result<Self, StoreError> {
        Ok(Self {
            id: task.id.to_string(),
            tenant: task.tenant.to_string(),
            status: task.status.as_str(),
            text: record::encode(task)?,
        })
    }

    /// Writes over the row that is there.
    pub(crate) fn replace(&self, connection: &Connection) -> Result<(), Fault> {
        let mut replace = connection.prepare_cached(
            "UPDATE tasks SET status = ?3, record_version = ?4, record = ?5
             WHERE id = ?1 AND tenant = ?2",
        )?;
        let values = params![self.id, self.tenant, self.status, RECORD_VERSION, self.text];
        match replace.execute(values)? {
            0 => Err(StoreError::Damaged(format!("{} is gone", self.id)).into()),
            _ => Ok(()),
        }
    }
}

/// The tenant's task of that id.
pub(crate) fn find(connection: &Connection, tenant: &str, id: &str) -> Result<Option<Task>, Fault> {
    let mut get = connection
        .prepare_cached("SELECT record_version, record FROM tasks WHERE id = ?1 AND tenant = ?2")?;
    record::one(&mut get, [id, tenant], "tasks")
}
