//! What can be typed.

use std::path::PathBuf;
use std::process::ExitCode;
use std::str::FromStr;

use clap::error::ErrorKind;
use clap::{Args, CommandFactory, FromArgMatches, Parser};

use cofferdam_server::{RedisAddress, RedisPrefix};

use crate::command::Command;
use crate::context::Context;
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
    /// The host to speak to [default: the one that works on the data directory; where there is
    /// none, this process opens the directory itself]
    #[arg(long, global = true, value_name = "URL", env = "COFFERDAM_SERVER")]
    #[arg(hide_env_values = true)]
    pub(crate) server: Option<String>,
    /// The key to show it [default: the admin key in the data directory, for a host of this
    /// machine]
    #[arg(long, global = true, value_name = "KEY", env = "COFFERDAM_API_KEY")]
    #[arg(hide_env_values = true)]
    pub(crate) api_key: Option<String>,
    /// Where a host keeps its files [env: COFFERDAM_DATA_DIR=] [default: the platform's directory
    /// for user data]
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// Where the host that this process is or becomes remembers: `embedded`, one file in the data
    /// directory; `redis://HOST`, which other hosts can share; or `memory`, which forgets when it
    /// ends, for `serve` alone
    #[arg(long, global = true, value_name = "WHERE", env = "COFFERDAM_STORE")]
    #[arg(default_value = "embedded", hide_env_values = true)]
    pub(crate) store: StoreArgument,
    /// What the names of all keys on Redis begin with
    #[arg(
        long,
        global = true,
        value_name = "PREFIX",
        env = "COFFERDAM_REDIS_PREFIX"
    )]
    #[arg(default_value = "ao", hide_env_values = true)]
    pub(crate) redis_prefix: RedisPrefix,
    /// A file with the password of Redis, in place of the one in the address
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "COFFERDAM_REDIS_PASSWORD_FILE"
    )]
    #[arg(hide_env_values = true)]
    pub(crate) redis_password_file: Option<PathBuf>,
    /// The policy of the host that this process is or becomes, as YAML, TOML or JSON [env:
    /// COFFERDAM_POLICY=] [default: the built-in policy]
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
    /// Certificate authorities that requests of tools trust beside the public ones, in PEM
    #[arg(long, global = true, value_name = "FILE", env = "COFFERDAM_EGRESS_CA")]
    #[arg(hide_env_values = true)]
    pub(crate) egress_ca: Option<PathBuf>,
    /// Print the result or error body of the HTTP API instead of text for people
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// What to log, as `level` or `target=level,…`
    #[arg(long, global = true, value_name = "FILTER", env = "COFFERDAM_LOG")]
    #[arg(hide_env_values = true)]
    pub(crate) log: Option<String>,
}

/// Where a host remembers, as it was typed.
#[derive(Clone)]
pub(crate) enum StoreArgument {
    Memory,
    Embedded,
    Redis(RedisAddress),
}

impl FromStr for StoreArgument {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        match text {
            "memory" => Ok(Self::Memory),
            "embedded" => Ok(Self::Embedded),
            _ if text.starts_with("redis") => match text.parse() {
                Ok(address) => Ok(Self::Redis(address)),
                Err(error) => Err(format!("{error}")),
            },
            _ => Err("expected `embedded`, `memory` or `redis://HOST`".to_owned()),
        }
    }
}

impl Cli {
    /// Reads the command line: what was typed, and the words of the command.
    ///
    /// **Errors**: what clap says; also for the options that ask for help.
    pub(crate) fn read() -> std::result::Result<(Self, String), clap::Error> {
        let matches = Self::command().try_get_matches()?;
        let words = std::iter::successors(matches.subcommand(), |(_, inner)| inner.subcommand());
        let words: Vec<&str> = words.map(|(word, _)| word).collect();
        let command = words.join(" ");
        Ok((Self::from_arg_matches(&matches)?, command))
    }

    /// Does what was typed.
    pub(crate) async fn run(self, command: String, output: Output) -> Result<Exit> {
        let context = Context::new(self.options, command, output);
        let ended = tokio::select! {
            // What the command itself says of an interrupt goes first.
            biased;
            ended = Box::pin(self.command.run(&context)) => ended,
            interrupted = context.interrupted() => interrupted.map(|()| Exit::Interrupted),
        };
        context.close().await;
        ended
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
    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }
}
