use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use serde::Serialize;

use crate::answer::Answer;
use crate::command;
use crate::component::Component;

/// A call that is yet to be made, under the built-in policy.
#[derive(Debug, Clone)]
#[must_use = "a call is made by `run`"]
pub struct Call<'a> {
    component: &'a Component,
    tool: String,
    arguments: String,
    workspace: Option<PathBuf>,
    is_writable: bool,
    /// Options of the command, each with its value.
    limits: Vec<(&'static str, String)>,
}

impl<'a> Call<'a> {
    pub(crate) fn new(component: &'a Component, tool: String) -> Self {
        Self {
            component,
            tool,
            arguments: "{}".to_owned(),
            workspace: None,
            is_writable: false,
            limits: Vec::new(),
        }
    }

    /// With these arguments, an object by parameter name; `{}` when absent.
    ///
    /// **Panics** for what is no JSON.
    #[track_caller]
    pub fn arguments(mut self, arguments: impl Serialize) -> Self {
        match serde_json::to_string(&arguments) {
            Ok(text) => self.arguments = text,
            Err(error) => panic!("the arguments of {} are no JSON: {error}", self.tool),
        }
        self
    }

    /// Shows this directory to the tool, to read.
    pub fn workspace(mut self, directory: impl Into<PathBuf>) -> Self {
        self.workspace = Some(directory.into());
        self.is_writable = false;
        self
    }

    /// Shows this directory to the tool, to read and write. What the tool does there stays.
    pub fn writable_workspace(mut self, directory: impl Into<PathBuf>) -> Self {
        self.workspace = Some(directory.into());
        self.is_writable = true;
        self
    }

    /// With so many instructions at most, roughly; tighter than the tool's own limit.
    pub fn fuel(self, units: u64) -> Self {
        self.limit("--fuel", units.to_string())
    }

    /// Within this time, in whole milliseconds; tighter than the tool's own limit.
    pub fn deadline(self, time: Duration) -> Self {
        self.limit("--deadline-ms", time.as_millis().to_string())
    }

    /// With so much memory at most; tighter than the tool's own limit.
    pub fn memory_bytes(self, bytes: u64) -> Self {
        self.limit("--memory-bytes", bytes.to_string())
    }

    fn limit(mut self, option: &'static str, value: String) -> Self {
        self.limits.push((option, value));
        self
    }

    /// Makes the call. However the tool ends is an answer.
    ///
    /// **Panics** when the call can't be made: the command is not there or too old, the file is no
    /// component, or it has no such tool.
    #[track_caller]
    pub fn run(self) -> Answer {
        let mut call = Command::new(&self.component.program);
        call.args(["tool", "call"]).arg(self.component.path());
        call.args([&self.tool, "--args", "-", "--json"]);
        if let Some(directory) = &self.workspace {
            call.arg("--workspace").arg(directory);
        }
        if self.is_writable {
            call.arg("--writable");
        }
        for (option, value) in &self.limits {
            call.args([*option, value]);
        }
        let output = command::run(call, self.arguments.as_bytes());
        let answer = Answer::read(&output.stdout);
        answer.unwrap_or_else(|reason| {
            panic!(
                "the call of {} could not be made: {reason}\n{}",
                self.tool,
                String::from_utf8_lossy(&output.stderr)
            )
        })
    }
}
