//! Writes that come together share a transaction, and one that is refused harms no other.

use cofferdam_store_api::StoreError;
use cofferdam_store_api::conformance::sample::{task, task_id, tenant};
use cofferdam_store_embedded::{Durability, open};
use rusqlite::Connection;
use tempfile::TempDir;

const WRITERS: u32 = 64;

/// Two transactions at most: the one that waits for the lock, and the one for all that came
/// meanwhile.
const COMMITS_MAX: u64 = 2;

/// Lets every spawned write come as far as the queue: the runtime of these tests has one thread,
/// which takes turns.
async fn queued() {
    for _ in 0..WRITERS {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn many_writes_share_a_commit() {
    let directory = TempDir::new().expect("a temporary directory");
    let path = directory.path().join("store.db");
    let embedded = open(&path, Durability::Safe).expect("a new file");
    let own = tenant("alpha");

    // While somebody else holds the lock, writes gather.
    let other = Connection::open(&path).expect("a second connection");
    other.execute_batch("BEGIN IMMEDIATE").expect("the lock");
    let writes: Vec<_> = (0..WRITERS)
        .map(|n| {
            let stores = embedded.stores();
            // Every fourth wants the id of its neighbour, which is refused.
            let task = task(&own, if n % 4 == 3 { n - 1 } else { n });
            tokio::spawn(async move { stores.tasks.create(&task).await })
        })
        .collect();
    queued().await;
    other.execute_batch("ROLLBACK").expect("the lock");

    for (n, write) in (0..WRITERS).zip(writes) {
        let expected = match n % 4 {
            3 => Err(StoreError::Conflict),
            _ => Ok(()),
        };
        assert_eq!(write.await.expect("a write"), expected, "write {n}");
        let kept = embedded.stores().tasks.get(&own, &task_id(n)).await;
        assert_eq!(
            kept.expect("a read").is_some(),
            expected.is_ok(),
            "task {n}"
        );
    }
    let commits = embedded.commits();
    assert!(commits <= COMMITS_MAX, "{commits} commits");
}

/// Dropping the last handle writes what is queued, though nobody waits for it.
#[tokio::test]
async fn closing_writes_what_is_queued() {
    let directory = TempDir::new().expect("a temporary directory");
    let path = directory.path().join("store.db");
    let own = tenant("alpha");
    let embedded = open(&path, Durability::Safe).expect("a new file");
    let other = Connection::open(&path).expect("a second connection");
    other.execute_batch("BEGIN IMMEDIATE").expect("the lock");
    let writes: Vec<_> = (0..WRITERS)
        .map(|n| {
            let (stores, task) = (embedded.stores(), task(&own, n));
            tokio::spawn(async move { stores.tasks.create(&task).await })
        })
        .collect();
    queued().await;
    for write in &writes {
        write.abort();
    }
    for write in writes {
        assert!(write.await.is_err_and(|error| error.is_cancelled()));
    }
    other.execute_batch("ROLLBACK").expect("the lock");
    drop(other);
    drop(embedded);
    // The log is folded into the main file, which is all that is left.
    let mut names = Vec::new();
    for entry in std::fs::read_dir(directory.path()).expect("the directory") {
        names.push(entry.expect("a file").file_name());
    }
    assert_eq!(names, ["store.db"]);

    let stores = open(&path, Durability::Safe).expect("the file").stores();
    for n in 0..WRITERS {
        let kept = stores.tasks.get(&own, &task_id(n)).await;
        assert!(kept.is_ok_and(|kept| kept.is_some()), "task {n}");
    }
}
