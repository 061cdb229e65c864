//! Answers as JSON.

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, HeaderValue, LOCATION};
use axum::http::{Response as HttpResponse, StatusCode};
use axum::response::{IntoResponse, Response};
use cofferdam_types::{Code, Failure};
use serde::Serialize;

use crate::error::Refusal;

/// Room for a small answer with its usage, so that most are written without growing.
const ANSWER_BYTES: usize = 1_024;

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// A JSON body with its status.
pub(crate) struct Answer<T> {
    status: StatusCode,
    location: Option<String>,
    body: T,
}

impl<T: Serialize> Answer<T> {
    /// 200.
    pub(crate) fn ok(body: T) -> Self {
        Self::with_status(StatusCode::OK, body)
    }

    pub(crate) fn with_status(status: StatusCode, body: T) -> Self {
        Self {
            status,
            location: None,
            body,
        }
    }

    /// The same answer, and where the thing it speaks of is.
    pub(crate) fn at(self, location: String) -> Self {
        Self {
            location: Some(location),
            ..self
        }
    }
}

impl<T: Serialize> IntoResponse for Answer<T> {
    fn into_response(self) -> Response {
        let mut text = Vec::with_capacity(ANSWER_BYTES);
        if let Err(error) = serde_json::to_writer(&mut text, &self.body) {
            // Every view is JSON by its type; an error body is too, so this doesn't go round.
            tracing::error!(%error, "an answer is not JSON");
            return Refusal::from(Failure::new(Code::Internal, "the answer can't be written"))
                .into_response();
        }
        let mut response = HttpResponse::new(Body::from(text));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, JSON);
        // Locations are made of ids and names, which hold nothing a header can't.
        if let Some(place) = self.location.and_then(|place| place.try_into().ok()) {
            headers.insert(LOCATION, place);
        }
        response
    }
}
