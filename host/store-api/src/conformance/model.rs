//! Random operations, carried out on two backends that must not differ: the one under test and
//! `store-memory`, which is simple enough to be right.

use cofferdam_types::agent::Agent;
use cofferdam_types::key_value::{Quota, When, Write};
use cofferdam_types::page::PageRequest;
use cofferdam_types::run::{Run, RunStatus};
use cofferdam_types::task::{Task, TaskStatus};
use cofferdam_types::{Digest, Tenant};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::Value;

use super::sample::{
    agent, agent_id, created, entry, events, key, key_id, later, run, run_id, secret, space,
    state_key, task, task_id, tenant, time,
};
use crate::{Append, AuditEntry, KeyRecord, RunFilter, Stores, TaskFilter};

mod tools;

pub use tools::ToolOp;

/// How many of each there are: few, so that operations meet.
const TENANTS: usize = 2;
const TASKS: u32 = 4;
const RUNS: u32 = 5;
const AGENTS: u32 = 2;
const KEYS: u32 = 2;
const BLOBS: u8 = 2;
/// Smaller than what is written, so that it is met.
const QUOTA: Quota = Quota {
    entries: 3,
    bytes: 8,
    value_bytes: 2,
};
/// Shorter than the lists get, so that they have pages.
const PAGE: u32 = 2;

/// One operation. `tag` makes records of the same key differ.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the fields are the operations' arguments")]
pub enum Op {
    Tool {
        owner: usize,
        op: ToolOp,
    },
    PutBlob {
        owner: usize,
        blob: u8,
        tag: u8,
    },
    PutAgent {
        owner: usize,
        agent: u32,
        tag: u8,
    },
    CreateKey {
        owner: usize,
        key: u32,
        tag: u8,
    },
    PutSecret {
        owner: usize,
        name: &'static str,
        version: u64,
        replaces: bool,
    },
    RemoveSecret {
        owner: usize,
        name: &'static str,
    },
    CreateTask {
        owner: usize,
        task: u32,
        parameters: Value,
    },
    UpdateTask {
        owner: usize,
        task: u32,
        status: TaskStatus,
        seen: u64,
        at: u64,
    },
    CreateRun {
        owner: usize,
        task: u32,
        run: u32,
        status: Option<TaskStatus>,
    },
    Claim {
        owner: usize,
        run: u32,
        agent: u32,
    },
    /// `late` and `ahead` move epoch and number away from what the store expects; `cancel` is what
    /// the driver believes, which the store must not.
    Append {
        owner: usize,
        run: u32,
        late: u64,
        ahead: u64,
        count: u64,
        status: RunStatus,
        task: Option<TaskStatus>,
        cancel: bool,
    },
    Cancel {
        owner: usize,
        run: u32,
        at: u64,
    },
    Audit {
        owner: usize,
        ahead: u64,
        count: u64,
    },
    /// `expected` is what the key has to hold; absent asks for nothing.
    State {
        owner: usize,
        key: &'static str,
        value: Option<u8>,
        expected: Option<Option<u8>>,
    },
}

/// Operations in a row, most of which the store accepts.
pub fn ops(count: std::ops::Range<usize>) -> impl Strategy<Value = Vec<Op>> {
    prop::collection::vec(op(), count)
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        2 => catalogue(),
        6 => (owner(), tools::op()).prop_map(|(owner, op)| Op::Tool { owner, op }),
        3 => tasks(),
        2 => (owner(), 0..TASKS, 0..RUNS, prop::option::of(task_status())).prop_map(
            |(owner, task, run, status)| Op::CreateRun { owner, task, run, status }
        ),
        2 => (owner(), 0..RUNS, 0..AGENTS)
            .prop_map(|(owner, run, agent)| Op::Claim { owner, run, agent }),
        5 => appends(),
        1 => (owner(), 0..RUNS, 0..9_u64)
            .prop_map(|(owner, run, at)| Op::Cancel { owner, run, at }),
        1 => (owner(), mostly_zero(), 0..3_u64)
            .prop_map(|(owner, ahead, count)| Op::Audit { owner, ahead, count }),
        3 => states(),
    ]
}

