use cofferdam_store_api::{RunFilter, TaskFilter};
use cofferdam_types::caller::Caller;
use cofferdam_types::page::{PAGE_ITEMS_MAX, Page, PageRequest};
use cofferdam_types::run::Run;
use cofferdam_types::task::Task;
use cofferdam_types::{RunId, TaskId};

use crate::engine::Engine;
use crate::error::Error;

impl Engine {
    /// One task. **Errors**: [`Error::NoTask`].
    pub async fn task(&self, caller: &Caller, id: &TaskId) -> Result<Task, Error> {
        let task = self.shared.stores.tasks.get(&caller.tenant, id).await?;
        task.ok_or(Error::NoTask(*id))
    }

    /// The caller's tenant's tasks, newest first.
    pub async fn tasks(
        &self,
        caller: &Caller,
        filter: &TaskFilter,
        page: &PageRequest<TaskId>,
    ) -> Result<Page<Task, TaskId>, Error> {
        let tasks = &self.shared.stores.tasks;
        Ok(tasks.list(&caller.tenant, filter, &bounded(page)).await?)
    }

    /// One run. **Errors**: [`Error::NoRun`].
    pub async fn run(&self, caller: &Caller, id: &RunId) -> Result<Run, Error> {
        let run = self.shared.stores.runs.get(&caller.tenant, id).await?;
        run.ok_or(Error::NoRun(*id))
    }

    /// The caller's tenant's runs, newest first.
    pub async fn runs(
        &self,
        caller: &Caller,
        filter: &RunFilter,
        page: &PageRequest<RunId>,
    ) -> Result<Page<Run, RunId>, Error> {
        let runs = &self.shared.stores.runs;
        Ok(runs.list(&caller.tenant, filter, &bounded(page)).await?)
    }
}

fn bounded<K: Clone>(page: &PageRequest<K>) -> PageRequest<K> {
    PageRequest {
        after: page.after.clone(),
        limit: page.limit.clamp(1, PAGE_ITEMS_MAX),
    }
}
