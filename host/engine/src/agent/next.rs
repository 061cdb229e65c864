//! What comes next in a run: decided from its state alone.

use std::time::Duration;

use cofferdam_types::plan::{BACKOFF_MS_MAX, OnError, OnInterrupt, Plan, Step};
use cofferdam_types::tool::SafetyFlags;
use cofferdam_types::{CallId, Code, Failure, Payload, Timestamp};
use serde_json::Value;

use super::state::{Current, Ended, State};
use crate::plan::condition::holds;
use crate::plan::reference::Scope;
use crate::plan::template::expand;

/// Most interrupted calls of one step that are made again: a call that was under way whenever the
/// host died is likely what killed it.
pub(crate) const INTERRUPTS_MAX: u32 = 20;
/// Most text of all results of one run: its driver holds them in memory. Reached: the step fails
/// with `limit_exceeded`.
pub(crate) const RESULTS_BYTES_MAX: usize = 64 << 20;

/// `status_reason` of a run whose step failed.
const STEP_FAILED: &str = "step_failed";
/// `status_reason` of a run that can't know whether a call took effect.
const IN_DOUBT: &str = "in_doubt";
/// `status_reason` of a run whose result template could not be expanded.
const RESULT_FAILED: &str = "result_failed";

/// What comes next.
#[derive(Debug, PartialEq)]
pub(crate) enum Next<'a> {
    /// Every step ended: the run has a result.
    Complete(Payload),
    /// The run can't go on.
    Fail {
        reason: &'static str,
        error: Failure,
    },
    /// The step's condition does not hold.
    Skip(&'a Step),
    /// The step's call can't be made.
    Refuse {
        step: &'a Step,
        attempt: u32,
        error: Failure,
    },
    /// A call is to be made.
    Call {
        step: &'a Step,
        attempt: u32,
        arguments: Payload,
    },
    /// Nothing before this time.
    Wait(Timestamp),
    /// A call has started that nobody will see the end of.
    Interrupted {
        step: &'a Step,
        attempt: u32,
        call_id: CallId,
    },
}

/// What comes next in a run of `plan` at time `now`. Asked only when no call is under way here, so
/// that a call without an end is one whose host stopped.
pub(crate) fn next<'a>(
    plan: &'a Plan,
    parameters: &Payload,
    state: &State,
    now: Timestamp,
) -> Next<'a> {
    if let Some(end) = after_last_end(plan, state) {
        return end;
    }
    let scope = Scope { parameters, state };
    let Some(step) = plan.steps.get(state.position()) else {
        return match result(plan, scope) {
            Ok(result) => Next::Complete(result),
            Err(error) => Next::Fail {
                reason: RESULT_FAILED,
                error,
            },
        };
    };
    let attempt = match state.current() {
        Current::Calling { attempt, call_id } => {
            return Next::Interrupted {
                step,
                attempt,
                call_id,
            };
        }
        Current::Waiting { until, .. } if until > now => return Next::Wait(until),
        Current::Waiting { attempt, .. } => attempt + 1,
        Current::Untouched => match step.when.as_ref().map(|when| holds(when, scope)) {
            None | Some(Ok(true)) => 1,
            Some(Ok(false)) => return Next::Skip(step),
            Some(Err(error)) => {
                return Next::Refuse {
                    step,
                    attempt: 1,
                    error,
                };
            }
        },
    };
    call(step, attempt, scope)
}

/// The call of a step that was interrupted, made again.
pub(crate) fn again<'a>(
    step: &'a Step,
    attempt: u32,
    parameters: &Payload,
    state: &State,
) -> Next<'a> {
    call(step, attempt + 1, Scope { parameters, state })
}

/// Whether an interrupted call may be made again. `safety` is what the tool says about its
/// effects, if it is known.
pub(crate) fn may_repeat(step: &Step, state: &State, safety: Option<SafetyFlags>) -> bool {
    let is_safe = match step.on_interrupt {
        OnInterrupt::Auto => safety.is_some_and(|flags| flags.read_only || flags.idempotent),
        OnInterrupt::Retry => true,
        OnInterrupt::Fail => false,
    };
    is_safe && state.interrupts() < INTERRUPTS_MAX
}

/// The failure of a call that may or may not have taken effect.
pub(crate) fn in_doubt() -> Failure {
    Failure::new(
        Code::Unavailable,
        "the host stopped during the call; it may or may not have taken effect",
    )
    .with(IN_DOUBT, true)
}

/// The code tells it from a tool's own error that happens to have such a detail.
fn is_in_doubt(error: &Failure) -> bool {
    error.code == Code::Unavailable && error.details.get(IN_DOUBT) == Some(&Value::Bool(true))
}

/// When a failed call is made again; `None` when it is not.
pub(crate) fn retry_at(
    step: &Step,
    attempt: u32,
    error: &Failure,
    now: Timestamp,
) -> Option<Timestamp> {
    if attempt >= step.retry.max_attempts || !can_mend(error) {
        return None;
    }
    let doubled = 1_u64.checked_shl(attempt - 1).unwrap_or(u64::MAX);
    let wait = step.retry.backoff_ms.saturating_mul(doubled);
    Some(now.after(Duration::from_millis(wait.min(BACKOFF_MS_MAX))))
}

/// Whether the same call may succeed later.
fn can_mend(error: &Failure) -> bool {
    match error.code {
        Code::Timeout | Code::Unavailable | Code::UpstreamError | Code::RateLimited => true,
        Code::ToolError => error.details.get("retryable") == Some(&Value::Bool(true)),
        Code::InvalidInput
        | Code::Unauthenticated
        | Code::Forbidden
        | Code::PolicyDenied
        | Code::NotFound
        | Code::Conflict
        | Code::Cancelled
        | Code::PreconditionFailed
        | Code::TooLarge
        | Code::ComponentInvalid
        | Code::InvalidOutput
        | Code::Trap
        | Code::FuelExhausted
        | Code::MemoryExceeded
        | Code::OutputTooLarge
        | Code::LimitExceeded
        | Code::Internal => false,
    }
}

/// The run's end, when the step that ended last is one that ends it.
fn after_last_end<'a>(plan: &Plan, state: &State) -> Option<Next<'a>> {
    let last = plan.steps.get(state.position().checked_sub(1)?)?;
    let Some(Ended::Failed(error)) = state.ended(last.name.as_str()) else {
        return None;
    };
    let reason = if is_in_doubt(error) {
        IN_DOUBT
    } else if last.on_error == OnError::Fail {
        STEP_FAILED
    } else {
        return None;
    };
    Some(Next::Fail {
        reason,
        error: error.clone().with("step", last.name.as_str()),
    })
}

fn result(plan: &Plan, scope: Scope<'_>) -> Result<Payload, Failure> {
    if let Some(template) = &plan.result {
        return expand(template, scope);
    }
    let last = plan.steps.last();
    match last.and_then(|step| scope.state.ended(step.name.as_str())) {
        Some(Ended::Completed(result)) => Ok(result.clone()),
        Some(Ended::Failed(_) | Ended::Skipped) | None => Ok(Payload::null()),
    }
}

fn call<'a>(step: &'a Step, attempt: u32, scope: Scope<'_>) -> Next<'a> {
    match expand(&step.arguments, scope) {
        Ok(arguments) => Next::Call {
            step,
            attempt,
            arguments,
        },
        Err(error) => Next::Refuse {
            step,
            attempt,
            error,
        },
    }
}
