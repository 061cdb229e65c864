//! Cases of [`crate::Audit`].

use cofferdam_types::audit::{Act, CallAct, Changes, CountedDenial};
use cofferdam_types::call::{Denial, DenialCode, Origin, Parent, Usage, Use, Wall};
use cofferdam_types::page::PageRequest;
use cofferdam_types::tool::Identity;
use cofferdam_types::{Code, Digest};

use super::sample::{acted, call_id, entry, run_id, tenant};
use crate::{StoreError, Stores};

/// Entries come back as they were, and the last one is known.
pub async fn appends_number_on(stores: Stores) {
    let own = tenant("alpha");
    let audit = &stores.audit;
    assert_eq!(audit.last().await, Ok(None));
    assert_eq!(audit.append(&[]).await, Ok(()));
    assert_eq!(audit.last().await, Ok(None));

    let entries = [
        entry(&own, 1),
        acted(&own, 2, call(1, None)),
        entry(&own, 3),
    ];
    assert_eq!(audit.append(&entries[..2]).await, Ok(()));
    assert_eq!(audit.append(&entries[2..]).await, Ok(()));
    assert_eq!(audit.last().await, Ok(Some((3, entries[2].digest))));
    let page = audit.list(&own, &PageRequest::first()).await;
    let mut page = page.expect("a page");
    page.items.reverse();
    assert_eq!(page.items, entries);
    let record = page.items[1].record();
    assert_eq!(record.act, call(1, None));
}

/// The `n`th call, made by a tool or not.
fn call(n: u32, parent: Option<Parent>) -> Act {
    let denial = Denial {
        capability: "filesystem".to_owned(),
        operation: "open".to_owned(),
        resource: "/etc/passwd".to_owned(),
        code: DenialCode::NotGranted,
        rule: "default".to_owned(),
        file: Some("policy.yaml".to_owned()),
        line: Some(7),
        reason: "not granted".to_owned(),
        smallest_grant: "none".to_owned(),
    };
    Act::Call(Box::new(CallAct {
        call_id: call_id(n),
        parent,
        origin: Origin::Run {
            run_id: run_id(1),
            step: "read".parse().expect("a step name"),
        },
        agent: Some("executor".to_owned()),
        asked: "Files Read".to_owned(),
        tool: Some(Identity {
            name: "files-read".parse().expect("a tool name"),
            version: "1.2.0-rc.1+7".parse().expect("a version"),
            digest: Digest::of(b"files"),
        }),
        arguments_digest: Digest::of(b"{}"),
        result_digest: Some(Digest::of(b"null")),
        policy: "built-in".to_owned(),
        policy_digest: Some(Digest::of(b"policy")),
        policy_generation: 3,
        granted: vec!["clocks".to_owned()],
        uses: vec![Use {
            capability: "clocks".to_owned(),
            operation: "now".to_owned(),
            resource: "wall \u{7}\"clock\" 漢".to_owned(),
            count: u64::MAX,
            bytes: 0,
        }],
        uses_dropped: 9,
        code: Some(Code::PolicyDenied),
        denials: vec![CountedDenial { denial, count: 4 }],
        denials_dropped: 1,
        changes: Some(Changes {
            created: 1,
            paths: vec!["/workspace/a".to_owned()],
            ..Changes::default()
        }),
        preview: true,
        usage: Usage {
            fuel: u64::MAX,
            wall_us: Wall {
                total: 7,
                ..Wall::default()
            },
            ..Usage::default()
        },
    }))
}

/// A number that is taken, skipped or out of order refuses the whole batch.
pub async fn a_wrong_number_is_refused_whole(stores: Stores) {
    let own = tenant("alpha");
    let audit = &stores.audit;
    for wrong in [vec![2], vec![2, 3], vec![1, 3], vec![1, 1], vec![1, 2, 4]] {
        let entries: Vec<_> = wrong.iter().map(|seq| entry(&own, *seq)).collect();
        let answer = audit.append(&entries).await;
        assert_eq!(
            answer,
            Err(StoreError::Conflict),
            "{wrong:?} on an empty one"
        );
        assert_eq!(audit.last().await, Ok(None), "{wrong:?}");
    }
    let first = [entry(&own, 1), entry(&own, 2)];
    assert_eq!(audit.append(&first).await, Ok(()));
    for wrong in [
        vec![1],
        vec![2],
        vec![2, 3],
        vec![4],
        vec![3, 5],
        vec![3, 2],
    ] {
        let entries: Vec<_> = wrong.iter().map(|seq| entry(&own, *seq)).collect();
        let answer = audit.append(&entries).await;
        assert_eq!(answer, Err(StoreError::Conflict), "{wrong:?} after 2");
    }
    assert_eq!(audit.last().await, Ok(Some((2, first[1].digest))));
    let page = audit.list(&own, &PageRequest::first()).await;
    assert_eq!(page.expect("a page").items.len(), 2);
}

