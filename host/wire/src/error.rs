//! The body of every answer that is not a success.

use cofferdam_types::Failure;
use serde::{Deserialize, Serialize};

/// The error body, the same over HTTP and from the command line's `--json`.
///
/// **Shape**: `{"error": {"code", "message", "details"}, "detail": message}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ErrorBody {
    /// What went wrong.
    pub error: Failure,
    /// The message once more, for clients that look here.
    pub detail: String,
}

impl From<Failure> for ErrorBody {
    fn from(error: Failure) -> Self {
        Self {
            detail: error.message.clone(),
            error,
        }
    }
}

impl From<ErrorBody> for Failure {
    fn from(body: ErrorBody) -> Self {
        body.error
    }
}
