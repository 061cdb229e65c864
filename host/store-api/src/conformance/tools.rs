//! Cases of [`crate::Tools`].

use std::slice::from_ref;

use super::sample::{tenant, tool};
use crate::{StoreError, Stores, ToolRecord};

/// What is registered comes back, and nothing else does.
pub async fn register_and_get(stores: Stores) {
    let own = tenant("alpha");
    let record = tool("read", "1.2.0", b"a");
    let (name, version) = (&record.spec.name, &record.spec.version);
    assert_eq!(stores.tools.get(&own, name, version).await, Ok(None));
    assert_eq!(stores.tools.list(&own).await, Ok(Vec::new()));
    assert_eq!(stores.tools.register(&own, &[]).await, Ok(false));

    let batch = [record.clone(), tool("write", "1.2.0", b"a")];
    assert_eq!(stores.tools.register(&own, &batch).await, Ok(true));
    assert_eq!(
        stores.tools.get(&own, name, version).await,
        Ok(Some(record.clone()))
    );
    let other = "1.2.1".parse().expect("a version");
    assert_eq!(stores.tools.get(&own, name, &other).await, Ok(None));
    let other = "files-rea".parse().expect("a tool name");
    assert_eq!(stores.tools.get(&own, &other, version).await, Ok(None));
    assert_eq!(stores.tools.list(&own).await, Ok(batch.to_vec()));
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

    let tools = &stores.tools;
    assert_eq!(tools.register(&own, from_ref(&first)).await, Ok(true));
    assert_eq!(tools.register(&own, from_ref(&again)).await, Ok(false));
    assert_eq!(tools.register(&own, &[again, more.clone()]).await, Ok(true));
    assert_eq!(tools.list(&own).await, Ok(vec![first, more]));
}

/// A name and version that another component has refuses the whole batch.
pub async fn register_is_all_or_nothing(stores: Stores) {
    let own = tenant("alpha");
    let first = tool("read", "1.0.0", b"a");
    let tools = &stores.tools;
    assert_eq!(tools.register(&own, from_ref(&first)).await, Ok(true));

    let batch = [
        tool("list", "1.0.0", b"b"),
        tool("read", "1.0.0", b"b"),
        tool("write", "1.0.0", b"b"),
    ];
    assert_eq!(
        tools.register(&own, &batch).await,
        Err(StoreError::Conflict)
    );
    assert_eq!(tools.list(&own).await, Ok(vec![first]));
    // The names of the refused batch are free.
    let batch = [tool("list", "1.0.0", b"c")];
    assert_eq!(tools.register(&own, &batch).await, Ok(true));
}

/// Two digests for one name and version inside one batch.
pub async fn a_batch_that_contradicts_itself(stores: Stores) {
    let own = tenant("alpha");
    let batch = [tool("read", "1.0.0", b"a"), tool("read", "1.0.0", b"b")];
    assert_eq!(
        stores.tools.register(&own, &batch).await,
        Err(StoreError::Conflict)
    );
    assert_eq!(stores.tools.list(&own).await, Ok(Vec::new()));
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
    let sorted: Vec<_> = sorted
        .map(|(name, version)| tool(name, version, b"a"))
        .into();
    for record in sorted.iter().rev() {
        let batch = from_ref(record);
        assert_eq!(stores.tools.register(&own, batch).await, Ok(true));
    }
    assert_eq!(stores.tools.list(&own).await, Ok(sorted));
}