fn states() -> impl Strategy<Value = Op> {
    let key = select(vec!["a", "a/1", "a/2", "b"]);
    let value = || prop::option::of(0..3_u8);
    (owner(), key, value(), prop::option::of(value())).prop_map(|(owner, key, value, expected)| {
        Op::State {
            owner,
            key,
            value,
            expected,
        }
    })
}

fn catalogue() -> impl Strategy<Value = Op> {
    prop_oneof![
        (owner(), 0..BLOBS, any::<u8>()).prop_map(|(owner, blob, tag)| Op::PutBlob {
            owner,
            blob,
            tag
        }),
        (owner(), 0..AGENTS, any::<u8>()).prop_map(|(owner, agent, tag)| Op::PutAgent {
            owner,
            agent,
            tag
        }),
        (owner(), secret_name(), 0..4_u64, any::<bool>()).prop_map(
            |(owner, name, version, replaces)| Op::PutSecret {
                owner,
                name,
                version,
                replaces
            }
        ),
        (owner(), secret_name()).prop_map(|(owner, name)| Op::RemoveSecret { owner, name }),
        (owner(), 0..KEYS, any::<u8>()).prop_map(|(owner, key, tag)| Op::CreateKey {
            owner,
            key,
            tag
        }),
    ]
}

fn tasks() -> impl Strategy<Value = Op> {
    prop_oneof![
        2 => (owner(), 0..TASKS, json()).prop_map(|(owner, task, parameters)| Op::CreateTask {
            owner,
            task,
            parameters,
        }),
        1 => (owner(), 0..TASKS, task_status(), 0..2_u64, 0..2_u64).prop_map(
            |(owner, task, status, seen, at)| Op::UpdateTask { owner, task, status, seen, at }
        ),
    ]
}

fn appends() -> impl Strategy<Value = Op> {
    let status = prop_oneof![
        3 => Just(RunStatus::Running),
        1 => select(vec![RunStatus::Completed, RunStatus::Failed, RunStatus::Cancelled]),
    ];
    (
        owner(),
        0..RUNS,
        mostly_zero(),
        mostly_zero(),
        1..4_u64,
        status,
        prop::option::of(task_status()),
        any::<bool>(),
    )
        .prop_map(
            |(owner, run, late, ahead, count, status, task, cancel)| Op::Append {
                owner,
                run,
                late,
                ahead,
                count,
                status,
                task,
                cancel,
            },
        )
}

fn secret_name() -> impl Strategy<Value = &'static str> {
    select(vec!["a", "a-b", "a/b"])
}

fn owner() -> impl Strategy<Value = usize> {
    prop_oneof![4 => Just(0), 1 => 1..TENANTS]
}

fn mostly_zero() -> impl Strategy<Value = u64> {
    prop_oneof![5 => Just(0_u64), 1 => 1..3_u64]
}

fn task_status() -> impl Strategy<Value = TaskStatus> {
    select(vec![
        TaskStatus::Pending,
        TaskStatus::Queued,
        TaskStatus::Active,
        TaskStatus::Failed,
        TaskStatus::Cancelled,
    ])
}

/// Any JSON of few values.
fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::vec((any::<String>(), inner), 0..3)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

/// Carries out `ops` on both backends; panics where an answer or what can be read differs.
pub async fn compare(model: &Stores, subject: &Stores, ops: &[Op]) {
    for (index, op) in ops.iter().enumerate() {
        let expected = carry_out(model, op).await;
        let answer = carry_out(subject, op).await;
        assert_eq!(answer, expected, "operation {index}: {op:?}");
    }
    assert_eq!(content(subject).await, content(model).await);
}

fn tenants() -> [Tenant; TENANTS] {
    [tenant("alpha"), tenant("beta")]
}

