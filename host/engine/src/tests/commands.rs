//! What the engine refuses, its order, its bounds, and how it stops.

use std::time::Duration;

use cofferdam_store_api::{RunFilter, TaskFilter};
use cofferdam_types::page::PageRequest;
use cofferdam_types::run::RunStatus;
use cofferdam_types::{Failure, Payload};
use serde_json::{Value, json};

use super::double::{Answer, Scripted};
use super::world::{World, new_task};
use crate::{Error, Options};

fn faults(error: Error) -> Vec<(String, String)> {
    let failure = Failure::from(error);
    assert_eq!(failure.code.as_str(), "invalid_input");
    let faults = failure.details["faults"].as_array().expect("a list");
    let text = |fault: &Value, key: &str| fault[key].as_str().expect("text").to_owned();
    faults
        .iter()
        .map(|fault| (text(fault, "pointer"), text(fault, "reason")))
        .collect()
}

#[tokio::test(start_paused = true)]
async fn every_broken_place_of_a_task_is_told_at_once() {
    let world = World::new(Scripted::echo());
    let engine = world.host().await;
    let mut new = new_task(json!({
        "steps": [
            {"name": "a", "tool": "t", "arguments": {
                "later": [{"$from": "/steps/b/result"}], "self": {"$from": "/steps/a/result"}
            }},
            {"name": "b", "tool": "t", "arguments": {"x/y": {"$text": "no"}, "fine": {"$from": 1, "also": 2}},
             "when": {"all": [{"not": {"exists": "/steps/gone"}}, {"equals": [1, {"$from": "nope"}]}]}},
            {"name": "b", "tool": "t", "arguments": {"$literal": {"$from": 7}}, "retry": {"max_attempts": 0}}
        ],
        "result": {"$from": "/steps/b/output"}
    }));
    new.title = "  ".to_owned();
    new.description = "x".repeat((64 << 10) + 1);
    new.priority = Some(101);
    new.tags = vec![String::new()];
    new.parameters = Payload::from(json!([1]));
    let refused = engine.create_task(&world.caller, new).await;
    let pointers: Vec<_> = faults(refused.expect_err("broken"))
        .into_iter()
        .map(|(pointer, _)| pointer)
        .collect();
    let expected = [
        "/title",
        "/description",
        "/priority",
        "/tags/0",
        "/parameters",
        "/plan/steps/2/name",
        "/plan/steps/2/retry/max_attempts",
        "/plan/steps/0/arguments/later/0/$from",
        "/plan/steps/0/arguments/self/$from",
        "/plan/steps/1/when/all/0/not/exists",
        "/plan/steps/1/when/all/1/equals/1/$from",
        "/plan/steps/1/arguments/x~1y",
        "/plan/result/$from",
    ];
    assert_eq!(pointers, expected);
}

#[tokio::test(start_paused = true)]
async fn a_task_at_its_limits_is_taken() {
    let world = World::new(Scripted::echo());
    let engine = world.host().await;
    let mut new = new_task(json!({"steps": [{"name": "a", "tool": "t"}]}));
    new.title = format!(" {} ", "ü".repeat(200));
    new.description = "x".repeat(64 << 10);
    new.priority = Some(100);
    new.tags = vec!["ü".repeat(64); 32];
    new.parameters = Payload::null();
    let task = engine.create_task(&world.caller, new).await.expect("valid");
    assert_eq!(task.title.chars().count(), 200);
}

