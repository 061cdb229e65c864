//! Files of older hosts: what they hold is there, in the form of this version.

use cofferdam_store_api::conformance::sample::{named, tenant, time, tool, tools};
use cofferdam_store_api::{Changed, StoreError, Stores, Tool, ToolRecord};
use cofferdam_store_embedded::{Durability, open};
use cofferdam_types::tool::ToolStatus;
use cofferdam_types::{Tenant, Timestamp, ToolName};
use rusqlite::{Connection, params};
use tempfile::TempDir;

/// A file as hosts of version 4 left it, with these tools.
fn version_4(tools: &[(Tenant, ToolRecord)]) -> TempDir {
    let directory = TempDir::new_in("/dev/shm").or_else(|_| TempDir::new());
    let directory = directory.expect("a temporary directory");
    let path = directory.path().join("store.db");
    drop(open(&path, Durability::Fast).expect("a new file"));
    let file = Connection::open(&path).expect("the file");
    file.execute_batch(
        "DROP TABLE tool_standings; DROP TABLE tool_names; DROP TABLE tool_tombstones;
         PRAGMA user_version = 4;",
    )
    .expect("a file of version 4");
    for (tenant, record) in tools {
        file.execute(
            "INSERT INTO tools VALUES (?1, ?2, ?3, ?4, 1, ?5)",
            params![
                tenant.as_str(),
                record.spec.name.as_str(),
                record.spec.version.to_string(),
                record.digest.to_string(),
                serde_json::to_string(record).expect("JSON"),
            ],
        )
        .expect("a row");
    }
    directory
}

fn opened(directory: &TempDir) -> Stores {
    let path = directory.path().join("store.db");
    let file = open(&path, Durability::Fast).expect("an older file");
    file.stores()
}

/// Registered at a time of its own, to the millisecond.
fn at(record: ToolRecord, millis: u64) -> ToolRecord {
    ToolRecord {
        created_at: Timestamp::from_millis(millis),
        ..record
    }
}

#[tokio::test]
async fn tools_come_out_registered_and_never_used() {
    let (own, other) = (tenant("alpha"), tenant("beta"));
    let records = [
        at(tool("list", "1.0.0", b"a"), 1_700_000_000_001),
        at(tool("read", "0.9.0", b"old"), 1_700_000_000_999),
        at(tool("read", "0.10.0", b"new"), 4_102_444_799_998),
    ];
    let mut rows: Vec<_> = records.clone().map(|record| (own.clone(), record)).into();
    rows.push((other.clone(), tool("read", "1.0.0", b"a")));
    let file = version_4(&rows);
    for _ in 0..2 {
        let stores = opened(&file);
        let kept = tools(&stores, &own).await;
        assert_eq!(kept, Ok(records.clone().map(Tool::fresh).into()));
        let kept = tools(&stores, &other).await.expect("the tools");
        assert_eq!(kept, [Tool::fresh(rows[3].1.clone())]);
        // Each name is a change, so a reader gets them in parts.
        let first = stores.tools.changed(&own, 0, 1).await;
        let expected = Changed {
            generation: 1,
            names: vec![records[0].spec.name.clone()],
            more: true,
        };
        assert_eq!(first, Ok(expected));
        let rest = stores.tools.changed(&own, 1, 1).await.expect("a change");
        assert_eq!((rest.generation, rest.more), (2, false));
        let changed = stores.tools.changed(&other, 0, 9).await;
        assert_eq!(changed.expect("a change").generation, 1);
    }
    let stores = opened(&file);
    let (name, version) = (&records[1].spec.name, &records[1].spec.version);
    let status = ToolStatus::Deprecated;
    let set = stores
        .tools
        .set_status(&own, name, version, status, time(1), None);
    assert_eq!(set.await, Ok(true));
    let changed = stores.tools.changed(&own, 2, 9).await.expect("a change");
    assert_eq!((changed.generation, changed.names), (3, vec![name.clone()]));
}

#[tokio::test]
async fn names_are_claimed_by_who_had_them_first() {
    let own = tenant("alpha");
    let mut second = at(named("notes-add", "another", b"b"), 2_000);
    second.spec.version = "2.0.0".parse().expect("a version");
    let first = at(named("notes-add", "notes", b"a"), 1_000);
    let file = version_4(&[(own.clone(), second), (own.clone(), first)]);
    let stores = opened(&file);
    let further = |component: &str| {
        let mut record = named("notes-add", component, b"c");
        record.spec.version = "3.0.0".parse().expect("a version");
        record
    };
    let refused = stores.tools.register(&own, &[further("another")]).await;
    assert_eq!(refused, Err(StoreError::Conflict));
    let added = stores.tools.register(&own, &[further("notes")]).await;
    assert_eq!(added, Ok(true));
}

/// Older hosts took names that look alike: each goes on, and no third one joins them.
#[tokio::test]
async fn look_alikes_that_are_there_go_on() {
    let own = tenant("alpha");
    let names = ["io-read", "lo-read", "arm", "acme/w0rm-1"];
    let rows = names.map(|name| (own.clone(), named(name, "names", b"a")));
    let file = version_4(&rows);
    let stores = opened(&file);
    for name in names {
        let mut next = named(name, "names", b"b");
        next.spec.version = "1.1.0".parse().expect("a version");
        let added = stores.tools.register(&own, &[next]).await;
        assert_eq!(added, Ok(true), "{name}");
    }
    // The skeletons that the file got are those that a name has.
    for name in ["l-0-read", "ar-rn", "acrne/vv-orrn-i"] {
        let name: ToolName = name.parse().expect("a tool name");
        let alike = [named(name.as_str(), "names", b"c")];
        let refused = stores.tools.register(&own, &alike).await;
        assert_eq!(refused, Err(StoreError::Conflict), "{name}");
    }
}

/// A row that can't be read is no reason to refuse the file, and is refused when it is read.
#[tokio::test]
async fn a_damaged_row_comes_along() {
    let own = tenant("alpha");
    let rows = ["list", "read"].map(|name| (own.clone(), tool(name, "1.0.0", b"a")));
    let file = version_4(&rows);
    let path = file.path().join("store.db");
    for damage in ["no JSON", "[1]", "{}"] {
        let connection = Connection::open(&path).expect("the file");
        connection
            .execute(
                "UPDATE tools SET record = ?1 WHERE name = 'files-read'",
                [damage],
            )
            .expect("a change");
        // What was written moves from the log into the file.
        drop(connection);
        let copy = TempDir::new().expect("a temporary directory");
        std::fs::copy(&path, copy.path().join("store.db")).expect("a copy");
        let stores = opened(&copy);
        let spec = &rows[0].1.spec;
        let list = stores.tools.get(&own, &spec.name, &spec.version).await;
        assert_eq!(list, Ok(Some(Tool::fresh(rows[0].1.clone()))), "{damage}");
        let spec = &rows[1].1.spec;
        let read = stores.tools.get(&own, &spec.name, &spec.version).await;
        assert!(matches!(read, Err(StoreError::Damaged(_))), "{read:?}");
    }
}
