use std::ops::Bound;

use async_trait::async_trait;
use cofferdam_store_api::{Append, Claimed, RunFilter, Runs, StoreError};
use cofferdam_types::page::{Page, PageRequest};
use cofferdam_types::run::Run;
use cofferdam_types::task::TaskStatus;
use cofferdam_types::{AgentId, RunId, Tenant, Timestamp};

use crate::tables::{Log, Memory, Tables};

#[async_trait]
impl Runs for Memory {
    async fn create(&self, first: Append<'_>) -> Result<(), StoreError> {
        first.check()?;
        let run = first.run;
        let mut tables = self.tables();
        if tables.runs.contains_key(&run.id) || first.events[0].seq != 1 {
            return Err(StoreError::Conflict);
        }
        let task = tables
            .tasks
            .get(&run.task_id)
            .filter(|task| task.tenant == run.tenant)
            .ok_or(StoreError::Missing)?;
        if task.status == TaskStatus::Cancelled || tables.live.contains_key(&run.task_id) {
            return Err(StoreError::Conflict);
        }
        let log = Log {
            head: run.clone(),
            events: Vec::new(),
        };
        tables.runs.insert(run.id, log);
        tables.write(&first);
        Ok(())
    }

    async fn get(&self, tenant: &Tenant, id: &RunId) -> Result<Option<Run>, StoreError> {
        let mut tables = self.tables();
        Ok(tables.log(tenant, id).ok().map(|log| log.head.clone()))
    }

    async fn list(
        &self,
        tenant: &Tenant,
        filter: &RunFilter,
        page: &PageRequest<RunId>,
    ) -> Result<Page<Run, RunId>, StoreError> {
        let tables = self.tables();
        let below = page.after.map_or(Bound::Unbounded, Bound::Excluded);
        let fetched = tables
            .runs
            .range((Bound::Unbounded, below))
            .rev()
            .map(|(_, log)| &log.head)
            .filter(|run| run.tenant == *tenant)
            .filter(|run| filter.task_id.is_none_or(|task| task == run.task_id))
            .take(page.items_max() + 1)
            .cloned()
            .collect();
        Ok(Page::cut(fetched, page.items_max(), |run: &Run| run.id))
    }

    async fn claim(
        &self,
        tenant: &Tenant,
        id: &RunId,
        agent: &AgentId,
    ) -> Result<Claimed, StoreError> {
        let mut tables = self.tables();
        let run = &mut tables.log(tenant, id)?.head;
        if run.status.is_terminal() {
            return Err(StoreError::Conflict);
        }
        run.epoch += 1;
        run.agent_id = Some(*agent);
        let run = run.clone();
        let task = tables.tasks.get(&run.task_id).cloned();
        let task = task.ok_or_else(|| StoreError::Damaged(format!("{id} has no task")))?;
        Ok(Claimed { run, task })
    }

    async fn append(&self, next: Append<'_>) -> Result<(), StoreError> {
        next.check()?;
        let mut tables = self.tables();
        let head = &tables.log(&next.run.tenant, &next.run.id)?.head;
        let follows = next.events[0].seq == head.seq + 1;
        if head.status.is_terminal() || head.epoch != next.run.epoch || !follows {
            return Err(StoreError::Stale);
        }
        if head.task_id != next.run.task_id {
            return Err(StoreError::Conflict);
        }
        tables.write(&next);
        Ok(())
    }

    async fn request_cancel(
        &self,
        tenant: &Tenant,
        id: &RunId,
        at: Timestamp,
    ) -> Result<Run, StoreError> {
        let mut tables = self.tables();
        let run = &mut tables.log(tenant, id)?.head;
        if !run.status.is_terminal() && !run.cancel_requested {
            run.cancel_requested = true;
            run.updated_at = at;
        }
        Ok(run.clone())
    }

    async fn unfinished(
        &self,
        page: &PageRequest<RunId>,
    ) -> Result<Page<(Tenant, RunId), RunId>, StoreError> {
        let tables = self.tables();
        let above = page.after.map_or(Bound::Unbounded, Bound::Excluded);
        let fetched = tables
            .runs
            .range((above, Bound::Unbounded))
            .filter(|(_, log)| !log.head.status.is_terminal())
            .take(page.items_max() + 1)
            .map(|(id, log)| (log.head.tenant.clone(), *id))
            .collect();
        Ok(Page::cut(
            fetched,
            page.items_max(),
            |item: &(Tenant, RunId)| item.1,
        ))
    }
}

impl Tables {
    /// The tenant's run of that id.
    fn log(&mut self, tenant: &Tenant, id: &RunId) -> Result<&mut Log, StoreError> {
        self.runs
            .get_mut(id)
            .filter(|log| log.head.tenant == *tenant)
            .ok_or(StoreError::Missing)
    }

    /// Carries out a write that was found to be right.
    fn write(&mut self, next: &Append<'_>) {
        let run = next.run;
        if let Some(log) = self.runs.get_mut(&run.id) {
            let cancel_requested = log.head.cancel_requested;
            log.events.extend_from_slice(next.events);
            log.head = Run {
                cancel_requested,
                ..run.clone()
            };
        }
        if run.status.is_terminal() {
            self.live.remove(&run.task_id);
        } else {
            self.live.insert(run.task_id, run.id);
        }
        if let Some(task) = next.task {
            self.tasks.insert(task.id, task.clone());
        }
    }
}
