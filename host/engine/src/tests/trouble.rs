//! A store that fails while the host lives, and a second host on the same store.

use std::time::Duration;

use cofferdam_store_api::{RunFilter, StoreError};
use cofferdam_types::page::{PAGE_ITEMS_MAX, PageRequest};
use cofferdam_types::run::RunStatus;
use cofferdam_types::tool::SafetyFlags;
use serde_json::{Value, json};

use super::double::{Answer, Scripted};
use super::world::{Fate, World};
use crate::{Error, Options};

fn plan() -> Value {
    json!({"steps": [{"name": "a", "tool": "write"}, {"name": "b", "tool": "write"}]})
}

#[tokio::test(start_paused = true)]
async fn a_write_that_fails_or_goes_unanswered_is_settled_and_never_doubled() {
    for at in 0..3 {
        for fate in [Fate::Refused, Fate::Unanswered] {
            for times in [1, 2, 5] {
                let world = World::new(Scripted::echo());
                let mut fates = vec![Fate::Fine; at];
                fates.extend(vec![fate; times]);
                let (stores, _) = world.fateful(&fates);
                let engine = world.host_with(Options::default(), stores).await;
                let run = world.done(&engine, plan()).await;
                assert_eq!(run.status, RunStatus::Completed, "{at} {fate:?} {times}");
                assert_eq!(world.tools.steps(), ["a", "b"]);
                world.check(&run.id).await;
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_start_that_went_unanswered_is_driven_if_it_happened() {
    for (birth, expected) in [(Fate::Refused, 0), (Fate::Unanswered, 1)] {
        let world = World::new(Scripted::echo());
        let (stores, runs) = world.fateful(&[]);
        let engine = world.host_with(Options::default(), stores).await;
        let task = world.task(&engine, plan()).await;
        *runs.birth.lock().expect("nobody panicked") = birth;
        let answer = engine.start_run(&world.caller, &task.id).await;
        assert!(matches!(
            answer,
            Err(Error::Store(StoreError::Unavailable(_)))
        ));
        tokio::time::sleep(Duration::from_mins(1)).await;
        let (filter, page) = (RunFilter::default(), PageRequest::first());
        let runs = engine
            .runs(&world.caller, &filter, &page)
            .await
            .expect("works");
        assert_eq!(runs.items.len(), expected);
        assert!(
            runs.items
                .iter()
                .all(|run| run.status == RunStatus::Completed)
        );
        // Nothing of it stays behind, and the task can run.
        let run = engine
            .start_run(&world.caller, &task.id)
            .await
            .expect("starts");
        world.over(&engine, &run.id).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_given_up_for_the_store_goes_on_when_it_is_back() {
    // Before the first call, nothing is in doubt, however long the store is away.
    let world = World::new(Scripted::echo());
    let (stores, _) = world.fateful(&[Fate::Refused; 35]);
    let engine = world.host_with(Options::default(), stores).await;
    let run = world.done(&engine, plan()).await;
    assert_eq!(run.status, RunStatus::Completed);
    world.check(&run.id).await;
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_away_while_a_tool_talks_does_not_stop_the_call() {
    let mut answer = Answer::Result(json!(1));
    for _ in 0..50 {
        let wait = Answer::After(Duration::from_millis(300), Box::new(answer));
        answer = Answer::Say(20, Box::new(wait));
    }
    let world = World::new(Scripted::new(move |_, _, _| answer.clone()));
    let mut fates = vec![Fate::Fine];
    for _ in 0..10 {
        fates.extend([Fate::Refused, Fate::Unanswered, Fate::Refused, Fate::Fine]);
    }
    let (stores, _) = world.fateful(&fates);
    let engine = world.host_with(Options::default(), stores).await;
    let run = world
        .done(&engine, json!({"steps": [{"name": "a", "tool": "write"}]}))
        .await;
    assert_eq!(run.status, RunStatus::Completed);
    assert_eq!(world.tools.made().len(), 1);
    world.check(&run.id).await;
}

#[tokio::test(start_paused = true)]
async fn a_driver_that_was_taken_over_stops_quietly() {
    let read_only = SafetyFlags {
        read_only: true,
        ..SafetyFlags::default()
    };
    let world = World::new(
        Scripted::new(|_, _, nth| {
            let then = Answer::Result(json!(nth));
            Answer::After(Duration::from_secs(u64::from(nth)), Box::new(then))
        })
        .with_safety("safe-read", read_only),
    );
    let first = world.host().await;
    let plan = json!({"steps": [
        {"name": "a", "tool": "safe-read"}, {"name": "b", "tool": "safe-read"}
    ]});
    let task = world.task(&first, plan).await;
    let run = first
        .start_run(&world.caller, &task.id)
        .await
        .expect("starts");
    tokio::time::sleep(Duration::from_millis(500)).await;
    let second = world.host().await;
    let over = world.over(&second, &run.id).await;
    assert_eq!(over.status, RunStatus::Completed);
    // The first host's call of `a` ended, but could not be written; it made no other.
    assert_eq!(world.tools.steps(), ["a", "a", "b"]);
    assert_eq!(
        over.result.clone().expect("completed").into_value(),
        json!(1)
    );
    assert!(!first.shared.board.knows(&run.id));
    // Those who wait at the first host hear of the end as well.
    assert_eq!(world.over(&first, &run.id).await, over);
    world.check(&run.id).await;
}

#[tokio::test(start_paused = true)]
async fn a_host_takes_over_more_runs_than_a_page_holds() {
    let world = World::new(Scripted::echo());
    let options = Options {
        drivers_max: 0,
        ..Options::default()
    };
    let idle = world.host_with(options, world.stores.clone()).await;
    let mut runs = Vec::new();
    for _ in 0..PAGE_ITEMS_MAX + 10 {
        let task = world.task(&idle, plan()).await;
        let run = idle.start_run(&world.caller, &task.id).await;
        runs.push(run.expect("it starts").id);
    }
    drop(idle);
    let engine = world.host().await;
    for run in &runs {
        assert_eq!(world.over(&engine, run).await.status, RunStatus::Completed);
    }
}
