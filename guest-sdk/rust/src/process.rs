//! Programs of the machine, as far as the host's policy registers and grants them.
//!
//! A program is started by the name under which policy registers it, never through a shell, and its
//! arguments are passed on as they are. The tool declares `capabilities(subprocess)`.
//!
//! ```no_run
//! use cofferdam_sdk::{ToolError, process::Command, tool};
//!
//! /// Tells which files have changed since the last commit.
//! #[tool(read_only, capabilities(subprocess, workspace(read_only)))]
//! fn changed() -> Result<Vec<String>, ToolError> {
//!     let output = Command::new("git").arguments(["status", "--short"]).run()?;
//!     let text = output.success()?.stdout_text();
//!     Ok(text.lines().map(str::to_owned).collect())
//! }
//! # fn main() {}
//! ```
//!
//! In a native test the program of that name is looked up like any other and runs unconfined.

use std::fmt;
use std::time::Duration;

use crate::{ToolError, host};

/// A program to start, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    pub(crate) program: String,
    pub(crate) arguments: Vec<Argument>,
    pub(crate) stdin: Vec<u8>,
    pub(crate) directory: String,
}

/// One argument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Argument {
    Text(String),
    Path { prefix: String, path: String },
}

/// A program that has ended, with everything that it started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// How it ended.
    pub ended: Ended,
    /// The beginning of what it wrote to stdout; how much is kept is for policy to say.
    pub stdout: Vec<u8>,
    /// How many more bytes that was.
    pub stdout_dropped: u64,
    /// The beginning of what it wrote to stderr.
    pub stderr: Vec<u8>,
    /// How many more bytes that was.
    pub stderr_dropped: u64,
    /// From start to end.
    pub wall: Duration,
    /// Processor time.
    pub cpu: Duration,
    /// What kept it in: `files`, `system_calls`, `network`, `processes`, `signals`, `privileges`,
    /// `descriptors`.
    pub confined_by: Vec<String>,
}

/// How a program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// By itself, with this code.
    Exited(i32),
    /// By this signal.
    Signalled(i32),
}

/// Why there is no output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Error {
    /// Policy does not grant this start.
    Denied,
    /// The command is of no form that could be granted.
    Malformed,
    /// The directory does not exist.
    NoDirectory,
    /// The program can't be started as it is registered.
    Failed,
    /// It ran for longer than policy lets it and was killed.
    Timeout,
}

impl Command {
    /// The program that policy registers under this name, without arguments, with nothing to read,
    /// in the workspace.
    pub fn new(program: impl Into<String>) -> Self {
        Self {
            program: program.into(),
            arguments: Vec::new(),
            stdin: Vec::new(),
            directory: String::new(),
        }
    }

    /// One more argument, passed on as it is. A path in it is relative to the directory that the
    /// program starts in.
    pub fn argument(mut self, argument: impl Into<String>) -> Self {
        self.arguments.push(Argument::Text(argument.into()));
        self
    }

    /// More arguments, passed on as they are.
    pub fn arguments<T: Into<String>>(mut self, arguments: impl IntoIterator<Item = T>) -> Self {
        let texts = arguments
            .into_iter()
            .map(|text| Argument::Text(text.into()));
        self.arguments.extend(texts);
        self
    }

    /// One more argument, a path as this tool sees it: `/workspace/notes.txt`. The program gets its
    /// own path of the same file.
    pub fn path(self, path: impl Into<String>) -> Self {
        self.path_of("", path)
    }

    /// One more argument, a flag and its path: `--output=` or `-o`, and the path as this tool sees it.
    pub fn path_of(mut self, flag: impl Into<String>, path: impl Into<String>) -> Self {
        self.arguments.push(Argument::Path {
            prefix: flag.into(),
            path: path.into(),
        });
        self
    }

    /// What the program is given to read.
    pub fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = bytes.into();
        self
    }

    /// Where it starts, as this tool sees it: `/workspace/src`.
    pub fn directory(mut self, directory: impl Into<String>) -> Self {
        self.directory = directory.into();
        self
    }

    /// Starts it and waits for its end.
    ///
    /// **Errors**: see [`Error`]. A program that uses more than policy lets it, such as memory or
    /// processes, ends the call.
    pub fn run(&self) -> Result<Output, Error> {
        host::run(self)
    }
}

impl Output {
    /// Itself when the program ended with code 0.
    ///
    /// **Errors**: a [`ToolError`] `program_failed` with the end of what it wrote to stderr.
    pub fn success(self) -> Result<Self, ToolError> {
        if self.ended == Ended::Exited(0) {
            return Ok(self);
        }
        let said = String::from_utf8_lossy(&self.stderr);
        let last = said.trim_end().lines().last().unwrap_or_default();
        Err(ToolError::new(
            "program_failed",
            format!("the program {}: {last}", self.ended),
        ))
    }

    /// What it wrote to stdout as text; what is none is replaced.
    pub fn stdout_text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// What it wrote to stderr as text; what is none is replaced.
    pub fn stderr_text(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exited(code) => write!(f, "ended with code {code}"),
            Self::Signalled(signal) => write!(f, "was ended by signal {signal}"),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Denied => "policy does not let this tool start that",
            Self::Malformed => "no program can be started like that",
            Self::NoDirectory => "the directory to start in does not exist",
            Self::Failed => "the program can't be started; the host's log says why",
            Self::Timeout => "the program ran for too long and was killed",
        })
    }
}

impl std::error::Error for Error {}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_native_test_runs_the_program_itself() {
        let output = Command::new("cat").stdin("as it is").directory(".").run();
        let output = output.expect("cat is everywhere");
        assert_eq!(
            output.success().map(|output| output.stdout_text()),
            Ok("as it is".to_owned())
        );
        let failed = Command::new("sh")
            .arguments(["-c", "echo why >&2; exit 3"])
            .directory(".");
        let error = failed
            .run()
            .expect("sh is everywhere")
            .success()
            .expect_err("code 3");
        assert_eq!(error.message, "the program ended with code 3: why");
        assert_eq!(
            Command::new("no such program").directory(".").run(),
            Err(Error::Failed)
        );
    }
}
