use cofferdam_types::call::Denial;
use cofferdam_types::failure::Fault;
use cofferdam_types::{Code, Failure};
use serde_json::{Value, json};
use thiserror::Error as ThisError;

/// A limit that has no code of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// Open handles.
    Handles,
    /// Allocation on the host for one host call.
    HostAlloc,
    /// Random bytes of one host call.
    RandomBytes,
    /// Time, memory or processor time of compiling.
    Compile,
    /// Bytes written to files.
    Disk,
    /// Files and directories made.
    Files,
    /// Directories deep.
    Depth,
    /// Number of some item of a component, as the inspection counts it.
    Structure,
    /// What a program that the tool started used of the machine.
    Program(cofferdam_process::Limit),
}

impl Limit {
    /// The word in `details.limit`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Handles => "handles",
            Self::HostAlloc => "host_alloc",
            Self::RandomBytes => "random_bytes",
            Self::Compile => "compile",
            Self::Disk => "disk",
            Self::Files => "files",
            Self::Depth => "depth",
            Self::Structure => "structure",
            Self::Program(limit) => limit.as_str(),
        }
    }
}

impl From<cofferdam_files::Limit> for Limit {
    fn from(limit: cofferdam_files::Limit) -> Self {
        match limit {
            cofferdam_files::Limit::Disk => Self::Disk,
            cofferdam_files::Limit::Files => Self::Files,
            cofferdam_files::Limit::Depth => Self::Depth,
            cofferdam_files::Limit::Handles => Self::Handles,
        }
    }
}

/// Why a component was not accepted or a call ended without a result.
#[derive(Debug, Clone, PartialEq, ThisError)]
pub enum Error {
    /// The file is no component that this host runs.
    #[error("{0}")]
    Component(String),
    /// The arguments don't fit the function's types.
    #[error("these are no arguments of this tool")]
    Arguments(Vec<Fault>),
    /// An author's WIT can't be read.
    #[error("the WIT can't be read: {0}")]
    Wit(String),
    /// The tool's own error.
    #[error("{message}")]
    Tool {
        /// The tool's word.
        code: String,
        /// The tool's sentence.
        message: String,
        /// The same call may succeed later.
        retryable: bool,
        /// The tool's facts.
        details: Value,
    },
    /// The guest's code trapped.
    #[error("the tool crashed: {reason}")]
    Trap {
        /// The engine's word for it.
        reason: String,
    },
    /// The guest ended its own process.
    #[error("the tool exited with status {0} instead of answering")]
    Exit(i32),
    /// All fuel is burnt.
    #[error("the tool used up its fuel of {0}")]
    Fuel(u64),
    /// A memory or table could not grow, and the guest gave up.
    #[error("the tool needs more than its {0} bytes of memory")]
    Memory(u64),
    /// The result is longer than its limit.
    #[error("the tool's result is larger than {0} bytes")]
    Output(u64),
    /// Another limit.
    #[error("the limit of {value} for {} is reached", limit.as_str())]
    Limit {
        /// Which.
        limit: Limit,
        /// Its value, in its own unit.
        value: u64,
    },
    /// The deadline passed.
    #[error("the deadline of {0} ms passed")]
    Timeout(u64),
    /// The guest reached for something it was not granted and can't go on without.
    #[error("{}", .0.reason)]
    Denied(Box<Denial>),
    /// The result is not JSON text.
    #[error("the tool's result is not valid: {0}")]
    InvalidOutput(String),
    /// The workspace is not there.
    #[error("the workspace does not exist; create its directory first")]
    NoWorkspace,
    /// The workspace is there and can't be used.
    #[error("{0}")]
    Workspace(&'static str),
    /// Too many calls wait already, or all guests together hold all memory set aside for them.
    #[error("{0}")]
    Busy(&'static str),
    /// The host is broken.
    #[error("the sandbox failed")]
    Internal(String),
}

impl Error {
    pub(crate) fn engine(error: impl std::fmt::Display) -> Self {
        Self::Internal(format!("the engine: {error}"))
    }

    /// How much text of the tool's own this error carries, in bytes.
    pub(crate) fn text_bytes(&self) -> u64 {
        match self {
            Self::Tool {
                code,
                message,
                details,
                ..
            } => {
                let details = match details {
                    Value::Null => 0,
                    Value::String(text) => text.len(),
                    other => other.to_string().len(),
                };
                (code.len() + message.len() + details) as u64
            }
            _ => 0,
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let message = error.to_string();
        let plain = |code| Failure::new(code, message.clone());
        match error {
            Error::Component(_) => plain(Code::ComponentInvalid),
            Error::Wit(_) => plain(Code::InvalidInput),
            Error::Arguments(faults) => Failure::invalid_input(message, &faults),
            Error::Tool {
                code,
                retryable,
                details,
                ..
            } => {
                let failure = plain(Code::ToolError)
                    .with("tool_code", code)
                    .with("retryable", retryable);
                if details.is_null() {
                    failure
                } else {
                    failure.with("tool_details", details)
                }
            }
            Error::Trap { reason } => plain(Code::Trap).with("trap", reason),
            Error::Exit(status) => plain(Code::Trap)
                .with("trap", "exit")
                .with("status", status),
            Error::Fuel(fuel) => plain(Code::FuelExhausted).with("fuel", fuel),
            Error::Memory(bytes) => plain(Code::MemoryExceeded).with("memory_bytes", bytes),
            Error::Output(bytes) => plain(Code::OutputTooLarge).with("result_bytes", bytes),
            Error::Limit { limit, value } => Failure::limit(limit.as_str(), value, message),
            Error::Timeout(ms) => plain(Code::Timeout).with("deadline_ms", ms),
            Error::Denied(denial) => plain(Code::PolicyDenied).with("denials", json!([denial])),
            Error::InvalidOutput(_) => plain(Code::InvalidOutput),
            Error::NoWorkspace => plain(Code::NotFound),
            Error::Workspace(_) => plain(Code::Conflict),
            Error::Busy(_) => plain(Code::Unavailable),
            Error::Internal(detail) => {
                tracing::error!(detail, "the sandbox failed");
                Failure::new(Code::Internal, "the host failed; its log says why")
            }
        }
    }
}
