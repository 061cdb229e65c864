//! Cases of [`crate::Tools`].

use std::slice::from_ref;

use cofferdam_types::page::PageRequest;

use super::fence::together;
use super::sample::{named, tenant, tool, tools};
use crate::{StoreError, Stores, Tool, ToolRecord};

/// What is registered comes back, and nothing else does.
pub async fn register_and_get(stores: Stores) {
    let own = tenant("alpha");
    let record = tool("read", "1.2.0", b"a");
    let (name, version) = (&record.spec.name, &record.spec.version);
    assert_eq!(stores.tools.get(&own, name, version).await, Ok(None));
    assert_eq!(stores.tools.versions(&own, name).await, Ok(Vec::new()));
    assert_eq!(tools(&stores, &own).await, Ok(Vec::new()));
    assert_eq!(stores.tools.register(&own, &[]).await, Ok(false));

    let batch = [record.clone(), tool("write", "1.2.0", b"a")];
    assert_eq!(stores.tools.register(&own, &batch).await, Ok(true));
    assert_eq!(
        stores.tools.get(&own, name, version).await,
        Ok(Some(Tool::fresh(record.clone())))
    );
    let other = "1.2.1".parse().expect("a version");
    assert_eq!(stores.tools.get(&own, name, &other).await, Ok(None));
    let other = "files-rea".parse().expect("a tool name");
    assert_eq!(stores.tools.get(&own, &other, version).await, Ok(None));
    let versions = stores.tools.versions(&own, name).await;
    assert_eq!(versions, Ok(vec![Tool::fresh(record.clone())]));
    assert_eq!(
        tools(&stores, &own).await,
        Ok(batch.map(Tool::fresh).into())
    );
}

/// A record of the same digest stays as it is; a batch that adds one of several still adds it.
pub async fn register_is_idempotent(stores: Stores) {
    let own = tenant("alpha");
    let first = tool("read", "1.0.0", b"a");
    let again = ToolRecord {
        created_by: "somebody else".to_owned(),
        ..first.clone()
    };
    let more = tool("write", "1.0.0", b"a");

    let table = &stores.tools;
    assert_eq!(table.register(&own, from_ref(&first)).await, Ok(true));
    assert_eq!(table.register(&own, from_ref(&again)).await, Ok(false));
    assert_eq!(table.register(&own, &[again, more.clone()]).await, Ok(true));
    let kept = [first, more].map(Tool::fresh);
    assert_eq!(tools(&stores, &own).await, Ok(kept.into()));
}

/// A name and version that another component has refuses the whole batch.
pub async fn register_is_all_or_nothing(stores: Stores) {
    let own = tenant("alpha");
    let first = tool("read", "1.0.0", b"a");
    let table = &stores.tools;
    assert_eq!(table.register(&own, from_ref(&first)).await, Ok(true));

    let batch = [
        tool("list", "1.0.0", b"b"),
        tool("read", "1.0.0", b"b"),
        tool("write", "1.0.0", b"b"),
    ];
    assert_eq!(
        table.register(&own, &batch).await,
        Err(StoreError::Conflict)
    );
    let kept = vec![Tool::fresh(first)];
    assert_eq!(tools(&stores, &own).await, Ok(kept));
    // The names of the refused batch are free.
    let batch = [tool("list", "1.0.0", b"c")];
    assert_eq!(table.register(&own, &batch).await, Ok(true));
}

/// Two digests for one name and version inside one batch.
pub async fn a_batch_that_contradicts_itself(stores: Stores) {
    let own = tenant("alpha");
    let batch = [tool("read", "1.0.0", b"a"), tool("read", "1.0.0", b"b")];
    assert_eq!(
        stores.tools.register(&own, &batch).await,
        Err(StoreError::Conflict)
    );
    assert_eq!(tools(&stores, &own).await, Ok(Vec::new()));
}

/// Of many who register one version with other bytes each, one wins, with all of its tools.
pub async fn one_of_many_components_wins(stores: Stores) {
    let own = tenant("alpha");
    let writes: Vec<_> = (0..10_u8)
        .map(|bytes| {
            let (stores, own) = (stores.clone(), own.clone());
            async move {
                let batch = ["list", "read"].map(|name| tool(name, "1.0.0", &[bytes]));
                (stores.tools.register(&own, &batch).await, batch)
            }
        })
        .collect();
    let mut won = Vec::new();
    for (answer, batch) in together(writes).await {
        match answer {
            Ok(added) => {
                assert!(added);
                won.extend(batch.map(Tool::fresh));
            }
            Err(error) => assert_eq!(error, StoreError::Conflict),
        }
    }
    assert_eq!(won.len(), 2);
    assert_eq!(tools(&stores, &own).await, Ok(won));
}

