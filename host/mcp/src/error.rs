//! The one mapping from the house's codes to JSON-RPC's.

use cofferdam_types::{Code, Failure};
use rmcp::model::{ErrorCode, ErrorData};
use serde_json::json;

/// Something of the server that JSON-RPC has no word for; `data.code` says what.
const SERVER_ERROR: ErrorCode = ErrorCode(-32000);

/// Most of a name that is repeated in a message, in characters.
const QUOTED_CHARS_MAX: usize = 128;

/// A failure that is no tool's: there is no result that could carry it.
pub(crate) fn of(failure: Failure) -> ErrorData {
    let code = match failure.code {
        Code::InvalidInput | Code::NotFound => ErrorCode::INVALID_PARAMS,
        Code::Internal => {
            tracing::error!(%failure, details = ?failure.details, "a bug was met");
            ErrorCode::INTERNAL_ERROR
        }
        _ => SERVER_ERROR,
    };
    let data = json!({"code": failure.code.as_str(), "details": failure.details});
    ErrorData::new(code, failure.message, Some(data))
}

pub(crate) fn unknown_method(method: &str) -> ErrorData {
    let message = format!("there is no method `{}`", quoted(method));
    ErrorData::new(ErrorCode::METHOD_NOT_FOUND, message, None)
}

pub(crate) fn unknown_tool(name: &str) -> ErrorData {
    of(Failure::not_found("tool", quoted(name)))
}

/// `params` that are not what the method takes, at a place below them.
pub(crate) fn invalid_params(pointer: &str, reason: &str) -> ErrorData {
    of(Failure::invalid_at(pointer, reason))
}

fn quoted(text: &str) -> String {
    text.chars()
        .filter(|letter| !letter.is_control())
        .take(QUOTED_CHARS_MAX)
        .collect()
}
