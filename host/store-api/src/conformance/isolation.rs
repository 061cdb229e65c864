//! Cases about tenants: whatever one keeps, to the others it is not there.

use cofferdam_types::Digest;
use cofferdam_types::agent::Agent;
use cofferdam_types::page::PageRequest;
use cofferdam_types::run::{Run, RunStatus};
use cofferdam_types::task::Task;
use cofferdam_types::tool::ToolStatus;

use super::sample::{
    agent, agent_id, claimed, created, entry, events, later, named, run, secret, started, task,
    tenant, time, tool, tools, usage,
};
use crate::{Append, Changed, RunFilter, StoreError, Stores, TaskFilter, Tool, ToolUse};

/// The same names, versions and digests live side by side.
pub async fn tools_and_blobs_of_others(stores: Stores) {
    let (own, other) = (tenant("alpha"), tenant("beta"));
    let record = tool("read", "1.0.0", b"a");
    let (name, version) = (&record.spec.name, &record.spec.version);
    let batch = [record.clone()];
    assert_eq!(stores.tools.register(&own, &batch).await, Ok(true));
    assert_eq!(stores.tools.get(&other, name, version).await, Ok(None));
    assert_eq!(stores.tools.versions(&other, name).await, Ok(Vec::new()));
    assert_eq!(tools(&stores, &other).await, Ok(Vec::new()));
    let batch = [tool("read", "1.0.0", b"b")];
    assert_eq!(stores.tools.register(&other, &batch).await, Ok(true));
    let kept = Tool::fresh(record);
    assert_eq!(tools(&stores, &own).await, Ok(vec![kept]));

    let digest = Digest::of(b"a");
    assert_eq!(stores.blobs.put(&own, &digest, b"a").await, Ok(()));
    assert_eq!(stores.blobs.get(&other, &digest).await, Ok(None));
    assert_eq!(stores.blobs.put(&other, &digest, b"b").await, Ok(()));
    let kept = stores.blobs.get(&own, &digest).await;
    assert_eq!(kept, Ok(Some(b"a".to_vec())));
}

/// How a tool stands, whose a name is, what was removed and what changed is each tenant's own.
pub async fn standing_of_others(stores: Stores) {
    let (own, other) = (tenant("alpha"), tenant("beta"));
    let record = tool("read", "1.0.0", b"a");
    let (name, version) = (record.spec.name.clone(), record.spec.version.clone());
    let table = &stores.tools;
    let batch = [record.clone()];
    assert_eq!(table.register(&own, &batch).await, Ok(true));
    let status = ToolStatus::Deprecated;
    let set = table.set_status(&other, &name, &version, status, time(2), None);
    assert_eq!(set.await, Err(StoreError::Missing));
    let pinned = table.set_pinned(&other, &name, &version, true).await;
    assert_eq!(pinned, Err(StoreError::Missing));
    let removed = table.remove(&other, &name, &version, None).await;
    assert_eq!(removed, Ok(false));
    let used = [ToolUse {
        name: name.clone(),
        version: version.clone(),
        usage: usage(1, Some(time(5))),
    }];
    assert_eq!(table.touch(&other, &used).await, Ok(()));
    let kept = Tool::fresh(record);
    assert_eq!(table.get(&own, &name, &version).await, Ok(Some(kept)));
    let changed = table.changed(&other, 0, 10).await;
    let nothing = Changed {
        generation: 0,
        names: Vec::new(),
        more: false,
    };
    assert_eq!(changed, Ok(nothing));

    assert_eq!(table.remove(&own, &name, &version, None).await, Ok(true));
    // Neither the claim nor the tombstone, nor the look of the name, binds another tenant.
    for record in [
        named(name.as_str(), "another", b"b"),
        named("notes-1", "notes", b"c"),
    ] {
        assert_eq!(table.register(&other, &[record]).await, Ok(true));
    }
    let alike = [named("notes-l", "notes", b"c")];
    assert_eq!(table.register(&own, &alike).await, Ok(true));
    let changed = table.changed(&other, 0, 10).await.expect("a change");
    assert_eq!(changed.generation, 2);
}

