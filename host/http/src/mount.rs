//! A door of another crate, mounted beside the API: behind the same keys and bounds, and for the
//! hosts and origins of a list alone.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Query, Request, State};
use axum::http::{Method, Response};
use axum::middleware::from_fn_with_state;
use axum::routing::any;
use bytes::Bytes;
use cofferdam_access::Access;
use cofferdam_types::workspace::{Access as Rights, Offer, Place};
use cofferdam_types::{Failure, WorkspaceName};
use futures::StreamExt;
use futures::future::Either;
use futures::stream::BoxStream;
use serde::Deserialize;
use tower::{Service, ServiceExt};
use tower_http::catch_panic::CatchPanicLayer;

use crate::allow::{self, Allow};
use crate::body;
use crate::error::Refusal;
use crate::extract::identify;
use crate::guard::panicked;

/// The body of an answer: all of it, or pieces as they come.
pub type Content = Either<Bytes, BoxStream<'static, Bytes>>;

/// What is mounted.
pub struct Mount<S> {
    /// Where.
    pub path: &'static str,
    /// Who calls.
    pub access: Arc<Access>,
    /// From where, and under which names of this host.
    pub allow: Allow,
    /// The door. Its requests have a whole and bounded body, and carry their caller and, where the
    /// address names a workspace, the offer of it.
    pub service: S,
}

/// A workspace in the address: `?workspace=reports&access=read_write`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Address {
    workspace: Option<WorkspaceName>,
    access: Option<Rights>,
}

/// The mounted door, to be merged with other routes.
pub fn mount<S>(mount: Mount<S>) -> Router
where
    S: Service<axum::http::Request<Bytes>, Response = Response<Content>, Error = Infallible>
        + Clone
        + Send
        + Sync
        + 'static,
    S::Future: Send,
{
    let Mount {
        path,
        access,
        allow,
        service,
    } = mount;
    Router::new()
        .route(path, any(pass::<S>))
        .with_state((access, service))
        .layer(from_fn_with_state(allow, allow::guard))
        .layer(CatchPanicLayer::custom(panicked))
}

async fn pass<S>(
    State((access, service)): State<(Arc<Access>, S)>,
    request: Request,
) -> Result<axum::response::Response, Refusal>
where
    S: Service<axum::http::Request<Bytes>, Response = Response<Content>, Error = Infallible>,
{
    let caller = identify(&access, request.headers()).await?;
    let offer = offer(&request)?;
    let (mut parts, body) = request.into_parts();
    let bytes = if parts.method == Method::POST {
        body::check_type(&parts.headers, &["application/json"])?;
        body::read_after(&parts.headers, body, body::JSON).await?
    } else {
        Bytes::new()
    };
    parts.extensions.insert(caller);
    if let Some(offer) = offer {
        parts.extensions.insert(offer);
    }
    let request = axum::http::Request::from_parts(parts, bytes);
    let Ok(response) = service.oneshot(request).await;
    Ok(response.map(|content| match content {
        Either::Left(bytes) => Body::from(bytes),
        Either::Right(pieces) => Body::from_stream(pieces.map(Ok::<_, Infallible>)),
    }))
}

/// The workspace that the address offers.
fn offer(request: &Request) -> Result<Option<Offer>, Failure> {
    if request.uri().query().is_none() {
        return Ok(None);
    }
    let address = Query::<Address>::try_from_uri(request.uri());
    let Query(Address { workspace, access }) =
        address.map_err(|error| Failure::invalid_at("/query", error.body_text()))?;
    match (workspace, access) {
        (None, Some(_)) => Err(Failure::invalid_at(
            "/query/access",
            "it is access to a workspace",
        )),
        (None, None) => Ok(None),
        (Some(name), access) => Ok(Some(Offer {
            place: Place::Named(name),
            access: access.unwrap_or(Rights::ReadOnly),
        })),
    }
}
