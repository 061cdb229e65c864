//! The writer of one run's log.

use std::sync::Arc;

use cofferdam_store_api::{Append, Claimed, Runs, StoreError};
use cofferdam_types::Ambient;
use cofferdam_types::run::{Event, EventKind, Run};
use cofferdam_types::task::Task;

use super::head::advance;
use super::patience::{self, wait_after};
use super::state::{Impossible, State};
use crate::run::wakeups::Wakeups;

/// Events that may wait to be written: half of what one append takes, so that a decision that
/// adds two or three always fits.
const PENDING_MAX: usize = Append::EVENTS_MAX / 2;

/// Why a run's log can't be written any further by this driver.
#[derive(Debug)]
pub(crate) enum Lost {
    /// Somebody else drives the run.
    Elsewhere,
    /// The store did not answer for long.
    Unavailable(String),
    /// The store or the log does not make sense.
    Broken(String),
}

impl From<StoreError> for Lost {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Stale => Self::Elsewhere,
            StoreError::Unavailable(reason) => Self::Unavailable(reason),
            StoreError::Conflict | StoreError::Missing | StoreError::Damaged(_) => {
                Self::Broken(error.to_string())
            }
        }
    }
}

impl From<Impossible> for Lost {
    fn from(error: Impossible) -> Self {
        Self::Broken(error.to_string())
    }
}

/// Writes a run's events, and holds the run, its task and its state as they are after them.
///
/// Events are first only pushed, then written together: the end of one call and the start of the
/// next cost one write. Nothing outside is touched in between.
pub(crate) struct Log {
    runs: Arc<dyn Runs>,
    ambient: Arc<dyn Ambient>,
    wakeups: Arc<Wakeups>,
    run: Run,
    task: Task,
    state: State,
    pending: Vec<Event>,
    /// The task as it is differs from the store's.
    is_task_changed: bool,
    /// A write was not answered: part of `pending` may be in the store.
    is_uncertain: bool,
}

impl Log {
    /// Of a claimed run, with its state so far.
    pub(crate) fn new(
        runs: Arc<dyn Runs>,
        ambient: Arc<dyn Ambient>,
        wakeups: Arc<Wakeups>,
        claimed: Claimed,
        state: State,
    ) -> Self {
        Self {
            runs,
            ambient,
            wakeups,
            run: claimed.run,
            task: claimed.task,
            state,
            pending: Vec::new(),
            is_task_changed: false,
            is_uncertain: false,
        }
    }

    pub(crate) fn run(&self) -> &Run {
        &self.run
    }

    pub(crate) fn task(&self) -> &Task {
        &self.task
    }

    pub(crate) fn state(&self) -> &State {
        &self.state
    }

    /// More should be written before more is pushed.
    pub(crate) fn is_full(&self) -> bool {
        self.pending.len() >= PENDING_MAX
    }

    /// Adds an event that the next flush writes.
    pub(crate) fn push(&mut self, kind: EventKind) -> Result<(), Lost> {
        self.state.apply(&self.task.plan, &kind)?;
        let event = Event {
            seq: self.run.seq + 1,
            // The log's times don't run backwards, even when the machine's clock does.
            at: self.ambient.now().max(self.run.updated_at),
            kind,
        };
        self.is_task_changed |= advance(&mut self.run, &mut self.task, &event);
        self.pending.push(event);
        Ok(())
    }

    /// Writes what was pushed. Waits out a store that is unavailable for a while.
    ///
    /// **Cancel**: what was pushed is then in the store or not; the log can't be used any further.
    pub(crate) async fn flush(&mut self) -> Result<(), Lost> {
        let mut failed = 0;
        loop {
            match self.write().await {
                Err(Lost::Unavailable(reason)) => {
                    failed += 1;
                    if failed >= patience::TRIES {
                        return Err(Lost::Unavailable(reason));
                    }
                    tokio::time::sleep(wait_after(failed)).await;
                }
                other => return other,
            }
        }
    }

    /// Writes what was pushed, if the store takes it now; else it stays for the next flush.
    pub(crate) async fn try_flush(&mut self) -> Result<(), Lost> {
        match self.write().await {
            Err(Lost::Unavailable(_)) => Ok(()),
            other => other,
        }
    }

    async fn write(&mut self) -> Result<(), Lost> {
        if self.is_uncertain {
            self.settle().await?;
        }
        if self.pending.is_empty() {
            return Ok(());
        }
        let append = Append {
            run: &self.run,
            task: self.is_task_changed.then_some(&self.task),
            events: &self.pending,
        };
        if let Err(error) = self.runs.append(append).await {
            self.is_uncertain = matches!(error, StoreError::Unavailable(_));
            return Err(error.into());
        }
        self.is_task_changed = false;
        self.pending.clear();
        self.wakeups.tell(&self.run);
        Ok(())
    }

    /// Finds out what became of a write that was not answered. Only this driver writes under its
    /// epoch, so whatever the store has of it are the first of the pending events.
    async fn settle(&mut self) -> Result<(), Lost> {
        let stored = self.runs.get(&self.run.tenant, &self.run.id).await?;
        let stored = stored.ok_or(StoreError::Missing)?;
        if stored.epoch != self.run.epoch {
            return Err(Lost::Elsewhere);
        }
        self.pending.retain(|event| event.seq > stored.seq);
        self.is_uncertain = false;
        if self.pending.is_empty() {
            self.is_task_changed = false;
            self.wakeups.tell(&stored);
        }
        Ok(())
    }
}