/// Another tenant's task can't be seen, listed or changed.
pub async fn tasks_of_others(stores: Stores) {
    let (own, other) = (tenant("alpha"), tenant("beta"));
    let kept = task(&own, 1);
    assert_eq!(stores.tasks.create(&kept).await, Ok(()));
    assert_eq!(stores.tasks.get(&other, &kept.id).await, Ok(None));
    for filter in [
        TaskFilter::default(),
        TaskFilter {
            status: Some(kept.status),
        },
    ] {
        let page = stores
            .tasks
            .list(&other, &filter, &PageRequest::first())
            .await;
        assert_eq!(page.expect("a page").items, Vec::new());
    }
    let taken = Task {
        tenant: other.clone(),
        ..kept.clone()
    };
    assert_eq!(
        stores.tasks.update(&taken, time(0)).await,
        Err(StoreError::Missing)
    );
    assert_eq!(stores.tasks.get(&own, &kept.id).await, Ok(Some(kept)));
}

/// Another tenant's run can't be seen, listed, driven, written or cancelled, and another tenant's
/// task can't be run.
pub async fn runs_of_others(stores: Stores) {
    let (own, other) = (tenant("alpha"), tenant("beta"));
    let (kept_task, queued) = started(&stores, &own, 1).await;
    let head = claimed(&stores, &queued, 1).await;
    let runs = &stores.runs;
    assert_eq!(runs.get(&other, &head.id).await, Ok(None));
    for task_id in [None, Some(kept_task.id)] {
        let filter = RunFilter { task_id };
        let page = runs.list(&other, &filter, &PageRequest::first()).await;
        assert_eq!(page.expect("a page").items, Vec::new());
    }
    let claim = runs.claim(&other, &head.id, &agent_id(2)).await;
    assert_eq!(claim, Err(StoreError::Missing));
    let cancel = runs.request_cancel(&other, &head.id, time(1)).await;
    assert_eq!(cancel, Err(StoreError::Missing));
    let stolen = Run {
        tenant: other.clone(),
        ..later(&head, 1, RunStatus::Completed)
    };
    let next = Append {
        run: &stolen,
        task: None,
        events: &events(2, 2),
    };
    assert_eq!(runs.append(next).await, Err(StoreError::Missing));
    let log = stores.events.read(&other, &head.id, 0, 10).await;
    assert_eq!(log, Ok(Vec::new()));
    assert_eq!(runs.get(&own, &head.id).await, Ok(Some(head)));

    let idle = task(&own, 2);
    assert_eq!(stores.tasks.create(&idle).await, Ok(()));
    let stolen = Run {
        tenant: other.clone(),
        ..run(&idle, 2)
    };
    let first = Append {
        run: &stolen,
        task: None,
        events: &[created(&stolen)],
    };
    assert_eq!(runs.create(first).await, Err(StoreError::Missing));
    assert_eq!(runs.get(&other, &stolen.id).await, Ok(None));
}

/// Agents and audit entries of one tenant don't show to another.
pub async fn agents_and_audit_of_others(stores: Stores) {
    let (own, other) = (tenant("alpha"), tenant("beta"));
    let first = agent(&own, 1);
    assert_eq!(stores.agents.put(&first).await, Ok(()));
    assert_eq!(stores.agents.get(&other, &first.id).await, Ok(None));
    let second = Agent {
        name: "another".to_owned(),
        ..agent(&other, 1)
    };
    assert_eq!(stores.agents.put(&second).await, Ok(()));
    assert_eq!(stores.agents.get(&own, &first.id).await, Ok(Some(first)));

    let entries = [entry(&own, 1), entry(&own, 2)];
    assert_eq!(stores.audit.append(&entries).await, Ok(()));
    let page = stores.audit.list(&other, &PageRequest::first()).await;
    assert_eq!(page.expect("a page").items, Vec::new());
}

/// A secret of one tenant can't be seen, listed, replaced or removed by another, whatever it is
/// called.
pub async fn secrets_of_others(stores: Stores) {
    let (own, other) = (tenant("alpha"), tenant("beta"));
    let kept = secret(&own, "token", 1);
    let name = &kept.head.name;
    assert_eq!(stores.secrets.put(&kept, None).await, Ok(()));
    assert_eq!(stores.secrets.get(&other, name).await, Ok(None));
    assert_eq!(stores.secrets.list(&other).await, Ok(Vec::new()));
    assert_eq!(stores.secrets.remove(&other, name).await, Ok(false));
    let stolen = secret(&other, "token", 2);
    let replaced = stores.secrets.put(&stolen, Some(&kept.head)).await;
    assert_eq!(replaced, Err(StoreError::Conflict));
    assert_eq!(stores.secrets.put(&stolen, None).await, Ok(()));
    assert_eq!(stores.secrets.get(&own, name).await, Ok(Some(kept)));
}
