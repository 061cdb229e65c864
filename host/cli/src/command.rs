//! The commands, a file for each.

mod audit;
mod mcp;
mod page;
mod policy;
mod secret;
mod serve;
mod task;
mod tool;

use clap::Subcommand;

use crate::context::Context;
use crate::error::{Exit, Result};

/// What the program can do.
#[derive(Subcommand)]
pub(crate) enum Command {
    Serve(serve::Serve),
    Mcp(mcp::Mcp),
    /// Write, build, test, add and call tools
    #[command(subcommand)]
    Tool(tool::Tool),
    /// Check, compare and test policies, and see what is in force on a host
    #[command(subcommand)]
    Policy(policy::Policy),
    /// Set, list and remove the secrets of a host
    #[command(subcommand)]
    Secret(secret::Secret),
    /// Run tasks and follow them
    #[command(subcommand)]
    Task(task::Task),
    /// Read what was done on a host
    #[command(subcommand)]
    Audit(audit::Audit),
}

impl Command {
    pub(crate) async fn run(self, context: &Context) -> Result<Exit> {
        match self {
            Self::Serve(serve) => serve.run(context).await,
            Self::Mcp(mcp) => mcp.run(context).await,
            Self::Tool(tool) => tool.run(context).await,
            Self::Policy(policy) => policy.run(context).await,
            Self::Secret(secret) => secret.run(context).await,
            Self::Task(task) => task.run(context).await,
            Self::Audit(audit) => audit.run(context).await,
        }
    }
}
