use std::str::FromStr;

use cofferdam_server::types::{Code, Failure, RunId, TaskId};
use cofferdam_wire::task::TaskView;

use crate::client::{Client, Request};
use crate::error::Result;

/// A task or one of its runs, as a person names it. A bare UUID is a task's.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Id {
    Task(TaskId),
    Run(RunId),
}

impl FromStr for Id {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let run = text
            .starts_with("run_")
            .then(|| text.parse().map(Self::Run));
        let id = run.unwrap_or_else(|| text.parse().map(Self::Task));
        id.map_err(|_| "expected `task_…` or `run_…`".to_owned())
    }
}

impl Id {
    /// The run, or the latest one of the task.
    ///
    /// **Errors**: `not_found` for a task that never ran.
    pub(super) async fn run(self, client: &Client) -> Result<RunId> {
        let task = match self {
            Self::Run(run) => return Ok(run),
            Self::Task(task) => task,
        };
        let path = ["tasks", &task.to_string()];
        let answer = client.send::<TaskView>(Request::get(&path)).await?;
        answer.value.run_id.ok_or_else(|| {
            let message =
                format!("{task} has no run yet; start one with `cofferdam task run {task}`");
            Failure::new(Code::NotFound, message).into()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_told_apart_by_their_prefix() {
        let uuid = "0190d5a8-7c3e-7f00-8000-000000000001";
        let kind = |text: &str| match text.parse() {
            Ok(Id::Task(_)) => "task",
            Ok(Id::Run(_)) => "run",
            Err(_) => "neither",
        };
        for (text, expected) in [
            (format!("task_{uuid}"), "task"),
            (format!("run_{uuid}"), "run"),
            (uuid.to_owned(), "task"),
            (format!("call_{uuid}"), "neither"),
            ("run_1".to_owned(), "neither"),
            (String::new(), "neither"),
        ] {
            assert_eq!(kind(&text), expected, "{text}");
        }
    }
}
