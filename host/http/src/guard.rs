//! What every request passes before its route.

use std::any::Any;
use std::task::{Context, Poll};

use axum::extract::Request;
use axum::http::header::{HOST, HeaderMap, ORIGIN};
use axum::response::{IntoResponse, Response};
use cofferdam_types::{Code, Failure};
use futures::future::{Either, Ready, ready};
use tower::{Layer, Service};

use crate::body::only;
use crate::error::Refusal;

/// Refuses requests that a web page of another site makes a browser send: the key is no defence
/// where a browser or a proxy adds it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SameOrigin;

#[derive(Debug, Clone)]
pub(crate) struct SameOriginService<S>(S);

impl<S> Layer<S> for SameOrigin {
    type Service = SameOriginService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        SameOriginService(inner)
    }
}

impl<S: Service<Request, Response = Response>> Service<Request> for SameOriginService<S> {
    type Response = Response;
    type Error = S::Error;
    type Future = Either<S::Future, Ready<Result<Response, S::Error>>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        if is_same_origin(request.headers()) {
            return Either::Left(self.0.call(request));
        }
        let failure = Failure::new(
            Code::Forbidden,
            "the request comes from a web page of another site",
        );
        Either::Right(ready(Ok(Refusal::from(failure).into_response())))
    }
}

/// True without an `Origin`, and for one whose host and port are those of `Host`.
pub(crate) fn is_same_origin(headers: &HeaderMap) -> bool {
    if !headers.contains_key(ORIGIN) {
        return true;
    }
    let (Some(origin), Some(host)) = (only(headers, &ORIGIN), only(headers, &HOST)) else {
        return false;
    };
    let (default, authority) = match origin.split_once("://") {
        Some(("http", authority)) => (":80", authority),
        Some(("https", authority)) => (":443", authority),
        _ => return false,
    };
    let bare = |text: &str| {
        text.strip_suffix(default)
            .unwrap_or(text)
            .to_ascii_lowercase()
    };
    bare(authority) == bare(host)
}

/// What a caller gets when a handler panicked. The panic itself is caught, so that the connection
/// and the host live on.
#[expect(
    clippy::needless_pass_by_value,
    reason = "the layer hands the panic over"
)]
pub(crate) fn panicked(panic: Box<dyn Any + Send>) -> Response {
    let text = panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_default();
    tracing::error!(panic = text, "a handler panicked");
    Refusal::from(Failure::new(
        Code::Internal,
        "the host met a bug; it is logged",
    ))
    .into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins() {
        for (origin, host, same) in [
            ("http://127.0.0.1:8000", "127.0.0.1:8000", true),
            ("http://localhost:8000", "LOCALHOST:8000", true),
            ("http://example.org", "example.org:80", true),
            ("https://example.org:443", "example.org", true),
            ("http://example.org:443", "example.org", false),
            ("http://127.0.0.1:8001", "127.0.0.1:8000", false),
            ("http://127.0.0.1:8000.evil.org", "127.0.0.1:8000", false),
            ("http://evil.org", "127.0.0.1:8000", false),
            ("null", "127.0.0.1:8000", false),
            ("", "127.0.0.1:8000", false),
            ("file://127.0.0.1:8000", "127.0.0.1:8000", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(HOST, host.parse().expect("a header"));
            assert!(is_same_origin(&headers));
            headers.insert(ORIGIN, origin.parse().expect("a header"));
            assert_eq!(is_same_origin(&headers), same, "{origin} {host}");
            headers.append(ORIGIN, origin.parse().expect("a header"));
            assert!(!is_same_origin(&headers), "two origins");
        }
    }
}
