//! Cases of [`crate::Tools`]: how a version stands, how it goes and comes back.

use cofferdam_types::tool::{Standing, ToolStatus, ToolUsage};
use cofferdam_types::{Tenant, Timestamp, ToolName, Version};

use super::fence::together;
use super::sample::{tenant, time, tool, tools, usage};
use crate::{StoreError, Stores, Tool, ToolRecord, ToolUse};

use ToolStatus::{Active, Deprecated};

/// One registered version, at `time(1)` as all samples are.
struct Kept {
    stores: Stores,
    own: Tenant,
    record: ToolRecord,
}

impl Kept {
    async fn new(stores: Stores) -> Self {
        let (own, record) = (tenant("alpha"), tool("read", "1.0.0", b"a"));
        let batch = [record.clone()];
        assert_eq!(stores.tools.register(&own, &batch).await, Ok(true));
        Self {
            stores,
            own,
            record,
        }
    }

    fn name(&self) -> &ToolName {
        &self.record.spec.name
    }

    fn version(&self) -> &Version {
        &self.record.spec.version
    }

    async fn set(
        &self,
        status: ToolStatus,
        at: u64,
        idle_since: Option<u64>,
    ) -> Result<bool, StoreError> {
        let idle_since = idle_since.map(time);
        let (name, version) = (self.name(), self.version());
        let table = &self.stores.tools;
        table
            .set_status(&self.own, name, version, status, time(at), idle_since)
            .await
    }

    async fn pin(&self, pinned: bool) -> Result<bool, StoreError> {
        let (name, version) = (self.name(), self.version());
        let table = &self.stores.tools;
        table.set_pinned(&self.own, name, version, pinned).await
    }

    async fn remove(&self, idle_since: Option<u64>) -> Result<bool, StoreError> {
        let idle_since = idle_since.map(time);
        let (name, version) = (self.name(), self.version());
        let table = &self.stores.tools;
        table.remove(&self.own, name, version, idle_since).await
    }

    fn used(&self, calls: u64, at: Option<Timestamp>) -> ToolUse {
        ToolUse {
            name: self.name().clone(),
            version: self.version().clone(),
            usage: usage(calls, at),
        }
    }

    async fn touch(&self, uses: &[ToolUse]) {
        assert_eq!(self.stores.tools.touch(&self.own, uses).await, Ok(()));
    }

    async fn standing(&self) -> Standing {
        let (name, version) = (self.name(), self.version());
        let tool = self.stores.tools.get(&self.own, name, version).await;
        let tool = tool.expect("a readable tool").expect("a tool");
        assert_eq!(tool.record, self.record);
        tool.standing
    }

    async fn register(&self, record: &ToolRecord) -> Result<bool, StoreError> {
        let batch = [record.clone()];
        self.stores.tools.register(&self.own, &batch).await
    }
}

/// A status has the time of its change; setting it again moves nothing.
pub async fn a_status_changes_once(stores: Stores) {
    let kept = Kept::new(stores).await;
    assert_eq!(kept.standing().await, Standing::fresh(time(1)));
    for (status, at) in [(Deprecated, 5), (Active, 7)] {
        assert_eq!(kept.set(status, at, None).await, Ok(true));
        assert_eq!(kept.set(status, at + 1, None).await, Ok(false));
        let standing = Standing {
            status,
            ..Standing::fresh(time(at))
        };
        assert_eq!(kept.standing().await, standing);
    }
}

/// A pin stays until it is taken away, and leaves the status alone.
pub async fn a_pin_changes_once(stores: Stores) {
    let kept = Kept::new(stores).await;
    assert_eq!(kept.set(Deprecated, 5, None).await, Ok(true));
    for pinned in [true, false] {
        assert_eq!(kept.pin(pinned).await, Ok(true));
        assert_eq!(kept.pin(pinned).await, Ok(false));
        let standing = Standing {
            status: Deprecated,
            pinned,
            ..Standing::fresh(time(5))
        };
        assert_eq!(kept.standing().await, standing);
    }
}

/// A version that isn't there, or is there no more, has no standing.
pub async fn what_is_not_there_is_missing(stores: Stores) {
    let mut kept = Kept::new(stores).await;
    assert_eq!(kept.remove(None).await, Ok(true));
    for absent in [
        kept.record.clone(),
        tool("read", "1.0.1", b"a"),
        tool("list", "1.0.0", b"a"),
    ] {
        kept.record = absent;
        for idle_since in [None, Some(9)] {
            let set = kept.set(Deprecated, 5, idle_since).await;
            assert_eq!(set, Err(StoreError::Missing));
        }
        assert_eq!(kept.pin(true).await, Err(StoreError::Missing));
        assert_eq!(kept.remove(None).await, Ok(false));
        assert_eq!(kept.remove(Some(9)).await, Ok(false));
    }
}

