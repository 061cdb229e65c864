//! What can be typed.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{Args, Parser};

use crate::client::Client;
use crate::command::Command;
use crate::error::{Exit, Result, usage};
use crate::output::Output;

/// Runs the tools of AI agents in a sandbox.
///
/// `cofferdam serve` starts a host, `cofferdam tool new NAME` a tool of your own, and `cofferdam
/// tool call FILE.wasm TOOL` calls one without a host.
#[derive(Parser)]
#[command(name = "cofferdam", version, max_term_width = 100)]
#[command(
    after_help = "Exit status: 0 done, 1 the tool or the run failed, 2 wrong usage or input, \
    3 denied, 4 the host can't be reached or can't take it."
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) options: Options,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every command takes.
#[derive(Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Options {
    /// The host to speak to
    #[arg(long, global = true, value_name = "URL", env = "COFFERDAM_SERVER")]
    #[arg(default_value = "http://127.0.0.1:8000", hide_env_values = true)]
    server: String,
    /// The key to show it [default: the admin key in the data directory, for a host of this
    /// machine]
    #[arg(long, global = true, value_name = "KEY", env = "COFFERDAM_API_KEY")]
    #[arg(hide_env_values = true)]
    api_key: Option<String>,
    /// Where a host keeps its files [env: COFFERDAM_DATA_DIR=] [default: the platform's directory
    /// for user data]
    #[arg(long, global = true, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Print the result or error body of the HTTP API instead of text for people
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// What to log, as `level` or `target=level,…`
    #[arg(long, global = true, value_name = "FILTER", env = "COFFERDAM_LOG")]
    #[arg(hide_env_values = true)]
    pub(crate) log: Option<String>,
}

/// What every command is given.
pub(crate) struct Context {
    pub(crate) output: Output,
    options: Options,
}

impl Cli {
    /// Does what was typed.
    pub(crate) async fn run(self, output: Output) -> Result<Exit> {
        let context = Context {
            output,
            options: self.options,
        };
        self.command.run(&context).await
    }
}

impl Context {
    /// The data directory of this machine's host.
    pub(crate) fn data_dir(&self) -> PathBuf {
        cofferdam_server::data_dir(self.options.data_dir.clone())
    }

    /// A client of the host to speak to.
    ///
    /// The admin key of this machine is shown to a host of this machine only: a wrong `--server`
    /// must not give it away.
    pub(crate) fn client(&self) -> Result<Client> {
        let client = Client::new(&self.options.server)?;
        let key = match &self.options.api_key {
            Some(key) => Some(key.clone()),
            None if client.is_local() => cofferdam_server::admin_key(&self.data_dir()),
            None => None,
        };
        match key {
            Some(key) => client.with_key(key.trim()),
            None => Ok(client),
        }
    }
}

/// Ends a command that was typed wrongly, or that asked for help.
pub(crate) fn refused(error: &clap::Error) -> ExitCode {
    let wants_json = std::env::args_os().any(|arg| arg == "--json");
    let is_answer = matches!(
        error.kind(),
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
    );
    if wants_json && !is_answer {
        let text = error.render().to_string();
        let message = text.lines().next().unwrap_or_default();
        let message = message.strip_prefix("error: ").unwrap_or(message);
        return Output::new(true).end(Err(usage(message)));
    }
    // Nothing else can be said where even this can't be printed.
    drop(error.print());
    if is_answer { Exit::Done } else { Exit::Usage }.into()
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }
}
