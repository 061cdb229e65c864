use cofferdam_server::types::run::EventKind;
use cofferdam_wire::event::EventView;

use super::{clean, took, usage};

/// One entry of a run's log, in a line.
pub(crate) fn event(view: &EventView) -> String {
    let text = match &view.event.kind {
        EventKind::RunCreated { by, .. } => format!("created by {by}"),
        EventKind::RunStarted { epoch: 1, .. } => "started".to_owned(),
        EventKind::RunStarted { epoch, .. } => format!("taken up again, driver {epoch}"),
        EventKind::StepStarted {
            step, attempt: 1, ..
        } => format!("{step}: started"),
        EventKind::StepStarted { step, attempt, .. } => format!("{step}: attempt {attempt}"),
        EventKind::StepProgress { step, progress } => match progress.total {
            Some(total) => format!("{step}: {} of {total} {}", progress.done, progress.message),
            None => format!("{step}: {} {}", progress.done, progress.message),
        },
        EventKind::StepLog { step, record } => {
            let level = format!("{:?}", record.level).to_lowercase();
            format!("{step}: {level}: {}", record.message)
        }
        EventKind::StepCompleted {
            step,
            tool,
            usage: cost,
            ..
        } => format!(
            "{step}: completed by {} {} ({})",
            tool.name,
            tool.version,
            usage(cost)
        ),
        EventKind::StepFailed {
            step,
            error,
            retry_at,
            ..
        } => {
            let next = match retry_at {
                Some(at) => {
                    let wait = at.since(view.event.at).as_micros();
                    format!(
                        "; again in {}",
                        took(u64::try_from(wait).unwrap_or(u64::MAX))
                    )
                }
                None => String::new(),
            };
            format!("{step}: failed: {} ({}){next}", error.message, error.code)
        }
        EventKind::StepSkipped { step } => format!("{step}: skipped"),
        EventKind::CancelRequested { by } => format!("cancel requested by {by}"),
        EventKind::RunCompleted { usage: cost, .. } => format!("completed ({})", usage(cost)),
        EventKind::RunFailed { error, .. } => {
            format!("failed: {} ({})", error.message, error.code)
        }
        EventKind::RunCancelled { .. } => "cancelled".to_owned(),
    };
    clean(text.trim_end())
}
