//! One call of a step, from the event that announces it to the event that ends it.

use std::sync::Arc;

use cofferdam_store_api::Append;
use cofferdam_types::authority::Authority;
use cofferdam_types::call::{Origin, Outcome, ToolCall};
use cofferdam_types::change::Commit;
use cofferdam_types::plan::Step;
use cofferdam_types::run::EventKind;
use cofferdam_types::workspace::{Offer, Place};
use cofferdam_types::{CallId, Code, Failure, Payload};
use tokio::task::JoinError;
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

use super::driver::Driver;
use super::log::Lost;
use super::next::{self, RESULTS_BYTES_MAX};
use super::notes::Notes;
use crate::engine::EXECUTOR;
use crate::plan::template::text_bytes;

/// Notes written at once: leaves room in the append for the events around them.
const NOTES_AT_ONCE: usize = Append::EVENTS_MAX / 4;

impl Driver {
    /// Calls the step's tool and writes down what came of it. The start of the call is in the
    /// store before the tool hears of it; the end is pushed, and written with what follows.
    ///
    /// Ends early when the run is cancelled; the loop sees to the rest.
    pub(crate) async fn call(
        &mut self,
        step: &Step,
        attempt: u32,
        arguments: Payload,
    ) -> Result<(), Lost> {
        let call_id = CallId::generate(&*self.shared.ambient);
        self.log.push(EventKind::StepStarted {
            step: step.name.clone(),
            attempt,
            call_id,
            arguments: arguments.clone(),
        })?;
        self.log.flush().await?;
        let call = self.tool_call(step, call_id, arguments);
        let notes = Arc::new(Notes::new(self.log.state().notes()));
        let Some(outcome) = self.attend(step, call, &notes).await? else {
            return Ok(());
        };
        self.write_notes(step, &notes).await?;
        self.end(step, attempt, call_id, outcome)
    }

    fn tool_call(&self, step: &Step, id: CallId, arguments: Payload) -> ToolCall {
        let run = self.log.run();
        let task = self.log.task();
        let workspace = task.workspace.as_ref();
        ToolCall {
            id,
            caller: run.started_by.clone(),
            origin: Origin::Run {
                run_id: run.id,
                step: step.name.clone(),
            },
            tool: step.tool.clone(),
            arguments,
            workspace: workspace.map(|workspace| Offer {
                place: Place::Named(workspace.name.clone()),
                access: workspace.access,
            }),
            limits: step.limits,
            authority: Authority {
                agent: Some(EXECUTOR.to_owned()),
                environment: task.execution_environment.clone(),
                task_carries: task.security_requirements.clone(),
                ..Authority::default()
            },
            commit: Commit::Apply,
        }
    }

    /// Runs the call and writes down what the tool says meanwhile. `None` when the run was
    /// cancelled; the guest has stopped by then.
    async fn attend(
        &mut self,
        step: &Step,
        call: ToolCall,
        notes: &Arc<Notes>,
    ) -> Result<Option<Outcome>, Lost> {
        let id = call.id;
        let tools = Arc::clone(&self.shared.tools);
        let observer = Arc::clone(notes);
        // A task of its own: the guest goes on while this driver waits for the disk.
        let call = async move { tools.call(call, observer).await };
        let mut call = AbortOnDropHandle::new(self.shared.tracker.spawn(call));
        let mut last_written = None;
        loop {
            tokio::select! {
                biased;
                outcome = &mut call => {
                    return Ok(Some(outcome.unwrap_or_else(|error| broken(id, &error))));
                }
                () = self.ticket.cancelled() => {
                    call.abort();
                    // It may have ended at the same moment; then its result counts.
                    return Ok(call.await.ok());
                }
                () = notes.due(last_written) => {
                    self.push_notes(step, notes)?;
                    self.log.try_flush().await?;
                    last_written = Some(Instant::now());
                }
            }
        }
    }

    /// Pushes some of what the tool said; false when there was nothing. What the store can't take
    /// for long is dropped, since notes are not worth waiting for.
    fn push_notes(&mut self, step: &Step, notes: &Notes) -> Result<bool, Lost> {
        let events = notes.take(&step.name, NOTES_AT_ONCE);
        let is_some = !events.is_empty();
        if !self.log.is_full() {
            for event in events {
                self.log.push(event)?;
            }
        }
        Ok(is_some)
    }

    /// Writes what is left of the notes when the call has ended.
    async fn write_notes(&mut self, step: &Step, notes: &Notes) -> Result<(), Lost> {
        while self.push_notes(step, notes)? {
            if self.log.is_full() {
                self.log.try_flush().await?;
            }
        }
        Ok(())
    }

    fn end(
        &mut self,
        step: &Step,
        attempt: u32,
        call_id: CallId,
        outcome: Outcome,
    ) -> Result<(), Lost> {
        let usage = outcome.usage;
        let ended = match (outcome.result, outcome.tool) {
            (Ok(result), Some(tool)) => self.fits(&result).map(|()| (result, tool)),
            (Ok(_), None) => Err(Failure::new(
                Code::Internal,
                "the call succeeded, but no tool is known to have run",
            )),
            (Err(error), _) => Err(error),
        };
        let step_name = step.name.clone();
        self.log.push(match ended {
            Ok((result, tool)) => EventKind::StepCompleted {
                step: step_name,
                attempt,
                call_id,
                tool,
                result,
                usage,
            },
            Err(error) => EventKind::StepFailed {
                retry_at: next::retry_at(step, attempt, &error, self.shared.ambient.now()),
                step: step_name,
                attempt,
                call_id,
                error,
                usage,
            },
        })
    }

    fn fits(&self, result: &Payload) -> Result<(), Failure> {
        let left = RESULTS_BYTES_MAX.saturating_sub(self.log.state().result_bytes());
        match text_bytes(result.as_value(), left) {
            Some(_) => Ok(()),
            None => Err(Failure::limit(
                "run_results_bytes",
                RESULTS_BYTES_MAX as u64,
                "the results of this run's steps are larger than 64 MiB together",
            )),
        }
    }
}

/// The outcome of a call whose task ended without one.
fn broken(call_id: CallId, error: &JoinError) -> Outcome {
    tracing::error!(%call_id, %error, "a call panicked");
    Outcome {
        call_id,
        tool: None,
        result: Err(Failure::new(Code::Internal, "the call broke down")),
        usage: cofferdam_types::call::Usage::default(),
        log: cofferdam_types::call::CallLog::default(),
        uses: Vec::new(),
        denials: Vec::new(),
        changes: None,
    }
}
