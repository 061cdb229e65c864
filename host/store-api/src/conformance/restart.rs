//! Cases about a restart: what was answered with `Ok` is there afterwards.

use cofferdam_types::Digest;
use cofferdam_types::key_value::{Full, Quota, When, Write, Written};
use cofferdam_types::page::PageRequest;
use cofferdam_types::run::RunStatus;
use cofferdam_types::tool::{Standing, ToolStatus};

use super::Durable;
use super::sample::{
    agent, claimed, create, entry, event, events, finish, key, later, named, run, secret, space,
    started, state_key, tenant, time, tool, tools, usage,
};
use crate::{Append, Changed, StoreError, Tool, ToolUse};

/// Every table's content comes back.
pub async fn every_table_is_kept(harness: &mut impl Durable) {
    let own = tenant("alpha");
    let (record, agent, key) = (tool("read", "1.0.0", b"a"), agent(&own, 1), key(&own, 1));
    let (entry, digest) = (entry(&own, 1), Digest::of(b"bytes"));
    let secret = secret(&own, "token", 1);
    let batch = [record.clone()];
    let state = space(&own, "files");
    let quota = Quota {
        entries: 1,
        ..Quota::DEFAULT
    };
    let write = Write {
        key: state_key("a"),
        value: Some(b"kept".to_vec()),
        when: When::Always,
    };
    let (task, head) = {
        let stores = harness.stores();
        assert_eq!(stores.tools.register(&own, &batch).await, Ok(true));
        assert_eq!(stores.blobs.put(&own, &digest, b"bytes").await, Ok(()));
        assert_eq!(stores.agents.put(&agent).await, Ok(()));
        assert_eq!(stores.keys.create(&key).await, Ok(()));
        assert_eq!(stores.secrets.put(&secret, None).await, Ok(()));
        let entries = std::slice::from_ref(&entry);
        assert_eq!(stores.audit.append(entries).await, Ok(()));
        let written = stores.key_values.write(&state, &write, &quota).await;
        assert_eq!(written, Ok(Written::Done { existed: false }));
        let (task, queued) = started(&stores, &own, 1).await;
        (task, claimed(&stores, &queued, 1).await)
    };
    harness.restart().await;

    let stores = harness.stores();
    let kept = stores.key_values.get(&state, &write.key).await;
    assert_eq!(kept, Ok(write.value));
    let more = Write {
        key: state_key("b"),
        value: Some(Vec::new()),
        when: When::Always,
    };
    let written = stores.key_values.write(&state, &more, &quota).await;
    assert_eq!(written, Ok(Written::Full(Full::Entries)));
    assert_eq!(tools(&stores, &own).await, Ok(vec![Tool::fresh(record)]));
    let kept = stores.blobs.get(&own, &digest).await;
    assert_eq!(kept, Ok(Some(b"bytes".to_vec())));
    assert_eq!(stores.agents.get(&own, &agent.id).await, Ok(Some(agent)));
    assert_eq!(stores.keys.get(&key.id).await, Ok(Some(key)));
    let name = &secret.head.name;
    let kept = stores.secrets.get(&own, name).await;
    assert_eq!(kept, Ok(Some(secret.clone())));
    assert_eq!(stores.audit.last().await, Ok(Some((1, entry.digest))));
    assert_eq!(stores.tasks.get(&own, &task.id).await, Ok(Some(task)));
    let log = stores.events.read(&own, &head.id, 0, 10).await;
    assert_eq!(log.expect("a log").len(), 1);
    let unfinished = stores.runs.unfinished(&PageRequest::first()).await;
    let expected = vec![(own.clone(), head.id)];
    assert_eq!(unfinished.expect("a page").items, expected);
    assert_eq!(stores.runs.get(&own, &head.id).await, Ok(Some(head)));
}

/// How a tool stands, what was removed, whose its name is and the generation come back.
pub async fn tools_keep_their_standing(harness: &mut impl Durable) {
    let own = tenant("alpha");
    let record = tool("read", "1.0.0", b"a");
    let batch = [record.clone(), tool("read", "0.9.0", b"old")];
    let (name, version) = (record.spec.name.clone(), record.spec.version.clone());
    let old = &batch[1].spec.version;
    {
        let stores = harness.stores();
        assert_eq!(stores.tools.register(&own, &batch).await, Ok(true));
        let deprecated = ToolStatus::Deprecated;
        let set = stores
            .tools
            .set_status(&own, &name, &version, deprecated, time(7), None);
        assert_eq!(set.await, Ok(true));
        let pinned = stores.tools.set_pinned(&own, &name, &version, true).await;
        assert_eq!(pinned, Ok(true));
        let used = [ToolUse {
            name: name.clone(),
            version: version.clone(),
            usage: usage(3, Some(time(9))),
        }];
        assert_eq!(stores.tools.touch(&own, &used).await, Ok(()));
        let removed = stores.tools.remove(&own, &name, old, None).await;
        assert_eq!(removed, Ok(true));
    }
    harness.restart().await;

    let stores = harness.stores();
    let standing = Standing {
        status: ToolStatus::Deprecated,
        since: time(7),
        pinned: true,
        usage: usage(3, Some(time(9))),
    };
    let kept = vec![Tool { record, standing }];
    assert_eq!(stores.tools.versions(&own, &name).await, Ok(kept));
    for refused in [
        tool("read", "0.9.0", b"new"),
        named(name.as_str(), "another", b"new"),
        named("files-rea-d", "files", b"new"),
    ] {
        let answer = stores.tools.register(&own, &[refused]).await;
        assert_eq!(answer, Err(StoreError::Conflict));
    }
    let changed = stores.tools.changed(&own, 3, 10).await;
    let expected = Changed {
        generation: 4,
        names: vec![name],
        more: false,
    };
    assert_eq!(changed, Ok(expected));
}

/// Epochs, positions, live runs and the audit's number hold on over the restart.
pub async fn the_fence_is_kept(harness: &mut impl Durable) {
    let own = tenant("alpha");
    let (task, old) = {
        let stores = harness.stores();
        let (task, queued) = started(&stores, &own, 1).await;
        assert_eq!(stores.audit.append(&[entry(&own, 1)]).await, Ok(()));
        (task, claimed(&stores, &queued, 1).await)
    };
    harness.restart().await;

    let stores = harness.stores();
    let new = claimed(&stores, &old, 2).await;
    assert_eq!(new.epoch, old.epoch + 1);
    let late = later(&old, 1, RunStatus::Running);
    let late = Append {
        run: &late,
        task: None,
        events: &events(2, 2),
    };
    assert_eq!(stores.runs.append(late).await, Err(StoreError::Stale));
    let second = run(&task, 2);
    let first = Append {
        run: &second,
        task: None,
        events: &[super::sample::created(&second)],
    };
    assert_eq!(stores.runs.create(first).await, Err(StoreError::Conflict));
    let over = finish(&stores, &new).await;
    let after = later(&over, 1, RunStatus::Running);
    let after = Append {
        run: &after,
        task: None,
        events: &[event(after.seq)],
    };
    assert_eq!(stores.runs.append(after).await, Err(StoreError::Stale));
    create(&stores, &second).await;
    assert_eq!(
        stores.audit.append(&[entry(&own, 1)]).await,
        Err(StoreError::Conflict)
    );
    assert_eq!(stores.audit.append(&[entry(&own, 2)]).await, Ok(()));
}
