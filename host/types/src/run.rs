//! Runs: one execution of a task by an agent, an append-only log of events.

use serde::{Deserialize, Serialize};

use crate::call::{LogRecord, Progress, Usage};
use crate::tool::Identity;
use crate::{AgentId, CallId, Failure, Payload, RunId, StepName, TaskId, Tenant, Timestamp};

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunStatus {
    /// Waiting for an agent.
    Queued,
    /// An agent drives it.
    Running,
    /// Waiting for somebody.
    InputRequired,
    /// Done.
    Completed,
    /// Over without a result.
    Failed,
    /// Stopped by somebody.
    Cancelled,
}

impl RunStatus {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::InputRequired => "input_required",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Over for good: a run in such a state never changes again.
    pub fn is_terminal(self) -> bool {
        match self {
            Self::Completed | Self::Failed | Self::Cancelled => true,
            Self::Queued | Self::Running | Self::InputRequired => false,
        }
    }
}

/// One execution of a task: the head of its log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Names it.
    pub id: RunId,
    /// Whose it is.
    pub tenant: Tenant,
    /// What it executes.
    pub task_id: TaskId,
    /// Who drives it, once somebody does.
    pub agent_id: Option<AgentId>,
    /// Where it stands.
    pub status: RunStatus,
    /// The finer word.
    pub status_reason: Option<String>,
    /// Somebody asked to stop it.
    pub cancel_requested: bool,
    /// Its result, when completed.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "crate::payload::present"
    )]
    pub result: Option<Payload>,
    /// Why it failed.
    pub error: Option<Failure>,
    /// What its calls cost together.
    pub usage: Usage,
    /// Steps that ended, skipped ones included.
    pub steps: u32,
    /// The sequence number of its last event.
    pub seq: u64,
    /// Counts its drivers. An append that names an older epoch is refused, so that a driver that
    /// was taken for dead can't write into its successor's run.
    pub epoch: u64,
    /// Who started it.
    pub started_by: crate::caller::Caller,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// One entry of a run's log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// 1, 2, 3 … without a gap inside one run.
    pub seq: u64,
    /// When it was written.
    pub at: Timestamp,
    /// What happened.
    #[serde(flatten)]
    pub kind: EventKind,
}

/// What happened in a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
#[expect(
    missing_docs,
    reason = "the fields are those of the things they report"
)]
pub enum EventKind {
    /// Somebody asked for the run.
    #[serde(rename = "run.created")]
    RunCreated { task_id: TaskId, by: String },
    /// An agent drives it from here on.
    #[serde(rename = "run.started")]
    RunStarted { agent_id: AgentId, epoch: u64 },
    /// A call is about to be made. Written before it is, so that after a crash it is known which
    /// call may have happened.
    #[serde(rename = "step.started")]
    StepStarted {
        step: StepName,
        attempt: u32,
        call_id: CallId,
        arguments: Payload,
    },
    /// The tool says how far it is.
    #[serde(rename = "step.progress")]
    StepProgress { step: StepName, progress: Progress },
    /// The tool logs.
    #[serde(rename = "step.log")]
    StepLog { step: StepName, record: LogRecord },
    /// The call succeeded. Never made again.
    #[serde(rename = "step.completed")]
    StepCompleted {
        step: StepName,
        attempt: u32,
        call_id: CallId,
        tool: Identity,
        result: Payload,
        usage: Usage,
    },
    /// The call failed.
    #[serde(rename = "step.failed")]
    StepFailed {
        step: StepName,
        attempt: u32,
        call_id: CallId,
        error: Failure,
        usage: Usage,
        /// When it is tried again; absent when it is not.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_at: Option<Timestamp>,
    },
    /// Its condition does not hold.
    #[serde(rename = "step.skipped")]
    StepSkipped { step: StepName },
    /// Somebody asked to stop the run.
    #[serde(rename = "run.cancel_requested")]
    CancelRequested { by: String },
    /// Over, with a result.
    #[serde(rename = "run.completed")]
    RunCompleted { result: Payload, usage: Usage },
    /// Over, without.
    #[serde(rename = "run.failed")]
    RunFailed {
        reason: String,
        error: Failure,
        usage: Usage,
    },
    /// Stopped.
    #[serde(rename = "run.cancelled")]
    RunCancelled { usage: Usage },
}

impl EventKind {
    /// The word on the wire.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::RunCreated { .. } => "run.created",
            Self::RunStarted { .. } => "run.started",
            Self::StepStarted { .. } => "step.started",
            Self::StepProgress { .. } => "step.progress",
            Self::StepLog { .. } => "step.log",
            Self::StepCompleted { .. } => "step.completed",
            Self::StepFailed { .. } => "step.failed",
            Self::StepSkipped { .. } => "step.skipped",
            Self::CancelRequested { .. } => "run.cancel_requested",
            Self::RunCompleted { .. } => "run.completed",
            Self::RunFailed { .. } => "run.failed",
            Self::RunCancelled { .. } => "run.cancelled",
        }
    }

    /// True when no event follows this one.
    pub fn is_terminal(&self) -> bool {
        matches!(
            self,
            Self::RunCompleted { .. } | Self::RunFailed { .. } | Self::RunCancelled { .. }
        )
    }
}
