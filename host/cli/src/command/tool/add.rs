use std::path::PathBuf;

use clap::Args;
use cofferdam_wire::component::ComponentView;

use crate::client::{Request, UPLOAD_TIME};
use crate::context::Context;
use crate::error::{Exit, Result};
use crate::input;
use crate::view;

/// Add components to a host
#[derive(Args)]
pub(crate) struct Add {
    /// The components
    #[arg(value_name = "FILE.wasm", required = true)]
    files: Vec<PathBuf>,
}

impl Add {
    pub(super) async fn run(self, context: &Context) -> Result<Exit> {
        let (client, output) = (context.client().await?, context.output);
        for file in self.files {
            let bytes = input::component(&file)?;
            let busy = output.busy(format!("adding {}", file.display()));
            let request = Request::post(&["components"])
                .wasm(bytes)
                .within(UPLOAD_TIME);
            let answer = client.send::<ComponentView>(request).await?;
            drop(busy);
            if output.is_json() {
                output.text(answer.text)?;
                continue;
            }
            let ComponentView {
                component,
                version,
                digest,
                tools,
                created,
                ..
            } = answer.value;
            let word = if created { "added" } else { "was there:" };
            output.text(format!(
                "{word} {} {version}  {digest}",
                output.out.bold(component)
            ))?;
            for tool in tools {
                output.text(view::clean(&format!("  {tool}")))?;
            }
        }
        Ok(Exit::Done)
    }
}
