//! How a command ends when it doesn't end well.

use std::fmt::Display;
use std::path::Path;
use std::process::ExitCode;

use cofferdam_server::types::failure::Family;
use cofferdam_server::types::{Code, Failure};
use cofferdam_wire::error::ErrorBody;

pub(crate) type Result<T> = std::result::Result<T, Error>;

/// Why a command stops.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Error {
    /// Said by a host, or found by the command itself.
    Failure(Failure),
    /// Nobody reads what the command prints.
    Closed,
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

impl From<ErrorBody> for Error {
    fn from(body: ErrorBody) -> Self {
        Self::Failure(body.into())
    }
}

/// How a command ended, for scripts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// It did what it was asked.
    Done = 0,
    /// The tool or the run failed.
    Failed = 1,
    /// What was asked is wrong.
    Usage = 2,
    /// The caller or the tool may not.
    Denied = 3,
    /// The host can't be reached, or can't take it.
    Unavailable = 4,
    /// Interrupted from the keyboard, by the shells' convention.
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

impl From<Code> for Exit {
    fn from(code: Code) -> Self {
        match code {
            Code::Unauthenticated | Code::Forbidden | Code::PolicyDenied => Self::Denied,
            // Not the caller's fault in the end: the same command succeeds later.
            Code::RateLimited => Self::Unavailable,
            Code::Cancelled => Self::Failed,
            _ => match code.family() {
                Family::Caller => Self::Usage,
                Family::Tool => Self::Failed,
                Family::Host => Self::Unavailable,
            },
        }
    }
}

/// What was typed, or a file that was named, is not usable.
pub(crate) fn usage(message: impl Into<String>) -> Error {
    Failure::new(Code::InvalidInput, message).into()
}

/// The operating system refused to do something with a file.
pub(crate) fn file(verb: &str, path: &Path, error: &std::io::Error) -> Error {
    usage(format!("can't {verb} {}: {error}", path.display()))
}

/// This machine doesn't let the command do its work.
pub(crate) fn broken(what: &str, error: &dyn Display) -> Error {
    Failure::new(
        Code::Unavailable,
        format!("this program can't {what}: {error}"),
    )
    .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_ends_with_its_own_kind_of_status() {
        let of = |exit| {
            let codes = Code::ALL
                .into_iter()
                .filter(|code| Exit::from(*code) == exit);
            codes.map(Code::as_str).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(of(Exit::Done), "");
        assert_eq!(
            of(Exit::Failed),
            "cancelled tool_error invalid_output trap fuel_exhausted memory_exceeded \
             output_too_large limit_exceeded timeout"
        );
        assert_eq!(
            of(Exit::Usage),
            "invalid_input not_found conflict precondition_failed too_large component_invalid"
        );
        assert_eq!(of(Exit::Denied), "unauthenticated forbidden policy_denied");
        assert_eq!(
            of(Exit::Unavailable),
            "rate_limited upstream_error unavailable internal"
        );
    }
}
