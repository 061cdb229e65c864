//! Cases of [`crate::Audit`].

use cofferdam_types::audit::{Act, CallAct};
use cofferdam_types::call::{Denial, DenialCode, Origin, Usage, Wall};
use cofferdam_types::page::PageRequest;
use cofferdam_types::tool::Identity;
use cofferdam_types::{Code, Digest};

use super::sample::{entry, run_id, tenant};
use crate::{StoreError, Stores};

/// Entries come back as they were, and the last one is known.
pub async fn appends_number_on(stores: Stores) {
    let own = tenant("alpha");
    let audit = &stores.audit;
    assert_eq!(audit.last().await, Ok(None));
    assert_eq!(audit.append(&[]).await, Ok(()));
    assert_eq!(audit.last().await, Ok(None));

    let mut call = entry(&own, 2);
    call.record.act = Act::Call(Box::new(CallAct {
        call_id: "0192f7a4-7c5e-7d2a-8f00-0123456789ab"
            .parse()
            .expect("a UUID"),
        origin: Origin::Run {
            run_id: run_id(1),
            step: "read".parse().expect("a step name"),
        },
        asked: "Files Read".to_owned(),
        tool: Some(Identity {
            name: "files-read".parse().expect("a tool name"),
            version: "1.2.0-rc.1+7".parse().expect("a version"),
            digest: Digest::of(b"files"),
        }),
        arguments_digest: Digest::of(b"{}"),
        policy: "built-in".to_owned(),
        granted: vec!["clocks".to_owned()],
        code: Some(Code::PolicyDenied),
        denials: vec![Denial {
            capability: "workspace".to_owned(),
            operation: "open".to_owned(),
            resource: "/etc/passwd".to_owned(),
            code: DenialCode::NotGranted,
            rule: "default".to_owned(),
            file: None,
            line: None,
            reason: "not granted".to_owned(),
            smallest_grant: "none".to_owned(),
        }],
        usage: Usage {
            fuel: u64::MAX,
            wall_us: Wall {
                total: 7,
                ..Wall::default()
            },
            ..Usage::default()
        },
    }));
    let entries = [entry(&own, 1), call, entry(&own, 3)];
    assert_eq!(audit.append(&entries[..2]).await, Ok(()));
    assert_eq!(audit.append(&entries[2..]).await, Ok(()));
    assert_eq!(audit.last().await, Ok(Some((3, entries[2].digest))));
    let page = audit.list(&own, &PageRequest::first()).await;
    let mut page = page.expect("a page");
    page.items.reverse();
    assert_eq!(page.items, entries);
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
