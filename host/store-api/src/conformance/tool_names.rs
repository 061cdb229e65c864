//! Cases of [`crate::Tools`]: whose a name is.

use std::slice::from_ref;

use super::sample::{named, tenant, tool, tools};
use crate::{StoreError, Stores, Tool};

/// Another component's tool of a name is refused, whatever its version and bytes.
pub async fn a_name_belongs_to_its_component(stores: Stores) {
    let own = tenant("alpha");
    let first = named("files-read", "files", b"a");
    let table = &stores.tools;
    assert_eq!(table.register(&own, from_ref(&first)).await, Ok(true));
    let same = named("files-read", "fi", b"a");
    let mut later = named("files-read", "fi", b"b");
    later.spec.version = "2.0.0".parse().expect("a version");
    for other in [same, later] {
        let batch = [named("fi-list", "fi", b"b"), other];
        let refused = table.register(&own, &batch).await;
        assert_eq!(refused, Err(StoreError::Conflict));
    }
    assert_eq!(tools(&stores, &own).await, Ok(vec![Tool::fresh(first)]));
}

/// When all versions of a name are removed, it is still its component's.
pub async fn a_name_without_versions_stays_its_own(stores: Stores) {
    let own = tenant("alpha");
    let first = tool("read", "1.0.0", b"a");
    let (name, version) = (&first.spec.name, &first.spec.version);
    let table = &stores.tools;
    assert_eq!(table.register(&own, from_ref(&first)).await, Ok(true));
    assert_eq!(table.remove(&own, name, version, None).await, Ok(true));
    let mut other = named("files-read", "fi", b"b");
    other.spec.version = "2.0.0".parse().expect("a version");
    let refused = table.register(&own, &[other]).await;
    assert_eq!(refused, Err(StoreError::Conflict));
    let next = tool("read", "2.0.0", b"b");
    assert_eq!(table.register(&own, &[next]).await, Ok(true));
}

/// A name that looks like one that is there is refused, of the same component too; a further version
/// of the name itself is not.
pub async fn look_alikes_are_refused(stores: Stores) {
    let own = tenant("alpha");
    let table = &stores.tools;
    let first = named("files-read", "files", b"a");
    assert_eq!(table.register(&own, &[first]).await, Ok(true));
    for (name, component) in [
        ("filesread", "filesread"),
        ("fi1es-read", "fi1es"),
        ("flles-read", "flles"),
        ("file-sread", "files"),
    ] {
        let batch = [named(name, component, b"b")];
        let refused = table.register(&own, &batch).await;
        assert_eq!(refused, Err(StoreError::Conflict), "{name}");
    }
    let apart = [named("acme/files-read", "acme", b"c")];
    assert_eq!(table.register(&own, &apart).await, Ok(true));
    let next = tool("read", "1.1.0", b"d");
    assert_eq!(table.register(&own, &[next]).await, Ok(true));
}

/// A name that lost its versions still keeps look-alikes away.
pub async fn look_alikes_of_removed_names_are_refused(stores: Stores) {
    let own = tenant("alpha");
    let first = tool("read", "1.0.0", b"a");
    let (name, version) = (&first.spec.name, &first.spec.version);
    let table = &stores.tools;
    assert_eq!(table.register(&own, from_ref(&first)).await, Ok(true));
    assert_eq!(table.remove(&own, name, version, None).await, Ok(true));
    let batch = [named("fi1es-read", "fi1es", b"b")];
    let refused = table.register(&own, &batch).await;
    assert_eq!(refused, Err(StoreError::Conflict));
}

/// Two names of one look, or one name of two components, in one batch.
pub async fn a_batch_is_held_against_itself(stores: Stores) {
    let own = tenant("alpha");
    for batch in [
        [named("io-read", "io", b"a"), named("lo-read", "io", b"a")],
        [named("io-read", "io", b"a"), named("io-read", "oi", b"a")],
    ] {
        let refused = stores.tools.register(&own, &batch).await;
        assert_eq!(refused, Err(StoreError::Conflict));
    }
    assert_eq!(tools(&stores, &own).await, Ok(Vec::new()));
}

/// The names of a batch that was refused are free, and so are their look-alikes.
pub async fn a_refused_batch_claims_nothing(stores: Stores) {
    let own = tenant("alpha");
    let table = &stores.tools;
    let first = named("files-read", "files", b"a");
    assert_eq!(table.register(&own, &[first]).await, Ok(true));
    let batch = [
        named("io-list", "io", b"b"),
        named("files-read", "io", b"b"),
    ];
    let refused = table.register(&own, &batch).await;
    assert_eq!(refused, Err(StoreError::Conflict));
    let batch = [named("lo-list", "lo", b"c")];
    assert_eq!(table.register(&own, &batch).await, Ok(true));
}
