//! A run's log: as a stream that goes on where the client stopped, or as a page.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::{ACCEPT, HeaderName};
use axum::response::sse::{Event as Message, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use cofferdam_types::caller::Caller;
use cofferdam_types::page::PageRequest;
use cofferdam_types::run::Run;
use cofferdam_types::{Failure, RunId};
use cofferdam_wire::error::ErrorBody;
use cofferdam_wire::event::EventView;
use cofferdam_wire::page::PageView;
use futures::{StreamExt, TryStreamExt};
use serde::Serialize;

use crate::answer::Answer;
use crate::body::only;
use crate::error::Refusal;
use crate::extract::{Allowed, IdPath, Query, ReadTasks, fault_in};
use crate::services::Services;

/// How often a silent stream says that it lives: well below the 60 s after which common proxies
/// close a connection.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// The events after the one the client names: `Last-Event-ID`, which a browser sends when it
/// connects again, before `after`.
pub(crate) async fn list(
    caller: Allowed<ReadTasks>,
    State(services): State<Arc<Services>>,
    IdPath(id): IdPath<RunId>,
    Query(mut page): Query<PageRequest<u64>>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let run = services.engine.run(&caller, &id).await?;
    page.after = last_event(&headers, &id)?.or(page.after);
    if wants_json(&headers) {
        let page = read(&services, &caller, &run, &page).await?;
        return Ok(Answer::ok(page).into_response());
    }
    Ok(follow(&services, &caller, id, page.after.unwrap_or(0)))
}

/// The events that are there, without waiting for more.
async fn read(
    services: &Services,
    caller: &Caller,
    run: &Run,
    page: &PageRequest<u64>,
) -> Result<PageView<EventView>, Refusal> {
    let after = page.after.unwrap_or(0);
    let there = run.seq.saturating_sub(after);
    let count = there.min(u64::from(page.limit));
    let items: Vec<_> = services
        .engine
        .events(caller, &run.id, after)
        .take(usize::try_from(count).unwrap_or(usize::MAX))
        .map_ok(|event| EventView {
            run_id: run.id,
            event,
        })
        .try_collect()
        .await?;
    let last = items.last().map(|view| view.event.seq);
    let next = last.filter(|last| *last < run.seq);
    Ok(PageView {
        next: next.map(|seq| seq.to_string()),
        items,
    })
}

/// A stream of the events, which ends after the last one. When the host goes down first, its last
/// message is `stream.error`, and the client connects again.
fn follow(services: &Services, caller: &Caller, run_id: RunId, after: u64) -> Response {
    let messages = services
        .engine
        .events(caller, &run_id, after)
        .map(move |event| {
            Ok::<_, Infallible>(match event {
                Ok(event) => message(
                    event.kind.as_str(),
                    &EventView {
                        run_id,
                        event: event.clone(),
                    },
                )
                .id(format!("{run_id}:{}", event.seq)),
                Err(error) => message("stream.error", &ErrorBody::from(Failure::from(error))),
            })
        });
    let alive = KeepAlive::new().interval(KEEP_ALIVE);
    Sse::new(messages).keep_alive(alive).into_response()
}

fn message(name: &str, data: &impl Serialize) -> Message {
    // A view is JSON by its type.
    let text = serde_json::to_string(data).unwrap_or_else(|error| {
        tracing::error!(%error, "an event is not JSON");
        "null".to_owned()
    });
    Message::default().event(name).data(text)
}

/// The number in a `Last-Event-ID` of this run's stream.
fn last_event(headers: &HeaderMap, id: &RunId) -> Result<Option<u64>, Failure> {
    if !headers.contains_key(LAST_EVENT_ID) {
        return Ok(None);
    }
    let seq = only(headers, &LAST_EVENT_ID)
        .and_then(|text| text.rsplit_once(':'))
        .filter(|(run, _)| run.parse() == Ok(*id))
        .and_then(|(_, seq)| seq.parse().ok());
    match seq {
        Some(seq) => Ok(Some(seq)),
        None => Err(fault_in(
            "header",
            "Last-Event-ID",
            "expected `<run id>:<number>` of this run",
        )),
    }
}

/// True when the client asks for JSON and not for a stream.
fn wants_json(headers: &HeaderMap) -> bool {
    only(headers, &ACCEPT).is_some_and(|accept| {
        accept.contains("application/json") && !accept.contains("text/event-stream")
    })
}
