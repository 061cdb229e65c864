use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::header::HeaderValue;
use axum::http::{HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use cofferdam_toolbox::{Addition, Labels, Published, Skipped, Stage};
use cofferdam_types::caller::Caller;
use cofferdam_types::{Digest, Failure};
use cofferdam_wire::component::{AdditionStatus, AdditionView, ComponentView, SkippedView};

use crate::answer::Answer;
use crate::body;
use crate::error::Refusal;
use crate::extract::{Allowed, FromQuery, IdPath, Pairs, Preferences, Publish, Query};
use crate::services::Services;

/// What a component may be called on the way.
const TYPES: [&str; 2] = ["application/wasm", "application/octet-stream"];

/// The preference for an answer before the work is done.
const RESPOND_ASYNC: &str = "respond-async";
const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");

impl FromQuery for Labels {
    fn from_query(pairs: &mut Pairs) -> Result<Self, Failure> {
        Ok(Self {
            name: pairs.take("name")?,
            version: pairs.take("version")?,
            exports: pairs.take_all("export"),
            fallback_name: pairs.take("fallback_name")?,
        })
    }
}

/// Adds a component; the same bytes twice are there once. 202 at once for a client that prefers so.
pub(crate) async fn publish(
    caller: Allowed<Publish>,
    State(services): State<Arc<Services>>,
    preferences: Preferences,
    Query(labels): Query<Labels>,
    request: Request,
) -> Result<Response, Refusal> {
    body::check_type(request.headers(), &TYPES)?;
    let bytes = body::read(request, body::COMPONENT).await?;
    if preferences.has(RESPOND_ASYNC) {
        let answer = begin(&caller, &services, labels, &bytes).await?;
        let applied = HeaderValue::from_static(RESPOND_ASYNC);
        return Ok(([(PREFERENCE_APPLIED, applied)], answer).into_response());
    }
    let published = services.toolbox.publish(&caller, labels, &bytes).await?;
    let (status, place) = match (published.created, published.tools.first()) {
        (true, Some(tool)) => {
            let tool = tool.as_str().replacen('/', "__", 1);
            let place = format!("/api/v1/tools/{tool}?version={}", published.version);
            (StatusCode::CREATED, Some(place))
        }
        (true, None) => (StatusCode::CREATED, None),
        (false, _) => (StatusCode::OK, None),
    };
    let answer = Answer::with_status(status, view(published));
    Ok(match place {
        Some(place) => answer.at(place).into_response(),
        None => answer.into_response(),
    })
}

/// How far the adding of a component is.
pub(crate) async fn show(
    caller: Allowed<Publish>,
    State(services): State<Arc<Services>>,
    IdPath(digest): IdPath<Digest>,
) -> Result<Answer<AdditionView>, Refusal> {
    let addition = services.toolbox.addition(&caller, &digest).await?;
    Ok(Answer::ok(progress(addition)))
}

async fn begin(
    caller: &Caller,
    services: &Services,
    labels: Labels,
    bytes: &Bytes,
) -> Result<Answer<AdditionView>, Refusal> {
    let addition = services
        .toolbox
        .begin_publishing(caller, labels, bytes)
        .await?;
    let place = format!("/api/v1/components/{}", addition.digest);
    Ok(Answer::with_status(StatusCode::ACCEPTED, progress(addition)).at(place))
}

fn progress(addition: Addition) -> AdditionView {
    let Addition {
        digest,
        stage,
        since,
    } = addition;
    let (status, component, error) = match stage {
        Stage::Inspecting => (AdditionStatus::Inspecting, None, None),
        Stage::Compiling => (AdditionStatus::Compiling, None, None),
        Stage::Registering => (AdditionStatus::Registering, None, None),
        Stage::Ready(published) => (AdditionStatus::Ready, Some(view(published)), None),
        Stage::Failed(failure) => (AdditionStatus::Failed, None, Some(failure)),
    };
    AdditionView {
        digest,
        status,
        since,
        component,
        error,
    }
}

fn view(published: Published) -> ComponentView {
    ComponentView {
        component: published.component,
        version: published.version,
        digest: published.digest,
        tools: published.tools,
        skipped: published.skipped.into_iter().map(skipped).collect(),
        imports: published.imports,
        created: published.created,
    }
}

fn skipped(skipped: Skipped) -> SkippedView {
    SkippedView {
        export: skipped.export,
        reason: skipped.reason,
    }
}
