use async_trait::async_trait;
use cofferdam_types::page::{Page, PageRequest};
use cofferdam_types::run::{Event, Run};
use cofferdam_types::task::Task;
use cofferdam_types::{AgentId, RunId, TaskId, Tenant, Timestamp};

use crate::StoreError;

/// Which runs a list holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunFilter {
    /// Only those of this task.
    pub task_id: Option<TaskId>,
}

/// The next part of a run's log, with the head and the task as they are after it.
#[derive(Debug, Clone)]
pub struct Append<'a> {
    /// The run after the events: `seq` is that of the last one, `epoch` the writer's.
    pub run: &'a Run,
    /// The task after the events; absent when it doesn't change.
    pub task: Option<&'a Task>,
    /// The events, numbered on from the log's end. At least one, at most [`Append::EVENTS_MAX`].
    pub events: &'a [Event],
}

impl Append<'_> {
    /// Most events of one append: no writer makes the others wait long.
    pub const EVENTS_MAX: usize = 64;

    /// Whether the parts agree with each other; every backend asks before it writes.
    ///
    /// **Errors**: [`StoreError::Conflict`] when there are too many events or none, when they are
    /// not numbered one by one up to `run.seq`, or when `task` is not the run's.
    pub fn check(&self) -> Result<(), StoreError> {
        let count = self.events.len();
        let first = self.events.first().map_or(0, |event| event.seq);
        let numbered = (first..)
            .zip(self.events)
            .all(|(seq, event)| seq == event.seq);
        let ends = self.events.last().map(|event| event.seq) == Some(self.run.seq);
        let own_task = self
            .task
            .is_none_or(|task| task.id == self.run.task_id && task.tenant == self.run.tenant);
        if (1..=Self::EVENTS_MAX).contains(&count) && first > 0 && numbered && ends && own_task {
            Ok(())
        } else {
            Err(StoreError::Conflict)
        }
    }
}

/// A run that was taken over.
#[derive(Debug, Clone, PartialEq)]
pub struct Claimed {
    /// The run, with its new epoch and driver.
    pub run: Run,
    /// Its task.
    pub task: Task,
}

/// Runs and their logs.
///
/// A run's log is written by its driver alone. Who drives is settled by [`Runs::claim`], which
/// counts the epoch up; from then on every older driver is refused.
#[async_trait]
pub trait Runs: Send + Sync {
    /// Adds a run in state `queued` with its first event, and updates the task.
    ///
    /// **Atomic.** **Errors**: [`StoreError::Conflict`] when the id is taken, in whichever tenant,
    /// when the task has another run that is not over, when the stored task is cancelled (a cancel
    /// that was answered holds against a start that was under way), or when [`Append::check`]
    /// refuses or the first event is not number 1; [`StoreError::Missing`] when there is no such
    /// task.
    async fn create(&self, first: Append<'_>) -> Result<(), StoreError>;

    /// One run.
    async fn get(&self, tenant: &Tenant, id: &RunId) -> Result<Option<Run>, StoreError>;

    /// Runs, newest id first; `after` is the last id of the page before.
    async fn list(
        &self,
        tenant: &Tenant,
        filter: &RunFilter,
        page: &PageRequest<RunId>,
    ) -> Result<Page<Run, RunId>, StoreError>;

    /// Makes `agent` the run's driver: counts the epoch up. The log is not written.
    ///
    /// **Errors**: [`StoreError::Missing`]; [`StoreError::Conflict`] when the run is over.
    async fn claim(
        &self,
        tenant: &Tenant,
        id: &RunId,
        agent: &AgentId,
    ) -> Result<Claimed, StoreError>;

    /// Adds events to a run's log and sets the head and the task. The head's `cancel_requested`
    /// is left as the store has it, since it belongs to [`Runs::request_cancel`].
    ///
    /// **Atomic.** **Errors**: [`StoreError::Stale`] when the store's epoch is not `run.epoch`, the
    /// log does not end right before the first event, or the run is over; so an append that is
    /// repeated after a lost answer is refused, never doubled. [`StoreError::Missing`] when there
    /// is no such run; [`StoreError::Conflict`] when [`Append::check`] refuses or the run belongs
    /// to another task.
    async fn append(&self, next: Append<'_>) -> Result<(), StoreError>;

    /// Notes that somebody wants the run stopped; returns the run after it. **Idempotent**: only
    /// the first request moves `updated_at` on, to `at`; no effect on a run that is over.
    ///
    /// **Errors**: [`StoreError::Missing`].
    async fn request_cancel(
        &self,
        tenant: &Tenant,
        id: &RunId,
        at: Timestamp,
    ) -> Result<Run, StoreError>;

    /// The runs of every tenant that are not over, by ascending id: what a host that starts takes
    /// over. `after` is the last id of the page before.
    async fn unfinished(
        &self,
        page: &PageRequest<RunId>,
    ) -> Result<Page<(Tenant, RunId), RunId>, StoreError>;
}
