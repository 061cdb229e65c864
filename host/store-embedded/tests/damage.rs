//! Files that are not what this version wrote: refused with a reason, never a panic.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use cofferdam_store_api::conformance::sample::{
    claimed, entry, finish, started, task, task_id, tenant, tool, tools,
};
use cofferdam_store_api::{RunFilter, StoreError, Stores, TaskFilter};
use cofferdam_store_embedded::{Durability, open};
use cofferdam_types::Digest;
use cofferdam_types::page::PageRequest;
use rusqlite::Connection;
use tempfile::TempDir;

fn scratch() -> TempDir {
    let directory = TempDir::new_in("/dev/shm").or_else(|_| TempDir::new());
    directory.expect("a temporary directory")
}

/// The reason why a file is refused.
fn damaged(path: &Path) -> String {
    match open(path, Durability::Fast) {
        Err(StoreError::Damaged(reason)) => reason,
        Err(error) => panic!("another refusal: {error}"),
        Ok(_) => panic!("the file was opened"),
    }
}

#[test]
fn foreign_files_are_refused_and_left_as_they_are() {
    let directory = scratch();
    let foreign = directory.path().join("foreign.db");
    let connection = Connection::open(&foreign).expect("a new file");
    connection
        .execute_batch("CREATE TABLE tasks (id TEXT)")
        .expect("a table");
    drop(connection);
    let foreign = fs::read(&foreign).expect("its bytes");
    let cases = [
        (
            "text",
            b"this is not a database, whatever its name".to_vec(),
            "not a database",
        ),
        ("zeros", vec![0; 4096], "not a database"),
        (
            "random",
            (0..=u8::MAX).cycle().take(9000).collect(),
            "not a database",
        ),
        ("foreign", foreign, "another program"),
    ];
    for (name, bytes, reason) in cases {
        let path = directory.path().join(name);
        fs::write(&path, &bytes).expect("a file");
        let refusal = damaged(&path);
        assert!(refusal.contains(reason), "{name}: {refusal}");
        assert_eq!(fs::read(&path).expect("the file"), bytes, "{name}");
    }
}

#[test]
fn an_empty_file_is_a_new_one_and_its_owners_alone() {
    let directory = scratch();
    let path = directory.path().join("store.db");
    fs::write(&path, b"").expect("a file");
    let open_file = open(&path, Durability::Safe).expect("an empty file");
    for name in ["store.db", "store.db-wal", "store.db-shm"] {
        let metadata = fs::metadata(directory.path().join(name)).expect("the file");
        assert_eq!(metadata.permissions().mode() & 0o777, 0o600, "{name}");
    }
    drop(open_file);
}

#[test]
fn places_that_hold_no_file_are_unavailable() {
    let directory = scratch();
    for path in [
        directory.path().to_owned(),
        directory.path().join("absent/store.db"),
    ] {
        let answer = open(&path, Durability::Safe).err();
        assert!(
            matches!(answer, Some(StoreError::Unavailable(_))),
            "{path:?}"
        );
    }
}

#[test]
fn a_newer_schema_is_refused_by_its_number() {
    let directory = scratch();
    let path = directory.path().join("store.db");
    drop(open(&path, Durability::Fast).expect("a new file"));
    for (version, reason) in [
        (98, "schema version 98"),
        (99, "schema version 99"),
        (0, "0"),
    ] {
        let connection = Connection::open(&path).expect("the file");
        connection
            .pragma_update(None, "user_version", version)
            .expect("a version");
        drop(connection);
        let refusal = damaged(&path);
        assert!(refusal.contains(reason), "{refusal}");
    }
}

#[tokio::test]
async fn a_file_without_secrets_gets_their_table_and_keeps_its_own() {
    let directory = scratch();
    let path = directory.path().join("store.db");
    let own = tenant("alpha");
    let stores = open(&path, Durability::Fast).expect("a new file").stores();
    fill(&stores, 0).await;
    drop(stores);
    let connection = Connection::open(&path).expect("the file");
    connection
        .execute_batch(
            "DROP TABLE secrets; DROP TABLE tool_standings; DROP TABLE tool_names;
             DROP TABLE tool_tombstones; PRAGMA user_version = 3;",
        )
        .expect("a file of the version before");
    drop(connection);
    for _ in 0..2 {
        let stores = open(&path, Durability::Fast)
            .expect("an upgraded file")
            .stores();
        let kept = stores.tasks.get(&own, &task_id(0)).await;
        assert_eq!(kept, Ok(Some(task(&own, 0))));
        assert_eq!(stores.secrets.list(&own).await, Ok(Vec::new()));
    }
}

#[tokio::test]
async fn a_newer_record_is_refused_by_its_table() {
    let directory = scratch();
    let path = directory.path().join("store.db");
    let own = tenant("alpha");
    let stores = open(&path, Durability::Fast).expect("a new file").stores();
    fill(&stores, 0).await;
    let other = Connection::open(&path).expect("a second connection");
    for change in [
        "UPDATE tasks SET record_version = 2",
        "UPDATE tasks SET record_version = 1, record = '{\"id\": 1}'",
        "UPDATE tasks SET record = 'no JSON'",
        "UPDATE tasks SET record = CAST(x'ff00' AS TEXT)",
    ] {
        other.execute_batch(change).expect("a change");
        let answer = stores.tasks.get(&own, &task_id(0)).await;
        let refused = matches!(&answer, Err(StoreError::Damaged(_)));
        assert!(refused, "{change}: {answer:?}");
        // A write that must read the record first is refused too, and the store works on.
        let answer = stores
            .tasks
            .update(&task(&own, 0), task(&own, 0).updated_at)
            .await;
        assert!(matches!(answer, Err(StoreError::Damaged(_))), "{change}");
        assert!(tools(&stores, &own).await.is_ok(), "{change}");
    }
}

