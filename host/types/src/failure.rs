//! The closed set of errors that leave the host, the same at every door.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// What went wrong, in one word. The set is closed; clients match on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// The request breaks its schema; `details.faults` points at each place.
    InvalidInput,
    /// No credential, or one that is not known.
    Unauthenticated,
    /// The caller's role does not allow this.
    Forbidden,
    /// Policy does not grant the capability.
    PolicyDenied,
    /// There is no such thing in the caller's tenant.
    NotFound,
    /// It clashes with what is there.
    Conflict,
    /// It was cancelled.
    Cancelled,
    /// The caller's expectation of the current state does not hold.
    PreconditionFailed,
    /// The request is larger than its limit.
    TooLarge,
    /// The file is not a component this host runs.
    ComponentInvalid,
    /// Too many requests.
    RateLimited,
    /// The tool answered with its own error.
    ToolError,
    /// The tool's answer breaks its own schema.
    InvalidOutput,
    /// The tool's code trapped.
    Trap,
    /// The tool used up its fuel.
    FuelExhausted,
    /// The tool needed more memory than its limit.
    MemoryExceeded,
    /// The tool's answer is larger than its limit.
    OutputTooLarge,
    /// Another limit was reached; `details.limit` names it.
    LimitExceeded,
    /// The deadline passed.
    Timeout,
    /// A neighbour answered wrongly.
    UpstreamError,
    /// The host can't take this now; safe to repeat.
    Unavailable,
    /// The host is broken: a bug whenever it is seen.
    Internal,
}

/// Whose fault it is; only [`Family::Host`] pages anyone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// The caller is wrong.
    Caller,
    /// The tool failed or was stopped.
    Tool,
    /// The host or a neighbour is broken.
    Host,
}

impl Code {
    /// Every code, in the order of the documentation.
    pub const ALL: [Self; 22] = [
        Self::InvalidInput,
        Self::Unauthenticated,
        Self::Forbidden,
        Self::PolicyDenied,
        Self::NotFound,
        Self::Conflict,
        Self::Cancelled,
        Self::PreconditionFailed,
        Self::TooLarge,
        Self::ComponentInvalid,
        Self::RateLimited,
        Self::ToolError,
        Self::InvalidOutput,
        Self::Trap,
        Self::FuelExhausted,
        Self::MemoryExceeded,
        Self::OutputTooLarge,
        Self::LimitExceeded,
        Self::Timeout,
        Self::UpstreamError,
        Self::Unavailable,
        Self::Internal,
    ];

    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidInput => "invalid_input",
            Self::Unauthenticated => "unauthenticated",
            Self::Forbidden => "forbidden",
            Self::PolicyDenied => "policy_denied",
            Self::NotFound => "not_found",
            Self::Conflict => "conflict",
            Self::Cancelled => "cancelled",
            Self::PreconditionFailed => "precondition_failed",
            Self::TooLarge => "too_large",
            Self::ComponentInvalid => "component_invalid",
            Self::RateLimited => "rate_limited",
            Self::ToolError => "tool_error",
            Self::InvalidOutput => "invalid_output",
            Self::Trap => "trap",
            Self::FuelExhausted => "fuel_exhausted",
            Self::MemoryExceeded => "memory_exceeded",
            Self::OutputTooLarge => "output_too_large",
            Self::LimitExceeded => "limit_exceeded",
            Self::Timeout => "timeout",
            Self::UpstreamError => "upstream_error",
            Self::Unavailable => "unavailable",
            Self::Internal => "internal",
        }
    }

    /// Whose fault it is.
    pub fn family(self) -> Family {
        match self {
            Self::InvalidInput
            | Self::Unauthenticated
            | Self::Forbidden
            | Self::PolicyDenied
            | Self::NotFound
            | Self::Conflict
            | Self::Cancelled
            | Self::PreconditionFailed
            | Self::TooLarge
            | Self::ComponentInvalid
            | Self::RateLimited => Family::Caller,
            Self::ToolError
            | Self::InvalidOutput
            | Self::Trap
            | Self::FuelExhausted
            | Self::MemoryExceeded
            | Self::OutputTooLarge
            | Self::LimitExceeded
            | Self::Timeout => Family::Tool,
            Self::UpstreamError | Self::Unavailable | Self::Internal => Family::Host,
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An error as it leaves the host: a code for programs, a sentence for people, facts for both.
///
/// **Shape**: `message` is one short sentence that says what to do where there is something to do;
/// `details` is a JSON object. Neither holds secrets, host paths or inner error chains.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[error("{code}: {message}")]
pub struct Failure {
    /// What went wrong.
    pub code: Code,
    /// For people.
    pub message: String,
    /// For programs; the keys depend on the code.
    #[serde(default)]
    pub details: Map<String, Value>,
}

/// One broken place in a request.
///
/// **Shape**: `pointer` is an RFC 6901 JSON pointer into the request, `""` for all of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// Where.
    pub pointer: String,
    /// What is wrong there.
    pub reason: String,
}

impl Failure {
    /// A failure without details.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            details: Map::new(),
        }
    }

    /// The same failure with one more detail.
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.details.insert(key.to_owned(), value.into());
        self
    }

    /// `invalid_input` with every broken place.
    pub fn invalid_input(message: impl Into<String>, faults: &[Fault]) -> Self {
        Self::new(Code::InvalidInput, message).with("faults", json!(faults))
    }

    /// `invalid_input` with one broken place.
    pub fn invalid_at(pointer: impl Into<String>, reason: impl Into<String>) -> Self {
        let fault = Fault {
            pointer: pointer.into(),
            reason: reason.into(),
        };
        let place = if fault.pointer.is_empty() {
            "the input"
        } else {
            &fault.pointer
        };
        Self::invalid_input(
            format!("{place}: {}", fault.reason),
            std::slice::from_ref(&fault),
        )
    }

    /// `not_found` of a named thing.
    pub fn not_found(kind: &str, id: impl fmt::Display) -> Self {
        Self::new(Code::NotFound, format!("there is no {kind} `{id}`"))
    }

    /// `limit_exceeded` with the limit's name and value.
    pub fn limit(limit: &str, value: u64, message: impl Into<String>) -> Self {
        Self::new(Code::LimitExceeded, message)
            .with("limit", limit)
            .with("value", value)
    }
}
