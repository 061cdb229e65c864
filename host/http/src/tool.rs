use std::sync::Arc;

use axum::extract::State;
use cofferdam_registry::Entry;
use cofferdam_types::authority::Authority;
use cofferdam_types::call::{Deaf, Origin, ToolCall};
use cofferdam_types::page::{Page, PageRequest};
use cofferdam_types::tool::ToolRef;
use cofferdam_types::{CallId, Failure, ToolName};
use cofferdam_wire::call::{CallAnswer, CallRequest};
use cofferdam_wire::page::PageView;
use cofferdam_wire::tool::ToolView;

use crate::answer::Answer;
use crate::error::Refusal;
use crate::extract::{
    Allowed, CallTools, FromQuery, Pairs, Query, ReadTools, StrictJson, ToolPath,
};
use crate::services::Services;

/// Which tools a list holds.
pub(crate) struct ToolsQuery {
    page: PageRequest<ToolName>,
    /// Only those whose name begins so.
    prefix: Option<String>,
}

impl FromQuery for ToolsQuery {
    fn from_query(pairs: &mut Pairs) -> Result<Self, Failure> {
        Ok(Self {
            page: pairs.page()?,
            prefix: pairs.take("prefix")?,
        })
    }
}

/// Tools by name, each in the version that a call without one would get.
pub(crate) async fn list(
    caller: Allowed<ReadTools>,
    State(services): State<Arc<Services>>,
    Query(query): Query<ToolsQuery>,
) -> Result<Answer<PageView<ToolView>>, Refusal> {
    let entries = services.toolbox.tools(&caller).await?;
    let names = names(&entries, &query);
    let page = Page::cut(names, query.page.items_max(), ToolName::clone);
    let mut views = Vec::with_capacity(page.items.len());
    for name in page.items {
        let tool = ToolRef { name, range: None };
        views.push(view(&*services.toolbox.tool(&caller, &tool).await?));
    }
    Ok(Answer::ok(PageView {
        items: views,
        next: page.next.map(|name| name.to_string()),
    }))
}

/// One tool, in the highest version of the range that was asked for.
pub(crate) async fn show(
    caller: Allowed<ReadTools>,
    State(services): State<Arc<Services>>,
    ToolPath(tool): ToolPath,
) -> Result<Answer<ToolView>, Refusal> {
    let entry = services.toolbox.tool(&caller, &tool).await?;
    Ok(Answer::ok(view(&entry)))
}

/// Runs a tool. A client that goes away drops this future, and with it the guest.
pub(crate) async fn call(
    caller: Allowed<CallTools>,
    State(services): State<Arc<Services>>,
    ToolPath(tool): ToolPath,
    StrictJson(request): StrictJson<CallRequest>,
) -> Result<Answer<CallAnswer>, Refusal> {
    let commit = request.commit()?;
    let call = ToolCall {
        id: CallId::generate(&*services.ambient),
        caller: caller.into_caller(),
        origin: Origin::Http,
        tool,
        arguments: request.arguments,
        workspace: request.workspace.map(Into::into),
        limits: request.limits,
        authority: Authority {
            environment: request.execution_environment,
            caller_delegates: request.delegate,
            ..Authority::default()
        },
        commit,
    };
    let outcome = services.toolbox.call(call, Arc::new(Deaf)).await;
    Ok(Answer::ok(CallAnswer::try_from(outcome)?))
}

/// The names after the page's cursor, each once, one more than the page holds.
fn names(entries: &[Arc<Entry>], query: &ToolsQuery) -> Vec<ToolName> {
    let prefix = query.prefix.as_deref().unwrap_or_default();
    let mut names: Vec<_> = entries
        .iter()
        .map(|entry| &entry.record().spec.name)
        .filter(|name| name.as_str().starts_with(prefix))
        .filter(|name| query.page.after.as_ref().is_none_or(|after| *name > after))
        .collect();
    names.dedup();
    let fetched = names.into_iter().take(query.page.items_max() + 1);
    fetched.cloned().collect()
}

fn view(entry: &Entry) -> ToolView {
    let record = entry.record();
    ToolView {
        spec: record.spec.clone(),
        component: record.component.clone(),
        digest: record.digest,
        created_at: record.created_at,
        created_by: record.created_by.clone(),
    }
}
