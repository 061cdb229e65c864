//! One run of one tool: what is asked and what came of it.

use serde::{Deserialize, Serialize};

use crate::authority::Authority;
use crate::caller::Caller;
use crate::change::{ChangeList, Commit};
use crate::limits::LimitRequest;
use crate::tool::{Identity, ToolRef};
use crate::workspace::Offer;
use crate::{CallId, Failure, Payload, RunId, StepName};

/// A request to run a tool, checked in form but not yet decided.
#[derive(Debug, Clone)]
pub struct ToolCall {
    /// Names this run.
    pub id: CallId,
    /// Who asks.
    pub caller: Caller,
    /// On whose behalf.
    pub origin: Origin,
    /// Which tool.
    pub tool: ToolRef,
    /// A JSON object by argument name.
    pub arguments: Payload,
    /// The directory the tool may be shown.
    pub workspace: Option<Offer>,
    /// Tighter limits than the tool would have.
    pub limits: LimitRequest,
    /// What else narrows it.
    pub authority: Authority,
    /// What becomes of its changes.
    pub commit: Commit,
}

/// Through which door a call came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "door", rename_all = "snake_case")]
pub enum Origin {
    /// The HTTP API.
    Http,
    /// MCP, over HTTP or stdio.
    Mcp,
    /// The command line, without a server.
    Cli,
    /// A step of a run.
    Run {
        /// The run.
        run_id: RunId,
        /// The step.
        step: StepName,
    },
}

/// The call of a tool by which another tool is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parent {
    /// The call that calls.
    pub call_id: CallId,
    /// The first of the line: the call that no tool made.
    pub root_id: CallId,
    /// How many calls stand above: 1 for a call by one that no tool made.
    pub depth: u32,
}

/// What came of a call, whether it succeeded or not.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The call.
    pub call_id: CallId,
    /// Which tool ran; absent when none was found.
    pub tool: Option<Identity>,
    /// The tool's result, or why there is none.
    pub result: Result<Payload, Failure>,
    /// What it cost.
    pub usage: Usage,
    /// What it printed.
    pub log: CallLog,
    /// What it was allowed and used.
    pub uses: Vec<Use>,
    /// What it was refused.
    pub denials: Vec<Denial>,
    /// What it changed on overlays, or would have, when it succeeded and the caller asked for that.
    pub changes: Option<ChangeList>,
}

/// Something a call was allowed and did, as often as it did it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Use {
    /// The kind of permission, as in [`Denial::capability`].
    pub capability: String,
    /// What was done.
    pub operation: String,
    /// To what; short, and without anything that may be a secret.
    pub resource: String,
    /// How often.
    pub count: u64,
    /// How many bytes went over it, where that is counted.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub bytes: u64,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
pub(crate) fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// What a call cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Fuel burnt.
    pub fuel: u64,
    /// Time by stage.
    pub wall_us: Wall,
    /// The highest sum of memories and tables.
    pub memory_peak_bytes: u64,
    /// Size of the result's text.
    pub result_bytes: u64,
    /// All of stdout and stderr, kept or not.
    pub stdout_bytes: u64,
    /// Requests sent, redirects included, and raw connections opened.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub requests: u64,
    /// Bytes of their bodies.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub sent_bytes: u64,
    /// Bytes of the answers' bodies.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub received_bytes: u64,
}

/// Microseconds by stage; `total` also holds what lies between the stages.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wall {
    /// Waiting for a place.
    pub queue: u64,
    /// Compiling when the component wasn't ready, and making the instance.
    pub start: u64,
    /// In the guest.
    pub guest: u64,
    /// Waiting in host functions.
    pub host: u64,
    /// From taken to answered.
    pub total: u64,
}

/// What a call printed: the tail of each stream, and how much was dropped.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CallLog {
    /// The end of stdout.
    pub stdout_tail: String,
    /// The end of stderr.
    pub stderr_tail: String,
    /// Bytes of both, and of records, that were not kept.
    pub dropped_bytes: u64,
    /// Structured records, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub records: Vec<LogRecord>,
}

/// One structured log record of a guest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LogRecord {
    /// How loud.
    pub level: LogLevel,
    /// What happened.
    pub message: String,
    /// Facts, a JSON object.
    #[serde(default, skip_serializing_if = "Payload::is_null")]
    pub fields: Payload,
}

/// How loud a log record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the usual five words")]
pub enum LogLevel {
    Trace,
    Debug,
    Info,
    Warn,
    Error,
}

/// How far a call is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// Done so far, in the tool's own unit.
    pub done: f64,
    /// All there is, when known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<f64>,
    /// For people; may be empty.
    #[serde(default)]
    pub message: String,
}

/// What a call was refused, why, and what would allow it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Denial {
    /// The kind of permission, as [`crate::tool::Capability::kind`] spells it.
    pub capability: String,
    /// What was to be done.
    pub operation: String,
    /// To what.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub resource: String,
    /// Why, in one word: all that those who may not read policy are told.
    pub code: DenialCode,
    /// The rule that decided.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub rule: String,
    /// The file it stands in; absent for what is built in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Its line there, counted from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// For people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// The least that would allow it: what to add to the policy, as YAML, or what to do instead.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub smallest_grant: String,
}

impl Denial {
    /// What those are told who may not read policy: which capability, and a word for why. Neither a
    /// rule nor a resource, which may be a path or a host that is none of their business.
    #[must_use]
    pub fn coarse(self) -> Self {
        Self {
            resource: String::new(),
            rule: String::new(),
            file: None,
            line: None,
            reason: String::new(),
            smallest_grant: String::new(),
            ..self
        }
    }
}

/// Why something was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DenialCode {
    /// The tool uses what it doesn't declare.
    NotDeclared,
    /// No rule of the policy allows it.
    NotGranted,
    /// A rule denies it, whatever allows it.
    Denied,
    /// The agent, the task or the caller doesn't pass it on.
    NotDelegated,
    /// The call offers no directory, or less of one than the tool needs.
    NotOffered,
    /// The name, path, address or argument is not of a form that can be allowed.
    Malformed,
    /// The address lies in a range that has to be named to be reached.
    ForbiddenAddress,
    /// A quota or rate of the policy is used up.
    Quota,
    /// A person has to agree first.
    NeedsApproval,
    /// The policy names a profile that doesn't exist.
    UnknownProfile,
    /// It was allowed when the call began and has been taken away since.
    Revoked,
    /// The machine can't confine it as the policy demands.
    Unconfinable,
}

/// Hears from a call while it runs. Called on the guest's thread: it must not block.
pub trait Observer: Send + Sync {
    /// The tool says how far it is.
    fn progress(&self, progress: Progress);
    /// The tool logs.
    fn log(&self, record: &LogRecord);
}

/// Hears nothing.
#[derive(Debug, Clone, Copy)]
pub struct Deaf;

impl Observer for Deaf {
    fn progress(&self, _: Progress) {}
    fn log(&self, _: &LogRecord) {}
}
