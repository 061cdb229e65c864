use async_trait::async_trait;
use cofferdam_store_api::{Append, Claimed, RunFilter, Runs, StoreError};
use cofferdam_types::page::{Page, PageRequest};
use cofferdam_types::run::Run;
use cofferdam_types::{AgentId, RunId, Tenant, Timestamp};
use redis::Cmd;

use crate::record;
use crate::script::{self, RUN_APPEND, RUN_CANCEL, RUN_CLAIM, RUN_CREATE};
use crate::store::Tables;
use crate::tasks;

/// A run is a hash: its record as the last append wrote it, and beside it the fields that change
/// without one, which stand above the record's own.
#[async_trait]
impl Runs for Tables {
    async fn create(&self, first: Append<'_>) -> Result<(), StoreError> {
        first.check()?;
        let (run, next) = (first.run, Next::of(&first)?);
        let keys = [
            self.names.run(&run.id),
            self.names.events(&run.id),
            self.names.task(&run.task_id),
            self.names.runs(&run.tenant),
            self.names.runs_of_task(&run.task_id),
            self.names.unfinished(),
            self.names.tasks(&run.tenant, Some("")),
        ];
        let cancel = flag(run.cancel_requested);
        let mut arguments = next.head();
        arguments.push(cancel.as_bytes());
        arguments.extend(next.rest());
        self.write(&RUN_CREATE, &keys, &arguments).await?;
        Ok(())
    }

    async fn get(&self, tenant: &Tenant, id: &RunId) -> Result<Option<Run>, StoreError> {
        let kept: Kept = self.link.command(&fields(&self.names.run(id))).await?;
        let run = run(kept)?;
        Ok(run.filter(|run| run.tenant == *tenant))
    }

    async fn list(
        &self,
        tenant: &Tenant,
        filter: &RunFilter,
        page: &PageRequest<RunId>,
    ) -> Result<Page<Run, RunId>, StoreError> {
        let list = match &filter.task_id {
            Some(task) => self.names.runs_of_task(task),
            None => self.names.runs(tenant),
        };
        let (ids, next) = self.newest(&list, page).await?;
        let mut fetch = redis::pipe();
        for id in &ids {
            fetch.add_command(fields(&self.names.run(id)));
        }
        let kept: Vec<Kept> = self.link.pipeline(&fetch).await?;
        let runs = kept.into_iter().map(run).collect::<Result<Vec<_>, _>>()?;
        // All runs of a task belong to its tenant, so a page is all theirs or all another's.
        let items: Vec<_> = runs
            .into_iter()
            .flatten()
            .filter(|run| run.tenant == *tenant)
            .collect();
        let next = next.filter(|_| !items.is_empty());
        Ok(Page { items, next })
    }

    async fn claim(
        &self,
        tenant: &Tenant,
        id: &RunId,
        agent: &AgentId,
    ) -> Result<Claimed, StoreError> {
        let keys = [self.names.run(id), format!("{}task:", self.names.lead())];
        let (tenant, agent) = (tenant.to_string(), agent.to_string());
        let arguments = [tenant.as_bytes(), agent.as_bytes()];
        let (code, kept, task): (i64, Kept, Option<Vec<u8>>) =
            self.link.script(&RUN_CLAIM, &keys, &arguments).await?;
        script::answer(code)?;
        let run = run(kept)?.ok_or_else(|| record::unreadable("runs", "it has no record"))?;
        let task = task.ok_or_else(|| StoreError::Damaged(format!("{id} has no task")))?;
        let task = record::decode("tasks", &task)?;
        Ok(Claimed { run, task })
    }

    async fn append(&self, next: Append<'_>) -> Result<(), StoreError> {
        next.check()?;
        let (run, next) = (next.run, Next::of(&next)?);
        let keys = [
            self.names.run(&run.id),
            self.names.events(&run.id),
            self.names.task(&run.task_id),
            self.names.unfinished(),
            self.names.tasks(&run.tenant, Some("")),
        ];
        let mut arguments = next.head();
        arguments.extend(next.rest());
        self.write(&RUN_APPEND, &keys, &arguments).await?;
        Ok(())
    }