/// What is pinned, or was registered or used at the time or later, is not idle.
pub async fn what_is_not_idle_keeps_its_status(stores: Stores) {
    let kept = Kept::new(stores).await;
    assert_eq!(kept.set(Deprecated, 5, Some(1)).await, Ok(false));
    kept.touch(&[kept.used(1, Some(time(6)))]).await;
    assert_eq!(kept.set(Deprecated, 9, Some(6)).await, Ok(false));
    assert_eq!(kept.pin(true).await, Ok(true));
    assert_eq!(kept.set(Deprecated, 9, Some(7)).await, Ok(false));
    assert_eq!(kept.pin(false).await, Ok(true));
    assert_eq!(kept.standing().await.status, Active);

    assert_eq!(kept.set(Deprecated, 9, Some(7)).await, Ok(true));
    assert_eq!(kept.set(Deprecated, 9, Some(8)).await, Ok(false));
    let standing = kept.standing().await;
    assert_eq!((standing.status, standing.since), (Deprecated, time(9)));
}

/// With a time only a version goes that is deprecated and idle; without it any goes.
pub async fn cleanup_removes_what_is_deprecated_and_idle(stores: Stores) {
    let kept = Kept::new(stores).await;
    assert_eq!(kept.remove(Some(2)).await, Ok(false));
    assert_eq!(kept.set(Deprecated, 5, None).await, Ok(true));
    assert_eq!(kept.remove(Some(1)).await, Ok(false));
    kept.touch(&[kept.used(1, Some(time(6)))]).await;
    assert_eq!(kept.remove(Some(6)).await, Ok(false));
    assert_eq!(kept.pin(true).await, Ok(true));
    assert_eq!(kept.remove(Some(7)).await, Ok(false));
    assert_eq!(kept.pin(false).await, Ok(true));
    assert_eq!(kept.remove(Some(7)).await, Ok(true));
    assert_eq!(tools(&kept.stores, &kept.own).await, Ok(Vec::new()));

    assert_eq!(kept.register(&kept.record).await, Ok(true));
    assert_eq!(kept.pin(true).await, Ok(true));
    assert_eq!(kept.remove(None).await, Ok(true));
    assert_eq!(kept.remove(None).await, Ok(false));
}

/// A version that was removed refuses other bytes, however often it came and went.
pub async fn other_bytes_never_come_back(stores: Stores) {
    let kept = Kept::new(stores).await;
    let other = tool("read", "1.0.0", b"b");
    for _ in 0..2 {
        assert_eq!(kept.remove(None).await, Ok(true));
        assert_eq!(kept.register(&other).await, Err(StoreError::Conflict));
        // As a part of a batch it takes the rest with it.
        let batch = [tool("list", "1.0.0", b"b"), other.clone()];
        let refused = kept.stores.tools.register(&kept.own, &batch).await;
        assert_eq!(refused, Err(StoreError::Conflict));
        assert_eq!(tools(&kept.stores, &kept.own).await, Ok(Vec::new()));
        assert_eq!(kept.register(&kept.record).await, Ok(true));
        assert_eq!(kept.register(&other).await, Err(StoreError::Conflict));
    }
    // Another version of those bytes is free.
    let later = tool("read", "1.0.1", b"b");
    assert_eq!(kept.register(&later).await, Ok(true));
}

/// The same bytes come back with the record that is given now, and begin anew.
pub async fn the_same_bytes_come_back_fresh(stores: Stores) {
    let kept = Kept::new(stores).await;
    assert_eq!(kept.set(Deprecated, 5, None).await, Ok(true));
    assert_eq!(kept.pin(true).await, Ok(true));
    kept.touch(&[kept.used(5, Some(time(6)))]).await;
    assert_eq!(kept.remove(None).await, Ok(true));
    let (own, name, version) = (&kept.own, kept.name(), kept.version());
    assert_eq!(kept.stores.tools.get(own, name, version).await, Ok(None));
    kept.touch(&[kept.used(7, Some(time(8)))]).await;

    let again = ToolRecord {
        created_at: time(20),
        created_by: "somebody else".to_owned(),
        ..kept.record.clone()
    };
    assert_eq!(kept.register(&again).await, Ok(true));
    let back = Tool {
        record: again,
        standing: Standing::fresh(time(20)),
    };
    let found = kept.stores.tools.versions(own, name).await;
    assert_eq!(found, Ok(vec![back]));
}

/// Removing one version leaves the others of its name, and those of other names.
pub async fn removing_leaves_the_others(stores: Stores) {
    let kept = Kept::new(stores).await;
    let others = [tool("list", "1.0.0", b"a"), tool("read", "1.1.0", b"b")];
    for other in &others {
        assert_eq!(kept.register(other).await, Ok(true));
    }
    assert_eq!(kept.remove(None).await, Ok(true));
    let left = others.map(Tool::fresh).into();
    assert_eq!(tools(&kept.stores, &kept.own).await, Ok(left));
}

