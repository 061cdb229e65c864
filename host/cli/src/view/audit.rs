use cofferdam_server::types::audit::{Act, CallAct};
use cofferdam_server::types::call::Origin;
use cofferdam_wire::audit::AuditView;

use super::{count, table};
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
    let (via, outcome, fuel) = match act {
        Act::Call(call) => {
            let outcome = call.code.map_or("ok", |code| code.as_str());
            (via(call), outcome, count(call.usage.fuel))
        }
        _ => (String::new(), outcome(act), String::new()),
    };
    [
        view.seq.to_string(),
        view.record.at.to_string(),
        view.record.actor.clone(),
        word.to_owned(),
        what(act),
        via,
        outcome.to_owned(),
        fuel,
    ]
}

/// Through which door a call came.
pub(super) fn via(call: &CallAct) -> String {
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
fn what(act: &Act) -> String {
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

fn outcome(act: &Act) -> &'static str {
    match act {
        Act::PublishRefused { code, .. } => code.as_str(),
        Act::PolicyRefused { .. } => "refused",
        Act::Admin {
            code: Some(code), ..
        } => code.as_str(),
        Act::Gap { .. } => "lost",
        Act::Unknown => "",
        _ => "ok",
    }
}
