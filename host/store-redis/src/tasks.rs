use std::fmt::Display;
use std::str::FromStr;

use async_trait::async_trait;
use cofferdam_store_api::{StoreError, TaskFilter, Tasks};
use cofferdam_types::page::{Page, PageRequest};
use cofferdam_types::task::{Task, TaskStatus};
use cofferdam_types::{ParseError, TaskId, Tenant, Timestamp};
use redis::Cmd;

use crate::record;
use crate::script::{TASK_CREATE, TASK_UPDATE};
use crate::store::Tables;

#[async_trait]
impl Tasks for Tables {
    async fn create(&self, task: &Task) -> Result<(), StoreError> {
        let keys = [
            self.names.task(&task.id),
            self.names.tasks(&task.tenant, None),
            self.names.tasks(&task.tenant, Some(task.status.as_str())),
        ];
        let fields = Fields::of(task)?;
        self.write(&TASK_CREATE, &keys, &fields.arguments()).await?;
        Ok(())
    }

    async fn get(&self, tenant: &Tenant, id: &TaskId) -> Result<Option<Task>, StoreError> {
        let get = Cmd::hget(self.names.task(id), "record");
        let text: Option<Vec<u8>> = self.link.command(&get).await?;
        let task = text.map(|text| record::decode::<Task>("tasks", &text));
        Ok(task.transpose()?.filter(|task| task.tenant == *tenant))
    }

    async fn list(
        &self,
        tenant: &Tenant,
        filter: &TaskFilter,
        page: &PageRequest<TaskId>,
    ) -> Result<Page<Task, TaskId>, StoreError> {
        let status = filter.status.map(TaskStatus::as_str);
        let list = self.names.tasks(tenant, status);
        let (ids, next) = self.newest(&list, page).await?;
        let mut fetch = redis::pipe();
        for id in &ids {
            fetch.hget(self.names.task(id), "record");
        }
        let texts: Vec<Option<Vec<u8>>> = self.link.pipeline(&fetch).await?;
        let tasks = texts
            .into_iter()
            .flatten()
            .map(|text| record::decode("tasks", &text));
        let mut items: Vec<Task> = tasks.collect::<Result<_, _>>()?;
        // One may have changed since the ids were read.
        items.retain(|task| filter.status.is_none_or(|status| status == task.status));
        Ok(Page { items, next })
    }

    async fn update(&self, task: &Task, expected: Timestamp) -> Result<(), StoreError> {
        let keys = [
            self.names.task(&task.id),
            self.names.tasks(&task.tenant, Some("")),
        ];
        let fields = Fields::of(task)?;
        let expected = expected.as_millis().to_string();
        let mut arguments = fields.arguments();
        arguments.push(expected.as_bytes());
        self.write(&TASK_UPDATE, &keys, &arguments).await?;
        Ok(())
    }
}

/// What a task's hash holds, beside the id of its run that is not over.
pub(crate) struct Fields {
    id: String,
    tenant: String,
    pub(crate) status: &'static str,
    pub(crate) updated: String,
    pub(crate) record: String,
}

impl Fields {
    pub(crate) fn of(task: &Task) -> Result<Self, StoreError> {
        Ok(Self {
            id: task.id.to_string(),
            tenant: task.tenant.to_string(),
            status: task.status.as_str(),
            updated: task.updated_at.as_millis().to_string(),
            record: record::encode(task)?,
        })
    }

    fn arguments(&self) -> Vec<&[u8]> {
        let fields = [
            &self.id,
            &self.tenant,
            self.status,
            &self.updated,
            &self.record,
        ];
        fields.map(str::as_bytes).into()
    }
}

impl Tables {
    /// A page of the ids of a list, descending, and where the next one goes on.
    pub(crate) async fn newest<I>(
        &self,
        list: &str,
        page: &PageRequest<I>,
    ) -> Result<(Vec<I>, Option<I>), StoreError>
    where
        I: FromStr<Err = ParseError> + Display + Copy,
    {
        let from = page
            .after
            .as_ref()
            .map_or_else(|| "+".to_owned(), |after| format!("({after}"));
        let count = isize::try_from(page.items_max() + 1).unwrap_or(isize::MAX);
        let range = Cmd::zrevrangebylex_limit(list, from, "-", 0, count);
        let ids: Vec<String> = self.link.command(&range).await?;
        let ids = ids
            .iter()
            .map(|id| id.parse())
            .collect::<Result<Vec<I>, _>>();
        let ids = ids.map_err(|error| record::unreadable(list, error))?;
        let Page { items, next } = Page::cut(ids, page.items_max(), |id| *id);
        Ok((items, next))
    }
}
