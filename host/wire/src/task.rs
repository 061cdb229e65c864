//! Tasks: what is asked for and how they are read.

use cofferdam_types::failure::Fault;
use cofferdam_types::plan::Plan;
use cofferdam_types::task::{Task, TaskStatus};
use cofferdam_types::{Failure, Payload, RunId, TaskId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::call::object;
use crate::workspace::Workspace;

/// Longest title in characters: one line on any screen.
pub const TITLE_CHARS_MAX: usize = 200;
/// Longest description in bytes: a long page for a model or a person.
pub const DESCRIPTION_BYTES_MAX: usize = 64 << 10;
/// Most tags of a task: more are not found by anybody.
pub const TAGS_MAX: usize = 32;
/// Longest tag in characters.
pub const TAG_CHARS_MAX: usize = 64;
/// The most urgent priority.
pub const PRIORITY_MAX: u8 = 100;
/// In the middle, so that a task can be put before and behind those that say nothing.
pub const PRIORITY_DEFAULT: u8 = 50;

/// What a client sends to make a task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaskCreate {
    /// One line for people.
    pub title: String,
    /// More for people.
    #[serde(default)]
    pub description: String,
    /// What to do.
    pub plan: Plan,
    /// What the plan's templates read under `/parameters`; an object.
    #[serde(default = "Payload::empty_object", deserialize_with = "object")]
    pub parameters: Payload,
    /// The directory its steps may see.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace: Option<Workspace>,
    /// 0 to 100, larger is more urgent.
    #[serde(default = "middle")]
    pub priority: u8,
    /// Words to find it by.
    #[serde(default)]
    pub tags: Vec<String>,
}

fn middle() -> u8 {
    PRIORITY_DEFAULT
}

impl TaskCreate {
    /// Checks what the form alone doesn't.
    ///
    /// **Errors**: `invalid_input` with every broken place.
    pub fn check(&self) -> Result<(), Failure> {
        let mut faults = Vec::new();
        let mut require = |holds: bool, pointer: &str, reason: String| {
            if !holds {
                faults.push(Fault {
                    pointer: pointer.to_owned(),
                    reason,
                });
            }
        };
        require(
            !self.title.trim().is_empty() && within(&self.title, TITLE_CHARS_MAX),
            "/title",
            format!("expected 1 to {TITLE_CHARS_MAX} characters"),
        );
        require(
            self.description.len() <= DESCRIPTION_BYTES_MAX,
            "/description",
            format!("expected at most {DESCRIPTION_BYTES_MAX} bytes"),
        );
        require(
            self.priority <= PRIORITY_MAX,
            "/priority",
            format!("expected 0 to {PRIORITY_MAX}"),
        );
        require(
            self.tags.len() <= TAGS_MAX,
            "/tags",
            format!("expected at most {TAGS_MAX} tags"),
        );
        for (index, tag) in self.tags.iter().enumerate().take(TAGS_MAX) {
            require(
                !tag.is_empty() && within(tag, TAG_CHARS_MAX),
                &format!("/tags/{index}"),
                format!("expected 1 to {TAG_CHARS_MAX} characters"),
            );
        }
        faults.extend(self.plan.faults().into_iter().map(|fault| Fault {
            pointer: format!("/plan{}", fault.pointer),
            ..fault
        }));
        match faults.first() {
            None => Ok(()),
            Some(first) => {
                let message = format!("{}: {}", first.pointer, first.reason);
                Err(Failure::invalid_input(message, &faults))
            }
        }
    }
}

fn within(text: &str, chars_max: usize) -> bool {
    text.chars().nth(chars_max).is_none()
}

/// A task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TaskView {
    /// Names it.
    pub task_id: TaskId,
    /// The same id, for clients that look here.
    pub id: TaskId,
    /// One line for people.
    pub title: String,
    /// More for people.
    pub description: String,
    /// What to do.
    pub plan: Plan,
    /// What the plan's templates read under `/parameters`.
    pub parameters: Payload,
    /// The directory its steps may see.
    pub workspace: Option<Workspace>,
    /// 0 to 100, larger is more urgent.
    pub priority: u8,
    /// Words to find it by.
    pub tags: Vec<String>,
    /// Where it stands.
    pub status: TaskStatus,
    /// The finer word.
    pub status_reason: Option<String>,
    /// The latest run.
    pub run_id: Option<RunId>,
    /// The latest run's result.
    pub result: Option<Payload>,
    /// Why the latest run failed.
    pub error: Option<Failure>,
    /// Who made it.
    pub created_by: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

impl From<Task> for TaskView {
    fn from(task: Task) -> Self {
        Self {
            task_id: task.id,
            id: task.id,
            title: task.title,
            description: task.description,
            plan: task.plan,
            parameters: task.parameters,
            workspace: task.workspace.map(Workspace::from),
            priority: task.priority,
            tags: task.tags,
            status: task.status,
            status_reason: task.status_reason,
            run_id: task.run_id,
            result: task.result,
            error: task.error,
            created_by: task.created_by,
            created_at: task.created_at,
            updated_at: task.updated_at,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::strict::decode;

    fn body(change: impl FnOnce(&mut Value)) -> Vec<u8> {
        let mut body = json!({
            "title": "report",
            "plan": {"steps": [{"name": "read", "tool": "files-read"}]},
        });
        change(&mut body);
        body.to_string().into_bytes()
    }

    #[test]
    fn the_least_task_gets_the_defaults() {
        let task: TaskCreate = decode(&body(|_| {})).expect("a task");
        assert_eq!(task.check(), Ok(()));
        assert_eq!(
            (task.priority, task.parameters),
            (50, Payload::empty_object())
        );
    }

    #[test]
    fn every_broken_place_is_named() {
        let change = |body: &mut Value| {
            body["title"] = json!("  ");
            body["description"] = json!("x".repeat(DESCRIPTION_BYTES_MAX + 1));
            body["priority"] = json!(101);
            body["tags"] = json!(["ok", "", "x".repeat(65)]);
            body["plan"]["steps"][0]["retry"] = json!({"max_attempts": 0});
        };
        let task: TaskCreate = decode(&body(change)).expect("well-formed");
        let failure = task.check().expect_err("must be refused");
        let faults: Vec<Fault> =
            serde_json::from_value(failure.details["faults"].clone()).expect("faults");
        let places: Vec<&str> = faults.iter().map(|fault| &*fault.pointer).collect();
        assert_eq!(
            places,
            [
                "/title",
                "/description",
                "/priority",
                "/tags/1",
                "/tags/2",
                "/plan/steps/0/retry/max_attempts",
            ]
        );
    }

    #[test]
    fn titles_are_counted_in_characters() {
        for (title, fits) in [("\u{e4}".repeat(200), true), ("a".repeat(201), false)] {
            let task: TaskCreate = decode(&body(|b| b["title"] = json!(title))).expect("a task");
            assert_eq!(task.check().is_ok(), fits);
        }
    }
}