/// One tenant's entries, newest first, though others' stand between them.
pub async fn list_pages_newest_first(stores: Stores) {
    let (own, other) = (tenant("alpha"), tenant("beta"));
    let owner = |seq: u64| if seq.is_multiple_of(2) { &own } else { &other };
    let entries: Vec<_> = (1..=11).map(|seq| entry(owner(seq), seq)).collect();
    assert_eq!(stores.audit.append(&entries).await, Ok(()));
    let pages = [
        (None, [10, 8].as_slice(), Some(8)),
        (Some(8), &[6, 4], Some(4)),
        (Some(7), &[6, 4], Some(4)),
        (Some(4), &[2], None),
        (Some(2), &[], None),
        (Some(u64::MAX), &[10, 8], Some(8)),
        (Some(0), &[], None),
    ];
    for (after, numbers, next) in pages {
        let request = PageRequest { after, limit: 2 };
        let page = stores.audit.list(&own, &request).await;
        let page = page.expect("a page");
        let kept: Vec<_> = page.items.iter().map(|entry| entry.seq).collect();
        assert_eq!(
            (kept.as_slice(), page.next),
            (numbers, next),
            "after {after:?}"
        );
    }
}

/// All tenants' entries, oldest first, in parts as small as somebody asks.
pub async fn reads_all_in_order(stores: Stores) {
    let (own, other) = (tenant("alpha"), tenant("beta"));
    let entries = [entry(&own, 1), entry(&other, 2), entry(&own, 3)];
    assert_eq!(stores.audit.append(&entries).await, Ok(()));
    for (after, limit, expected) in [
        (0, 1_000, &entries[..]),
        (0, u32::MAX, &entries),
        (0, 2, &entries[..2]),
        (1, 1, &entries[1..2]),
        (1, 0, &entries[1..2]),
        (2, 9, &entries[2..]),
        (3, 9, &[]),
        (u64::MAX, 9, &[]),
    ] {
        let read = stores.audit.read(after, limit).await;
        assert_eq!(read.as_deref(), Ok(expected), "{limit} after {after}");
    }
}

/// A call is found with the calls it was made for and those made for it, among its own tenant's.
pub async fn finds_the_tree_of_a_call(stores: Stores) {
    let (own, other) = (tenant("alpha"), tenant("beta"));
    let below = |caller, depth| {
        Some(Parent {
            call_id: call_id(caller),
            root_id: call_id(1),
            depth,
        })
    };
    let uses = Act::Uses {
        call_id: call_id(3),
        root_id: call_id(1),
        uses: Vec::new(),
    };
    let entries = [
        acted(&own, 1, call(3, below(2, 2))),
        acted(&own, 2, uses),
        entry(&own, 3),
        acted(&own, 4, call(2, below(1, 1))),
        acted(&own, 5, call(4, None)),
        acted(&own, 6, call(1, None)),
        acted(&other, 7, call(5, below(1, 1))),
    ];
    assert_eq!(stores.audit.append(&entries).await, Ok(()));
    for (owner, n, expected) in [
        (&own, 1, [1, 2, 4, 6].as_slice()),
        (&own, 2, &[1, 2, 4, 6]),
        (&own, 3, &[1, 2, 4, 6]),
        (&own, 4, &[5]),
        (&own, 5, &[]),
        (&own, 9, &[]),
        (&other, 1, &[]),
        (&other, 5, &[7]),
    ] {
        let tree = stores.audit.of_call(owner, &call_id(n)).await;
        let numbers: Vec<_> = tree.expect("a tree").iter().map(|kept| kept.seq).collect();
        assert_eq!(numbers, expected, "call {n} of {owner}");
    }
}

/// The front goes, the end stays, and the numbers go on.
pub async fn prune_cuts_the_front(stores: Stores) {
    let own = tenant("alpha");
    let audit = &stores.audit;
    assert_eq!(audit.prune(9).await, Ok(0), "of an empty one");
    let entries: Vec<_> = (1..=5).map(|seq| entry(&own, seq)).collect();
    assert_eq!(audit.append(&entries).await, Ok(()));
    for through in [5, 6, u64::MAX] {
        assert_eq!(audit.prune(through).await, Err(StoreError::Conflict));
    }
    assert_eq!(audit.read(0, 9).await.as_deref(), Ok(&entries[..]));
    for (through, removed) in [(0, 0), (2, 2), (2, 0), (1, 0), (4, 2), (4, 0)] {
        assert_eq!(audit.prune(through).await, Ok(removed), "{through}");
    }
    assert_eq!(audit.read(0, 9).await.as_deref(), Ok(&entries[4..]));
    assert_eq!(audit.last().await, Ok(Some((5, entries[4].digest))));
    let next = [entry(&own, 6)];
    assert_eq!(audit.append(&next).await, Ok(()));
    assert_eq!(audit.prune(5).await, Ok(1));
    assert_eq!(audit.read(0, 9).await.as_deref(), Ok(&next[..]));
    let page = audit.list(&own, &PageRequest::first()).await;
    assert_eq!(page.expect("a page").items, next);
}
