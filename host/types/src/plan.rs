//! A plan: what an executor does, step by step.
//!
//! A step is a tool call whose arguments are a template over what is known by then. The format is
//! a subset of the workflow language: steps in order, conditions, retries. What a workflow adds
//! (dependencies, parallel steps, compensation) are further optional fields of a step.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use crate::failure::Fault;
use crate::limits::LimitRequest;
use crate::tool::ToolRef;
use crate::{Payload, StepName};

/// Most steps of one plan: a run's log stays readable and its replay short.
pub const STEPS_MAX: usize = 1_000;
/// Most attempts of one step.
pub const ATTEMPTS_MAX: u32 = 20;
/// Longest wait between attempts in milliseconds: one hour.
pub const BACKOFF_MS_MAX: u64 = 3_600_000;

/// What an executor does, step by step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// In order; at least one.
    pub steps: Vec<Step>,
    /// The run's result, a template like a step's arguments; absent: the last step's result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<Payload>,
}

/// One tool call of a plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Names the step; unique in the plan.
    pub name: StepName,
    /// Which tool.
    pub tool: ToolRef,
    /// A template. `{"$from": "/steps/NAME/result/…"}` stands for the value at that JSON pointer
    /// into `{"parameters": …, "steps": {NAME: {"status", "result", "error"}}}`;
    /// `{"$text": [part, …]}` for its parts joined as text.
    #[serde(default = "Payload::empty_object")]
    pub arguments: Payload,
    /// Skip the step unless this holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<Condition>,
    /// What to do when the call fails.
    #[serde(default)]
    pub retry: Retry,
    /// What to do when the last attempt failed.
    #[serde(default)]
    pub on_error: OnError,
    /// What to do with a call that had started, but not ended, when the host stopped.
    #[serde(default)]
    pub on_interrupt: OnInterrupt,
    /// Tighter limits than the tool's.
    #[serde(default)]
    pub limits: LimitRequest,
}

/// How often a failed call is made again. Only failures that time can mend are repeated: a tool's
/// retryable error, `timeout`, `unavailable`, `upstream_error`, `rate_limited`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retry {
    /// All attempts together, 1 to [`ATTEMPTS_MAX`].
    #[serde(default = "Retry::once")]
    pub max_attempts: u32,
    /// Wait before the second attempt; doubles each time. At most [`BACKOFF_MS_MAX`].
    #[serde(default = "Retry::short")]
    pub backoff_ms: u64,
}

impl Retry {
    fn once() -> u32 {
        1
    }

    fn short() -> u64 {
        500
    }
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            max_attempts: Self::once(),
            backoff_ms: Self::short(),
        }
    }
}

/// What a step's last failure means for the run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnError {
    /// The run fails.
    #[default]
    Fail,
    /// The run goes on; later steps see the error.
    Continue,
}

/// What an interrupted call means for the run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnInterrupt {
    /// Call again if the tool is read-only or idempotent, else fail with `in_doubt`.
    #[default]
    Auto,
    /// Call again, whatever the tool says.
    Retry,
    /// Fail with `in_doubt`.
    Fail,
}

/// Holds or not, given what is known. Operands are templates.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Condition {
    /// Both are the same JSON.
    Equals(Payload, Payload),
    /// The first is greater: numbers, or texts by code point.
    Greater(Payload, Payload),
    /// There is something other than `null` at this JSON pointer.
    Exists(String),
    /// None of it holds.
    Not(Box<Condition>),
    /// All hold.
    All(Vec<Condition>),
    /// At least one holds.
    Any(Vec<Condition>),
}

impl Plan {
    /// Every broken place of this plan; empty when it can run.
    pub fn faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        let mut fault = |pointer: String, reason: &str| {
            faults.push(Fault {
                pointer,
                reason: reason.to_owned(),
            });
        };
        if self.steps.is_empty() || self.steps.len() > STEPS_MAX {
            fault("/steps".to_owned(), "a plan has 1 to 1000 steps");
        }
        let mut names = HashSet::new();
        for (index, step) in self.steps.iter().enumerate() {
            if !names.insert(&step.name) {
                fault(format!("/steps/{index}/name"), "another step has this name");
            }
            if !step.arguments.as_value().is_object() {
                fault(format!("/steps/{index}/arguments"), "expected an object");
            }
            if !(1..=ATTEMPTS_MAX).contains(&step.retry.max_attempts) {
                fault(
                    format!("/steps/{index}/retry/max_attempts"),
                    "expected 1 to 20",
                );
            }
            if step.retry.backoff_ms > BACKOFF_MS_MAX {
                fault(
                    format!("/steps/{index}/retry/backoff_ms"),
                    "expected at most 3600000",
                );
            }
        }
        faults
    }
}
