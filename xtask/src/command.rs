//! Other programs: how they are started, shown and timed.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// The repository's root folder.
pub(crate) fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// Cargo in the repository's root. The name, not a path, so that rustup chooses the toolchain.
pub(crate) fn cargo<'a>(args: impl IntoIterator<Item = &'a str>) -> Command {
    let mut command = Command::new("cargo");
    command.current_dir(root()).args(args);
    command
}

/// Runs `command` with this terminal, after printing it; an exit other than 0 is an error.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let line = line(command);
    eprintln!("$ {line}");
    let status = command
        .status()
        .with_context(|| format!("`{line}` did not start"))?;
    if !status.success() {
        bail!("`{line}` ended with {status}");
    }
    Ok(())
}

/// What `command` prints to stdout; an exit other than 0 is an error with what it said to stderr.
pub(crate) fn read(command: &mut Command) -> Result<String> {
    let line = line(command);
    let output = command
        .output()
        .with_context(|| format!("`{line}` did not start"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("`{line}` ended with {}: {}", output.status, said.trim());
    }
    String::from_utf8(output.stdout).with_context(|| format!("`{line}` did not print text"))
}

/// `command` as a person would type it.
pub(crate) fn line(command: &Command) -> String {
    std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|word| quote(&word.to_string_lossy()))
        .collect::<Vec<_>>()
        .join(" ")
}

fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,@+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// The parts of a long chore, each with the time it took.
pub(crate) struct Stages {
    started: Instant,
    done: Vec<(String, Duration)>,
}

impl Stages {
    pub(crate) fn new() -> Self {
        Self {
            started: Instant::now(),
            done: Vec::new(),
        }
    }

    /// Runs one part and notes its time, also when it fails.
    pub(crate) fn stage<T>(&mut self, name: &str, part: impl FnOnce() -> Result<T>) -> Result<T> {
        eprintln!("== {name}");
        let started = Instant::now();
        let result = part();
        self.done.push((name.to_owned(), started.elapsed()));
        result.with_context(|| format!("stage {name}"))
    }

    /// Prints where the time went.
    pub(crate) fn summary(&self) {
        eprintln!("== time");
        for (name, took) in &self.done {
            eprintln!("{:>8.1} s  {name}", took.as_secs_f64());
        }
        eprintln!("{:>8.1} s  in all", self.started.elapsed().as_secs_f64());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shown_line_can_be_typed_again() {
        let mut command = Command::new("cofferdam");
        command.args(["tool", "call", "--args", r#"{"a": "it's"}"#, ""]);
        assert_eq!(
            line(&command),
            r#"cofferdam tool call --args '{"a": "it'\''s"}' ''"#
        );
    }

    #[test]
    fn a_failed_program_is_an_error() {
        let failed = read(&mut cargo(["--print-nothing"]));
        assert!(failed.is_err());
    }
}