    async fn request_cancel(
        &self,
        tenant: &Tenant,
        id: &RunId,
        at: Timestamp,
    ) -> Result<Run, StoreError> {
        let keys = [self.names.run(id)];
        let (tenant, at) = (tenant.to_string(), at.as_millis().to_string());
        let arguments = [tenant.as_bytes(), at.as_bytes()];
        let (code, kept): (i64, Kept) = self.link.script(&RUN_CANCEL, &keys, &arguments).await?;
        script::answer(code)?;
        run(kept)?.ok_or_else(|| record::unreadable("runs", "it has no record"))
    }

    async fn unfinished(
        &self,
        page: &PageRequest<RunId>,
    ) -> Result<Page<(Tenant, RunId), RunId>, StoreError> {
        // Members are `ID TENANT`: nothing of the id `after` sorts behind a `~`.
        let from = page
            .after
            .map_or_else(|| "-".to_owned(), |after| format!("({after}~"));
        let count = isize::try_from(page.items_max() + 1).unwrap_or(isize::MAX);
        let range = Cmd::zrangebylex_limit(self.names.unfinished(), from, "+", 0, count);
        let members: Vec<String> = self.link.command(&range).await?;
        let items = members.iter().map(|member| {
            let place = member
                .split_once(' ')
                .and_then(|(id, tenant)| Some((tenant.parse().ok()?, id.parse().ok()?)));
            place.ok_or_else(|| record::unreadable("runs:unfinished", member))
        });
        let items: Vec<(Tenant, RunId)> = items.collect::<Result<_, _>>()?;
        Ok(Page::cut(items, page.items_max(), |item| item.1))
    }
}

/// Record, epoch, agent, cancel, updated; all absent for a run that is not there.
type Kept = (
    Option<Vec<u8>>,
    Option<u64>,
    Option<String>,
    Option<String>,
    Option<u64>,
);

fn fields(key: &str) -> Cmd {
    Cmd::hmget(key, &["record", "epoch", "agent", "cancel", "updated"])
}

fn run((text, epoch, agent, cancel, updated): Kept) -> Result<Option<Run>, StoreError> {
    let Some(text) = text else { return Ok(None) };
    let run: Run = record::decode("runs", &text)?;
    let agent = agent.filter(|agent| !agent.is_empty());
    let agent_id = agent.map(|agent| agent.parse()).transpose();
    Ok(Some(Run {
        epoch: epoch.unwrap_or(run.epoch),
        agent_id: agent_id.map_err(|error| record::unreadable("runs", error))?,
        cancel_requested: cancel.as_deref() == Some(flag(true)),
        updated_at: updated.map_or(run.updated_at, Timestamp::from_millis),
        ..run
    }))
}

fn flag(is_set: bool) -> &'static str {
    if is_set { "1" } else { "0" }
}

/// The parts of an append as the scripts take them.
struct Next {
    head: [String; 9],
    task: [String; 3],
    events: Vec<[String; 2]>,
}

impl Next {
    fn of(append: &Append<'_>) -> Result<Self, StoreError> {
        let run = append.run;
        let task = match append.task {
            None => Default::default(),
            Some(task) => {
                let fields = tasks::Fields::of(task)?;
                [fields.status.to_owned(), fields.updated, fields.record]
            }
        };
        let events = append.events.iter().map(|event| {
            let text = record::encode(event)?;
            Ok([event.seq.to_string(), text])
        });
        Ok(Self {
            head: [
                run.id.to_string(),
                run.tenant.to_string(),
                run.task_id.to_string(),
                flag(run.status.is_terminal()).to_owned(),
                record::encode(run)?,
                run.epoch.to_string(),
                run.updated_at.as_millis().to_string(),
                run.agent_id.map(|id| id.to_string()).unwrap_or_default(),
                run.seq.to_string(),
            ],
            task,
            events: events.collect::<Result<_, StoreError>>()?,
        })
    }

    fn head(&self) -> Vec<&[u8]> {
        self.head.iter().map(String::as_bytes).collect()
    }

    fn rest(&self) -> impl Iterator<Item = &[u8]> {
        let events = self.events.iter().flatten();
        self.task.iter().chain(events).map(String::as_bytes)
    }
}
