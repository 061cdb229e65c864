//! The program's own log, on stderr.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

use crate::command::Command;

/// A host tells what it does; what it is built from only what goes wrong.
const SERVING: &str = "warn,cofferdam=info";
/// A single command says by its answer what went wrong.
const ELSE: &str = "error";

/// Starts the log: as `filter` says, else as suits the command.
pub(crate) fn start(command: &Command, filter: Option<&str>) {
    let usual = if matches!(command, Command::Serve(_)) {
        SERVING
    } else {
        ELSE
    };
    let filter = EnvFilter::builder().parse_lossy(filter.unwrap_or(usual));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
}
