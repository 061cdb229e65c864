use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use cofferdam_toolbox::{Labels, Skipped};
use cofferdam_types::Failure;
use cofferdam_wire::component::{ComponentView, SkippedView};

use crate::answer::Answer;
use crate::body;
use crate::error::Refusal;
use crate::extract::{Allowed, FromQuery, Pairs, Publish, Query};
use crate::services::Services;

/// What a component may be called on the way.
const TYPES: [&str; 2] = ["application/wasm", "application/octet-stream"];

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

/// Adds a component; the same bytes twice are there once.
pub(crate) async fn publish(
    caller: Allowed<Publish>,
    State(services): State<Arc<Services>>,
    Query(labels): Query<Labels>,
    request: Request,
) -> Result<Answer<ComponentView>, Refusal> {
    body::check_type(request.headers(), &TYPES)?;
    let bytes = body::read(request, body::COMPONENT).await?;
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
    let answer = Answer::with_status(
        status,
        ComponentView {
            component: published.component,
            version: published.version,
            digest: published.digest,
            tools: published.tools,
            skipped: published.skipped.into_iter().map(skipped).collect(),
            imports: published.imports,
            created: published.created,
        },
    );
    Ok(match place {
        Some(place) => answer.at(place),
        None => answer,
    })
}

fn skipped(skipped: Skipped) -> SkippedView {
    SkippedView {
        export: skipped.export,
        reason: skipped.reason,
    }
}
