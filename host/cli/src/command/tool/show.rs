use clap::Args;
use cofferdam_server::types::tool::ToolRef;
use cofferdam_wire::tool::ToolView;

use super::call::in_path;
use crate::client::Request;
use crate::context::Context;
use crate::error::{Exit, Result};
use crate::view;

/// Show a tool of a host: what it does, takes, gives and needs
#[derive(Args)]
pub(crate) struct Show {
    /// The tool, as `files-read` or `files-read@^1.2`
    tool: ToolRef,
}

impl Show {
    pub(super) async fn run(self, context: &Context) -> Result<Exit> {
        let (client, output) = (context.client().await?, context.output);
        let request = &["tools", &in_path(&self.tool)];
        let answer = client.send::<ToolView>(Request::get(request)).await?;
        if output.is_json() {
            output.text(answer.text)?;
            return Ok(Exit::Done);
        }
        let tool = answer.value;
        output.text(view::tool(&tool.spec, output.out))?;
        output.text(format!("  digest: {}", tool.digest))?;
        let by = view::clean(&tool.created_by);
        output.text(format!("  added: {} by {by}", tool.created_at))?;
        Ok(Exit::Done)
    }
}
