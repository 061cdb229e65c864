use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use cofferdam_engine::RunFilter;
use cofferdam_types::page::PageRequest;
use cofferdam_types::{Failure, RunId, TaskId};
use cofferdam_wire::page::PageView;
use cofferdam_wire::run::RunView;

use crate::answer::Answer;
use crate::error::Refusal;
use crate::extract::{
    Allowed, FromQuery, IdPath, NoBody, Pairs, Query, ReadTasks, RunTasks, fault_in,
};
use crate::services::Services;

/// Longest wait for a run in one request, in milliseconds: five minutes. A client that has more
/// patience reads the events, which also keep the connection busy.
const WAIT_MS_MAX: u64 = 300_000;

/// How long to wait for the run in place.
pub(crate) struct Wait(Duration);

impl FromQuery for Wait {
    fn from_query(pairs: &mut Pairs) -> Result<Self, Failure> {
        let wait_ms = pairs.take("wait_ms")?.unwrap_or(0);
        if wait_ms > WAIT_MS_MAX {
            let rule = format!("expected 0 to {WAIT_MS_MAX}");
            return Err(fault_in("query", "wait_ms", rule));
        }
        Ok(Self(Duration::from_millis(wait_ms)))
    }
}

/// Which runs a list holds.
pub(crate) struct RunsQuery {
    page: PageRequest<RunId>,
    filter: RunFilter,
}

impl FromQuery for RunsQuery {
    fn from_query(pairs: &mut Pairs) -> Result<Self, Failure> {
        Ok(Self {
            page: pairs.page()?,
            filter: RunFilter {
                task_id: pairs.take::<TaskId>("task_id")?,
            },
        })
    }
}

/// Starts a run: 200 when it was over within the wait, else 202. The run goes on when the client
/// goes away.
pub(crate) async fn start(
    caller: Allowed<RunTasks>,
    State(services): State<Arc<Services>>,
    IdPath(task): IdPath<TaskId>,
    Query(Wait(wait)): Query<Wait>,
    NoBody: NoBody,
) -> Result<Answer<RunView>, Refusal> {
    let mut run = services.engine.start_run(&caller, &task).await?;
    if !wait.is_zero() {
        run = services.engine.wait(&caller, &run.id, wait).await?;
    }
    let place = format!("/api/v1/runs/{}", run.id);
    let status = if run.status.is_terminal() {
        StatusCode::OK
    } else {
        StatusCode::ACCEPTED
    };
    Ok(Answer::with_status(status, run.into()).at(place))
}

/// Runs, newest first.
pub(crate) async fn list(
    caller: Allowed<ReadTasks>,
    State(services): State<Arc<Services>>,
    Query(query): Query<RunsQuery>,
) -> Result<Answer<PageView<RunView>>, Refusal> {
    let page = services
        .engine
        .runs(&caller, &query.filter, &query.page)
        .await?;
    Ok(Answer::ok(PageView::of(page, RunView::from)))
}

/// One run.
pub(crate) async fn show(
    caller: Allowed<ReadTasks>,
    State(services): State<Arc<Services>>,
    IdPath(id): IdPath<RunId>,
) -> Result<Answer<RunView>, Refusal> {
    Ok(Answer::ok(services.engine.run(&caller, &id).await?.into()))
}

/// Asks a run to stop.
pub(crate) async fn cancel(
    caller: Allowed<RunTasks>,
    State(services): State<Arc<Services>>,
    IdPath(id): IdPath<RunId>,
    NoBody: NoBody,
) -> Result<Answer<RunView>, Refusal> {
    Ok(Answer::ok(
        services.engine.cancel_run(&caller, &id).await?.into(),
    ))
}
