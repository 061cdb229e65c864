//! What a test stands on: stores that outlive hosts, a clock, and stores that fail as scripted.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use cofferdam_store_api::{
    Append, Claimed, RunFilter, Runs, StoreError, Stores, TaskFilter, Tasks,
};
use cofferdam_types::call::Origin;
use cofferdam_types::caller::Caller;
use cofferdam_types::page::{Page, PageRequest};
use cofferdam_types::plan::{OnInterrupt, Plan, Step};
use cofferdam_types::run::{Event, EventKind, Run};
use cofferdam_types::task::Task;
use cofferdam_types::{AgentId, Ambient, Payload, RunId, TaskId, Tenant, Timestamp};
use futures::future::BoxFuture;
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::time::Instant;

use super::double::Scripted;
use crate::{Engine, NewTask, Options};

/// Follows tokio's paused clock, from a time of its own.
pub(super) struct Clock {
    base: u64,
    started: Instant,
    random: Arc<AtomicU64>,
}

impl Ambient for Clock {
    fn now(&self) -> Timestamp {
        let passed = u64::try_from(self.started.elapsed().as_millis()).expect("short tests");
        Timestamp::from_millis(self.base + passed)
    }

    fn fill(&self, bytes: &mut [u8]) {
        // splitmix64: unlike any other, which is all that ids need here.
        for chunk in bytes.chunks_mut(8) {
            let mut z = self
                .random
                .fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::SeqCst);
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            chunk.copy_from_slice(&(z ^ (z >> 31)).to_le_bytes()[..chunk.len()]);
        }
    }
}

/// What happens to one append.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Fine,
    /// Not written; the writer is told so.
    Refused,
    /// Written, but the answer is lost.
    Unanswered,
    /// The host dies before it is written.
    DeathBefore,
    /// The host dies after it was written.
    DeathAfter,
}

/// Runs that fail as scripted, then work.
pub(super) struct Fateful {
    inner: Arc<dyn Runs>,
    tools: Arc<Scripted>,
    fates: Mutex<VecDeque<Fate>>,
    /// What happens to the next run that is made.
    pub(super) birth: Mutex<Fate>,
    /// How many guests had been stopped when a run was written to be cancelled.
    pub(super) stopped_by_then: AtomicU64,
    /// Told when the host is to die.
    pub(super) death: Notify,
}

impl Fateful {
    fn next(&self) -> Fate {
        let mut fates = self.fates.lock().expect("no test panics under it");
        fates.pop_front().unwrap_or(Fate::Fine)
    }

    async fn meet(
        &self,
        fate: Fate,
        write: impl Future<Output = Result<(), StoreError>>,
    ) -> Result<(), StoreError> {
        let lost = Err(StoreError::Unavailable("as scripted".to_owned()));
        match fate {
            Fate::Fine => write.await,
            Fate::Refused => lost,
            Fate::Unanswered => {
                write.await?;
                lost
            }
            Fate::DeathBefore => self.die().await,
            Fate::DeathAfter => {
                write.await?;
                self.die().await
            }
        }
    }

    async fn die(&self) -> ! {
        self.death.notify_one();
        std::future::pending().await
    }
}

#[async_trait]
impl Runs for Fateful {
    async fn create(&self, first: Append<'_>) -> Result<(), StoreError> {
        let birth = std::mem::replace(
            &mut *self.birth.lock().expect("no test panics under it"),
            Fate::Fine,
        );
        self.meet(birth, self.inner.create(first)).await
    }

    async fn get(&self, tenant: &Tenant, id: &RunId) -> Result<Option<Run>, StoreError> {
        self.inner.get(tenant, id).await
    }

    async fn list(
        &self,
        tenant: &Tenant,
        filter: &RunFilter,
        page: &PageRequest<RunId>,
    ) -> Result<Page<Run, RunId>, StoreError> {
        self.inner.list(tenant, filter, page).await
    }

    async fn claim(
        &self,
        tenant: &Tenant,
        id: &RunId,
        agent: &AgentId,
    ) -> Result<Claimed, StoreError> {
        self.inner.claim(tenant, id, agent).await
    }

    async fn append(&self, next: Append<'_>) -> Result<(), StoreError> {
        if next
            .events
            .iter()
            .any(|event| matches!(event.kind, EventKind::RunCancelled { .. }))
        {
            let stopped = u64::try_from(self.tools.stopped()).expect("few calls");
            self.stopped_by_then.store(stopped, Ordering::SeqCst);
        }
        self.meet(self.next(), self.inner.append(next)).await
    }

