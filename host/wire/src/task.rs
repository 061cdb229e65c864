//! Tasks: what is asked for and how they are read.

use cofferdam_types::plan::Plan;
use cofferdam_types::task::{Task, TaskStatus};
use cofferdam_types::{Failure, Payload, RunId, TaskId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::call::{object, some_object};
use crate::workspace::Workspace;

/// What a client sends to make a task. The engine checks lengths and ranges.
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
    /// The most that its steps may use of what policy grants, in the form of a rule's `allow`.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "some_object"
    )]
    pub security_requirements: Option<Payload>,
    /// The policy's profile that its steps run in; absent: `isolated`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub execution_environment: Option<String>,
    /// 0 to 100, larger is more urgent; absent: in the middle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<u8>,
    /// Words to find it by.
    #[serde(default)]
    pub tags: Vec<String>,
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
    /// The most that its steps may use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub security_requirements: Option<Payload>,
    /// The policy's profile that its steps run in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub execution_environment: Option<String>,
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
            security_requirements: task.security_requirements,
            execution_environment: task.execution_environment,
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
    use serde_json::json;

    use super::*;
    use crate::strict::decode;

    #[test]
    fn the_least_task_gets_the_defaults_and_reads_back() {
        let body = json!({
            "title": "report",
            "plan": {"steps": [{"name": "read", "tool": "files-read"}]},
        });
        let task: TaskCreate = decode(body.to_string().as_bytes()).expect("a task");
        assert_eq!(task.parameters, Payload::empty_object());
        assert_eq!((task.priority, &*task.description), (None, ""));
        let again = serde_json::to_vec(&task).expect("JSON");
        assert_eq!(decode::<TaskCreate>(&again), Ok(task));
    }
}
