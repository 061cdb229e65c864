//! Cases of [`crate::Tools::changed`].

use cofferdam_types::page::PageRequest;
use cofferdam_types::tool::ToolStatus;
use cofferdam_types::{Tenant, ToolName, Version};

use super::sample::{named, tenant, time, tool, usage};
use crate::{Changed, StoreError, Stores, ToolUse};

/// What is answered to `after` and `limit`, with the names as text.
async fn changed(
    stores: &Stores,
    own: &Tenant,
    after: u64,
    limit: u32,
) -> (u64, Vec<String>, bool) {
    let answer = stores.tools.changed(own, after, limit).await;
    let Changed {
        generation,
        names,
        more,
    } = answer.expect("changes");
    let names = names.iter().map(ToString::to_string).collect();
    (generation, names, more)
}

async fn generation(stores: &Stores, own: &Tenant) -> u64 {
    changed(stores, own, u64::MAX, 1).await.0
}

fn key(function: &str, version: &str) -> (ToolName, Version) {
    let record = tool(function, version, b"a");
    (record.spec.name, record.spec.version)
}

/// Every kind of write that changes something counts one, and tells its name.
pub async fn each_write_counts_once(stores: Stores) {
    let own = tenant("alpha");
    let table = &stores.tools;
    assert_eq!(changed(&stores, &own, 0, 10).await, (0, vec![], false));
    let (name, version) = key("read", "1.0.0");
    let records = [tool("read", "1.0.0", b"a")];
    let (active, deprecated) = (ToolStatus::Active, ToolStatus::Deprecated);
    let mut expected = 0;
    for turn in 0..2 {
        assert_eq!(table.register(&own, &records).await, Ok(true));
        let set = table.set_status(&own, &name, &version, deprecated, time(2), None);
        assert_eq!(set.await, Ok(true));
        let set = table.set_status(&own, &name, &version, active, time(3), None);
        assert_eq!(set.await, Ok(true));
        for pinned in [true, false] {
            let set = table.set_pinned(&own, &name, &version, pinned).await;
            assert_eq!(set, Ok(true));
        }
        let removed = table.remove(&own, &name, &version, None).await;
        assert_eq!(removed, Ok(true));
        expected += 6;
        let told = changed(&stores, &own, expected - 1, 10).await;
        assert_eq!(told, (expected, vec![name.to_string()], false), "{turn}");
    }
}

/// All tools of a batch get one number, but for those that were there.
pub async fn a_batch_is_one_change(stores: Stores) {
    let own = tenant("alpha");
    let old = [tool("read", "1.0.0", b"a")];
    assert_eq!(stores.tools.register(&own, &old).await, Ok(true));
    let batch = ["write", "read", "list"].map(|name| tool(name, "1.0.0", b"a"));
    assert_eq!(stores.tools.register(&own, &batch).await, Ok(true));
    let told = changed(&stores, &own, 1, 10).await;
    let names = ["files-list", "files-write"].map(str::to_owned).to_vec();
    assert_eq!(told, (2, names, false));
}

/// Usage, repetitions and refusals leave the number as it is.
pub async fn what_changes_nothing_counts_nothing(stores: Stores) {
    let own = tenant("alpha");
    let table = &stores.tools;
    let record = tool("read", "1.0.0", b"a");
    let (name, version) = key("read", "1.0.0");
    let batch = [record.clone()];
    assert_eq!(table.register(&own, &batch).await, Ok(true));

    assert_eq!(table.register(&own, &batch).await, Ok(false));
    assert_eq!(table.register(&own, &[]).await, Ok(false));
    let other = [tool("list", "1.0.0", b"b"), tool("read", "1.0.0", b"b")];
    let refused = table.register(&own, &other).await;
    assert_eq!(refused, Err(StoreError::Conflict));
    let set = table.set_status(&own, &name, &version, ToolStatus::Active, time(9), None);
    assert_eq!(set.await, Ok(false));
    let pinned = table.set_pinned(&own, &name, &version, false).await;
    assert_eq!(pinned, Ok(false));
    let (absent, _) = key("list", "1.0.0");
    let removed = table.remove(&own, &absent, &version, None).await;
    assert_eq!(removed, Ok(false));
    let kept = table.remove(&own, &name, &version, Some(time(9))).await;
    assert_eq!(kept, Ok(false));
    let used = [ToolUse {
        name,
        version,
        usage: usage(4, Some(time(8))),
    }];
    assert_eq!(table.touch(&own, &used).await, Ok(()));
    assert_eq!(generation(&stores, &own).await, 1);
}

/// A name that changes again goes to the end, and is told once.
pub async fn names_come_by_their_last_change(stores: Stores) {
    let own = tenant("alpha");
    for function in ["a", "b", "c"] {
        let batch = [tool(function, "1.0.0", b"a")];
        assert_eq!(stores.tools.register(&own, &batch).await, Ok(true));
    }
    let batch = [tool("a", "1.1.0", b"b")];
    assert_eq!(stores.tools.register(&own, &batch).await, Ok(true));
    let names = |names: &[&str]| names.iter().map(|name| format!("files-{name}")).collect();
    for (after, limit, expected) in [
        (0, 10, (4, names(&["b", "c", "a"]), false)),
        (0, 3, (4, names(&["b", "c", "a"]), false)),
        (0, 2, (3, names(&["b", "c"]), true)),
        (0, 1, (2, names(&["b"]), true)),
        (0, 0, (2, names(&["b"]), true)),
        (2, 1, (3, names(&["c"]), true)),
        (3, 1, (4, names(&["a"]), false)),
        (4, 1, (4, vec![], false)),
    ] {
        assert_eq!(changed(&stores, &own, after, limit).await, expected);
    }
}

/// The names of one change come together, even if there are more of them than asked for or than a
/// page holds.
pub async fn a_change_is_never_split(stores: Stores) {
    let own = tenant("alpha");
    let first = [named("files-a", "files", b"a")];
    assert_eq!(stores.tools.register(&own, &first).await, Ok(true));
    let page = PageRequest::<u64>::first().items_max();
    let batch: Vec<_> = (0..page + 5)
        .map(|n| named(&format!("many-{n:04}"), "many", b"b"))
        .collect();
    assert_eq!(stores.tools.register(&own, &batch).await, Ok(true));
    let last = [named("files-b", "files", b"a")];
    assert_eq!(stores.tools.register(&own, &last).await, Ok(true));
    for (after, limit, count) in [(0, 2, page + 6), (0, u32::MAX, page + 6), (1, 1, page + 5)] {
        let (generation, names, more) = changed(&stores, &own, after, limit).await;
        assert_eq!((generation, names.len(), more), (2, count, true));
        assert!(names.is_sorted());
    }
    let told = changed(&stores, &own, 0, 1).await;
    assert_eq!(told, (1, vec!["files-a".to_owned()], true));
    let told = changed(&stores, &own, 2, 1).await;
    assert_eq!(told, (3, vec!["files-b".to_owned()], false));
}

/// Whoever asks with a number that never was, as after a backup was put back, sees a smaller one.
pub async fn behind_the_end_is_the_own_number(stores: Stores) {
    let own = tenant("alpha");
    assert_eq!(changed(&stores, &own, 7, 10).await, (0, vec![], false));
    let batch = [tool("read", "1.0.0", b"a")];
    assert_eq!(stores.tools.register(&own, &batch).await, Ok(true));
    for after in [1, 7, u64::MAX] {
        assert_eq!(changed(&stores, &own, after, 10).await, (1, vec![], false));
    }
}
