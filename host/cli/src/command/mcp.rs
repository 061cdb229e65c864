use clap::Args;

use crate::context::Context;
use crate::error::{Exit, Result};
use crate::relay::relay;

/// Speak MCP on stdin and stdout
///
/// For the configuration of an MCP client, which starts this command and ends it by closing its
/// stdin. Goes through the host of the data directory; where there is none, this process is it for
/// as long as it runs.
#[derive(Args)]
pub(crate) struct Mcp {}

impl Mcp {
    pub(super) async fn run(self, context: &Context) -> Result<Exit> {
        let client = context.driving_client().await?;
        relay(client, tokio::io::stdin(), tokio::io::stdout()).await?;
        Ok(Exit::Done)
    }
}
