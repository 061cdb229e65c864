//! Canned calls of a component in the production sandbox.

mod case;
mod check;

use std::path::{Path, PathBuf};

use clap::Args;
use cofferdam_server::LocalCall;
use cofferdam_server::types::call::Usage;
use cofferdam_server::types::workspace::Access;
use serde::Serialize;
use serde_json::json;

use self::case::Case;
use crate::component::Component;
use crate::context::Context;
use crate::error::{Error, Exit, Result, usage};
use crate::label::Said;
use crate::output::Output;
use crate::project::Project;
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

/// What came of a case.
#[derive(Serialize)]
struct Verdict<'a> {
    name: &'a str,
    tool: &'a str,
    ok: bool,
    faults: Vec<String>,
    usage: Usage,
}

impl Test {
    pub(super) async fn run(self, context: &Context) -> Result<Exit> {
        let cases = case::read(&self.file)?;
        let path = match self.component {
            Some(path) => path,
            None => built()?,
        };
        let component = Component::open(&path, &self.said, context).await?;
        let folder = self.file.parent().unwrap_or(Path::new(""));
        let output = context.output;
        let mut verdicts = Vec::with_capacity(cases.len());
        for case in &cases {
            let verdict = verdict(case, &component, folder).await?;
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
fn built() -> Result<PathBuf> {
    let component = Project::here()?.component();
    if component.is_file() {
        return Ok(component);
    }
    Err(usage(format!(
        "there is no {}: build it with `cofferdam tool build`",
        component.display()
    )))
}

/// Makes the call and looks at what comes back.
async fn verdict<'a>(case: &'a Case, component: &Component, folder: &Path) -> Result<Verdict<'a>> {
    let expected = case.expected()?;
    let place = case.place(folder)?;
    let called = match component.tool(&case.tool) {
        Ok(tool) => {
            let access = |is_writable| {
                if is_writable {
                    Access::ReadWrite
                } else {
                    Access::ReadOnly
                }
            };
            let call = LocalCall {
                tool,
                arguments: case.arguments.clone(),
                workspace: place
                    .as_ref()
                    .map(|place| (place.path(), access(case.writable))),
                limits: case.limits,
            };
            component.call(call).await
        }
        Err(error) => Err(error),
    };
    let (outcome, cost) = match called {
        Ok(answer) => (Ok(answer.result.into_value()), answer.usage),
        Err(Error::Failure(failure)) => {
            let cost = failure.details.get("usage").cloned().unwrap_or_default();
            (
                Err(failure),
                serde_json::from_value(cost).unwrap_or_default(),
            )
        }
        Err(Error::Closed) => return Err(Error::Closed),
    };
    let faults = check::faults(&expected, &outcome, cost.fuel);
    Ok(Verdict {
        name: &case.name,
        tool: &case.tool,
        ok: faults.is_empty(),
        faults,
        usage: cost,
    })
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
