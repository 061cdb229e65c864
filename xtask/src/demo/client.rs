//! The `cofferdam` command, used and shown as a person would.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use serde_json::{Deserializer, Value, json};

use super::Show;
use crate::command::{line, root};

/// Runs client commands against one host.
pub(super) struct Client<'a> {
    binary: &'a Path,
    server: &'a str,
    data: &'a Path,
    show: Show,
}

impl<'a> Client<'a> {
    pub(super) fn new(binary: &'a Path, server: &'a str, data: &'a Path, show: Show) -> Self {
        Self {
            binary,
            server,
            data,
            show,
        }
    }

    /// Runs `cofferdam ARGS`, shows it as the step `name`, and answers what it printed as JSON last.
    /// For people its output goes to the terminal as it comes, and the answer is `null`.
    ///
    /// **Errors**: it did not end as expected, which is without a failure or with that code.
    pub(super) fn run(&self, name: &str, code: Option<&str>, args: &[&str]) -> Result<Value> {
        let shown = shown(args);
        let expected = exit(code);
        if !self.show.is_json {
            println!("\n$ {shown}");
            let status = self.command(args).status().with_context(|| shown.clone())?;
            ensure!(
                status.code() == Some(expected),
                "`{shown}` ended with {status}, not {expected}"
            );
            return Ok(Value::Null);
        }
        let started = Instant::now();
        let output = self
            .command(args)
            .arg("--json")
            .stderr(Stdio::inherit())
            .output();
        let output = output.with_context(|| shown.clone())?;
        let text = String::from_utf8_lossy(&output.stdout);
        let values = Deserializer::from_str(&text)
            .into_iter()
            .collect::<Result<Vec<Value>, _>>();
        let mut values = values.with_context(|| format!("what `{shown}` printed: {text}"))?;
        let answer = values
            .pop()
            .with_context(|| format!("`{shown}` printed nothing"))?;
        let status = output.status;
        let found = answer.pointer("/error/code").and_then(Value::as_str);
        ensure!(
            status.code() == Some(expected) && found == code,
            "`{shown}` ended with {status} and {found:?}, not {expected} and {code:?}: {text}"
        );
        self.show.step(
            name,
            &json!({
                "command": shown, "exit": expected, "ms": started.elapsed().as_millis(),
                "answer": answer, "events": values,
            }),
        );
        Ok(answer)
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(self.binary);
        command.current_dir(root()).args(args).stdin(Stdio::null());
        // The key is found in the data directory, as on any machine that runs the host itself.
        command
            .env("COFFERDAM_SERVER", self.server)
            .env("COFFERDAM_DATA_DIR", self.data);
        command
    }
}

/// The exit status that belongs to an error code.
fn exit(code: Option<&str>) -> i32 {
    match code {
        None => 0,
        Some("policy_denied") => 3,
        Some(_) => 1,
    }
}

/// What a person would type: the binary without its folder.
fn shown(args: &[&str]) -> String {
    line(Command::new("cofferdam").args(args))
}
