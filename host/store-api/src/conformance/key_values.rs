//! Cases of [`crate::KeyValues`].

use cofferdam_types::key_value::{Full, Owner, Quota, Space, When, Write, Written};
use cofferdam_types::page::PageRequest;

use super::fence::together;
use super::sample::{space, state_key, tenant};
use crate::Stores;

const DONE: Written = Written::Done { existed: false };
const REPLACED: Written = Written::Done { existed: true };

fn set(key: &str, value: &[u8]) -> Write {
    Write {
        key: state_key(key),
        value: Some(value.to_vec()),
        when: When::Always,
    }
}

fn remove(key: &str) -> Write {
    Write {
        value: None,
        ..set(key, b"")
    }
}

async fn written(stores: &Stores, space: &Space, write: Write, quota: &Quota) -> Written {
    let written = stores.key_values.write(space, &write, quota).await;
    written.expect("a store that works")
}

async fn value(stores: &Stores, space: &Space, key: &str) -> Option<Vec<u8>> {
    let value = stores.key_values.get(space, &state_key(key)).await;
    value.expect("a store that works")
}

/// Bytes come back as they were, whatever they are.
pub async fn what_is_set_comes_back(stores: Stores) {
    let own = space(&tenant("alpha"), "files");
    let quota = &Quota::DEFAULT;
    assert_eq!(value(&stores, &own, "a").await, None);
    for (bytes, answer) in [(&b""[..], DONE), (b"\0\xff", REPLACED), (b"x", REPLACED)] {
        assert_eq!(written(&stores, &own, set("a", bytes), quota).await, answer);
        assert_eq!(value(&stores, &own, "a").await.as_deref(), Some(bytes));
    }
    assert_eq!(value(&stores, &own, "A").await, None);
    assert_eq!(written(&stores, &own, remove("a"), quota).await, REPLACED);
    assert_eq!(written(&stores, &own, remove("a"), quota).await, DONE);
    assert_eq!(value(&stores, &own, "a").await, None);
}

/// A condition is about exactly what is there.
pub async fn a_condition_has_to_hold(stores: Stores) {
    let own = space(&tenant("alpha"), "files");
    let quota = &Quota::DEFAULT;
    let holds = |bytes: &[u8]| When::Holds(bytes.to_vec());
    for (when, new, answer) in [
        (holds(b""), Some("1"), Written::Differs),
        (When::Absent, Some("1"), DONE),
        (When::Absent, Some("2"), Written::Differs),
        (holds(b"2"), Some("3"), Written::Differs),
        (holds(b"1"), Some("4"), REPLACED),
        (holds(b"1"), None, Written::Differs),
        (holds(b"4"), None, REPLACED),
        (holds(b"4"), Some("5"), Written::Differs),
        (When::Absent, None, DONE),
    ] {
        let write = Write {
            key: state_key("a"),
            value: new.map(|text| text.as_bytes().to_vec()),
            when: when.clone(),
        };
        let got = written(&stores, &own, write, quota).await;
        assert_eq!(got, answer, "{when:?} {new:?}");
    }
}

/// Each part of a quota holds, and who is over it may still tidy up.
pub async fn a_quota_is_never_exceeded(stores: Stores) {
    let own = space(&tenant("alpha"), "files");
    let quota = Quota {
        entries: 2,
        bytes: 20,
        value_bytes: 10,
    };
    let full = Written::Full;
    for (write, answer) in [
        (set("a", &[0; 11]), full(Full::ValueBytes)),
        (set("a", &[0; 10]), DONE),
        (set("b", &[0; 9]), full(Full::Bytes)),
        (set("b", &[0; 8]), DONE),
        (set("c", &[]), full(Full::Entries)),
        (set("b", &[0; 9]), full(Full::Bytes)),
        (set("b", &[0; 7]), REPLACED),
        (remove("b"), REPLACED),
        (set("c", &[]), DONE),
        (set("c", &[0; 8]), REPLACED),
    ] {
        let got = written(&stores, &own, write.clone(), &quota).await;
        assert_eq!(got, answer, "{write:?}");
    }
    let lowered = Quota {
        entries: 1,
        bytes: 5,
        value_bytes: 10,
    };
    for (write, answer) in [
        (set("c", &[0; 9]), full(Full::Bytes)),
        (set("c", &[0; 7]), REPLACED),
        (remove("a"), REPLACED),
        (set("c", &[0; 6]), REPLACED),
        (set("c", &[0; 4]), REPLACED),
    ] {
        let got = written(&stores, &own, write.clone(), &lowered).await;
        assert_eq!(got, answer, "{write:?} with less");
    }
}

/// Of many at once one wins each time, and together they don't go over the quota.
pub async fn many_at_once(stores: Stores) {
    let own = space(&tenant("alpha"), "files");
    let quota = Quota {
        entries: 4,
        ..Quota::DEFAULT
    };
    let writes = (0..16).map(|n| {
        let (stores, own) = (stores.clone(), own.clone());
        async move {
            let first = Write {
                when: When::Absent,
                ..set("one", &[n])
            };
            let won = written(&stores, &own, first, &quota).await == DONE;
            let more = set(&format!("k{n}"), &[n]);
            (won, written(&stores, &own, more, &quota).await == DONE)
        }
    });
    let (mut won, mut kept) = (0, 0);
    for (first, more) in together(writes.collect()).await {
        won += u32::from(first);
        kept += u32::from(more);
    }
    assert_eq!((won, kept), (1, 3));
}

/// The keys with a prefix, by their bytes, page by page.
pub async fn list_pages_by_key(stores: Stores) {
    let own = space(&tenant("alpha"), "files");
    for key in ["b", "a/2", "a/10", "a", "a/\u{e9}", "a%", "A/1", "a/1"] {
        let write = set(key, b"x");
        assert_eq!(written(&stores, &own, write, &Quota::DEFAULT).await, DONE);
    }
    for (prefix, expected) in [
        (
            "",
            vec!["A/1", "a", "a%", "a/1", "a/10", "a/2", "a/\u{e9}", "b"],
        ),
        ("a/", vec!["a/1", "a/10", "a/2", "a/\u{e9}"]),
        ("a%", vec!["a%"]),
        ("a/1", vec!["a/1", "a/10"]),
        ("c", vec![]),
    ] {
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let page = PageRequest { after, limit: 3 };
            let page = stores.key_values.list(&own, prefix, &page).await;
            let page = page.expect("a page");
            assert!(page.items.len() <= 3);
            found.extend(page.items.iter().map(ToString::to_string));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(found, expected, "{prefix:?}");
    }
}

/// Tenants, components and agents of one name each have their own.
pub async fn spaces_are_apart(stores: Stores) {
    let own = space(&tenant("alpha"), "files");
    let others = [
        space(&tenant("beta"), "files"),
        space(&tenant("alpha"), "files2"),
        Space {
            owner: Owner::Agent("files".to_owned()),
            ..own.clone()
        },
    ];
    let one = Quota {
        entries: 1,
        ..Quota::DEFAULT
    };
    assert_eq!(written(&stores, &own, set("a", b"own"), &one).await, DONE);
    for other in &others {
        assert_eq!(value(&stores, other, "a").await, None);
        let page = stores
            .key_values
            .list(other, "", &PageRequest::first())
            .await;
        assert_eq!(page.expect("a page").items, Vec::new());
        assert_eq!(written(&stores, other, remove("a"), &one).await, DONE);
        assert_eq!(
            written(&stores, other, set("a", b"other"), &one).await,
            DONE
        );
    }
    assert_eq!(
        value(&stores, &own, "a").await.as_deref(),
        Some(&b"own"[..])
    );
}
