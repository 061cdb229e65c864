use cofferdam_server::types::call::{CallLog, Usage};
use cofferdam_wire::call::CallAnswer;

use super::changes::changes;
use super::failure::refusal;
use super::{bytes, clean, count, took};
use crate::output::Style;

/// What a call cost, in a line.
pub(crate) fn usage(usage: &Usage) -> String {
    format!(
        "fuel {}, {}, peak {}",
        count(usage.fuel),
        took(usage.wall_us.total),
        bytes(usage.memory_peak_bytes)
    )
}

/// What stands beside a call's result: what the tool logged and printed, what it was refused on
/// the way, and what it cost.
pub(crate) fn log(answer: &CallAnswer, style: Style) -> String {
    let mut lines = Vec::new();
    for record in &answer.log.records {
        let fields = if record.fields.is_null() {
            String::new()
        } else {
            format!(" {}", record.fields)
        };
        let level = format!("{:?}", record.level).to_lowercase();
        lines.push(clean(&format!("{level}: {}{fields}", record.message)));
    }
    lines.extend(tails(&answer.log));
    if answer.log.dropped_bytes > 0 {
        lines.push(format!(
            "{} of its output dropped",
            bytes(answer.log.dropped_bytes)
        ));
    }
    lines.extend(answer.denials.iter().map(|denial| refusal(denial, false)));
    lines.extend(answer.changes.iter().flat_map(changes));
    let cost = usage(&answer.usage);
    lines.push(style.dim(format!("{} {}: {cost}", answer.tool, answer.version)));
    lines.join("\n")
}

/// What a call printed, each line with the stream's name.
pub(super) fn tails(log: &CallLog) -> Vec<String> {
    let tail = |name: &str, text: &str| {
        let lines = text.trim_end().lines();
        lines
            .map(|line| clean(&format!("{name}: {line}")))
            .collect::<Vec<_>>()
    };
    let mut lines = tail("stdout", &log.stdout_tail);
    lines.extend(tail("stderr", &log.stderr_tail));
    lines
}
