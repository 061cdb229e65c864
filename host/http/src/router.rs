//! Every route on one page.

use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::{get, post, put};
use cofferdam_types::{Code, Failure};
use tower_http::catch_panic::CatchPanicLayer;

use crate::error::Refusal;
use crate::guard::{SameOrigin, panicked};
use crate::services::Services;
use crate::{audit, component, event, health, policy, run, secret, task, tool};

/// The paths a client may put before a route. The second is for clients that know no version.
const PREFIXES: [&str; 2] = ["/api/v1", "/api"];

/// The whole API.
pub fn router(services: Services) -> Router {
    let mut router = Router::new().route("/healthz", get(health::show));
    for prefix in PREFIXES {
        router = router.merge(api(prefix));
    }
    guarded(
        router
            .fallback(no_route)
            .method_not_allowed_fallback(no_method)
            .with_state(Arc::new(services)),
    )
}

/// The same guards around any routes: a request of another site's page is refused, a panic is
/// answered.
pub fn guarded(router: Router) -> Router {
    router.layer((CatchPanicLayer::custom(panicked), SameOrigin))
}

/// The routes under one prefix. Written out instead of nested, since nesting rewrites the path of
/// every request.
fn api(prefix: &str) -> Router<Arc<Services>> {
    let at = |path: &str| format!("{prefix}{path}");
    Router::new()
        .route(&at("/health"), get(health::show))
        .route(&at("/tools"), get(tool::list))
        .route(&at("/tools/{tool}"), get(tool::show))
        .route(&at("/tools/{tool}/call"), post(tool::call))
        .route(&at("/components"), post(component::publish))
        .route(&at("/components/{digest}"), get(component::show))
        .route(&at("/audit"), get(audit::list))
        .route(&at("/audit/export"), get(audit::export))
        .route(&at("/audit/{id}"), get(audit::show))
        .route(&at("/policy"), get(policy::show))
        .route(&at("/policy/validate"), post(policy::validate))
        .route(&at("/policy/reload"), post(policy::reload))
        .route(&at("/policy/explain"), post(policy::explain))
        .route(&at("/policy/can"), post(policy::can))
        .route(&at("/policy/shadow"), post(policy::shadow))
        .route(&at("/secrets"), get(secret::list))
        .route(
            &at("/secrets/{name}"),
            put(secret::set).delete(secret::remove),
        )
        .route(&at("/secret-key/rotate"), post(secret::rotate_key))
        .route(&at("/tasks"), get(task::list).post(task::create))
        .route(&at("/tasks/{id}"), get(task::show))
        .route(&at("/tasks/{id}/cancel"), post(task::cancel))
        .route(&at("/tasks/{id}/runs"), post(run::start))
        .route(&at("/runs"), get(run::list))
        .route(&at("/runs/{id}"), get(run::show))
        .route(&at("/runs/{id}/events"), get(event::list))
        .route(&at("/runs/{id}/cancel"), post(run::cancel))
}

async fn no_route() -> Refusal {
    Failure::new(Code::NotFound, "there is no such route").into()
}

async fn no_method() -> Refusal {
    Refusal::from(Failure::invalid_at("", "this route has no such method"))
        .with_status(StatusCode::METHOD_NOT_ALLOWED)
}