#[expect(clippy::too_many_lines, reason = "one arm for each operation")]
async fn carry_out(stores: &Stores, op: &Op) -> String {
    let tenants = tenants();
    match op {
        Op::Tool { owner, op } => tools::carry_out(stores, &tenants[*owner], op).await,
        Op::PutBlob { owner, blob, tag } => {
            let digest = Digest::of(&[*blob]);
            let bytes = vec![*tag; usize::from(*tag)];
            text(stores.blobs.put(&tenants[*owner], &digest, &bytes).await)
        }
        Op::PutAgent {
            owner,
            agent: n,
            tag,
        } => {
            let agent = Agent {
                name: tag.to_string(),
                ..agent(&tenants[*owner], *n)
            };
            text(stores.agents.put(&agent).await)
        }
        Op::CreateKey { owner, key: n, tag } => {
            let key = KeyRecord {
                name: tag.to_string(),
                ..key(&tenants[*owner], *n)
            };
            text(stores.keys.create(&key).await)
        }
        Op::PutSecret {
            owner,
            name,
            version,
            replaces,
        } => {
            let next = secret(&tenants[*owner], name, *version);
            let kept = stores
                .secrets
                .get(&tenants[*owner], &next.head.name)
                .await
                .expect("a readable secret");
            let replaces = kept.filter(|_| *replaces).map(|kept| kept.head);
            text(stores.secrets.put(&next, replaces.as_ref()).await)
        }
        Op::RemoveSecret { owner, name } => {
            let name = name.parse().expect("a secret name");
            text(stores.secrets.remove(&tenants[*owner], &name).await)
        }
        Op::Claim { owner, run, agent } => {
            let (run, agent) = (run_id(*run), agent_id(*agent));
            text(stores.runs.claim(&tenants[*owner], &run, &agent).await)
        }
        Op::Cancel { owner, run, at } => {
            let run = run_id(*run);
            let answer = stores
                .runs
                .request_cancel(&tenants[*owner], &run, time(*at));
            text(answer.await)
        }
        Op::Audit {
            owner,
            ahead,
            count,
        } => {
            let last = stores.audit.last().await.expect("a readable audit");
            let from = last.map_or(0, |(seq, _)| seq) + 1 + ahead;
            let entries: Vec<_> = (from..from + count)
                .map(|seq| entry(&tenants[*owner], seq))
                .collect();
            text(stores.audit.append(&entries).await)
        }
        Op::State { .. } => write_state(stores, &tenants, op).await,
        Op::CreateTask { .. } | Op::UpdateTask { .. } => write_task(stores, &tenants, op).await,
        Op::CreateRun { .. } | Op::Append { .. } => write_run(stores, &tenants, op).await,
    }
}

async fn write_state(stores: &Stores, tenants: &[Tenant], op: &Op) -> String {
    let Op::State {
        owner,
        key,
        value,
        expected,
    } = op
    else {
        unreachable!("the caller sends the operations on state");
    };
    let bytes = |value: u8| vec![value; usize::from(value)];
    let write = Write {
        key: state_key(key),
        value: value.map(bytes),
        when: match expected {
            None => When::Always,
            Some(None) => When::Absent,
            Some(Some(value)) => When::Holds(bytes(*value)),
        },
    };
    let space = space(&tenants[*owner], "files");
    text(stores.key_values.write(&space, &write, &QUOTA).await)
}

async fn write_task(stores: &Stores, tenants: &[Tenant], op: &Op) -> String {
    match op {
        Op::CreateTask {
            owner,
            task: n,
            parameters,
        } => {
            let task = Task {
                parameters: parameters.clone().into(),
                ..task(&tenants[*owner], *n)
            };
            text(stores.tasks.create(&task).await)
        }
        Op::UpdateTask {
            owner,
            task: n,
            status,
            seen,
            at,
        } => {
            let task = Task {
                status: *status,
                updated_at: time(*at),
                ..task(&tenants[*owner], *n)
            };
            text(stores.tasks.update(&task, time(*seen)).await)
        }
        _ => unreachable!("the caller sends the operations on tasks"),
    }
}