/// Uses add up, in one call and over many, and are no change of the status.
pub async fn usage_adds_up(stores: Stores) {
    let kept = Kept::new(stores).await;
    let later = tool("read", "1.1.0", b"b");
    assert_eq!(kept.register(&later).await, Ok(true));
    let of_later = ToolUse {
        version: later.spec.version.clone(),
        ..kept.used(10, Some(time(4)))
    };
    kept.touch(&[]).await;
    kept.touch(&[
        kept.used(2, Some(time(3))),
        of_later,
        kept.used(4, Some(time(5))),
    ])
    .await;
    kept.touch(&[kept.used(6, Some(time(6)))]).await;
    let standing = |calls, at| Standing {
        usage: usage(calls, Some(time(at))),
        ..Standing::fresh(time(1))
    };
    assert_eq!(kept.standing().await, standing(12, 6));
    let versions = kept.stores.tools.versions(&kept.own, kept.name()).await;
    let versions = versions.expect("the versions");
    assert_eq!(versions[1].standing, standing(10, 4));
}

/// An older time, or none, leaves the one that is there.
pub async fn time_moves_forward_only(stores: Stores) {
    let kept = Kept::new(stores).await;
    for (at, expected) in [
        (None, None),
        (Some(5), Some(5)),
        (Some(4), Some(5)),
        (None, Some(5)),
        (Some(6), Some(6)),
    ] {
        kept.touch(&[kept.used(1, at.map(time))]).await;
        let last = kept.standing().await.usage.last_used_at;
        assert_eq!(last, expected.map(time));
    }
    assert_eq!(kept.standing().await.usage.calls, 5);
}

/// A use of what isn't there is no error, and leaves the others their uses.
pub async fn uses_of_others_are_passed_over(stores: Stores) {
    let kept = Kept::new(stores).await;
    let absent = |record: ToolRecord| ToolUse {
        name: record.spec.name,
        version: record.spec.version,
        usage: usage(1, Some(time(9))),
    };
    kept.touch(&[
        absent(tool("list", "1.0.0", b"a")),
        kept.used(2, Some(time(3))),
        absent(tool("read", "1.0.1", b"a")),
    ])
    .await;
    assert_eq!(kept.standing().await.usage, usage(2, Some(time(3))));
    let all = tools(&kept.stores, &kept.own).await.expect("the tools");
    assert_eq!(all.len(), 1);
}

/// Sums stop at [`ToolUsage::SUM_MAX`]; they neither wrap nor fail.
pub async fn sums_end_at_their_bound(stores: Stores) {
    let kept = Kept::new(stores).await;
    let huge = |sum| ToolUse {
        usage: ToolUsage {
            calls: sum,
            failures: sum,
            wall_us: sum,
            last_used_at: None,
        },
        ..kept.used(0, None)
    };
    for (sum, expected) in [
        (1 << 60, 1 << 60),
        // Every bit counts: such a number is none that a float could hold.
        (1, (1 << 60) + 1),
        (u64::MAX, ToolUsage::SUM_MAX),
        (1, ToolUsage::SUM_MAX),
    ] {
        kept.touch(&[huge(sum)]).await;
        assert_eq!(kept.standing().await.usage, huge(expected).usage);
    }
}

/// Of uses that come at once none is lost.
pub async fn many_uses_at_once(stores: Stores) {
    let kept = Kept::new(stores).await;
    let writes: Vec<_> = (1..=20)
        .map(|n| {
            let (stores, own) = (kept.stores.clone(), kept.own.clone());
            let uses = [kept.used(2, Some(time(n)))];
            async move { stores.tools.touch(&own, &uses).await }
        })
        .collect();
    for answer in together(writes).await {
        assert_eq!(answer, Ok(()));
    }
    assert_eq!(kept.standing().await.usage, usage(40, Some(time(20))));
}

/// Of many who make one change, one is told that it did; so of many who remove.
pub async fn one_of_many_changes_wins(stores: Stores) {
    let kept = Kept::new(stores).await;
    let place = || {
        let stores = kept.stores.clone();
        let name = kept.name().clone();
        (stores, kept.own.clone(), name, kept.version().clone())
    };
    let writes = (0..10).map(|n| {
        let (stores, own, name, version) = place();
        async move {
            let table = &stores.tools;
            table
                .set_status(&own, &name, &version, Deprecated, time(10 + n), None)
                .await
        }
    });
    let answers = together(writes.collect()).await;
    assert_eq!(answers.iter().filter(|won| **won == Ok(true)).count(), 1);
    assert!(answers.iter().all(Result::is_ok));
    let writes = (0..10).map(|_| {
        let (stores, own, name, version) = place();
        async move { stores.tools.remove(&own, &name, &version, None).await }
    });
    let answers = together(writes.collect()).await;
    assert_eq!(answers.iter().filter(|won| **won == Ok(true)).count(), 1);
    assert!(answers.iter().all(Result::is_ok));
}
