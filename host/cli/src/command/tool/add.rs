use std::path::PathBuf;

use clap::Args;
use cofferdam_wire::component::{ComponentView, SkippedView};

use crate::client::{Request, UPLOAD_TIME};
use crate::context::Context;
use crate::error::{Exit, Result, usage};
use crate::input;
use crate::label::{self, Said};
use crate::output::Output;
use crate::view;

/// Add components to a host
#[derive(Args)]
pub(crate) struct Add {
    /// The components
    #[arg(value_name = "FILE.wasm", required = true)]
    files: Vec<PathBuf>,
    #[command(flatten)]
    said: Said,
}

impl Add {
    pub(super) async fn run(self, context: &Context) -> Result<Exit> {
        if self.files.len() > 1 && !self.said.is_nothing() {
            let rule = "--name, --version, --export and --wit are for one component at a time";
            return Err(usage(rule));
        }
        let (client, output) = (context.client().await?, context.output);
        for file in self.files {
            let bytes = input::component(&file)?;
            let busy = output.busy(format!("adding {}", file.display()));
            let request = Request::post(&["components"])
                .wasm(bytes)
                .within(UPLOAD_TIME);
            let request = label::with(&self.said.of(&file)?, request);
            let answer = client.send::<ComponentView>(request).await?;
            drop(busy);
            if output.is_json() {
                output.text(answer.text)?;
                continue;
            }
            show(answer.value, output)?;
        }
        Ok(Exit::Done)
    }
}

/// What became callable, what did not and why, and what the component could ask for.
fn show(added: ComponentView, output: Output) -> Result<()> {
    let ComponentView {
        component,
        version,
        digest,
        tools,
        skipped,
        imports,
        created,
    } = added;
    let word = if created { "added" } else { "was there:" };
    output.text(format!(
        "{word} {} {version}  {digest}",
        output.out.bold(component)
    ))?;
    for tool in tools {
        output.text(view::clean(&format!("  {tool}")))?;
    }
    for SkippedView { export, reason } in skipped {
        output.text(view::clean(&format!("  no tool: {export}: {reason}")))?;
    }
    output.text(format!("  imports: {}", view::imports(&imports, 11)))
}
