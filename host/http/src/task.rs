use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use cofferdam_engine::{NewTask, TaskFilter};
use cofferdam_types::page::PageRequest;
use cofferdam_types::{Failure, TaskId};
use cofferdam_wire::page::PageView;
use cofferdam_wire::task::{TaskCreate, TaskView};

use crate::answer::Answer;
use crate::error::Refusal;
use crate::extract::{
    Allowed, FromQuery, IdPath, ManageTasks, NoBody, Pairs, Query, ReadTasks, StrictJson,
};
use crate::services::Services;

/// Which tasks a list holds.
pub(crate) struct TasksQuery {
    page: PageRequest<TaskId>,
    filter: TaskFilter,
}

impl FromQuery for TasksQuery {
    fn from_query(pairs: &mut Pairs) -> Result<Self, Failure> {
        Ok(Self {
            page: pairs.page()?,
            filter: TaskFilter {
                status: pairs.take_word("status")?,
            },
        })
    }
}

/// Makes a task; a run of it is started apart.
pub(crate) async fn create(
    caller: Allowed<ManageTasks>,
    State(services): State<Arc<Services>>,
    StrictJson(task): StrictJson<TaskCreate>,
) -> Result<Answer<TaskView>, Refusal> {
    let new = NewTask {
        title: task.title,
        description: task.description,
        plan: task.plan,
        parameters: task.parameters,
        workspace: task.workspace.map(Into::into),
        security_requirements: task.security_requirements,
        execution_environment: task.execution_environment,
        priority: task.priority,
        tags: task.tags,
    };
    let view = TaskView::from(services.engine.create_task(&caller, new).await?);
    let place = format!("/api/v1/tasks/{}", view.task_id);
    Ok(Answer::with_status(StatusCode::CREATED, view).at(place))
}

/// Tasks, newest first.
pub(crate) async fn list(
    caller: Allowed<ReadTasks>,
    State(services): State<Arc<Services>>,
    Query(query): Query<TasksQuery>,
) -> Result<Answer<PageView<TaskView>>, Refusal> {
    let page = services
        .engine
        .tasks(&caller, &query.filter, &query.page)
        .await?;
    Ok(Answer::ok(PageView::of(page, TaskView::from)))
}

/// One task.
pub(crate) async fn show(
    caller: Allowed<ReadTasks>,
    State(services): State<Arc<Services>>,
    IdPath(id): IdPath<TaskId>,
) -> Result<Answer<TaskView>, Refusal> {
    Ok(Answer::ok(services.engine.task(&caller, &id).await?.into()))
}

/// Cancels a task and its run.
pub(crate) async fn cancel(
    caller: Allowed<ManageTasks>,
    State(services): State<Arc<Services>>,
    IdPath(id): IdPath<TaskId>,
    NoBody: NoBody,
) -> Result<Answer<TaskView>, Refusal> {
    Ok(Answer::ok(
        services.engine.cancel_task(&caller, &id).await?.into(),
    ))
}
