use async_trait::async_trait;
use cofferdam_types::page::{Page, PageRequest};
use cofferdam_types::task::{Task, TaskStatus};
use cofferdam_types::{TaskId, Tenant, Timestamp};

use crate::StoreError;

/// Which tasks a list holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TaskFilter {
    /// Only those in this state.
    pub status: Option<TaskStatus>,
}

/// Tasks. While a task has a run that is not over, it changes only together with that run,
/// through [`crate::Runs`].
#[async_trait]
pub trait Tasks: Send + Sync {
    /// Adds a task. **Errors**: [`StoreError::Conflict`] when the id is taken, in whichever tenant.
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

    /// Replaces a task of which the reader saw `expected` as its `updated_at`. For changes that no
    /// run makes: cancelling a task that never ran.
    ///
    /// **Atomic.** The task is found by `task.tenant` and `task.id`.
    /// **Errors**: [`StoreError::Missing`] when there is no such task; [`StoreError::Conflict`]
    /// when the stored `updated_at` is not `expected`, or the task has a run that is not over.
    async fn update(&self, task: &Task, expected: Timestamp) -> Result<(), StoreError>;
}
