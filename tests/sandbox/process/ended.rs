//! PR-08 to PR-12: programs that don't end, and what they leave.

use std::time::{Duration, Instant};

use anyhow::Result;
use cofferdam_testing::{Leftovers, scale};
use serde_json::json;

use super::{Ruled, alive, code};
use crate::settled;

const SHELL: &str = r#"
programs:
  sh:
    path: /bin/sh
    environment: {PATH: "/usr/bin:/bin"}
    execute: [/bin, /usr/bin]
    limits: {processes: 16, output: 64KiB, time: 3s, cpu: 2s}
rules:
  - name: prober
    tools: ["process-prober-*"]
    allow:
      filesystem: [{mount: workspace, rights: [read, write, create, delete, list]}]
      subprocess:
        - program: sh
          arguments: {positions: [{exact: "-c"}, any]}
          mounts: {workspace: write}
"#;

fn shell(script: &str) -> serde_json::Value {
    json!({"program": "sh", "arguments": ["-c", script]})
}

/// In a session of its own, deaf to what can be ignored, with stdout open.
fn stubborn(word: &str) -> String {
    format!(
        "(trap '' TERM HUP INT; setsid sh -c 'trap \"\" TERM HUP INT; : {word}; while :; do sleep 1; done' & ) &"
    )
}

/// PR-08: it is as large as it is allowed to be, and gone after.
#[tokio::test]
async fn a_fork_bomb_ends_the_call_and_itself() -> Result<()> {
    let ruled = Ruled::start(SHELL).await?;
    ruled.said(shell(":")).await?;
    let before = Leftovers::of(ruled.host.pid())?;
    let word = "prober-bomb";
    // A tree of so many, if nothing bounded it but itself.
    let levels = scale::of(10_000, 128).ilog2();
    let bomb = format!(
        ": {word}; b() {{ [ $1 -gt {levels} ] || {{ b $(($1 + 1)) & b $(($1 + 1)) & }}; sleep 30; }}; b 0"
    );
    let answer = ruled.call(shell(&bomb), json!({})).await?;
    assert_eq!(answer.code(), Some("limit_exceeded"), "{}", answer.body);
    assert_eq!(answer.body["error"]["details"]["limit"], "processes");
    assert_eq!(alive(word), 0);
    settled(&ruled.host, &before).await
}

/// PR-09: at the deadline of the program and at that of the call.
#[tokio::test]
async fn nothing_outlives_a_deadline() -> Result<()> {
    let ruled = Ruled::start(SHELL).await?;
    let word = "prober-deadline";
    let script = format!("{} while :; do sleep 1; done", stubborn(word));
    // The program's own, then the call's.
    assert_eq!(ruled.code(shell(&script)).await?, "program_timeout");
    assert_eq!(alive(word), 0);
    let began = Instant::now();
    let limits = json!({"limits": {"deadline_ms": 1_000}});
    let answer = ruled.call(shell(&script), limits).await?;
    assert_eq!(code(&answer), "timeout", "{}", answer.body);
    assert!(began.elapsed() < Duration::from_secs(20));
    gone(word).await;
    ruled.settled().await
}

/// PR-10: the call ends soon, and what holds the pipe with it.
#[tokio::test]
async fn what_a_program_leaves_behind_ends_with_it() -> Result<()> {
    let ruled = Ruled::start(SHELL).await?;
    let word = "prober-orphan";
    let said = ruled
        .said(shell(&format!("{} echo done", stubborn(word))))
        .await?;
    assert_eq!(said["stdout"], "done\n");
    assert_eq!(alive(word), 0);
    ruled.settled().await
}

/// PR-11: of output that is too much a part is kept.
#[tokio::test]
async fn too_much_output_is_cut_and_counted() -> Result<()> {
    let patient = SHELL.replace("time: 3s, cpu: 2s", "time: 5m, cpu: 5m");
    let ruled = Ruled::start(&patient).await?;
    let bytes = scale::of(10_000_000_000, 10_000_000);
    let script = format!("head -c {bytes} /dev/zero; printf '\\033[31m' >&2");
    let limits = json!({"limits": {"deadline_ms": 300_000}});
    let answer = ruled.call(shell(&script), limits).await?.ok()?;
    let said = &answer["result"];
    assert_eq!(said["dropped"], bytes - (64 << 10));
    assert_eq!(said["stdout"].as_str().map_or(0, str::len), 64 << 10);
    ruled.settled().await
}

/// After a call that was given up, its programs end in the background.
async fn gone(word: &str) {
    let patience = Instant::now() + Duration::from_secs(20);
    while alive(word) > 0 {
        assert!(Instant::now() < patience, "still there");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
