//! Requests of this same process, which need no connection.

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response};
use bytes::Bytes;
use futures::Stream;
use tower::ServiceExt;

/// Answers a request as a connection would.
///
/// **Cancel**: dropping the future, or the body of its answer, stops the call that it waits for.
pub async fn answer(
    router: Router,
    request: Request<Bytes>,
) -> Response<impl Stream<Item = Result<Bytes, axum::Error>> + Send + 'static> {
    let answered = router.oneshot(request.map(Body::from)).await;
    let response = answered.unwrap_or_else(|never| match never {});
    response.map(Body::into_data_stream)
}
