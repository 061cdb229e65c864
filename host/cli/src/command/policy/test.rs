use std::path::{Path, PathBuf};

use clap::Args;
use cofferdam_server::policies::{Checked, Decision, Expected, Said, Table};
use cofferdam_server::types::call::{Denial, DenialCode};
use serde_json::{Value, json};

use super::file;
use crate::context::Context;
use crate::error::{Exit, Result};
use crate::input;
use crate::output::Output;
use crate::view;

/// Ask a policy about a table of calls, and compare what it says with what is expected
///
/// A table names calls and uses, and for each `allow` or `deny`; docs/policy-tests.md describes it.
/// Ends with 1 when one answer is another than expected. Needs no host.
#[derive(Args)]
pub(crate) struct Test {
    /// The policy
    #[arg(value_name = "POLICY")]
    file: PathBuf,
    /// The tables
    #[arg(required = true, value_name = "TABLE")]
    tables: Vec<PathBuf>,
}

impl Test {
    pub(super) fn run(&self, context: &Context) -> Result<Exit> {
        let policy = file::policy(&self.file, context)?;
        // Nothing is said before every table was read.
        let mut tables = Vec::with_capacity(self.tables.len());
        for path in &self.tables {
            let (text, format) = (input::document(path)?, file::format(path)?);
            let shown = path.display().to_string();
            let table = Table::parse(&text, format, &shown);
            tables.push((path, table.map_err(|error| file::refused(&error))?));
        }
        let output = context.output;
        let (mut cases, mut passed, mut failed) = (Vec::new(), 0, 0);
        for (path, table) in &tables {
            for checked in table.run(&policy) {
                if checked.is_as_expected() {
                    passed += 1;
                } else {
                    failed += 1;
                }
                if output.is_json() {
                    cases.push(told(path, &checked));
                } else {
                    show(path, &checked, output)?;
                }
            }
        }
        if output.is_json() {
            output.json(&json!({
                "policy": self.file, "cases": cases, "passed": passed, "failed": failed,
            }))?;
        } else {
            let all = passed + failed;
            output.text(format!("\n{all} cases: {passed} ok, {failed} failed"))?;
        }
        Ok(if failed == 0 {
            Exit::Done
        } else {
            Exit::Failed
        })
    }
}

/// For programs.
fn told(table: &Path, checked: &Checked) -> Value {
    let (said, by, denials) = match &checked.said {
        Said::Allowed(by) => (Decision::Allow, by.as_ref(), [].as_slice()),
        Said::Denied(denials) => (Decision::Deny, None, denials.as_slice()),
    };
    json!({
        "table": table, "line": checked.line, "name": checked.name,
        "ok": checked.is_as_expected(),
        "expected": checked.expected.decision.as_str(), "said": said.as_str(),
        "by": by.map(ToString::to_string), "denials": denials,
    })
}

/// For people.
fn show(table: &Path, checked: &Checked, output: Output) -> Result<()> {
    let name = view::clean(&checked.name);
    if checked.is_as_expected() {
        return output.text(format!("{}      {name}", output.out.green("ok")));
    }
    output.text(format!(
        "{}  {name}  ({}:{})",
        output.out.red("FAILED"),
        table.display(),
        checked.line
    ))?;
    let line = |text: String| output.text(view::clean(&format!("          {text}")));
    line(format!("expected {}", expected(&checked.expected)))?;
    match &checked.said {
        Said::Allowed(None) => line("it is allowed".to_owned()),
        Said::Allowed(Some(by)) => line(format!("it is allowed by {by}")),
        Said::Denied(denials) => denials.iter().try_for_each(|denial| {
            let Denial {
                code, rule, reason, ..
            } = denial;
            line(format!("{}: {reason} (rule {rule})", word(*code)))
        }),
    }
}

fn expected(expected: &Expected) -> String {
    let code = expected.code.map(|code| format!(", code {}", word(code)));
    let rule = expected.rule.as_ref().map(|rule| format!(", rule {rule}"));
    let decision = expected.decision.as_str();
    let more: String = code.into_iter().chain(rule).collect();
    format!("{decision}{more}")
}

/// The word of a code in tables.
fn word(code: DenialCode) -> String {
    let word = serde_json::to_value(code).unwrap_or_default();
    word.as_str().unwrap_or_default().to_owned()
}
