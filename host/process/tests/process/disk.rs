//! A small disk: one that a program fills without ever writing a long file.

use std::process::{Command, Stdio};

use cofferdam_process::{Error, Limit};
use serde_json::json;

use crate::stand::Stand;

/// Runs what follows where temporary files lie on a disk of 16 MiB.
const SMALL: &str =
    "mount -t tmpfs -o size=16m,nr_inodes=2000 none \"$0\" && TMPDIR=\"$0\" exec \"$@\"";
/// Most bytes that are free on a disk of that size.
const SMALL_BYTES: u64 = 16 << 20;
const TESTS: [&str; 2] = ["disk::bytes_in_many_files", "disk::many_empty_files"];

/// What the script comes to: nothing special where there is room for all that it writes.
async fn check(script: &str) {
    let stand = Stand::shell(json!({}));
    let room = rustix::fs::statvfs(stand.workspace.path()).expect("a disk");
    let ended = if room.f_bavail * room.f_frsize <= SMALL_BYTES {
        // Until the watch has looked.
        stand
            .run(&["-c", &format!("{script}; read -r _ < pipe")])
            .await
    } else {
        return assert_eq!(stand.says(&["-c", script]).await, "");
    };
    assert!(
        matches!(
            ended,
            Err(Error::Limit {
                limit: Limit::Disk,
                ..
            })
        ),
        "{ended:?}"
    );
}

#[tokio::test]
async fn bytes_in_many_files() {
    check("mkfifo pipe; for i in 1 2 3 4 5 6 7 8 9; do head -c 1048576 /dev/zero > $i; done").await;
}

#[tokio::test]
async fn many_empty_files() {
    check("mkfifo pipe; i=0; while [ $i -lt 1200 ]; do : > $i; i=$((i + 1)); done").await;
}

#[test]
fn no_program_fills_a_disk() {
    let outer = |script: &str| {
        let mut command = Command::new("unshare");
        command.args(["--user", "--map-root-user", "--mount", "sh", "-c", script]);
        command
    };
    let directory = tempfile::tempdir().expect("a directory");
    let possible = outer(SMALL)
        .arg(directory.path())
        .arg("true")
        .stderr(Stdio::null())
        .status();
    if !possible.is_ok_and(|status| status.success()) {
        // Nobody may mount a disk here, and the machine's own is none to fill.
        return;
    }
    let output = outer(SMALL)
        .arg(directory.path())
        .arg(std::env::current_exe().expect("a path"))
        .args(["--exact", "--test-threads=1"])
        .args(TESTS)
        .output()
        .expect("started");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
    assert!(said.contains(&format!("{} passed", TESTS.len())), "{said}");
}
