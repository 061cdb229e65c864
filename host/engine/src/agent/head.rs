//! The summary of a run and of its task, kept in step with the log.

use cofferdam_types::Timestamp;
use cofferdam_types::call::Usage;
use cofferdam_types::run::{Event, EventKind, Run, RunStatus};
use cofferdam_types::task::{Task, TaskStatus};

/// `status_reason` of a run that waits before it calls a tool again.
const RETRYING: &str = "retrying";

/// Brings the run and its task to where they are after `event`. True when the task changed.
pub(crate) fn advance(run: &mut Run, task: &mut Task, event: &Event) -> bool {
    run.seq = event.seq;
    run.updated_at = event.at;
    match &event.kind {
        EventKind::RunCreated { .. } => {
            return set(
                run,
                task,
                event.at,
                (RunStatus::Queued, TaskStatus::Queued),
                None,
            );
        }
        EventKind::RunStarted { agent_id, .. } => {
            run.agent_id = Some(*agent_id);
            // A run that waited before a retry still does, whoever drives it.
            let reason = run.status_reason.clone();
            let begun = (RunStatus::Running, TaskStatus::Active);
            return set(run, task, event.at, begun, reason.as_deref());
        }
        EventKind::StepStarted { .. } => return set_reason(run, task, event.at, None),
        EventKind::StepProgress { .. } | EventKind::StepLog { .. } => {}
        EventKind::StepCompleted { usage, .. } => {
            add(&mut run.usage, usage);
            run.steps += 1;
        }
        EventKind::StepFailed {
            usage, retry_at, ..
        } => {
            add(&mut run.usage, usage);
            if retry_at.is_some() {
                return set_reason(run, task, event.at, Some(RETRYING));
            }
            run.steps += 1;
        }
        EventKind::StepSkipped { .. } => run.steps += 1,
        EventKind::CancelRequested { .. } => run.cancel_requested = true,
        EventKind::RunCompleted { result, .. } => {
            run.result = Some(result.clone());
            task.result = Some(result.clone());
            let end = (RunStatus::Completed, TaskStatus::Completed);
            return set(run, task, event.at, end, None);
        }
        EventKind::RunFailed { reason, error, .. } => {
            run.error = Some(error.clone());
            task.error = Some(error.clone());
            let end = (RunStatus::Failed, TaskStatus::Failed);
            return set(run, task, event.at, end, Some(reason));
        }
        EventKind::RunCancelled { .. } => {
            let end = (RunStatus::Cancelled, TaskStatus::Cancelled);
            return set(run, task, event.at, end, None);
        }
    }
    false
}

fn set(
    run: &mut Run,
    task: &mut Task,
    at: Timestamp,
    status: (RunStatus, TaskStatus),
    reason: Option<&str>,
) -> bool {
    (run.status, task.status) = status;
    run.status_reason = reason.map(str::to_owned);
    task.status_reason.clone_from(&run.status_reason);
    task.updated_at = at;
    true
}

fn set_reason(run: &mut Run, task: &mut Task, at: Timestamp, reason: Option<&str>) -> bool {
    let status = (run.status, task.status);
    run.status_reason.as_deref() != reason && set(run, task, at, status, reason)
}

/// Adds what one call cost; peaks don't add up.
fn add(sum: &mut Usage, one: &Usage) {
    sum.fuel = sum.fuel.saturating_add(one.fuel);
    sum.wall_us.queue = sum.wall_us.queue.saturating_add(one.wall_us.queue);
    sum.wall_us.start = sum.wall_us.start.saturating_add(one.wall_us.start);
    sum.wall_us.guest = sum.wall_us.guest.saturating_add(one.wall_us.guest);
    sum.wall_us.host = sum.wall_us.host.saturating_add(one.wall_us.host);
    sum.wall_us.total = sum.wall_us.total.saturating_add(one.wall_us.total);
    sum.memory_peak_bytes = sum.memory_peak_bytes.max(one.memory_peak_bytes);
    sum.result_bytes = sum.result_bytes.saturating_add(one.result_bytes);
    sum.stdout_bytes = sum.stdout_bytes.saturating_add(one.stdout_bytes);
    sum.requests = sum.requests.saturating_add(one.requests);
    sum.sent_bytes = sum.sent_bytes.saturating_add(one.sent_bytes);
    sum.received_bytes = sum.received_bytes.saturating_add(one.received_bytes);
}