async fn write_run(stores: &Stores, tenants: &[Tenant], op: &Op) -> String {
    match op {
        Op::CreateRun {
            owner,
            task: n,
            run: id,
            status,
        } => {
            let task = task(&tenants[*owner], *n);
            let run = run(&task, *id);
            let after = status.map(|status| Task { status, ..task });
            let first = Append {
                run: &run,
                task: after.as_ref(),
                events: &[created(&run)],
            };
            text(stores.runs.create(first).await)
        }
        Op::Append {
            owner,
            run: id,
            late,
            ahead,
            count,
            status,
            task: after,
            cancel,
        } => {
            let owner = &tenants[*owner];
            let head = stores.runs.get(owner, &run_id(*id)).await;
            let head = head.expect("a readable run");
            let head = head.unwrap_or_else(|| run(&task(owner, 0), *id));
            let next = Run {
                epoch: head.epoch.saturating_sub(*late),
                cancel_requested: *cancel,
                ..later(&head, ahead + count, *status)
            };
            let kept = stores.tasks.get(owner, &head.task_id).await;
            let kept = kept.expect("a readable task");
            let after = kept
                .zip(*after)
                .map(|(task, status)| Task { status, ..task });
            let append = Append {
                run: &next,
                task: after.as_ref(),
                events: &events(head.seq + ahead + 1, next.seq),
            };
            text(stores.runs.append(append).await)
        }
        _ => unreachable!("the caller sends the operations on runs"),
    }
}

fn text(answer: impl std::fmt::Debug) -> String {
    format!("{answer:?}")
}

/// All that can be read, one line for each answer.
async fn content(stores: &Stores) -> Vec<String> {
    let mut lines = Vec::new();
    for owner in &tenants() {
        lines.extend(tools::content(stores, owner).await);
        for n in 0..BLOBS {
            lines.push(text(stores.blobs.get(owner, &Digest::of(&[n])).await));
        }
        lines.push(text(stores.secrets.list(owner).await));
        for name in ["a", "a-b", "a/b"] {
            let name = name.parse().expect("a secret name");
            lines.push(text(stores.secrets.get(owner, &name).await));
        }
        for n in 0..AGENTS {
            lines.push(text(stores.agents.get(owner, &agent_id(n)).await));
        }
        for n in 0..TASKS {
            lines.push(text(stores.tasks.get(owner, &task_id(n)).await));
        }
        for n in 0..RUNS {
            lines.push(text(stores.runs.get(owner, &run_id(n)).await));
            lines.push(text(stores.events.read(owner, &run_id(n), 1, 3).await));
        }
        lines.extend(lists(stores, owner).await);
    }
    for n in 0..KEYS {
        lines.push(text(stores.keys.get(&key_id(n)).await));
    }
    lines.push(text(stores.audit.last().await));
    let mut after = None;
    while let Ok(page) = stores
        .runs
        .unfinished(&PageRequest { after, limit: PAGE })
        .await
    {
        lines.push(text(&page));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    lines
}

/// The first two pages of every list of one tenant.
async fn lists(stores: &Stores, owner: &Tenant) -> Vec<String> {
    let mut lines = Vec::new();
    let space = space(owner, "files");
    for prefix in ["", "a/"] {
        for after in [None, Some(state_key("a/1"))] {
            let page = PageRequest { after, limit: PAGE };
            lines.push(text(stores.key_values.list(&space, prefix, &page).await));
        }
    }
    for key in ["a", "a/1", "a/2", "b"] {
        lines.push(text(stores.key_values.get(&space, &state_key(key)).await));
    }
    for status in [None, Some(TaskStatus::Pending), Some(TaskStatus::Failed)] {
        let filter = TaskFilter { status };
        for after in [None, Some(task_id(1))] {
            let page = PageRequest { after, limit: PAGE };
            lines.push(text(stores.tasks.list(owner, &filter, &page).await));
        }
    }
    for task in [None, Some(0), Some(1)] {
        let task_id = task.map(task_id);
        for after in [None, Some(run_id(2))] {
            let page = PageRequest { after, limit: PAGE };
            let filter = RunFilter { task_id };
            lines.push(text(stores.runs.list(owner, &filter, &page).await));
        }
    }
    let mut after = None;
    while let Ok(page) = stores
        .audit
        .list(owner, &PageRequest { after, limit: PAGE })
        .await
    {
        lines.extend(page.items.iter().map(|entry: &AuditEntry| text(entry)));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    lines
}