/// By name, then by version as semver orders it, not as text does.
pub async fn list_is_sorted_by_version(stores: Stores) {
    let own = tenant("alpha");
    let sorted = [
        ("list", "0.1.0"),
        ("read", "1.0.0-alpha.2"),
        ("read", "1.0.0-alpha.10"),
        ("read", "1.0.0"),
        ("read", "1.2.0"),
        ("read", "1.10.0"),
        ("read", "1.10.0+build.7"),
        ("read", "10.0.0"),
        ("write", "0.0.1"),
    ];
    let sorted = sorted.map(|(name, version)| tool(name, version, b"a"));
    for record in sorted.iter().rev() {
        let batch = from_ref(record);
        assert_eq!(stores.tools.register(&own, batch).await, Ok(true));
    }
    let sorted: Vec<_> = sorted.map(Tool::fresh).into();
    let read = &sorted[1].record.spec.name;
    let versions = stores.tools.versions(&own, read).await;
    assert_eq!(versions.as_deref(), Ok(&sorted[1..8]));
    assert_eq!(tools(&stores, &own).await, Ok(sorted));
}

/// Each name is one item, with all its versions; a name without one is none. Pages have no gap.
pub async fn list_pages_by_name(stores: Stores) {
    let own = tenant("alpha");
    let names = ["a", "a-b", "a/b", "a1", "b", "c", "d"];
    for name in names.iter().rev() {
        let mut record = named(name, "letters", b"a");
        assert_eq!(
            stores.tools.register(&own, from_ref(&record)).await,
            Ok(true)
        );
        record.spec.version = "0.1.0".parse().expect("a version");
        assert_eq!(
            stores.tools.register(&own, from_ref(&record)).await,
            Ok(true)
        );
    }
    let gone = "c".parse().expect("a tool name");
    for version in ["0.1.0", "1.0.0"] {
        let version = version.parse().expect("a version");
        let removed = stores.tools.remove(&own, &gone, &version, None).await;
        assert_eq!(removed, Ok(true));
    }
    let (mut found, mut sizes) = (Vec::new(), Vec::new());
    let mut page = PageRequest {
        after: None,
        limit: 2,
    };
    loop {
        let part = stores.tools.list(&own, "", &page).await.expect("a page");
        sizes.push(part.items.len());
        for versions in part.items {
            assert_eq!(versions.len(), 2);
            assert!(versions[0].record.spec.version < versions[1].record.spec.version);
            found.push(versions[0].record.spec.name.to_string());
        }
        page.after = part.next;
        if page.after.is_none() {
            break;
        }
    }
    assert_eq!(found, ["a", "a-b", "a/b", "a1", "b", "d"]);
    assert_eq!(sizes, [2, 2, 2]);
}

/// A prefix is text: it may end within a word, and one that no name can begin with finds nothing.
pub async fn list_keeps_to_the_prefix(stores: Stores) {
    let own = tenant("alpha");
    for name in ["a", "ab-c", "ab/c", "abz", "ac", "b"] {
        let record = named(name, "letters", b"a");
        assert_eq!(stores.tools.register(&own, &[record]).await, Ok(true));
    }
    for (prefix, after, expected) in [
        ("", None, &["a", "ab-c", "ab/c", "abz", "ac", "b"][..]),
        ("a", None, &["a", "ab-c", "ab/c", "abz", "ac"]),
        ("ab", None, &["ab-c", "ab/c", "abz"]),
        ("ab/", None, &["ab/c"]),
        ("ab", Some("ab-c"), &["ab/c", "abz"]),
        ("ab", Some("b"), &[]),
        ("abz", Some("a"), &["abz"]),
        ("ab%", None, &[]),
        ("a*", None, &[]),
        ("A", None, &[]),
        ("~", None, &[]),
        ("ab\u{e4}", None, &[]),
        ("z", None, &[]),
    ] {
        let page = PageRequest {
            after: after.map(|after| after.parse().expect("a tool name")),
            limit: 10,
        };
        let part = stores
            .tools
            .list(&own, prefix, &page)
            .await
            .expect("a page");
        let names = part.items.iter().flatten();
        let names: Vec<_> = names.map(|tool| tool.record.spec.name.as_str()).collect();
        assert_eq!(names, expected, "{prefix}");
        assert_eq!(part.next, None, "{prefix}");
    }
}