    async fn request_cancel(
        &self,
        tenant: &Tenant,
        id: &RunId,
        at: Timestamp,
    ) -> Result<Run, StoreError> {
        self.inner.request_cancel(tenant, id, at).await
    }

    async fn unfinished(
        &self,
        page: &PageRequest<RunId>,
    ) -> Result<Page<(Tenant, RunId), RunId>, StoreError> {
        self.inner.unfinished(page).await
    }
}

/// Tasks into which something else gets before they are updated for the first time.
pub(super) struct Meddled {
    pub(super) inner: Arc<dyn Tasks>,
    pub(super) before_update: Mutex<Option<BoxFuture<'static, ()>>>,
}

#[async_trait]
impl Tasks for Meddled {
    async fn create(&self, task: &Task) -> Result<(), StoreError> {
        self.inner.create(task).await
    }

    async fn get(&self, tenant: &Tenant, id: &TaskId) -> Result<Option<Task>, StoreError> {
        self.inner.get(tenant, id).await
    }

    async fn list(
        &self,
        tenant: &Tenant,
        filter: &TaskFilter,
        page: &PageRequest<TaskId>,
    ) -> Result<Page<Task, TaskId>, StoreError> {
        self.inner.list(tenant, filter, page).await
    }

    async fn update(&self, task: &Task, expected: Timestamp) -> Result<(), StoreError> {
        let meddle = self
            .before_update
            .lock()
            .expect("no test panics under it")
            .take();
        if let Some(meddle) = meddle {
            meddle.await;
        }
        self.inner.update(task, expected).await
    }
}

/// Outlives the hosts of a test.
pub(super) struct World {
    pub(super) stores: Stores,
    pub(super) tools: Arc<Scripted>,
    pub(super) caller: Caller,
    now: AtomicU64,
    random: Arc<AtomicU64>,
}

impl World {
    pub(super) fn new(tools: Scripted) -> Self {
        Self {
            stores: cofferdam_store_memory::open(),
            tools: Arc::new(tools),
            caller: Caller::local(),
            now: AtomicU64::new(1_800_000_000_000),
            random: Arc::default(),
        }
    }

    pub(super) fn clock(&self) -> Clock {
        Clock {
            base: self.now.load(Ordering::SeqCst),
            started: Instant::now(),
            random: Arc::clone(&self.random),
        }
    }

    /// A host on these stores, in the runtime of the caller.
    pub(super) async fn host(&self) -> Engine {
        self.host_with(Options::default(), self.stores.clone())
            .await
    }

    pub(super) async fn host_with(&self, options: Options, stores: Stores) -> Engine {
        let tools = Arc::clone(&self.tools);
        Engine::start(options, stores, tools, Arc::new(self.clock()))
            .await
            .expect("the memory store takes it")
    }

    /// These stores, with runs that fail as `fates` say, one for each append.
    pub(super) fn fateful(&self, fates: &[Fate]) -> (Stores, Arc<Fateful>) {
        let runs = Arc::new(Fateful {
            inner: Arc::clone(&self.stores.runs),
            tools: Arc::clone(&self.tools),
            birth: Mutex::new(Fate::Fine),
            stopped_by_then: AtomicU64::new(0),
            fates: Mutex::new(fates.iter().copied().collect()),
            death: Notify::new(),
        });
        let mut stores = self.stores.clone();
        stores.runs = runs.clone();
        (stores, runs)
    }

