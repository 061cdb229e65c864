use clap::Args;
use cofferdam_wire::page::PageView;
use cofferdam_wire::tool::ToolView;

use crate::command::page::Page;
use crate::context::Context;
use crate::error::{Exit, Result};
use crate::view;

/// Longest description in characters: a line of a terminal, beside the other columns.
const DESCRIPTION_CHARS_MAX: usize = 60;

/// Show the tools of a host
#[derive(Args)]
pub(crate) struct List {
    /// Those whose name begins so
    #[arg(long)]
    prefix: Option<String>,
    #[command(flatten)]
    page: Page,
}

impl List {
    pub(super) async fn run(self, context: &Context) -> Result<Exit> {
        let (client, output) = (context.client().await?, context.output);
        let request = self.page.of(&["tools"]).with("prefix", self.prefix);
        let answer = client.send::<PageView<ToolView>>(request).await?;
        if output.is_json() {
            output.text(answer.text)?;
            return Ok(Exit::Done);
        }
        let rows = answer.value.items.iter().map(|tool| {
            [
                tool.spec.name.to_string(),
                tool.spec.version.to_string(),
                view::capabilities(&tool.spec.capabilities),
                view::first_sentence(&tool.spec.description, DESCRIPTION_CHARS_MAX),
            ]
        });
        let headings = ["TOOL", "VERSION", "NEEDS", "WHAT IT DOES"];
        output.text(view::table(output.out, headings, rows))?;
        output.more(answer.value.next.as_deref());
        Ok(Exit::Done)
    }
}
