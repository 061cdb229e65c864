//! The host is killed in the middle of its work, again and again: what it acknowledged is there,
//! and what a step did is not done twice.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail, ensure};
use cofferdam_testing::{Host, show, tool};
use futures::future::join_all;
use serde_json::{Value, json};
use tempfile::TempDir;

/// How often the host is killed.
const KILLS: u64 = 20;
/// Writers at work at once.
const WRITERS: usize = 8;
/// Steps of each run.
const STEPS: usize = 10;
/// How long everything may take to end after the last kill.
const PATIENCE: Duration = Duration::from_mins(2);

/// What was acknowledged, and when the host was killed.
#[derive(Default)]
struct Ledger {
    tasks: BTreeSet<String>,
    runs: BTreeSet<String>,
    kills: Vec<u64>,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_twenty_times() -> Result<()> {
    let temporary = TempDir::new()?;
    let data = temporary.path().join("data");
    let ledger = Mutex::new(Ledger::default());
    for kill in 0..KILLS {
        let host = Host::at(&data, &[])?;
        if kill == 0 {
            host.upload(tool("files")?).await?.ok()?;
            host.workspace("ledger")?;
        }
        // A host compiles a component at its first call; only then do runs flow.
        host.call(
            "files-stat",
            json!({"path": "."}),
            json!({"workspace": "ledger"}),
        )
        .await?
        .ok()?;
        let writers = join_all((0..WRITERS).map(|_| write(&host, &ledger)));
        tokio::select! {
            ended = writers => bail!("the writers ended before the host: {ended:?}"),
            () = moment(&ledger, kill) => {}
        }
        #[expect(
            clippy::disallowed_methods,
            reason = "compared with the times that the host wrote"
        )]
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis();
        locked(&ledger).kills.push(u64::try_from(now)?);
        host.kill()?;
    }
    let host = Host::at(&data, &[])?;
    let ledger = ledger.into_inner().expect("no writer panicked");
    let phases = check(&host, &ledger, &data.join("workspaces/ledger")).await?;
    show(&format!(
        "{} tasks and {} runs acknowledged, {KILLS} kills; runs under way at a kill, by phase: {phases:#?}",
        ledger.tasks.len(),
        ledger.runs.len()
    ));
    ensure!(
        phases.len() >= 10,
        "the kills met only {} phases",
        phases.len()
    );
    host.stop()
}

/// The moment to kill: after one to three runs of this life, so that what earlier lives left behind
/// is done some time, and then at any place of the next run.
async fn moment(ledger: &Mutex<Ledger>, kill: u64) {
    let before = locked(ledger).runs.len();
    let enough = before + 1 + usize::try_from(kill % 3).expect("a small number");
    while locked(ledger).runs.len() < enough {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    tokio::time::sleep(Duration::from_millis(kill * 37 % 120)).await;
}

fn locked(ledger: &Mutex<Ledger>) -> std::sync::MutexGuard<'_, Ledger> {
    ledger
        .lock()
        .expect("no writer panics while it holds the ledger")
}

/// Creates tasks and runs them, one after the other, until the host is gone.
async fn write(host: &Host, ledger: &Mutex<Ledger>) -> Result<()> {
    loop {
        let task = host.post("/api/v1/tasks", &task()).await?.ok()?;
        let id = task["task_id"]
            .as_str()
            .context("the task's id")?
            .to_owned();
        locked(ledger).tasks.insert(id.clone());
        let run = host
            .post(
                &format!("/api/v1/tasks/{id}/runs?wait_ms=10000"),
                &json!({}),
            )
            .await?
            .ok()?;
        let id = run["run_id"].as_str().context("the run's id")?.to_owned();
        locked(ledger).runs.insert(id);
    }
}

/// A task whose steps each leave a mark in a file of their own; the file's name comes from the
/// task, so that marks of several runs never meet.
fn task() -> Value {
    let steps: Vec<Value> = (0..STEPS)
        .map(|step| {
            json!({
                "name": format!("s{step}"),
                "tool": "files-write",
                "arguments": {
                    "path": {"$text": [{"$from": "/parameters/mark"}, format!("-s{step}")]},
                    "text": "mark\n", "mode": "append",
                },
                "on_interrupt": "retry",
            })
        })
        .collect();
    let mark = format!("{:016x}", unique());
    json!({
        "title": "leave marks", "plan": {"steps": steps}, "parameters": {"mark": mark},
        "workspace": {"name": "ledger", "access": "read_write"}, "tags": [mark],
    })
}