    /// One life of a host: `life` runs in a runtime of its own, which then ends with everything in
    /// it, as a killed process does.
    pub(super) fn live<T>(&self, life: impl Future<Output = T>) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .expect("a runtime can be made");
        let (answer, passed) = runtime.block_on(async {
            let started = Instant::now();
            (life.await, started.elapsed())
        });
        let passed = u64::try_from(passed.as_millis()).expect("short tests");
        self.now.fetch_add(passed + 1_000, Ordering::SeqCst);
        answer
    }

    pub(super) async fn task(&self, engine: &Engine, plan: Value) -> Task {
        engine
            .create_task(&self.caller, new_task(plan))
            .await
            .expect("the plan is valid")
    }

    /// Makes a task, runs it to its end.
    pub(super) async fn done(&self, engine: &Engine, plan: Value) -> Run {
        let task = self.task(engine, plan).await;
        let run = engine.start_run(&self.caller, &task.id).await;
        self.over(engine, &run.expect("it starts").id).await
    }

    pub(super) async fn over(&self, engine: &Engine, run: &RunId) -> Run {
        let wait = Duration::from_secs(100_000);
        let run = engine.wait(&self.caller, run, wait).await;
        let run = run.expect("the store works");
        assert!(run.status.is_terminal(), "{run:?}");
        run
    }

    pub(super) async fn log(&self, run: &RunId) -> Vec<Event> {
        let tenant = Tenant::default();
        let events = self.stores.events.read(&tenant, run, 0, 100_000);
        events.await.expect("the memory store works")
    }

    /// What must hold of a run that is over, whatever happened to its hosts.
    pub(super) async fn check(&self, id: &RunId) {
        let tenant = Tenant::default();
        let run = self.stores.runs.get(&tenant, id).await;
        let run = run.expect("the store works").expect("it is there");
        let task = self.stores.tasks.get(&tenant, &run.task_id).await;
        let task = task.expect("the store works").expect("it is there");
        let log = self.log(id).await;
        let numbers: Vec<_> = log.iter().map(|event| event.seq).collect();
        assert_eq!(numbers, (1..=run.seq).collect::<Vec<_>>());
        let ends: Vec<_> = log
            .iter()
            .filter(|event| event.kind.is_terminal())
            .map(|event| event.seq)
            .collect();
        assert_eq!(ends, [run.seq], "one last event");
        assert!(log.is_sorted_by_key(|event| event.at));
        assert_eq!(task.status.as_str(), run.status.as_str());
        assert_eq!(
            (&task.result, &task.error, &task.status_reason),
            (&run.result, &run.error, &run.status_reason)
        );
        self.check_calls(&task.plan, &run, &log);
    }

    fn check_calls(&self, plan: &Plan, run: &Run, log: &[Event]) {
        let mut started = BTreeSet::new();
        let mut open = None;
        let mut ended = BTreeSet::new();
        let mut epoch = 0;
        let mut attempts = BTreeMap::new();
        for event in log {
            match &event.kind {
                EventKind::RunStarted { epoch: new, .. } => {
                    assert!(*new > epoch, "epochs grow");
                    epoch = *new;
                }
                EventKind::StepStarted {
                    step,
                    attempt,
                    call_id,
                    ..
                } => {
                    assert!(!ended.contains(step), "{step} had ended");
                    let before = attempts.insert(step.clone(), *attempt).unwrap_or(0);
                    assert_eq!(*attempt, before + 1, "attempts count on");
                    if open.replace(call_id).is_some() {
                        let step = plan.steps.iter().find(|known| known.name == *step);
                        assert!(may_repeat(step.expect("of the plan")));
                    }
                    assert!(started.insert(call_id));
                }
                EventKind::StepCompleted { step, call_id, .. } => {
                    assert_eq!(open.take(), Some(call_id));
                    assert!(ended.insert(step.clone()));
                }
                EventKind::StepFailed { step, retry_at, .. } => {
                    open = None;
                    if retry_at.is_none() {
                        assert!(ended.insert(step.clone()));
                    }
                }
                EventKind::StepSkipped { step } => assert!(ended.insert(step.clone())),
                _ => {}
            }
        }
        assert_eq!(ended.len(), run.steps as usize);
        let mut seen = BTreeSet::new();
        for made in self.tools.made() {
            match &made.call.origin {
                Origin::Run { run_id, .. } if *run_id == run.id => {
                    assert!(started.contains(&made.id), "announced before it was made");
                    assert!(seen.insert(made.id), "no call is made twice");
                }
                _ => {}
            }
        }
    }
}

/// Test tools whose name begins so are read-only or idempotent.
fn may_repeat(step: &Step) -> bool {
    match step.on_interrupt {
        OnInterrupt::Auto => step.tool.name.as_str().starts_with("safe"),
        OnInterrupt::Retry => true,
        OnInterrupt::Fail => false,
    }
}

pub(super) fn new_task(plan: Value) -> NewTask {
    NewTask {
        title: "a task".to_owned(),
        description: String::new(),
        plan: serde_json::from_value(plan).expect("a plan"),
        parameters: Payload::from(json!({"who": "world", "n": 3})),
        workspace: None,
        security_requirements: None,
        execution_environment: None,
        priority: None,
        tags: Vec::new(),
    }
}

/// The words of the log's events, as on the wire, without those of the run.
pub(super) fn words(log: &[Event]) -> Vec<&'static str> {
    log.iter()
        .map(|event| event.kind.as_str())
        .filter(|word| word.starts_with("step."))
        .collect()
}
