//! The one mapping from error codes to HTTP.

use axum::http::header::{HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use cofferdam_types::{Code, Failure};
use cofferdam_wire::error::ErrorBody;

use crate::answer::Answer;

/// What to wait before trying again, in seconds: load passes faster, a restart takes longer.
const RETRY_AFTER_SECONDS: HeaderValue = HeaderValue::from_static("1");

const CHALLENGE: HeaderValue = HeaderValue::from_static("Bearer");

/// An answer that is not a success.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Refusal {
    pub(crate) failure: Failure,
    pub(crate) status: StatusCode,
}

impl Refusal {
    /// A fault of the request that HTTP has a finer status for than its code has.
    pub(crate) fn with_status(self, status: StatusCode) -> Self {
        Self { status, ..self }
    }
}

impl<E: Into<Failure>> From<E> for Refusal {
    fn from(error: E) -> Self {
        let failure = error.into();
        Self {
            status: status(failure.code),
            failure,
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let header: Option<(HeaderName, HeaderValue)> = match self.failure.code {
            Code::Unauthenticated => Some((WWW_AUTHENTICATE, CHALLENGE)),
            Code::Unavailable | Code::RateLimited => Some((RETRY_AFTER, RETRY_AFTER_SECONDS)),
            _ => None,
        };
        if self.failure.code == Code::Internal {
            tracing::error!(failure = %self.failure, details = ?self.failure.details, "a bug was met");
        }
        let mut response =
            Answer::with_status(self.status, ErrorBody::from(self.failure)).into_response();
        response.headers_mut().extend(header);
        response
    }
}

/// The status of a code.
fn status(code: Code) -> StatusCode {
    match code {
        Code::InvalidInput => StatusCode::BAD_REQUEST,
        Code::Unauthenticated => StatusCode::UNAUTHORIZED,
        Code::Forbidden | Code::PolicyDenied => StatusCode::FORBIDDEN,
        Code::NotFound => StatusCode::NOT_FOUND,
        Code::Conflict | Code::Cancelled => StatusCode::CONFLICT,
        Code::PreconditionFailed => StatusCode::PRECONDITION_FAILED,
        Code::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Code::RateLimited => StatusCode::TOO_MANY_REQUESTS,
        Code::ComponentInvalid
        | Code::ToolError
        | Code::InvalidOutput
        | Code::Trap
        | Code::FuelExhausted
        | Code::MemoryExceeded
        | Code::OutputTooLarge
        | Code::LimitExceeded => StatusCode::UNPROCESSABLE_ENTITY,
        Code::Timeout => StatusCode::GATEWAY_TIMEOUT,
        Code::UpstreamError => StatusCode::BAD_GATEWAY,
        Code::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Code::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_its_status() {
        let statuses = Code::ALL.map(|code| status(code).as_u16());
        assert_eq!(
            statuses,
            [
                400, 401, 403, 403, 404, 409, 409, 412, 413, 422, 429, 422, 422, 422, 422, 422,
                422, 422, 504, 502, 503, 500
            ]
        );
    }
}
