//! Cancelling: waiting, running, resting and pending things.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cofferdam_types::run::{EventKind, RunStatus};
use cofferdam_types::task::TaskStatus;
use cofferdam_types::{Code, Failure};
use serde_json::json;

use super::double::{Answer, Scripted};
use super::world::{Fate, Meddled, World};
use crate::{Error, Options};

const ONE: &str = r#"{"steps": [{"name": "a", "tool": "t"}, {"name": "b", "tool": "t"}]}"#;

fn one() -> serde_json::Value {
    serde_json::from_str(ONE).expect("a plan")
}

#[tokio::test(start_paused = true)]
async fn a_call_under_way_is_stopped_before_the_run_counts_as_cancelled() {
    let world = World::new(Scripted::new(|_, _, _| Answer::Hang));
    let (stores, runs) = world.fateful(&[]);
    let engine = world.host_with(Options::default(), stores).await;
    let task = world.task(&engine, one()).await;
    let run = engine
        .start_run(&world.caller, &task.id)
        .await
        .expect("starts");
    world.tools.hangs.notified().await;
    let asked = engine
        .cancel_run(&world.caller, &run.id)
        .await
        .expect("there");
    assert!(asked.cancel_requested);
    let over = world.over(&engine, &run.id).await;
    assert_eq!(over.status, RunStatus::Cancelled);
    assert_eq!(runs.stopped_by_then.load(Ordering::SeqCst), 1);
    let log = world.log(&run.id).await;
    let words: Vec<_> = log.iter().map(|event| event.kind.as_str()).collect();
    let expected = [
        "run.created",
        "run.started",
        "step.started",
        "run.cancel_requested",
        "step.failed",
        "run.cancelled",
    ];
    assert_eq!(words, expected);
    assert_eq!(
        log[3].kind,
        EventKind::CancelRequested {
            by: "local".to_owned()
        }
    );
    // Again, and by the task, changes nothing.
    let again = engine
        .cancel_run(&world.caller, &run.id)
        .await
        .expect("there");
    assert_eq!((again.status, again.seq), (RunStatus::Cancelled, over.seq));
    let task = engine
        .cancel_task(&world.caller, &task.id)
        .await
        .expect("there");
    assert_eq!(task.status, TaskStatus::Cancelled);
    world.check(&run.id).await;
}

#[tokio::test(start_paused = true)]
async fn a_waiting_run_is_cancelled_though_every_driver_is_busy() {
    let world = World::new(Scripted::new(|_, _, _| Answer::Hang));
    let options = Options {
        drivers_max: 1,
        ..Options::default()
    };
    let engine = world.host_with(options, world.stores.clone()).await;
    let busy = world.task(&engine, one()).await;
    engine
        .start_run(&world.caller, &busy.id)
        .await
        .expect("starts");
    world.tools.hangs.notified().await;
    let waits = world.task(&engine, one()).await;
    let run = engine
        .start_run(&world.caller, &waits.id)
        .await
        .expect("starts");
    engine
        .cancel_task(&world.caller, &waits.id)
        .await
        .expect("there");
    let run = world.over(&engine, &run.id).await;
    assert_eq!((run.status, run.steps), (RunStatus::Cancelled, 0));
    assert_eq!(world.tools.made().len(), 1);
    world.check(&run.id).await;
}

#[tokio::test(start_paused = true)]
async fn a_run_that_rests_before_a_retry_is_cancelled_at_once() {
    for backoff_ms in [2_000, 3_000_000] {
        let busy = Failure::new(Code::Unavailable, "busy");
        let world = World::new(Scripted::new(move |_, _, _| Answer::Failure(busy.clone())));
        let engine = world.host().await;
        let retry = json!({"max_attempts": 2, "backoff_ms": backoff_ms});
        let plan = json!({"steps": [{"name": "a", "tool": "t", "retry": retry}]});
        let task = world.task(&engine, plan).await;
        let run = engine
            .start_run(&world.caller, &task.id)
            .await
            .expect("starts");
        tokio::time::sleep(Duration::from_secs(1)).await;
        let resting = engine.run(&world.caller, &run.id).await.expect("there");
        assert_eq!(resting.status_reason.as_deref(), Some("retrying"));
        engine
            .cancel_run(&world.caller, &run.id)
            .await
            .expect("there");
        let asked = tokio::time::Instant::now();
        let run = world.over(&engine, &run.id).await;
        assert_eq!(run.status, RunStatus::Cancelled);
        assert!(asked.elapsed() < Duration::from_millis(100));
        world.check(&run.id).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_pending_task_is_cancelled_itself_and_runs_no_more() {
    let world = World::new(Scripted::echo());
    let engine = world.host().await;
    let task = world.task(&engine, one()).await;
    for _ in 0..2 {
        let task = engine
            .cancel_task(&world.caller, &task.id)
            .await
            .expect("there");
        assert_eq!(task.status, TaskStatus::Cancelled);
    }
    let refused = engine.start_run(&world.caller, &task.id).await;
    assert!(matches!(
        refused,
        Err(Error::Over {
            status: "cancelled",
            ..
        })
    ));
}

#[tokio::test(start_paused = true)]
async fn a_task_that_is_done_can_not_be_cancelled() {
    let world = World::new(Scripted::echo());
    let engine = world.host().await;
    let run = world.done(&engine, one()).await;
    let refused = engine.cancel_task(&world.caller, &run.task_id).await;
    assert!(matches!(
        refused,
        Err(Error::Over {
            status: "completed",
            ..
        })
    ));
}

#[tokio::test(start_paused = true)]
async fn a_run_that_starts_while_its_task_is_cancelled_is_cancelled_too() {
    let world = World::new(Scripted::new(|_, _, _| Answer::Hang));
    let other = world.host().await;
    let task = world.task(&other, one()).await;
    let (caller, id) = (world.caller.clone(), task.id);
    let start = async move {
        other.start_run(&caller, &id).await.expect("starts");
        // The other host's driver is not what this is about.
        drop(other);
    };
    let mut stores = world.stores.clone();
    stores.tasks = Arc::new(Meddled {
        inner: Arc::clone(&world.stores.tasks),
        before_update: Mutex::new(Some(Box::pin(start))),
    });
    let engine = world.host_with(Options::default(), stores).await;
    let answered = engine.cancel_task(&world.caller, &id).await.expect("there");
    let run = answered.run_id.expect("it started");
    let over = world.over(&engine, &run).await;
    assert_eq!(over.status, RunStatus::Cancelled);
    world.check(&run).await;
}

#[test]
fn a_cancel_outlives_the_host_that_heard_it() {
    let world = World::new(Scripted::new(|_, _, _| Answer::Hang));
    let run = world.live(async {
        // The host dies before it can write that the run is cancelled.
        let (stores, runs) = world.fateful(&[Fate::Fine, Fate::DeathBefore]);
        let engine = world.host_with(Options::default(), stores).await;
        let task = world.task(&engine, one()).await;
        let run = engine
            .start_run(&world.caller, &task.id)
            .await
            .expect("starts");
        world.tools.hangs.notified().await;
        engine
            .cancel_run(&world.caller, &run.id)
            .await
            .expect("there");
        runs.death.notified().await;
        run.id
    });
    world.live(async {
        let engine = world.host().await;
        let over = world.over(&engine, &run).await;
        assert_eq!(over.status, RunStatus::Cancelled);
        assert_eq!(world.tools.made().len(), 1);
        world.check(&run).await;
    });
}
