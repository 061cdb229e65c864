use std::io::ErrorKind;

use clap::Args;
use cofferdam_server::Error as ServerError;
use cofferdam_server::types::workspace::Access;
use cofferdam_server::types::{Failure, WorkspaceName};

use crate::context::Context;
use crate::error::{Error, Exit, Result};
use crate::relay::relay;

/// Speak MCP on stdin and stdout
///
/// For the configuration of an MCP client, which starts this command and ends it by closing its
/// stdin. Goes through the host of the data directory; where there is none, this process is it for
/// as long as it runs.
#[derive(Args)]
pub(crate) struct Mcp {
    /// What tools may read: a workspace of the host
    #[arg(long, value_name = "NAME")]
    workspace: Option<WorkspaceName>,
    /// They may also write there
    #[arg(long, requires = "workspace")]
    writable: bool,
}

impl Mcp {
    pub(super) async fn run(self, context: &Context) -> Result<Exit> {
        let access = if self.writable {
            Access::ReadWrite
        } else {
            Access::ReadOnly
        };
        let workspace = self.workspace.map(|name| (name, access));
        let client = context.driving_client().await?;
        let (stdin, stdout) = (tokio::io::stdin(), tokio::io::stdout());
        match client.host() {
            Some(host) => {
                let key = client.key().unwrap_or_default();
                let spoken = host.speak_mcp(key, workspace, stdin, stdout).await;
                spoken.map_err(ended)?;
            }
            None => relay(client, workspace, stdin, stdout).await?,
        }
        Ok(Exit::Done)
    }
}

fn ended(error: ServerError) -> Error {
    match error {
        ServerError::Serve(error) if error.kind() == ErrorKind::BrokenPipe => Error::Closed,
        error => Failure::from(error).into(),
    }
}
