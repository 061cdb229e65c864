use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use cofferdam_wire::component::ComponentView;

use crate::answer::Answer;
use crate::body;
use crate::error::Refusal;
use crate::extract::{Allowed, Publish};
use crate::services::Services;

/// What a component may be called on the way.
const TYPES: [&str; 2] = ["application/wasm", "application/octet-stream"];

/// Adds a component; the same bytes twice are there once.
pub(crate) async fn publish(
    caller: Allowed<Publish>,
    State(services): State<Arc<Services>>,
    request: Request,
) -> Result<Answer<ComponentView>, Refusal> {
    body::check_type(request.headers(), &TYPES)?;
    let bytes = body::read(request, body::COMPONENT).await?;
    let published = services.toolbox.publish(&caller, &bytes).await?;
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
            imports: published.imports,
            created: published.created,
        },
    );
    Ok(match place {
        Some(place) => answer.at(place),
        None => answer,
    })
}
