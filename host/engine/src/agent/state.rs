//! Where a run stands: a fold over its log.

use std::collections::HashMap;

use cofferdam_types::plan::Plan;
use cofferdam_types::run::EventKind;
use cofferdam_types::{CallId, Failure, Payload, StepName, Timestamp};
use thiserror::Error;

use crate::plan::template::text_bytes;

/// What came of a step.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Ended {
    /// Its call succeeded.
    Completed(Payload),
    /// Its last call failed.
    Failed(Failure),
    /// Its condition did not hold.
    Skipped,
}

/// The step that has not ended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Current {
    /// Nothing has been done for it.
    Untouched,
    /// A call has started.
    Calling { attempt: u32, call_id: CallId },
    /// A call has failed; the next may start at `until`.
    Waiting { attempt: u32, until: Timestamp },
}

/// What the log of a run amounts to.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct State {
    ended: HashMap<StepName, Ended>,
    /// How many steps of the plan have ended; the next one is the current.
    position: usize,
    current: Current,
    /// How often a call of the current step started again without the one before having ended.
    interrupts: u32,
    /// Progress and log events of the current step.
    notes: u32,
    /// Text of all results.
    result_bytes: usize,
    is_over: bool,
}

/// The log says what can't have happened under this plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the event does not follow from those before it")]
pub(crate) struct Impossible;

impl State {
    /// Before the first event.
    pub(crate) fn new() -> Self {
        Self {
            ended: HashMap::new(),
            position: 0,
            current: Current::Untouched,
            interrupts: 0,
            notes: 0,
            result_bytes: 0,
            is_over: false,
        }
    }

    pub(crate) fn ended(&self, step: &str) -> Option<&Ended> {
        // The pointer that asks was checked to name a step; a text that is no step name has none.
        let name: StepName = step.parse().ok()?;
        self.ended.get(&name)
    }

    pub(crate) fn position(&self) -> usize {
        self.position
    }

    pub(crate) fn current(&self) -> Current {
        self.current
    }

    pub(crate) fn interrupts(&self) -> u32 {
        self.interrupts
    }

    pub(crate) fn notes(&self) -> u32 {
        self.notes
    }

    pub(crate) fn result_bytes(&self) -> usize {
        self.result_bytes
    }

    /// The state after one more event of a run of `plan`.
    pub(crate) fn apply(&mut self, plan: &Plan, kind: &EventKind) -> Result<(), Impossible> {
        if self.is_over {
            return Err(Impossible);
        }
        match kind {
            EventKind::RunCreated { .. }
            | EventKind::RunStarted { .. }
            | EventKind::CancelRequested { .. } => {}
            EventKind::StepStarted {
                step,
                attempt,
                call_id,
                ..
            } => {
                self.expect(plan, step)?;
                if let Current::Calling { .. } = self.current {
                    self.interrupts += 1;
                }
                self.current = Current::Calling {
                    attempt: *attempt,
                    call_id: *call_id,
                };
            }
            EventKind::StepProgress { step, .. } | EventKind::StepLog { step, .. } => {
                self.expect(plan, step)?;
                self.notes += 1;
            }
            EventKind::StepCompleted {
                step,
                call_id,
                result,
                ..
            } => {
                self.expect(plan, step)?;
                match self.current {
                    Current::Calling { call_id: open, .. } if open == *call_id => {}
                    _ => return Err(Impossible),
                }
                let bytes = text_bytes(result.as_value(), usize::MAX).unwrap_or(usize::MAX);
                self.result_bytes = self.result_bytes.saturating_add(bytes);
                self.end(step, Ended::Completed(result.clone()));
            }
            EventKind::StepFailed {
                step,
                attempt,
                error,
                retry_at,
                ..
            } => {
                self.expect(plan, step)?;
                match retry_at {
                    Some(until) => {
                        self.current = Current::Waiting {
                            attempt: *attempt,
                            until: *until,
                        }
                    }
                    None => self.end(step, Ended::Failed(error.clone())),
                }
            }
            EventKind::StepSkipped { step } => {
                self.expect(plan, step)?;
                self.end(step, Ended::Skipped);
            }
            EventKind::RunCompleted { .. }
            | EventKind::RunFailed { .. }
            | EventKind::RunCancelled { .. } => self.is_over = true,
        }
        Ok(())
    }

    fn expect(&self, plan: &Plan, step: &StepName) -> Result<(), Impossible> {
        match plan.steps.get(self.position) {
            Some(current) if current.name == *step => Ok(()),
            _ => Err(Impossible),
        }
    }

    fn end(&mut self, step: &StepName, ended: Ended) {
        self.ended.insert(step.clone(), ended);
        self.position += 1;
        self.current = Current::Untouched;
        self.interrupts = 0;
        self.notes = 0;
    }
}
