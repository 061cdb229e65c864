//! The `cofferdam` command.

use std::ffi::OsString;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// Where the command is, when it is not in the `PATH`.
const VARIABLE: &str = "COFFERDAM";

/// The command by its variable, else by its name.
pub(crate) fn found() -> PathBuf {
    let named = std::env::var_os(VARIABLE).filter(|path| !path.is_empty());
    named.unwrap_or_else(|| OsString::from("cofferdam")).into()
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
