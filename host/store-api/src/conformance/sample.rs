//! Records to work with: small, made from numbers, and the same every time.

use cofferdam_types::agent::{Agent, AgentType};
use cofferdam_types::audit::{Act, AuditRecord};
use cofferdam_types::call::Usage;
use cofferdam_types::caller::{Caller, Role};
use cofferdam_types::key_value::{Key, Owner, Space};
use cofferdam_types::limits::LimitRequest;
use cofferdam_types::page::PageRequest;
use cofferdam_types::plan::{OnError, OnInterrupt, Plan, Retry, Step};
use cofferdam_types::run::{Event, EventKind, Run, RunStatus};
use cofferdam_types::task::{Task, TaskStatus};
use cofferdam_types::tool::{SafetyFlags, ToolSpec, ToolUsage};
use cofferdam_types::{
    AgentId, CallId, Digest, KeyId, Payload, RunId, TaskId, Tenant, Timestamp, Version,
};
use serde_json::json;

use crate::{
    Append, AuditEntry, CallKey, KeyRecord, SealKeyId, SecretHead, SecretRecord, StoreError,
    Stores, Tool, ToolRecord,
};

/// A tenant by name.
pub fn tenant(name: &str) -> Tenant {
    name.parse().expect("a tenant name")
}

/// The `n`th point in time.
pub fn time(n: u64) -> Timestamp {
    Timestamp::from_millis(1_760_000_000_000 + n)
}

/// The space of the component `component`.
pub fn space(tenant: &Tenant, component: &str) -> Space {
    Space {
        tenant: tenant.clone(),
        owner: Owner::Tool(component.parse().expect("a component name")),
    }
}

/// A key.
pub fn state_key(text: &str) -> Key {
    text.parse().expect("a key")
}

fn uuid(n: u32) -> String {
    format!("0192f7a4-7c5e-7d2a-8f00-{n:012x}")
}

/// The `n`th task id; ids ascend with `n`.
pub fn task_id(n: u32) -> TaskId {
    uuid(n).parse().expect("a UUID")
}

/// The `n`th run id; ids ascend with `n`.
pub fn run_id(n: u32) -> RunId {
    uuid(n).parse().expect("a UUID")
}

/// The `n`th call id.
pub fn call_id(n: u32) -> CallId {
    uuid(n).parse().expect("a UUID")
}

/// The `n`th agent id.
pub fn agent_id(n: u32) -> AgentId {
    uuid(n).parse().expect("a UUID")
}

/// The `n`th key id.
pub fn key_id(n: u32) -> KeyId {
    uuid(n).parse().expect("a UUID")
}

/// A secret's `version`th value.
pub fn secret(tenant: &Tenant, name: &str, version: u64) -> SecretRecord {
    let head = SecretHead {
        tenant: tenant.clone(),
        name: name.parse().expect("a secret name"),
        version,
        created_at: time(0),
        rotated_at: time(version),
        key: SealKeyId::new([1; 8]),
    };
    SecretRecord {
        head,
        sealed: vec![0, 255, u8::try_from(version % 256).expect("a byte")],
    }
}

/// A pending task of one step.
pub fn task(tenant: &Tenant, n: u32) -> Task {
    Task {
        id: task_id(n),
        tenant: tenant.clone(),
        title: format!("task {n}"),
        description: String::new(),
        plan: Plan {
            steps: vec![Step {
                name: "read".parse().expect("a step name"),
                tool: "files-read@^1.2".parse().expect("a tool reference"),
                arguments: Payload::empty_object(),
                when: None,
                retry: Retry::default(),
                on_error: OnError::Continue,
                on_interrupt: OnInterrupt::Retry,
                limits: LimitRequest::default(),
            }],
            result: None,
        },
        parameters: Payload::null(),
        workspace: None,
        security_requirements: None,
        execution_environment: None,
        priority: 50,
        tags: vec!["demo".to_owned()],
        status: TaskStatus::Pending,
        status_reason: None,
        run_id: None,
        result: None,
        error: None,
        created_by: "local".to_owned(),
        created_at: time(0),
        updated_at: time(0),
    }
}

/// A queued run of a task, before its first event is stored.
pub fn run(task: &Task, n: u32) -> Run {
    Run {
        id: run_id(n),
        tenant: task.tenant.clone(),
        task_id: task.id,
        agent_id: None,
        status: RunStatus::Queued,
        status_reason: None,
        cancel_requested: false,
        result: None,
        error: None,
        usage: Usage::default(),
        steps: 0,
        seq: 1,
        epoch: 0,
        started_by: Caller {
            tenant: task.tenant.clone(),
            ..Caller::local()
        },
        created_at: time(0),
        updated_at: time(0),
    }
}

/// The first event of a run.
pub fn created(run: &Run) -> Event {
    Event {
        seq: 1,
        at: run.created_at,
        kind: EventKind::RunCreated {
            task_id: run.task_id,
            by: "local".to_owned(),
        },
    }
}

/// The event of that number: a step that was skipped.
pub fn event(seq: u64) -> Event {
    Event {
        seq,
        at: time(seq),
        kind: EventKind::StepSkipped {
            step: format!("step-{seq}").parse().expect("a step name"),
        },
    }
}

