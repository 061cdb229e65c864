use cofferdam_server::types::audit::{Act, CallAct};
use cofferdam_server::types::call::Origin;
use cofferdam_wire::audit::AuditView;
use serde_json::Value;

use super::{clean, count, table};
use crate::output::Style;

/// The records of the audit, one per line.
pub(crate) fn audit(records: &[AuditView], style: Style) -> String {
    let headings = [
        "SEQ", "AT", "ACTOR", "ACT", "WHAT", "VIA", "OUTCOME", "FUEL",
    ];
    table(style, headings, records.iter().map(row))
}

fn row(view: &AuditView) -> [String; 8] {
    let act = &view.record.act;
    let word = match act {
        Act::PublishRefused { .. } => "publish",
        _ => act.as_str(),
    };
    let (via, fuel) = match act {
        Act::Call(call) => (via(call), count(call.usage.fuel)),
        _ => (String::new(), String::new()),
    };
    [
        view.seq.to_string(),
        view.record.at.to_string(),
        view.record.actor.clone(),
        word.to_owned(),
        what(act),
        via,
        outcome(act).to_owned(),
        fuel,
    ]
}

/// Through which door a call came.
fn via(call: &CallAct) -> String {
    if let Some(parent) = &call.parent {
        return format!("tool {}", parent.call_id);
    }
    match &call.origin {
        Origin::Http => "http".to_owned(),
        Origin::Mcp => "mcp".to_owned(),
        Origin::Cli => "cli".to_owned(),
        Origin::Run { step, .. } => format!("step {step}"),
    }
}

/// What an act was on, in a few words.
pub(crate) fn what(act: &Act) -> String {
    match act {
        Act::Call(call) => match &call.tool {
            Some(tool) => format!("{}@{}", tool.name, tool.version),
            None => call.asked.clone(),
        },
        Act::Uses { call_id, uses, .. } => format!("{} more uses of {call_id}", uses.len()),
        Act::Publish { component, .. } => component.clone(),
        Act::PublishRefused { digest, .. } => digest.to_string(),
        Act::PolicyLoaded {
            policy, generation, ..
        } => format!("{policy} (generation {generation})"),
        Act::PolicyRefused { source, .. } => source.clone(),
        Act::Secret { change, name } => format!("{} {name}", change.as_str()),
        Act::Admin {
            operation, subject, ..
        } => format!("{operation} {subject}"),
        Act::Exported { from, to } => format!("{from} to {to}"),
        Act::Pruned { through, .. } => format!("up to {through}"),
        Act::Gap { class, records, .. } => {
            format!(
                "{} records of class {} lost",
                count(*records),
                class.as_str()
            )
        }
        Act::HostStarted { version, .. } => version.clone(),
        Act::HostStopped {} | Act::Unknown => String::new(),
    }
}

/// How an act ended, in one word.
pub(crate) fn outcome(act: &Act) -> &'static str {
    match act {
        Act::Call(call) => call.code.map_or("ok", |code| code.as_str()),
        Act::PublishRefused { code, .. }
        | Act::Admin {
            code: Some(code), ..
        } => code.as_str(),
        Act::PolicyRefused { .. } => "refused",
        Act::Gap { .. } => "lost",
        Act::Unknown => "",
        _ => "ok",
    }
}

/// All facts of records, one below the other; calls that a tool made stand deeper.
pub(crate) fn records(records: &[AuditView], style: Style) -> String {
    let texts = records.iter().map(|view| {
        let depth = match &view.record.act {
            Act::Call(call) => call.parent.map_or(0, |parent| parent.depth),
            _ => 0,
        };
        let indent = "    ".repeat(depth.min(8) as usize);
        let head = style.bold(clean(&format!(
            "{} {} {} {}",
            view.seq,
            view.record.at,
            view.record.act.as_str(),
            what(&view.record.act)
        )));
        let facts = serde_json::to_value(view).unwrap_or_default();
        let mut lines = vec![format!("{indent}{head}")];
        for (key, value) in facts.as_object().into_iter().flatten() {
            add(&mut lines, &format!("{indent}  "), key, value);
        }
        lines.join("\n")
    });
    texts.collect::<Vec<_>>().join("\n\n")
}

/// A fact on a line of its own, or each of its parts deeper.
fn add(lines: &mut Vec<String>, indent: &str, key: &str, value: &Value) {
    let key = one_line(key);
    let deeper = format!("{indent}  ");
    match value {
        Value::Null => {}
        Value::Object(parts) => {
            lines.push(format!("{indent}{key}:"));
            for (key, value) in parts {
                add(lines, &deeper, key, value);
            }
        }
        Value::Array(items) if items.is_empty() => {}
        Value::Array(items) => {
            lines.push(format!("{indent}{key}:"));
            for item in items {
                add(lines, &deeper, "-", item);
            }
        }
        Value::String(text) => lines.push(format!("{indent}{key}: {}", one_line(text))),
        other => lines.push(format!("{indent}{key}: {other}")),
    }
}

/// A text of others that can neither steer the terminal nor look like another fact.
fn one_line(text: &str) -> String {
    clean(text).replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_of_others_stays_on_its_line() {
        let mut lines = Vec::new();
        let value =
            serde_json::json!({"why": "a\ncode: ok\u{1b}[2J", "n": 3, "no": null, "of": ["x"]});
        add(&mut lines, "", "denial", &value);
        assert_eq!(
            lines,
            [
                "denial:",
                "  n: 3",
                "  of:",
                "    -: x",
                "  why: a\\ncode: ok\u{fffd}[2J"
            ]
        );
    }
}
