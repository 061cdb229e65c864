//! Programs in a native test: those of the machine, unconfined.

use std::io::Write;
use std::process::{Command as Native, Stdio};
use std::time::{Duration, Instant};

use crate::WORKSPACE;
use crate::process::{Argument, Command, Ended, Error, Output};

pub(crate) fn run(command: &Command) -> Result<Output, Error> {
    let arguments = command.arguments.iter().map(|argument| match argument {
        Argument::Text(text) => text.clone(),
        Argument::Path { prefix, path } => format!("{prefix}{path}"),
    });
    let directory = match command.directory.as_str() {
        "" => WORKSPACE,
        directory => directory,
    };
    if !std::path::Path::new(directory).is_dir() {
        return Err(Error::NoDirectory);
    }
    let began = Instant::now();
    let mut child = Native::new(&command.program)
        .args(arguments)
        .current_dir(directory)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|_| Error::Failed)?;
    let (stdin, bytes) = (child.stdin.take(), command.stdin.clone());
    let feeding = std::thread::spawn(move || {
        // A program need not read what it is given.
        stdin.map(|mut stdin| stdin.write_all(&bytes))
    });
    let output = child.wait_with_output().map_err(|_| Error::Failed)?;
    let _fed = feeding.join();
    Ok(Output {
        ended: ended(output.status),
        stdout: output.stdout,
        stdout_dropped: 0,
        stderr: output.stderr,
        stderr_dropped: 0,
        wall: began.elapsed(),
        cpu: Duration::ZERO,
        confined_by: Vec::new(),
    })
}

#[cfg(unix)]
fn ended(status: std::process::ExitStatus) -> Ended {
    use std::os::unix::process::ExitStatusExt;
    match status.signal() {
        Some(signal) => Ended::Signalled(signal),
        None => Ended::Exited(status.code().unwrap_or(-1)),
    }
}

#[cfg(not(unix))]
fn ended(status: std::process::ExitStatus) -> Ended {
    Ended::Exited(status.code().unwrap_or(-1))
}
