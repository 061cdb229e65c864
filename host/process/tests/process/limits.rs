//! What a program may use, with everything it starts.

use cofferdam_process::{Ended, Error, Limit};
use serde_json::json;

use crate::stand::{Stand, alive, word};

async fn limit(stand: &Stand, arguments: &[&str]) -> Limit {
    match stand.run(arguments).await {
        Err(Error::Limit { limit, .. }) => limit,
        other => panic!("no limit was reached: {other:?}"),
    }
}

#[tokio::test]
async fn processor_time() {
    let stand = Stand::probe(json!({"limits": {"cpu": "1s"}}));
    assert_eq!(limit(&stand, &["spin"]).await, Limit::Cpu);
}

#[tokio::test]
async fn processor_time_of_many_processes_together() {
    let stand = Stand::shell(json!({"limits": {"cpu": "1s"}}));
    let script = "for i in 1 2 3 4; do while :; do :; done & done; wait";
    assert_eq!(limit(&stand, &["-c", script]).await, Limit::Cpu);
}

#[tokio::test]
async fn memory_of_one_process() {
    let stand = Stand::probe(json!({"limits": {"memory": "64MiB"}}));
    let finished = stand.run(&["memory", "200"]).await.expect("an end");
    assert_ne!(finished.ended, Ended::Exited(0));
    let stand = Stand::probe(json!({"limits": {"memory": "512MiB"}}));
    assert_eq!(stand.says(&["memory", "100"]).await, "held 100");
}

/// PR-08: ten thousand threads.
#[tokio::test]
async fn threads_count_as_processes() {
    let stand = Stand::probe(json!({"limits": {"processes": 16}}));
    assert_eq!(limit(&stand, &["threads", "10000"]).await, Limit::Processes);
}

/// PR-08: a tree that doubles, bounded by itself as well.
#[tokio::test]
async fn a_fork_bomb() {
    let word = &word("bomb");
    let stand = Stand::shell(json!({"limits": {"processes": 16}}));
    let script = format!(
        ": {word}; b() {{ [ $1 -gt 7 ] || {{ b $(($1 + 1)) & b $(($1 + 1)) & }}; sleep 30; }}; b 0"
    );
    assert_eq!(limit(&stand, &["-c", &script]).await, Limit::Processes);
    assert_eq!(alive(word), Vec::<String>::new());
}

#[tokio::test]
async fn the_length_of_a_file() {
    let stand = Stand::shell(json!({"limits": {"file_size": "64KiB"}}));
    let script = "while :; do echo 0123456789012345678901234567890123456789; done > long";
    assert_eq!(limit(&stand, &["-c", script]).await, Limit::FileSize);
    let length = std::fs::metadata(stand.workspace.path().join("long"))
        .expect("a file")
        .len();
    assert!(length <= 64 << 10, "{length}");
}

#[tokio::test]
async fn open_files() {
    let stand = Stand::shell(json!({"limits": {"open_files": 16}}));
    let said = stand.says(&["-c", "ulimit -n"]).await;
    assert_eq!(said, "16\n");
}
