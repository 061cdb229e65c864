use std::time::Duration;

use cofferdam_store_api::{Append, StoreError};
use cofferdam_types::call::Usage;
use cofferdam_types::caller::Caller;
use cofferdam_types::run::{Event, EventKind, Run, RunStatus};
use cofferdam_types::task::{Task, TaskStatus};
use cofferdam_types::{RunId, TaskId, Timestamp};

use crate::agent::board::Ticket;
use crate::agent::patience::REST;
use crate::engine::Engine;
use crate::error::Error;

impl Engine {
    /// Starts a run of a task; it is in the store before this returns, and then comes to its end
    /// whatever happens to the host. A task can be run again when its last run is over, unless it
    /// was cancelled.
    ///
    /// **Errors**: [`Error::NoTask`]; [`Error::AlreadyRuns`]; [`Error::Over`] when the task is
    /// cancelled; [`Error::Full`]; [`Error::Draining`]. **Retry**: after a store error the run may
    /// have started; [`Error::AlreadyRuns`] then tells.
    pub async fn start_run(&self, caller: &Caller, task: &TaskId) -> Result<Run, Error> {
        let (engine, caller, id) = (self.clone(), caller.clone(), *task);
        self.to_its_end(async move { engine.start_run_now(&caller, &id).await })
            .await
    }

    async fn start_run_now(&self, caller: &Caller, id: &TaskId) -> Result<Run, Error> {
        let shared = &self.shared;
        if shared.draining.is_cancelled() {
            return Err(Error::Draining);
        }
        let waiting = shared.board.waiting();
        if waiting >= shared.options.waiting_max {
            return Err(Error::Full(waiting));
        }
        let mut task = self.task(caller, id).await?;
        if task.status == TaskStatus::Cancelled {
            return Err(over(&task));
        }
        let now = shared.ambient.now().max(task.updated_at);
        let run = queued(RunId::generate(&*shared.ambient), &task, caller, now);
        task.status = TaskStatus::Queued;
        task.status_reason = None;
        task.run_id = Some(run.id);
        task.result = None;
        task.error = None;
        task.updated_at = now;
        let created = Event {
            seq: run.seq,
            at: now,
            kind: EventKind::RunCreated {
                task_id: *id,
                by: caller.principal.clone(),
            },
        };
        let first = Append {
            run: &run,
            task: Some(&task),
            events: std::slice::from_ref(&created),
        };
        let ticket = Ticket::new(run.tenant.clone(), run.id, task.priority);
        match shared.stores.runs.create(first).await {
            Ok(()) => {
                shared.board.add(ticket, Duration::ZERO);
                Ok(run)
            }
            Err(StoreError::Conflict) => Err(self.conflict(caller, id).await),
            Err(error @ StoreError::Unavailable(_)) => {
                // It may be there all the same. Whoever drives it will find out.
                shared.board.add(ticket, REST);
                Err(error.into())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Which of the two reasons the store had.
    async fn conflict(&self, caller: &Caller, id: &TaskId) -> Error {
        match self.task(caller, id).await {
            Ok(task) if task.status == TaskStatus::Cancelled => over(&task),
            Ok(_) => Error::AlreadyRuns(*id),
            Err(error) => error,
        }
    }
}

fn over(task: &Task) -> Error {
    Error::Over {
        task: task.id,
        status: task.status.as_str(),
    }
}

fn queued(id: RunId, task: &Task, caller: &Caller, now: Timestamp) -> Run {
    Run {
        id,
        tenant: task.tenant.clone(),
        task_id: task.id,
        agent_id: None,
        status: RunStatus::Queued,
        status_reason: None,
        cancel_requested: false,
        result: None,
        error: None,
        usage: Usage::default(),
        steps: 0,
        seq: 1,
        epoch: 0,
        started_by: caller.clone(),
        created_at: now,
        updated_at: now,
    }
}
