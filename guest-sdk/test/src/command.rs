//! The `cofferdam` command.

use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// Where the command is, when it is not in the `PATH`.
const VARIABLE: &str = "COFFERDAM";

/// The command by its variable, else by its name.
pub(crate) fn found() -> PathBuf {
    variable(VARIABLE).unwrap_or_else(|| PathBuf::from("cofferdam"))
}

/// The root of the package whose tests run, as cargo says.
pub(crate) fn package() -> Option<PathBuf> {
    variable("CARGO_MANIFEST_DIR")
}

// Not an expectation: the list of disallowed methods is that of this library's own repository.
#[allow(
    clippy::disallowed_methods,
    reason = "the one place that reads the environment"
)]
fn variable(name: &str) -> Option<PathBuf> {
    let value = std::env::var_os(name).filter(|value| !value.is_empty());
    value.map(PathBuf::from)
}

/// Runs the command with something to read, and answers what it printed.
#[track_caller]
pub(crate) fn run(mut command: Command, stdin: &[u8]) -> Output {
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let program = Path::new(command.get_program()).display().to_string();
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) if error.kind() == ErrorKind::NotFound => panic!(
            "`{program}` is not there: install the `cofferdam` command, or say where it is in the \
             variable {VARIABLE}"
        ),
        Err(error) => panic!("`{program}` can't be run: {error}"),
    };
    if let Some(mut pipe) = child.stdin.take() {
        // A command that ends without reading says why by itself.
        pipe.write_all(stdin).ok();
    }
    match child.wait_with_output() {
        Ok(output) => output,
        Err(error) => panic!("`{program}` can't be heard: {error}"),
    }
}
