//! Drives one run from where its log ends to its end.

use std::sync::Arc;
use std::time::Duration;

use cofferdam_store_api::{Claimed, StoreError};
use cofferdam_types::call::Usage;
use cofferdam_types::plan::{BACKOFF_MS_MAX, Step};
use cofferdam_types::run::EventKind;
use cofferdam_types::{CallId, Code, Failure, Timestamp};

use super::board::{Left, Ticket};
use super::log::{Log, Lost};
use super::next::{self, Next};
use super::patience::{self, patiently};
use super::state::{Current, State};
use crate::service::Shared;

/// Longest wait between two attempts that a driver sits out; a longer one frees its place.
const SIT_OUT_MAX: Duration = Duration::from_secs(5);
/// Events read at once when a log is folded: with the largest arguments still some 100 MiB.
const READ_EVENTS: u32 = 32;

/// A run's driver. It alone writes the run's log, as long as nobody else claims the run.
pub(crate) struct Driver {
    pub(crate) shared: Arc<Shared>,
    pub(crate) ticket: Arc<Ticket>,
    pub(crate) log: Log,
}

/// Drives the run of `ticket` as far as it goes now.
///
/// **Cancel**: what was written stays; a call under way is stopped and in doubt.
pub(crate) async fn drive(shared: Arc<Shared>, ticket: Arc<Ticket>) -> Left {
    let run = ticket.run;
    let left = match Driver::take(shared, ticket).await {
        Ok(None) => return Left::Done,
        Ok(Some(mut driver)) => driver.go().await,
        Err(lost) => Err(lost),
    };
    match left {
        Ok(left) => left,
        Err(Lost::Elsewhere) => Left::Done,
        Err(Lost::Unavailable(reason)) => {
            tracing::warn!(%run, reason, "the store is unavailable; the run rests");
            Left::Later(patience::REST)
        }
        Err(Lost::Broken(reason)) => {
            tracing::error!(%run, reason, "the run's record makes no sense; it is left alone");
            Left::Done
        }
    }
}

impl Driver {
    /// Claims the run and folds its log. `None` when there is nothing to drive.
    async fn take(shared: Arc<Shared>, ticket: Arc<Ticket>) -> Result<Option<Self>, Lost> {
        let runs = &shared.stores.runs;
        let claim = || runs.claim(&ticket.tenant, &ticket.run, &shared.agent);
        let claimed = match patiently(patience::TRIES, claim).await {
            // Over, or never made: the store answered nothing when it was to be made.
            Err(StoreError::Conflict | StoreError::Missing) => return Ok(None),
            other => other?,
        };
        let state = fold(&shared, &claimed).await?;
        let log = Log::new(
            Arc::clone(runs),
            Arc::clone(&shared.ambient),
            Arc::clone(&shared.wakeups),
            claimed,
            state,
        );
        Ok(Some(Self {
            shared,
            ticket,
            log,
        }))
    }

    async fn go(&mut self) -> Result<Left, Lost> {
        if self.is_cancelled() {
            return self.cancel().await;
        }
        self.log.push(EventKind::RunStarted {
            agent_id: self.shared.agent,
            epoch: self.log.run().epoch,
        })?;
        // A run never changes its plan or parameters, so one copy does.
        let task = self.log.task().clone();
        // The time until which this driver has waited: counts as passed, whatever the clock says.
        let mut waited = Timestamp::from_millis(0);
        loop {
            if self.is_cancelled() {
                return self.cancel().await;
            }
            if self.shared.draining.is_cancelled() {
                self.log.flush().await?;
                return Ok(Left::Done);
            }
            if self.log.is_full() {
                self.log.flush().await?;
            }
            let now = self.shared.ambient.now().max(waited);
            match next::next(&task.plan, &task.parameters, self.log.state(), now) {
                Next::Wait(until) => {
                    if let Some(left) = self.wait(until).await? {
                        return Ok(left);
                    }
                    waited = until;
                }
                Next::Interrupted {
                    step,
                    attempt,
                    call_id,
                } => self.resume(step, attempt, call_id).await?,
                step @ (Next::Skip(_) | Next::Refuse { .. } | Next::Call { .. }) => {
                    self.act(step).await?;
                }
                end @ (Next::Complete(_) | Next::Fail { .. }) => {
                    self.act(end).await?;
                    self.log.flush().await?;
                    return Ok(Left::Done);
                }
            }
        }
    }

