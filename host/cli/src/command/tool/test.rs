//! Canned calls of a component in the production sandbox.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use crate::component::Component;
use crate::context::Context;
use crate::error::{Exit, Result, usage};
use crate::label::Said;
use crate::output::Output;
use crate::project::Project;
use crate::trial::{self, Verdict};
use crate::view;

/// Run the cases of tests.toml in the sandbox
///
/// Each case is a call of the component, from whatever toolchain, in the sandbox that serves real
/// calls. A case has a name, a tool, its arguments, and the result or the error that is expected.
#[derive(Args)]
pub(crate) struct Test {
    /// The component [default: what `tool build` made, target/NAME.wasm]
    #[arg(value_name = "FILE.wasm")]
    component: Option<PathBuf>,
    /// The cases
    #[arg(
        long,
        value_name = "FILE",
        default_value = "tests.toml",
        visible_alias = "tests"
    )]
    file: PathBuf,
    #[command(flatten)]
    said: Said,
}

impl Test {
    pub(super) async fn run(self, context: &Context) -> Result<Exit> {
        let cases = trial::read(&self.file)?;
        let path = match self.component {
            Some(path) => path,
            None => built()?,
        };
        let component = Component::open(&path, &self.said, context).await?;
        let folder = self.file.parent().unwrap_or(Path::new(""));
        let output = context.output;
        let mut verdicts = Vec::with_capacity(cases.len());
        for case in &cases {
            let verdict = case.run(&component, folder).await?;
            show(&verdict, output)?;
            verdicts.push(verdict);
        }
        let passed = verdicts.iter().filter(|verdict| verdict.ok).count();
        let failed = verdicts.len() - passed;
        if output.is_json() {
            let summary = json!({
                "component": path, "cases": verdicts, "passed": passed, "failed": failed,
            });
            output.json(&summary)?;
        } else {
            output.text(format!(
                "\n{} cases: {passed} ok, {failed} failed",
                verdicts.len()
            ))?;
        }
        Ok(if failed == 0 {
            Exit::Done
        } else {
            Exit::Failed
        })
    }
}

/// What `tool build` made of the project in this directory.
pub(in crate::command) fn built() -> Result<PathBuf> {
    let component = Project::here()?.component();
    if component.is_file() {
        return Ok(component);
    }
    Err(usage(format!(
        "there is no {}: build it with `cofferdam tool build`",
        component.display()
    )))
}

fn show(verdict: &Verdict<'_>, output: Output) -> Result<()> {
    if output.is_json() {
        return Ok(());
    }
    let name = view::clean(verdict.name);
    if verdict.ok {
        let cost = output.out.dim(format!("({})", view::usage(&verdict.usage)));
        return output.text(format!("{}      {name}  {cost}", output.out.green("ok")));
    }
    output.text(format!("{}  {name}", output.out.red("FAILED")))?;
    for fault in &verdict.faults {
        output.text(format!("          {}", view::clean(fault)))?;
    }
    Ok(())
}
