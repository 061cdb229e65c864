use cofferdam_types::caller::Caller;
use cofferdam_types::plan::Plan;
use cofferdam_types::task::{Task, TaskStatus, TaskWorkspace};
use cofferdam_types::{Payload, TaskId};

use super::check::faults;
use crate::engine::Engine;
use crate::error::Error;

/// The priority of a task whose maker did not say: the middle.
pub(crate) const PRIORITY_DEFAULT: u8 = 50;

/// A task that somebody wants made.
#[derive(Debug, Clone)]
pub struct NewTask {
    /// 1 to 200 characters; white space around it is dropped.
    pub title: String,
    /// At most 64 KiB.
    pub description: String,
    /// What is to be done.
    pub plan: Plan,
    /// What the plan's templates read under `/parameters`: an object, or null.
    pub parameters: Payload,
    /// The directory its steps may see.
    pub workspace: Option<TaskWorkspace>,
    /// The most that its steps may use, in the form of a rule's `allow`.
    pub security_requirements: Option<Payload>,
    /// The policy's profile that its steps run in.
    pub execution_environment: Option<String>,
    /// 0 to 100, larger is more urgent; absent: 50.
    pub priority: Option<u8>,
    /// Words to find it by: at most 32, each 1 to 64 characters.
    pub tags: Vec<String>,
}

impl Engine {
    /// Makes a task, `pending` until a run of it starts.
    ///
    /// **Errors**: [`Error::Invalid`] with every broken place. **Retry**: makes another task.
    pub async fn create_task(&self, caller: &Caller, new: NewTask) -> Result<Task, Error> {
        let faults = faults(&new);
        if !faults.is_empty() {
            return Err(Error::Invalid(faults));
        }
        let now = self.shared.ambient.now();
        let task = Task {
            id: TaskId::generate(&*self.shared.ambient),
            tenant: caller.tenant.clone(),
            title: new.title.trim().to_owned(),
            description: new.description,
            plan: new.plan,
            parameters: new.parameters,
            workspace: new.workspace,
            security_requirements: new.security_requirements,
            execution_environment: new.execution_environment,
            priority: new.priority.unwrap_or(PRIORITY_DEFAULT),
            tags: new.tags,
            status: TaskStatus::Pending,
            status_reason: None,
            run_id: None,
            result: None,
            error: None,
            created_by: caller.principal.clone(),
            created_at: now,
            updated_at: now,
        };
        self.shared.stores.tasks.create(&task).await?;
        Ok(task)
    }
}
