use cofferdam_server::types::audit::Act;
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
    let (act, what, via, outcome, fuel) = match &view.record.act {
        Act::Call(call) => {
            let what = match &call.tool {
                Some(tool) => format!("{}@{}", tool.name, tool.version),
                None => call.asked.clone(),
            };
            let via = match &call.origin {
                Origin::Http => "http".to_owned(),
                Origin::Mcp => "mcp".to_owned(),
                Origin::Cli => "cli".to_owned(),
                Origin::Run { step, .. } => format!("step {step}"),
            };
            let outcome = call.code.map_or("ok", |code| code.as_str());
            ("call", what, via, outcome, count(call.usage.fuel))
        }
        Act::Publish { component, .. } => (
            "publish",
            component.clone(),
            String::new(),
            "ok",
            String::new(),
        ),
        Act::PublishRefused { digest, code } => (
            "publish",
            digest.to_string(),
            String::new(),
            code.as_str(),
            String::new(),
        ),
    };
    [
        view.seq.to_string(),
        view.record.at.to_string(),
        view.record.actor.clone(),
        act.to_owned(),
        what,
        via,
        outcome.to_owned(),
        fuel,
    ]
}
