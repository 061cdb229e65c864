use cofferdam_wire::policy::{
    ExplanationView, LimitView, PartyView, RuleVerdict, ShadowReport, Shift, UseView,
};

use super::failure::{grant, refusal};
use super::list::columns;
use super::{bytes, clean, count, took};
use crate::output::Style;

/// Whether a call would be allowed, and why.
pub(crate) fn explanation(view: &ExplanationView, style: Style) -> String {
    let word = if view.allowed {
        style.green("allowed")
    } else {
        style.red("denied")
    };
    let (tool, policy) = (clean(&view.tool), clean(&view.policy));
    let mut lines = vec![format!(
        "{tool}: {word}, by {policy}, generation {}",
        view.generation
    )];
    for denial in &view.denials {
        lines.push(format!("  {}", refusal(denial, false)));
        lines.extend(grant(denial).into_iter().map(|part| format!("  {part}")));
    }
    if let Some(used) = &view.used {
        lines.push(style.bold("use"));
        lines.extend(parties(used));
    }
    if !view.granted.is_empty() {
        lines.push(style.bold("granted"));
        lines.push(format!("  {}", clean(&view.granted.join(", "))));
    }
    lines.push(style.bold("rules"));
    let rules = view.rules.iter().map(rule);
    lines.extend(columns(rules).into_iter().map(|row| format!("  {row}")));
    lines.push(style.bold("limits"));
    let limits = view.limits.iter().map(limit);
    lines.extend(columns(limits).into_iter().map(|row| format!("  {row}")));
    lines.join("\n")
}

fn parties(used: &UseView) -> impl Iterator<Item = String> {
    let denied = used.denied_by.as_ref();
    let denied = denied.map(|by| format!("  denied by {}", clean(by)));
    let said = used.parties.iter().map(|PartyView { party, allows }| {
        let by = match allows {
            Some(by) => format!("allowed by {by}"),
            None => "no entry allows it".to_owned(),
        };
        clean(&format!("  {party}: {by}"))
    });
    denied.into_iter().chain(said)
}

fn rule(RuleVerdict { at, misses }: &RuleVerdict) -> [String; 2] {
    let say = misses.as_ref().map_or("has a say", String::as_str);
    [at.clone(), say.to_owned()]
}

fn limit(
    LimitView {
        limit,
        value,
        source,
    }: &LimitView,
) -> [String; 3] {
    [limit.clone(), amount(limit, *value), source.clone()]
}

/// A limit's value in the unit of its word; of a word that is not known here, the number.
fn amount(limit: &str, value: u64) -> String {
    match limit {
        "deadline" => took(value.saturating_mul(1_000)),
        "memory" | "result" | "stdio" | "host_alloc" => bytes(value),
        _ => count(value),
    }
}

/// What a candidate would have changed.
pub(crate) fn shadow(report: &ShadowReport, style: Style) -> String {
    let mut lines = vec![format!(
        "{} calls, {} of them undecidable",
        count(report.calls),
        count(report.undecidable)
    )];
    for (heading, shifts) in [
        ("newly denied", &report.newly_denied),
        ("newly allowed", &report.newly_allowed),
    ] {
        if shifts.is_empty() {
            lines.push(format!("{heading}: nothing"));
            continue;
        }
        lines.push(style.bold(heading));
        let rows = columns(shifts.iter().map(shift));
        lines.extend(rows.into_iter().map(|row| format!("  {row}")));
    }
    if report.unlisted > 0 {
        lines.push(format!("{} more of further kinds", count(report.unlisted)));
    }
    lines.join("\n")
}

fn shift(shift: &Shift) -> [String; 4] {
    let Shift {
        tool,
        capability,
        operation,
        resource,
        count: times,
        call_id,
    } = shift;
    [
        format!("{} ×", count(*times)),
        tool.clone(),
        format!("{capability}, {operation} {resource}"),
        format!("as in {call_id}"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_have_units() {
        for (limit, value, shown) in [
            ("fuel", 10_000_000_000, "10,000,000,000"),
            ("deadline", 30_000, "30.0 s"),
            ("deadline", 5, "5.0 ms"),
            ("memory", 64 << 20, "64.0 MiB"),
            ("result", 1 << 20, "1.0 MiB"),
            ("stdio", 64 << 10, "64.0 KiB"),
            ("handles", 1_000, "1,000"),
            ("host_alloc", 8 << 20, "8.0 MiB"),
        ] {
            assert_eq!(amount(limit, value), shown, "{limit}");
        }
    }
}
