//! Nothing that a program starts outlives it.

use std::time::{Duration, Instant};

use cofferdam_process::{Ended, Error};
use serde_json::json;

use crate::stand::{Stand, alive, word};

/// A child's child in a session of its own, deaf to what can be ignored, with stdout open.
fn stubborn(word: &str) -> String {
    format!(
        "(trap '' TERM HUP INT; setsid sh -c 'trap \"\" TERM HUP INT; : {word}; while :; do sleep 1; done' & ) &"
    )
}

/// PR-09: at the deadline.
#[tokio::test]
async fn the_deadline_ends_all_of_it() {
    let word = &word("deadline");
    let mut stand = Stand::shell(json!({}));
    stand.time = Duration::from_millis(700);
    let script = format!(
        "{}{} while :; do sleep 1; done",
        stubborn(word),
        stubborn(word)
    );
    let began = Instant::now();
    let ended = stand.run(&["-c", &script]).await;
    assert!(
        matches!(ended, Err(Error::Timeout { ms: 700 })),
        "{ended:?}"
    );
    assert!(began.elapsed() < Duration::from_secs(10));
    assert_eq!(alive(word), Vec::<String>::new());
}

#[tokio::test]
async fn a_program_s_own_time_is_a_deadline_as_well() {
    let stand = Stand::shell(json!({"limits": {"time": "300ms"}}));
    let ended = stand.run(&["-c", "while :; do sleep 1; done"]).await;
    assert!(
        matches!(ended, Err(Error::Timeout { ms: 300 })),
        "{ended:?}"
    );
}

/// PR-09, PR-10: when the program itself has ended.
#[tokio::test]
async fn what_it_leaves_behind_ends_with_it() {
    let word = &word("orphan");
    let stand = Stand::shell(json!({}));
    let script = format!("{} echo done", stubborn(word));
    let began = Instant::now();
    let finished = stand.run(&["-c", &script]).await.expect("an end");
    assert_eq!(finished.ended, Ended::Exited(0));
    assert_eq!(finished.stdout.bytes, b"done\n");
    assert!(began.elapsed() < Duration::from_secs(10));
    assert_eq!(alive(word), Vec::<String>::new());
}

/// PR-09: when nobody waits any more.
#[tokio::test]
async fn a_dropped_call_kills_it() {
    let word = &word("dropped");
    let stand = Stand::shell(json!({}));
    let script = format!(
        "{} : {word}; echo > started; while :; do sleep 1; done",
        stubborn(word)
    );
    let started = stand.workspace.path().join("started");
    let patience = Instant::now() + Duration::from_secs(20);
    {
        let arguments = ["-c", script.as_str()];
        let mut running = std::pin::pin!(stand.run(&arguments));
        while !started.exists() {
            assert!(Instant::now() < patience, "it never started");
            let turn = tokio::time::timeout(Duration::from_millis(20), running.as_mut()).await;
            assert!(turn.is_err(), "it ended: {turn:?}");
        }
        assert_ne!(alive(word), Vec::<String>::new());
    }
    while !alive(word).is_empty() {
        assert!(Instant::now() < patience, "still there: {:?}", alive(word));
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn no_zombie_stays() {
    let stand = Stand::probe(json!({}));
    for _ in 0..5 {
        stand.run(&["arguments"]).await.expect("an end");
    }
    let own = std::process::id();
    let children = std::fs::read_dir(format!("/proc/{own}/task"))
        .expect("threads")
        .flatten();
    let zombies: Vec<String> = children
        .filter_map(|task| std::fs::read_to_string(task.path().join("children")).ok())
        .flat_map(|list| {
            list.split_whitespace()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        })
        .filter_map(|pid| std::fs::read_to_string(format!("/proc/{pid}/stat")).ok())
        .filter(|stat| stat.contains("(launcher) Z"))
        .collect();
    // Tests run beside this one: theirs may be about to be reaped, but they don't pile up.
    assert!(zombies.len() < 5, "{zombies:?}");
}
