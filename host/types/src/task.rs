//! Tasks: the unit of work that users see.

use serde::{Deserialize, Serialize};

use crate::plan::Plan;
use crate::workspace::Access;
use crate::{Failure, Payload, RunId, TaskId, Tenant, Timestamp, WorkspaceName};

/// Where a task stands. `status_reason` holds the finer word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskStatus {
    /// Created, not asked to run yet.
    Pending,
    /// Waiting for an agent.
    Queued,
    /// An agent took it.
    Assigned,
    /// Running.
    Active,
    /// Waiting for something else.
    Blocked,
    /// Done.
    Completed,
    /// Over without a result.
    Failed,
    /// Stopped by somebody.
    Cancelled,
}

impl TaskStatus {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Queued => "queued",
            Self::Assigned => "assigned",
            Self::Active => "active",
            Self::Blocked => "blocked",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

/// A workspace by name and what its runs may do there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaskWorkspace {
    /// Below the server's data directory.
    pub name: WorkspaceName,
    /// The most a step can be granted.
    pub access: Access,
}

/// A unit of work.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Task {
    /// Names it.
    pub id: TaskId,
    /// Whose it is.
    pub tenant: Tenant,
    /// 1 to 200 characters.
    pub title: String,
    /// At most 64 KiB.
    pub description: String,
    /// What is to be done.
    pub plan: Plan,
    /// What the plan's templates read under `/parameters`.
    pub parameters: Payload,
    /// The directory its steps may see.
    pub workspace: Option<TaskWorkspace>,
    /// The most that its steps may use of what policy grants, in the form of a rule's `allow`;
    /// absent: all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub security_requirements: Option<Payload>,
    /// The policy's profile that its steps run in; absent: `isolated`.
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
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "crate::payload::present"
    )]
    pub result: Option<Payload>,
    /// Why the latest run failed.
    pub error: Option<Failure>,
    /// Who made it, as [`crate::caller::Caller::principal`].
    pub created_by: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}
