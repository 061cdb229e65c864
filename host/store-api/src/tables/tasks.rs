use async_trait::async_trait;
use cofferdam_types::page::{Page, PageRequest};
use cofferdam_types::task::{Task, TaskStatus};
use cofferdam_types::{TaskId, Tenant};

use crate::StoreError;

/// Which tasks a list holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TaskFilter {
    /// Only those in this state.
    pub status: Option<TaskStatus>,
}

/// Tasks. After creation a task changes only together with its runs, through [`crate::Runs`].
#[async_trait]
pub trait Tasks: Send + Sync {
    /// Adds a task. **Errors**: [`StoreError::Conflict`] when the id is taken.
    async fn create(&self, task: &Task) -> Result<(), StoreError>;

    /// One task.
    async fn get(&self, tenant: &Tenant, id: &TaskId) -> Result<Option<Task>, StoreError>;

    /// Tasks, newest id first; `after` is the last id of the page before.
    async fn list(
        &self,
        tenant: &Tenant,
        filter: &TaskFilter,
        page: &PageRequest<TaskId>,
    ) -> Result<Page<Task, TaskId>, StoreError>;
}