/// Events `from` to `to`, both included.
pub fn events(from: u64, to: u64) -> Vec<Event> {
    (from..=to).map(event).collect()
}

/// The head after `count` more events, in that state.
pub fn later(run: &Run, count: u64, status: RunStatus) -> Run {
    Run {
        seq: run.seq + count,
        status,
        updated_at: time(run.seq + count),
        ..run.clone()
    }
}

/// Stores the `n`th task and a queued run of it under the same number.
pub async fn started(stores: &Stores, tenant: &Tenant, n: u32) -> (Task, Run) {
    let task = task(tenant, n);
    let run = run(&task, n);
    stores.tasks.create(&task).await.expect("a free id");
    create(stores, &run).await;
    (task, run)
}

/// Stores a run that was just made.
pub async fn create(stores: &Stores, run: &Run) {
    let first = [created(run)];
    let append = Append {
        run,
        task: None,
        events: &first,
    };
    stores
        .runs
        .create(append)
        .await
        .expect("a task without a run");
}

/// Takes a run over and returns its head.
pub async fn claimed(stores: &Stores, run: &Run, agent: u32) -> Run {
    let agent = agent_id(agent);
    let claim = stores.runs.claim(&run.tenant, &run.id, &agent).await;
    claim.expect("a run that is not over").run
}

/// Ends a run that is driven by the writer of `head`.
pub async fn finish(stores: &Stores, head: &Run) -> Run {
    let over = later(head, 1, RunStatus::Completed);
    let last = [event(over.seq)];
    let append = Append {
        run: &over,
        task: None,
        events: &last,
    };
    stores
        .runs
        .append(append)
        .await
        .expect("the driver's append");
    over
}

/// One version of a tool of the component `files`.
pub fn tool(function: &str, version: &str, component: &[u8]) -> ToolRecord {
    ToolRecord {
        spec: ToolSpec {
            name: format!("files-{function}").parse().expect("a tool name"),
            function: function.to_owned(),
            version: version.parse::<Version>().expect("a version"),
            description: "Reads a file.".to_owned(),
            args_schema: json!({"type": "object", "required": ["path"]}).into(),
            returns_schema: json!(true).into(),
            capabilities: Vec::new(),
            safety: SafetyFlags::default(),
            tags: Vec::new(),
            examples: Vec::new(),
            limits: LimitRequest::default(),
        },
        component: "files".parse().expect("a component name"),
        digest: Digest::of(component),
        contract: cofferdam_types::tool::Contract::Declared,
        imports: Vec::new(),
        created_at: time(1),
        created_by: "local".to_owned(),
    }
}

/// A tool of that whole name, of the component `component`.
pub fn named(name: &str, component: &str, bytes: &[u8]) -> ToolRecord {
    let record = tool("read", "1.0.0", bytes);
    ToolRecord {
        spec: ToolSpec {
            name: name.parse().expect("a tool name"),
            ..record.spec
        },
        component: component.parse().expect("a component name"),
        ..record
    }
}

/// All of a tenant's tools, by name and ascending version.
pub async fn tools(stores: &Stores, tenant: &Tenant) -> Result<Vec<Tool>, StoreError> {
    let mut tools = Vec::new();
    let mut page = PageRequest::first();
    loop {
        let part = stores.tools.list(tenant, "", &page).await?;
        tools.extend(part.items.into_iter().flatten());
        page.after = part.next;
        if page.after.is_none() {
            return Ok(tools);
        }
    }
}

/// As many calls as that, the last of which ended at that time.
pub fn usage(calls: u64, last_used_at: Option<Timestamp>) -> ToolUsage {
    ToolUsage {
        calls,
        failures: calls / 2,
        wall_us: calls * 100,
        last_used_at,
    }
}

/// An executor.
pub fn agent(tenant: &Tenant, n: u32) -> Agent {
    Agent {
        id: agent_id(n),
        tenant: tenant.clone(),
        name: format!("executor-{n}"),
        agent_type: AgentType::Executor,
        started_at: time(0),
    }
}

/// A key.
pub fn key(tenant: &Tenant, n: u32) -> KeyRecord {
    KeyRecord {
        id: key_id(n),
        tenant: tenant.clone(),
        name: "laptop".to_owned(),
        role: Role::User,
        secret_hash: [0xa5; 32],
        created_at: time(0),
    }
}

/// The entry of that number.
pub fn entry(tenant: &Tenant, seq: u64) -> AuditEntry {
    let act = Act::Publish {
        component: "files@1.2.0".to_owned(),
        digest: Digest::of(b"files"),
    };
    acted(tenant, seq, act)
}

/// The entry of that number about an act.
pub fn acted(tenant: &Tenant, seq: u64, act: Act) -> AuditEntry {
    let call = act.call().map(|(id, root)| CallKey { id, root });
    let record = AuditRecord::new(tenant.clone(), time(seq), "key:1", act);
    AuditEntry {
        seq,
        previous: Digest::of(&(seq - 1).to_le_bytes()),
        digest: Digest::of(&seq.to_le_bytes()),
        tenant: tenant.clone(),
        call,
        text: serde_json::to_string(&record).expect("a record is JSON"),
    }
}
