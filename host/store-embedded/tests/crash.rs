//! `kill -9` in the middle of writing: whatever was answered with `Ok` is there afterwards, and
//! what belongs together is there together.
//!
//! The writing process is this same test binary, started again with [`STORE`] set.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use cofferdam_store_api::conformance::sample::{
    claimed, event, finish, later, run_id, started, task_id, tenant, time,
};
use cofferdam_store_api::{Append, Stores, TaskFilter};
use cofferdam_store_embedded::{Durability, open};
use cofferdam_types::page::PageRequest;
use cofferdam_types::run::RunStatus;
use cofferdam_types::task::Task;
use tempfile::TempDir;

/// Where the child writes; set only for the child.
const STORE: &str = "STORE_CRASH_TEST_FILE";
/// How the child's file is opened.
const DURABILITY: &str = "STORE_CRASH_TEST_DURABILITY";
/// Runs that the child writes at the same time, so that a kill meets shared transactions.
const WRITERS: u32 = 8;
/// Events of each run before its last.
const STEPS: u64 = 6;
/// Kills of each kind of durability.
const KILLS: u32 = 10;
/// A kill comes after so many answers at most.
const ANSWERS_MAX: u64 = 150;

/// Writes until it is killed. Each line on standard output is an answer that was `Ok`:
/// the run's number and the number of its last event.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn child() {
    #[expect(
        clippy::disallowed_methods,
        reason = "how the parent tells the child apart"
    )]
    let (store, durability) = (std::env::var(STORE), std::env::var(DURABILITY));
    let Ok(store) = store else { return };
    let durability = match durability.as_deref() {
        Ok("fast") => Durability::Fast,
        _ => Durability::Safe,
    };
    let stores = open(Path::new(&store), durability)
        .expect("a readable file")
        .stores();
    let from = runs_in(&stores).await;
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| tokio::spawn(write(stores.clone(), from + writer)))
        .collect();
    for writer in writers {
        writer.await.expect("a writer");
    }
}

async fn write(stores: Stores, first: u32) {
    let own = tenant("alpha");
    for n in (first..).step_by(WRITERS as usize) {
        let (task, queued) = started(&stores, &own, n).await;
        let mut head = claimed(&stores, &queued, 1).await;
        answered(n, head.seq);
        for _ in 0..STEPS {
            let next = later(&head, 2, RunStatus::Running);
            let task = Task {
                updated_at: time(next.seq),
                ..task.clone()
            };
            let append = Append {
                run: &next,
                task: Some(&task),
                events: &[event(next.seq - 1), event(next.seq)],
            };
            stores
                .runs
                .append(append)
                .await
                .expect("the driver's append");
            answered(n, next.seq);
            head = next;
        }
        let over = finish(&stores, &head).await;
        answered(n, over.seq);
    }
}

fn answered(run: u32, seq: u64) {
    // One write for each line: a line is there as a whole or not at all.
    let line = format!("answered {run} {seq}\n");
    let mut out = std::io::stdout();
    out.write_all(line.as_bytes())
        .expect("a parent who listens");
    out.flush().expect("a parent who listens");
}

#[test]
fn a_kill_loses_nothing_that_was_answered_when_safe() {
    kill_again_and_again(Durability::Safe);
}

#[test]
fn a_kill_loses_nothing_that_was_answered_when_fast() {
    kill_again_and_again(Durability::Fast);
}

fn kill_again_and_again(durability: Durability) {
    let directory = TempDir::new().expect("a temporary directory");
    let path = directory.path().join("store.db");
    let random = RandomState::new();
    let mut answers = BTreeMap::new();
    for kill in 0..KILLS {
        let after = random.hash_one(kill) % ANSWERS_MAX;
        let before: u64 = answers.values().sum();
        listen(start(&path, durability), after, &mut answers);
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        let runtime = runtime.expect("a runtime");
        runtime.block_on(check(&path, durability, &answers));
        let total: u64 = answers.values().sum();
        assert!(
            total > before,
            "kill {kill} after {after}: nothing was answered"
        );
    }
}

fn start(path: &Path, durability: Durability) -> Child {
    let binary = std::env::current_exe().expect("this binary");
    let durability = match durability {
        Durability::Safe => "safe",
        Durability::Fast => "fast",
    };
    Command::new(binary)
        .args(["child", "--exact", "--nocapture", "--test-threads=1"])
        .env(STORE, path)
        .env(DURABILITY, durability)
        .stdout(Stdio::piped())
        .spawn()
        .expect("the child starts")
}

/// Kills the child after so many answers and notes all of them, also those that were still
/// under way.
fn listen(mut child: Child, after: u64, answers: &mut BTreeMap<u32, u64>) {
    let out = child.stdout.take().expect("a pipe");
    let mut count = 0;
    for line in BufReader::new(out).lines() {
        let line = line.expect("text");
        // The test harness says something too, and begins the first answer's line.
        let Some((_, answer)) = line.split_once("answered ") else {
            continue;
        };
        let Some((run, seq)) = answer.split_once(' ') else {
            continue;
        };
        let (Ok(run), Ok(seq)) = (run.parse(), seq.parse()) else {
            continue;
        };
        answers.insert(run, seq);
        if count == after {
            // SIGKILL.
            child.kill().expect("a child to kill");
        }
        count += 1;
    }
    child.wait().expect("a child that is gone");
    assert!(
        count > after,
        "the child ended by itself after {count} answers"
    );
}

async fn check(path: &Path, durability: Durability, answers: &BTreeMap<u32, u64>) {
    let own = tenant("alpha");
    let stores = open(path, durability).expect("a readable file").stores();
    for (run, answered) in answers {
        let head = stores.runs.get(&own, &run_id(*run)).await;
        let head = head.expect("a readable run").expect("the answered run");
        assert!(
            head.seq >= *answered,
            "run {run}: {} of {answered}",
            head.seq
        );
    }
    // Head, log and task are always of one write, answered or not.
    for run in 0..runs_in(&stores).await {
        let Some(head) = stores.runs.get(&own, &run_id(run)).await.expect("a run") else {
            continue;
        };
        let log = stores
            .events
            .read(&own, &head.id, 0, 100)
            .await
            .expect("a log");
        let numbers: Vec<_> = log.iter().map(|event| event.seq).collect();
        assert_eq!(numbers, (1..=head.seq).collect::<Vec<_>>(), "run {run}");
        let task = stores.tasks.get(&own, &task_id(run)).await.expect("a task");
        let task = task.expect("the run's task");
        // The first write and the last leave the task as it is.
        let written = head.seq - u64::from(head.status.is_terminal());
        let changed = if written == 1 { 0 } else { written };
        assert_eq!(task.updated_at, time(changed), "run {run} at {}", head.seq);
    }
}

/// One more than the highest number of a task in the file.
async fn runs_in(stores: &Stores) -> u32 {
    let own = tenant("alpha");
    let page = PageRequest {
        after: None,
        limit: 1,
    };
    let newest = stores.tasks.list(&own, &TaskFilter::default(), &page).await;
    let newest = newest.expect("a page").items.into_iter().next();
    newest.map_or(0, |task| {
        let number = task
            .title
            .strip_prefix("task ")
            .and_then(|n| n.parse::<u32>().ok());
        number.expect("a sample's title") + 1
    })
}