/// A number that no other task of this test has.
fn unique() -> u64 {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// Checks every acknowledged task and run, and counts the phases in which kills met runs.
async fn check(host: &Host, ledger: &Ledger, marks: &Path) -> Result<BTreeMap<String, usize>> {
    let mut phases = BTreeMap::new();
    let mut runs = ledger.runs.clone();
    for id in &ledger.tasks {
        let task = host
            .get(&format!("/api/v1/tasks/{id}"))
            .await?
            .ok()
            .context("an acknowledged task is lost")?;
        // Its run may have been taken without the client hearing of it.
        runs.extend(task["run_id"].as_str().map(str::to_owned));
    }
    for id in &runs {
        let run = ended(host, id).await?;
        ensure!(run["status"] == "completed", "{id}: {run}");
        let events = host.send(events(host, id)?).await?.ok()?;
        let events = events["items"].as_array().context("events")?;
        let task = host
            .get(&format!(
                "/api/v1/tasks/{}",
                run["task_id"].as_str().context("a task")?
            ))
            .await?
            .ok()?;
        let mark = task["tags"][0].as_str().context("the mark")?;
        check_run(events, mark, marks).with_context(|| id.clone())?;
        for kill in &ledger.kills {
            if let Some(phase) = phase(events, *kill)? {
                *phases.entry(phase).or_default() += 1;
            }
        }
    }
    Ok(phases)
}

fn events(host: &Host, run: &str) -> Result<reqwest::RequestBuilder> {
    let request = host.request("GET", &format!("/api/v1/runs/{run}/events?limit=1000"))?;
    Ok(request.header("accept", "application/json"))
}

/// The run, once it is over.
async fn ended(host: &Host, id: &str) -> Result<Value> {
    let begin = Instant::now();
    while begin.elapsed() < PATIENCE {
        let run = host
            .get(&format!("/api/v1/runs/{id}"))
            .await?
            .ok()
            .context("an acknowledged run is lost")?;
        if matches!(
            run["status"].as_str(),
            Some("completed" | "failed" | "cancelled")
        ) {
            return Ok(run);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    bail!("{id} does not end")
}

/// No gap in the log, one end, nothing of a step after it was completed, and no more marks than
/// starts.
fn check_run(events: &[Value], mark: &str, marks: &Path) -> Result<()> {
    let mut started = BTreeMap::<String, usize>::new();
    let mut completed = BTreeSet::new();
    for (index, event) in events.iter().enumerate() {
        ensure!(
            event["seq"] == index + 1,
            "event {index} is {}",
            event["seq"]
        );
        let step = event["data"]["step"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        match event["type"].as_str() {
            Some("step.started") => {
                ensure!(
                    !completed.contains(&step),
                    "{step} starts again after it was completed"
                );
                *started.entry(step).or_default() += 1;
            }
            Some("step.completed") => {
                ensure!(completed.insert(step.clone()), "{step} is completed twice");
            }
            Some("run.completed") => ensure!(index + 1 == events.len(), "events after the end"),
            _ => {}
        }
    }
    ensure!(
        completed.len() == STEPS,
        "{} steps completed",
        completed.len()
    );
    for (step, starts) in started {
        let written = std::fs::read_to_string(marks.join(format!("{mark}-{step}")))?
            .lines()
            .count();
        ensure!(
            (1..=starts).contains(&written),
            "{step}: {written} marks of {starts} starts"
        );
    }
    Ok(())
}

/// How far a run was at a moment: nothing if it was not there yet or over.
fn phase(events: &[Value], at: u64) -> Result<Option<String>> {
    let mut last = None;
    for event in events {
        let time = event["at"].as_str().context("a time")?;
        if millis(time)? > at {
            break;
        }
        last = Some(event);
    }
    Ok(last.and_then(|event| {
        let kind = event["type"].as_str()?;
        let step = event["data"]["step"].as_str().unwrap_or_default();
        (kind != "run.completed").then(|| format!("{kind} {step}").trim_end().to_owned())
    }))
}

/// Milliseconds since 1970 of an RFC 3339 time of this century, in UTC.
fn millis(time: &str) -> Result<u64> {
    let number = |range: std::ops::Range<usize>| -> Result<u64> {
        Ok(time
            .get(range)
            .with_context(|| format!("not a time: {time}"))?
            .parse()?)
    };
    let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
    // Days since 1970-03-01, counting years from March so that the leap day is the last.
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1;
    let days = days - 719_468;
    let seconds = ((days * 24 + number(11..13)?) * 60 + number(14..16)?) * 60 + number(17..19)?;
    Ok(seconds * 1_000 + number(20..23)?)
}

#[test]
fn times_are_read_as_the_host_writes_them() -> Result<()> {
    ensure!(millis("2000-03-01T00:00:00.000Z")? == 951_868_800_000);
    ensure!(millis("2026-11-21T03:05:29.123Z")? == 1_795_230_329_123);
    Ok(())
}
