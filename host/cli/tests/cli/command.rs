//! The real binary, run in a directory of its own.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use cofferdam_testing::Guest;
use serde_json::Value;
use tempfile::TempDir;

/// A directory to run commands in, and what every command is told.
pub(crate) struct Place {
    folder: TempDir,
    variables: Vec<(&'static str, String)>,
}

/// What a command printed and how it ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Place {
    /// An empty directory, where no host is known.
    pub(crate) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().expect("a directory"),
            variables: Vec::new(),
        }
    }

    /// With a variable of the environment.
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.variables.push((name, value.into()));
        self
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file.
    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name);
        std::fs::write(&path, bytes).expect("a file");
        path
    }

    /// Writes the component of a guest.
    pub(crate) fn guest(&self, name: &str, guest: &Guest) {
        self.write(name, guest.component().expect("a component"));
    }

    /// Runs a command.
    pub(crate) fn run(&self, args: &[&str]) -> Ended {
        self.run_in(".", args, "")
    }

    /// Runs a command in a directory below this one, with something to read.
    pub(crate) fn run_in(&self, folder: &str, args: &[&str], stdin: &str) -> Ended {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cofferdam"));
        command.args(args).current_dir(self.path().join(folder));
        self.ended(command, stdin)
    }

    /// Runs a command on a terminal, which gets both of its outputs.
    pub(crate) fn run_on_terminal(&self, args: &[&str]) -> Ended {
        let words = [&[env!("CARGO_BIN_EXE_cofferdam")], args].concat();
        let mut command = Command::new("script");
        command
            .args([
                "--quiet",
                "--return",
                "--command",
                &words.join(" "),
                "/dev/null",
            ])
            .current_dir(self.path());
        self.ended(command, "")
    }

    fn ended(&self, mut command: Command, stdin: &str) -> Ended {
        for name in ["COFFERDAM_SERVER", "COFFERDAM_API_KEY", "COFFERDAM_LOG"] {
            command.env_remove(name);
        }
        command.env("COFFERDAM_DATA_DIR", self.path().join("data"));
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().expect("the binary");
        let mut input = child.stdin.take().expect("its stdin");
        // A command that does not read closes its end first.
        drop(input.write_all(stdin.as_bytes()));
        drop(input);
        let output = child.wait_with_output().expect("its output");
        Ended {
            code: output.status.code().expect("an exit status"),
            stdout: String::from_utf8(output.stdout).expect("UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("UTF-8"),
        }
    }

    /// Runs a command that has to succeed, and answers the last line of JSON that it printed.
    pub(crate) fn json(&self, args: &[&str]) -> Value {
        let ended = self.run(&[args, &["--json"]].concat());
        assert_eq!(ended.code, 0, "{args:?}: {ended:?}");
        ended.json()
    }
}

impl Ended {
    /// Checks the exit status.
    #[track_caller]
    pub(crate) fn with_code(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self:?}");
        self
    }

    /// The last line of JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        let line = self.stdout.lines().last().unwrap_or_default();
        serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}