/// The log cut off anywhere: the file opens, and holds the writes up to some point and none after.
#[tokio::test]
async fn a_cut_log_keeps_what_came_before_the_cut() {
    const WRITES: u32 = 40;
    let directory = scratch();
    let path = directory.path().join("store.db");
    let own = tenant("alpha");
    let embedded = open(&path, Durability::Fast).expect("a new file");
    for n in 0..WRITES {
        let created = embedded.stores().tasks.create(&task(&own, n)).await;
        assert_eq!(created, Ok(()));
    }
    // The file is open, so the log is still beside it.
    let main = fs::read(&path).expect("the main file");
    let log = fs::read(directory.path().join("store.db-wal")).expect("the log");
    drop(embedded);

    let mut seen = Vec::new();
    for part in 0..=32 {
        let cut = directory.path().join(format!("cut-{part}.db"));
        let length = log.len() * part / 32;
        fs::write(&cut, &main).expect("the main file");
        let beside = directory.path().join(format!("cut-{part}.db-wal"));
        fs::write(beside, &log[..length]).expect("the log");
        let stores = open(&cut, Durability::Fast)
            .expect("a readable file")
            .stores();
        let mut kept = Vec::new();
        for n in 0..WRITES {
            let task = stores.tasks.get(&own, &task_id(n)).await;
            kept.push(task.expect("a readable task").is_some());
        }
        let count = kept.iter().filter(|kept| **kept).count();
        assert!(kept[..count].iter().all(|kept| *kept), "{part}: a hole");
        seen.push(count);
    }
    assert!(seen.is_sorted(), "{seen:?}");
    assert_eq!((seen[0], seen[32]), (0, WRITES as usize), "{seen:?}");
}

/// One byte changed or the file cut anywhere: every answer is right, or a refusal with a reason.
#[tokio::test]
async fn damaged_pages_are_never_a_panic() {
    let directory = scratch();
    let path = directory.path().join("store.db");
    let embedded = open(&path, Durability::Fast).expect("a new file");
    for n in 0..20 {
        fill(&embedded.stores(), n).await;
    }
    drop(embedded);
    let whole = fs::read(&path).expect("the file");
    let (mut readable, mut refused) = (0, 0);
    for part in 0..120 {
        let mut bytes = whole.clone();
        let place = (part * 7919 + part * part * 104_729) % bytes.len();
        match part % 4 {
            0 => bytes.truncate(place),
            1 => bytes[place] ^= 0xff,
            2 => bytes[place & !4095..][..16].fill(0xa5),
            _ => bytes[place & !4095..][..16].fill(0),
        }
        let path = directory.path().join(format!("{part}.db"));
        fs::write(&path, &bytes).expect("a file");
        let outcome = match open(&path, Durability::Fast) {
            Ok(embedded) => use_all(&embedded.stores()).await,
            Err(error) => Err(error),
        };
        match outcome {
            Ok(()) => readable += 1,
            Err(StoreError::Damaged(_)) => refused += 1,
            Err(error) => panic!("{part}: {error}"),
        }
        fs::remove_file(&path).expect("the file");
    }
    assert!(
        readable > 0 && refused > 20,
        "{readable} readable, {refused} refused"
    );
}

async fn fill(stores: &Stores, n: u32) {
    let own = tenant("alpha");
    let (_, queued) = started(stores, &own, n).await;
    let head = claimed(stores, &queued, 1).await;
    finish(stores, &head).await;
    let blob = vec![7; 9000];
    let record = tool("read", &format!("1.0.{n}"), b"a");
    stores
        .tools
        .register(&own, &[record])
        .await
        .expect("a tool");
    stores
        .blobs
        .put(&own, &Digest::of(b"a"), &blob)
        .await
        .expect("a blob");
    let last = stores.audit.last().await.expect("the audit");
    let entry = entry(&own, last.map_or(0, |(seq, _)| seq) + 1);
    stores.audit.append(&[entry]).await.expect("the audit");
}

/// Reads every table and writes to some.
async fn use_all(stores: &Stores) -> Result<(), StoreError> {
    let own = tenant("alpha");
    tools(stores, &own).await?;
    stores.tools.changed(&own, 0, 10).await?;
    stores.blobs.get(&own, &Digest::of(b"a")).await?;
    stores
        .keys
        .get(&cofferdam_store_api::conformance::sample::key_id(1))
        .await?;
    stores.audit.list(&own, &PageRequest::first()).await?;
    stores
        .tasks
        .list(&own, &TaskFilter::default(), &PageRequest::first())
        .await?;
    let runs = stores
        .runs
        .list(&own, &RunFilter::default(), &PageRequest::first())
        .await?;
    for run in runs.items {
        stores.events.read(&own, &run.id, 0, 100).await?;
    }
    stores.runs.unfinished(&PageRequest::first()).await?;
    match stores.tasks.create(&task(&own, 1000)).await {
        // A damaged index can hold any key.
        Ok(()) | Err(StoreError::Conflict) => Ok(()),
        Err(error) => Err(error),
    }
}