    async fn act(&mut self, next: Next<'_>) -> Result<(), Lost> {
        match next {
            Next::Complete(result) => self.log.push(EventKind::RunCompleted {
                result,
                usage: self.log.run().usage,
            }),
            Next::Fail { reason, error } => self.log.push(EventKind::RunFailed {
                reason: reason.to_owned(),
                error,
                usage: self.log.run().usage,
            }),
            Next::Skip(step) => self.log.push(EventKind::StepSkipped {
                step: step.name.clone(),
            }),
            Next::Refuse {
                step,
                attempt,
                error,
            } => {
                let call_id = CallId::generate(&*self.shared.ambient);
                self.fail(step, attempt, call_id, error)
            }
            Next::Call {
                step,
                attempt,
                arguments,
            } => self.call(step, attempt, arguments).await,
            // These are the loop's own.
            Next::Wait(_) | Next::Interrupted { .. } => Ok(()),
        }
    }

    /// Writes a failure that no further attempt follows.
    pub(crate) fn fail(
        &mut self,
        step: &Step,
        attempt: u32,
        call_id: CallId,
        error: Failure,
    ) -> Result<(), Lost> {
        self.log.push(EventKind::StepFailed {
            step: step.name.clone(),
            attempt,
            call_id,
            error,
            usage: Usage::default(),
            retry_at: None,
        })
    }

    /// Goes on after a call whose end nobody saw: makes it again or fails the step.
    async fn resume(&mut self, step: &Step, attempt: u32, call_id: CallId) -> Result<(), Lost> {
        let safety = self.shared.tools.safety(&self.ticket.tenant, &step.tool);
        let safety = safety.await;
        if !next::may_repeat(step, self.log.state(), safety) {
            return self.fail(step, attempt, call_id, next::in_doubt());
        }
        let parameters = self.log.task().parameters.clone();
        let again = next::again(step, attempt, &parameters, self.log.state());
        self.act(again).await
    }

    /// Waits until `until`, or leaves the place free when that is far off.
    async fn wait(&mut self, until: Timestamp) -> Result<Option<Left>, Lost> {
        self.log.flush().await?;
        let wait = until.since(self.shared.ambient.now());
        // A clock that was set back must not make a wait longer than any plan can ask for.
        let wait = wait.min(Duration::from_millis(BACKOFF_MS_MAX));
        if wait > SIT_OUT_MAX {
            return Ok(Some(Left::Later(wait)));
        }
        // Whatever ends the wait, the loop looks at it.
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = self.ticket.cancelled() => {}
            () = self.shared.draining.cancelled() => {}
        }
        Ok(None)
    }

    fn is_cancelled(&self) -> bool {
        self.ticket.is_cancelled() || self.log.run().cancel_requested
    }

    /// Ends the run because somebody asked for it.
    async fn cancel(&mut self) -> Result<Left, Lost> {
        if let Some(by) = self.ticket.cancelled_by() {
            let by = by.to_owned();
            self.log.push(EventKind::CancelRequested { by })?;
        }
        let task = self.log.task().clone();
        if let Current::Calling { attempt, call_id } = self.log.state().current()
            && let Some(step) = task.plan.steps.get(self.log.state().position())
        {
            let error = Failure::new(
                Code::Cancelled,
                "the run was cancelled during the call; it may have taken effect in part",
            );
            self.fail(step, attempt, call_id, error)?;
        }
        self.log.push(EventKind::RunCancelled {
            usage: self.log.run().usage,
        })?;
        self.log.flush().await?;
        Ok(Left::Done)
    }
}

/// The state that a claimed run's log amounts to.
async fn fold(shared: &Shared, claimed: &Claimed) -> Result<State, Lost> {
    let run = &claimed.run;
    let mut state = State::new();
    let mut seq = 0;
    while seq < run.seq {
        let read = || {
            shared
                .stores
                .events
                .read(&run.tenant, &run.id, seq, READ_EVENTS)
        };
        let events = patiently(patience::TRIES, read).await?;
        if events.is_empty() {
            return Err(Lost::Broken(format!(
                "the log ends at {seq}, not at {}",
                run.seq
            )));
        }
        for event in events {
            if event.seq != seq + 1 {
                return Err(Lost::Broken(format!("event {} follows {seq}", event.seq)));
            }
            seq = event.seq;
            state.apply(&claimed.task.plan, &event.kind)?;
        }
    }
    Ok(state)
}