#[tokio::test(start_paused = true)]
async fn the_most_urgent_waits_least_and_then_the_oldest() {
    let world = World::new(Scripted::new(|_, arguments, _| {
        Answer::After(
            Duration::from_secs(1),
            Box::new(Answer::Result(arguments.clone())),
        )
    }));
    let options = Options {
        drivers_max: 1,
        ..Options::default()
    };
    let engine = world.host_with(options, world.stores.clone()).await;
    for (name, priority) in [("first", 0), ("b", 50), ("c", 50), ("d", 0), ("a", 100)] {
        let mut new = new_task(json!({"steps": [{"name": name, "tool": "t"}]}));
        new.priority = Some(priority);
        let task = engine.create_task(&world.caller, new).await.expect("valid");
        engine
            .start_run(&world.caller, &task.id)
            .await
            .expect("starts");
        // The first takes the only place; the others come while it runs, one by one.
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!(world.tools.steps(), ["first", "a", "b", "c", "d"]);
}

#[tokio::test(start_paused = true)]
async fn drivers_and_waiting_runs_are_bounded() {
    let world = World::new(Scripted::new(|_, _, _| Answer::Hang));
    let options = Options {
        drivers_max: 2,
        waiting_max: 3,
    };
    let engine = world.host_with(options, world.stores.clone()).await;
    let mut answers = Vec::new();
    for _ in 0..8 {
        let task = world
            .task(&engine, json!({"steps": [{"name": "a", "tool": "t"}]}))
            .await;
        answers.push(
            engine
                .start_run(&world.caller, &task.id)
                .await
                .map(|run| run.id),
        );
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(world.tools.made().len(), 2);
    assert!(answers[..5].iter().all(Result::is_ok));
    for refused in &answers[5..] {
        assert_eq!(*refused, Err(Error::Full(3)));
    }
}

#[tokio::test(start_paused = true)]
async fn a_task_has_one_live_run() {
    let world = World::new(Scripted::new(|_, _, _| Answer::Hang));
    let engine = world.host().await;
    let task = world
        .task(&engine, json!({"steps": [{"name": "a", "tool": "t"}]}))
        .await;
    engine
        .start_run(&world.caller, &task.id)
        .await
        .expect("starts");
    let second = engine.start_run(&world.caller, &task.id).await;
    assert_eq!(second.err(), Some(Error::AlreadyRuns(task.id)));
}

#[tokio::test(start_paused = true)]
async fn lists_hold_the_callers_tasks_and_runs_newest_first() {
    let world = World::new(Scripted::echo());
    let engine = world.host().await;
    let mut runs = Vec::new();
    for _ in 0..3 {
        tokio::time::advance(Duration::from_millis(2)).await;
        let plan = json!({"steps": [{"name": "a", "tool": "t"}]});
        runs.insert(0, world.done(&engine, plan).await);
    }
    let page = PageRequest {
        after: None,
        limit: 2,
    };
    let filter = RunFilter::default();
    let first = engine
        .runs(&world.caller, &filter, &page)
        .await
        .expect("works");
    assert_eq!(first.items, runs[..2]);
    let page = PageRequest {
        after: first.next,
        limit: 0,
    };
    let rest = engine
        .runs(&world.caller, &filter, &page)
        .await
        .expect("works");
    assert_eq!(rest.items, runs[2..]);
    let (filter, page) = (TaskFilter::default(), PageRequest::first());
    let tasks = engine
        .tasks(&world.caller, &filter, &page)
        .await
        .expect("works");
    let ids: Vec<_> = tasks.items.iter().map(|task| task.id).collect();
    assert_eq!(ids, runs.iter().map(|run| run.task_id).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn a_wait_ends_at_its_deadline_or_with_the_run() {
    let world = World::new(Scripted::new(|_, _, _| {
        Answer::After(Duration::from_secs(2), Box::new(Answer::Result(json!(1))))
    }));
    let engine = world.host().await;
    let task = world
        .task(&engine, json!({"steps": [{"name": "a", "tool": "t"}]}))
        .await;
    let run = engine
        .start_run(&world.caller, &task.id)
        .await
        .expect("starts");
    let began = tokio::time::Instant::now();
    let waited = engine
        .wait(&world.caller, &run.id, Duration::from_secs(1))
        .await;
    assert_eq!(waited.expect("there").status, RunStatus::Running);
    assert_eq!(began.elapsed().as_millis(), 1_000);
    world.over(&engine, &run.id).await;
    assert!(began.elapsed() < Duration::from_millis(2_050));
}

#[test]
fn a_drain_lets_the_step_end_and_the_next_host_goes_on_without_doubt() {
    let world = World::new(Scripted::new(|_, _, _| {
        Answer::After(Duration::from_secs(2), Box::new(Answer::Result(json!(1))))
    }));
    let run = world.live(async {
        let engine = world.host().await;
        let plan = json!({"steps": [{"name": "a", "tool": "t"}, {"name": "b", "tool": "t"}]});
        let task = world.task(&engine, plan).await;
        let run = engine
            .start_run(&world.caller, &task.id)
            .await
            .expect("starts");
        tokio::time::sleep(Duration::from_secs(1)).await;
        engine.drain(Duration::from_secs(10)).await;
        let refused = engine.start_run(&world.caller, &task.id).await;
        assert_eq!(refused.err(), Some(Error::Draining));
        assert_eq!((world.tools.stopped(), world.tools.steps().len()), (0, 1));
        run.id
    });
    world.live(async {
        let engine = world.host().await;
        let over = world.over(&engine, &run).await;
        assert_eq!(over.status, RunStatus::Completed);
        assert_eq!(world.tools.steps(), ["a", "b"]);
        world.check(&run).await;
    });
}

#[tokio::test(start_paused = true)]
async fn a_drain_stops_what_does_not_end_within_its_grace() {
    let world = World::new(Scripted::new(|_, _, _| Answer::Hang));
    let engine = world.host().await;
    let task = world
        .task(&engine, json!({"steps": [{"name": "a", "tool": "t"}]}))
        .await;
    engine
        .start_run(&world.caller, &task.id)
        .await
        .expect("starts");
    world.tools.hangs.notified().await;
    let began = tokio::time::Instant::now();
    engine.drain(Duration::from_secs(3)).await;
    assert_eq!(began.elapsed().as_secs(), 3);
    assert_eq!(world.tools.stopped(), 1);
    assert!(engine.shared.tracker.is_empty());
}
