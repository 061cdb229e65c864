use cofferdam_store_api::StoreError;
use cofferdam_types::TaskId;
use cofferdam_types::caller::Caller;
use cofferdam_types::task::{Task, TaskStatus};

use crate::engine::Engine;
use crate::error::Error;

/// How often a cancel looks again when the task changed under its hands: a task changes that way
/// only when a run starts or ends in between.
const LOOKS_MAX: u32 = 5;

impl Engine {
    /// Stops a task: its live run, or itself while it waits to be run. **Idempotent**: a task that
    /// is cancelled stays so. A live run stops soon after; the answer is the task as it stands.
    ///
    /// **Errors**: [`Error::NoTask`]; [`Error::Over`] when it is completed or failed.
    pub async fn cancel_task(&self, caller: &Caller, id: &TaskId) -> Result<Task, Error> {
        let (engine, caller, id) = (self.clone(), caller.clone(), *id);
        self.to_its_end(async move { engine.cancel_task_now(&caller, &id).await })
            .await
    }

    async fn cancel_task_now(&self, caller: &Caller, id: &TaskId) -> Result<Task, Error> {
        for _ in 0..LOOKS_MAX {
            let mut task = self.task(caller, id).await?;
            match task.status {
                TaskStatus::Cancelled => return Ok(task),
                TaskStatus::Completed | TaskStatus::Failed => {
                    return Err(Error::Over {
                        task: *id,
                        status: task.status.as_str(),
                    });
                }
                TaskStatus::Pending
                | TaskStatus::Queued
                | TaskStatus::Assigned
                | TaskStatus::Active
                | TaskStatus::Blocked => {}
            }
            if let Some(run) = task.run_id {
                self.cancel_run_now(caller, &run).await?;
                return self.task(caller, id).await;
            }
            let seen = task.updated_at;
            task.status = TaskStatus::Cancelled;
            task.updated_at = self.shared.ambient.now().max(seen);
            match self.shared.stores.tasks.update(&task, seen).await {
                Ok(()) => return Ok(task),
                Err(StoreError::Conflict) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::Store(StoreError::Conflict))
    }
}
