use std::path::{Path, PathBuf};

use clap::Args;
use cofferdam_server::policies::{missing, policy_check, refusal};
use cofferdam_wire::policy::{MistakeView, PolicyCheck, WarningView};

use super::file;
use crate::context::Context;
use crate::error::{Exit, Result};
use crate::output::Output;
use crate::view;

/// Find mistakes in a policy, and grants that give more than they seem to
///
/// Names each mistake with its line and column, and ends with 1 when there is one. Warnings are about
/// what is allowed but probably not meant: every host, an interpreter, a secret that the tool sees.
/// Needs no host.
#[derive(Args)]
pub(crate) struct Check {
    /// The policy: YAML, TOML or JSON, by its extension
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

impl Check {
    pub(super) fn run(&self, context: &Context) -> Result<Exit> {
        let parsed = file::read(&self.file, context)?;
        let mut check = policy_check(parsed.as_ref());
        if let Some(reason) = refusal(&self.file) {
            let warning = WarningView {
                at: self.file.display().to_string(),
                text: format!("a host would not read it: {reason}"),
            };
            check.warnings.insert(0, warning);
        }
        if let Ok(policy) = &parsed {
            let here = missing(policy, &context.data_dir());
            let here = here.into_iter().map(|(place, why)| WarningView {
                at: format!("{} ({place})", self.file.display()),
                text: format!("not on this machine: {why}"),
            });
            check.warnings.extend(here);
        }
        let output = context.output;
        if output.is_json() {
            output.json(&check)?;
        } else {
            show(&self.file, &check, output)?;
        }
        Ok(if check.valid {
            Exit::Done
        } else {
            Exit::Failed
        })
    }
}

fn show(file: &Path, check: &PolicyCheck, output: Output) -> Result<()> {
    let file = file.display();
    for MistakeView {
        line,
        column,
        reason,
    } in &check.mistakes
    {
        output.text(view::clean(&format!("{file}:{line}:{column}: {reason}")))?;
    }
    for WarningView { at, text } in &check.warnings {
        output.text(view::clean(&format!("warning: {at}: {text}")))?;
    }
    let (word, many) = match (check.valid, check.warnings.len()) {
        (false, _) => (
            output.out.red("wrong"),
            counted(check.mistakes.len(), "mistake"),
        ),
        (true, 0) => (output.out.green("ok"), "nothing to say".to_owned()),
        (true, warnings) => (output.out.green("ok"), counted(warnings, "warning")),
    };
    output.text(format!("{file}: {word}, {many}"))
}

fn counted(count: usize, what: &str) -> String {
    let end = if count == 1 { "" } else { "s" };
    format!("{count} {what}{end}")
}
