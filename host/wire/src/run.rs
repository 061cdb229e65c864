//! Runs as they are read.

use cofferdam_types::call::Usage;
use cofferdam_types::run::{Run, RunStatus};
use cofferdam_types::{Failure, Payload, RunId, TaskId, Timestamp};
use serde::{Deserialize, Serialize};

/// One execution of a task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunView {
    /// Names it.
    pub run_id: RunId,
    /// What it executes.
    pub task_id: TaskId,
    /// Where it stands.
    pub status: RunStatus,
    /// The finer word.
    pub status_reason: Option<String>,
    /// Its result, when completed.
    pub result: Option<Payload>,
    /// Why it failed.
    pub error: Option<Failure>,
    /// What its calls cost together.
    pub usage: Usage,
    /// Steps that ended, skipped ones included.
    pub steps: u32,
    /// Where its log is.
    pub events: String,
    /// Who started it.
    pub started_by: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

impl From<Run> for RunView {
    fn from(run: Run) -> Self {
        Self {
            events: format!("/api/v1/runs/{}/events", run.id),
            run_id: run.id,
            task_id: run.task_id,
            status: run.status,
            status_reason: run.status_reason,
            result: run.result,
            error: run.error,
            usage: run.usage,
            steps: run.steps,
            started_by: run.started_by.principal,
            created_at: run.created_at,
            updated_at: run.updated_at,
        }
    }
}
