use std::ops::Bound;

use async_trait::async_trait;
use cofferdam_store_api::{StoreError, TaskFilter, Tasks};
use cofferdam_types::page::{Page, PageRequest};
use cofferdam_types::task::Task;
use cofferdam_types::{TaskId, Tenant, Timestamp};

use crate::tables::Memory;

#[async_trait]
impl Tasks for Memory {
    async fn create(&self, task: &Task) -> Result<(), StoreError> {
        let mut tables = self.tables();
        if tables.tasks.contains_key(&task.id) {
            return Err(StoreError::Conflict);
        }
        tables.tasks.insert(task.id, task.clone());
        Ok(())
    }

    async fn get(&self, tenant: &Tenant, id: &TaskId) -> Result<Option<Task>, StoreError> {
        let tables = self.tables();
        let own = tables.tasks.get(id).filter(|task| task.tenant == *tenant);
        Ok(own.cloned())
    }

    async fn list(
        &self,
        tenant: &Tenant,
        filter: &TaskFilter,
        page: &PageRequest<TaskId>,
    ) -> Result<Page<Task, TaskId>, StoreError> {
        let tables = self.tables();
        let below = page.after.map_or(Bound::Unbounded, Bound::Excluded);
        let fetched = tables
            .tasks
            .range((Bound::Unbounded, below))
            .rev()
            .map(|(_, task)| task)
            .filter(|task| task.tenant == *tenant)
            .filter(|task| filter.status.is_none_or(|status| status == task.status))
            .take(page.items_max() + 1)
            .cloned()
            .collect();
        Ok(Page::cut(fetched, page.items_max(), |task: &Task| task.id))
    }

    async fn update(&self, task: &Task, expected: Timestamp) -> Result<(), StoreError> {
        let mut tables = self.tables();
        let live = tables.live.contains_key(&task.id);
        let kept = tables
            .tasks
            .get_mut(&task.id)
            .filter(|kept| kept.tenant == task.tenant)
            .ok_or(StoreError::Missing)?;
        if live || kept.updated_at != expected {
            return Err(StoreError::Conflict);
        }
        *kept = task.clone();
        Ok(())
    }
}
