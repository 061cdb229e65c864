//! Following a run's events, and what tools say while they run.

use std::time::Duration;

use cofferdam_types::RunId;
use cofferdam_types::caller::Caller;
use cofferdam_types::run::{Event, EventKind};
use futures::{StreamExt, TryStreamExt};
use serde_json::json;

use super::double::{Answer, Scripted};
use super::world::World;
use crate::{Engine, Error};

fn slow() -> Scripted {
    Scripted::new(|_, _, _| {
        let then = Answer::Result(json!(1));
        Answer::After(Duration::from_millis(500), Box::new(then))
    })
}

fn plan() -> serde_json::Value {
    json!({"steps": [{"name": "a", "tool": "t"}, {"name": "b", "tool": "t"}]})
}

async fn all(engine: &Engine, caller: &Caller, run: &RunId, after: u64) -> Vec<Event> {
    let events = engine.events(caller, run, after);
    events.try_collect().await.expect("the store works")
}

#[tokio::test(start_paused = true)]
async fn a_reader_sees_every_event_once_live_or_late_from_any_place() {
    let world = World::new(slow());
    let engine = world.host().await;
    let task = world.task(&engine, plan()).await;
    let run = engine
        .start_run(&world.caller, &task.id)
        .await
        .expect("starts");
    let live = all(&engine, &world.caller, &run.id, 0).await;
    assert_eq!(live, world.log(&run.id).await);
    for after in 0..=live.len() {
        let late = all(&engine, &world.caller, &run.id, after as u64).await;
        assert_eq!(late, live[after..]);
    }
    assert!(all(&engine, &world.caller, &run.id, 1_000).await.is_empty());
    assert!(engine.shared.wakeups.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_live_event_arrives_when_it_is_written() {
    let world = World::new(slow());
    let engine = world.host().await;
    let task = world.task(&engine, plan()).await;
    let run = engine
        .start_run(&world.caller, &task.id)
        .await
        .expect("starts");
    let events = engine.events(&world.caller, &run.id, 0);
    let clock = world.clock();
    let mut events = std::pin::pin!(events);
    while let Some(event) = events.next().await {
        let event = event.expect("the store works");
        let late = cofferdam_types::Ambient::now(&clock).since(event.at);
        // The end of the first call is written with the start of the second.
        assert!(late <= Duration::from_millis(5), "{event:?} {late:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_reads_another_tenants_run() {
    let world = World::new(Scripted::echo());
    let engine = world.host().await;
    let run = world.done(&engine, plan()).await;
    let other = Caller {
        tenant: "other".parse().expect("a name"),
        ..world.caller.clone()
    };
    let events: Vec<_> = engine.events(&other, &run.id, 0).collect().await;
    assert_eq!(events, [Err(Error::NoRun(run.id))]);
    let wait = engine.wait(&other, &run.id, Duration::ZERO).await;
    assert_eq!(wait.err(), Some(Error::NoRun(run.id)));
    let cancel = engine.cancel_run(&other, &run.id).await;
    assert_eq!(cancel.err(), Some(Error::NoRun(run.id)));
    let start = engine.start_run(&other, &run.task_id).await;
    assert_eq!(start.err(), Some(Error::NoTask(run.task_id)));
}

#[tokio::test(start_paused = true)]
async fn progress_is_coalesced_and_bounded_and_comes_before_the_end() {
    // Twenty bursts of a hundred each, 50 ms apart: one second in all.
    let mut answer = Answer::Result(json!(1));
    for _ in 0..20 {
        let wait = Answer::After(Duration::from_millis(50), Box::new(answer));
        answer = Answer::Say(100, Box::new(wait));
    }
    let world = World::new(Scripted::new(move |_, _, _| answer.clone()));
    let engine = world.host().await;
    let run = world
        .done(&engine, json!({"steps": [{"name": "a", "tool": "t"}]}))
        .await;
    let log = world.log(&run.id).await;
    let progress: Vec<_> = log
        .iter()
        .filter(|event| matches!(event.kind, EventKind::StepProgress { .. }))
        .map(|event| event.at)
        .collect();
    assert!((4..=8).contains(&progress.len()), "{}", progress.len());
    for pair in progress[..progress.len() - 1].windows(2) {
        assert!(pair[1].since(pair[0]) >= Duration::from_millis(200));
    }
    let notes = log.iter().filter(|event| {
        matches!(
            event.kind,
            EventKind::StepProgress { .. } | EventKind::StepLog { .. }
        )
    });
    assert!((200..=1_000).contains(&notes.count()));
    world.check(&run.id).await;
}

#[tokio::test(start_paused = true)]
async fn one_step_has_at_most_a_thousand_notes() {
    let mut answer = Answer::Result(json!(1));
    for _ in 0..200 {
        let wait = Answer::After(Duration::from_millis(250), Box::new(answer));
        answer = Answer::Say(30, Box::new(wait));
    }
    let world = World::new(Scripted::new(move |_, _, _| answer.clone()));
    let engine = world.host().await;
    let run = world
        .done(&engine, json!({"steps": [{"name": "a", "tool": "t"}]}))
        .await;
    let log = world.log(&run.id).await;
    let notes = log.iter().filter(|event| {
        matches!(
            event.kind,
            EventKind::StepProgress { .. } | EventKind::StepLog { .. }
        )
    });
    assert_eq!(notes.count(), 1_000);
    world.check(&run.id).await;
}

#[tokio::test(start_paused = true)]
async fn those_who_wait_are_let_go_when_the_engine_stops() {
    let world = World::new(Scripted::new(|_, _, _| Answer::Hang));
    let engine = world.host().await;
    let task = world.task(&engine, plan()).await;
    let run = engine
        .start_run(&world.caller, &task.id)
        .await
        .expect("starts");
    let events = engine.events(&world.caller, &run.id, 0);
    let (events, waited, ()) = tokio::join!(
        events.collect::<Vec<_>>(),
        engine.wait(&world.caller, &run.id, Duration::from_secs(1_000_000)),
        async {
            world.tools.hangs.notified().await;
            engine.drain(Duration::from_secs(1)).await;
        }
    );
    assert_eq!(events.last(), Some(&Err(Error::Draining)));
    assert!(!waited.expect("there").status.is_terminal());
}
