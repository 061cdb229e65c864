//! Steps: templates, conditions, failures, retries.

use std::time::Duration;

use cofferdam_types::call::Origin;
use cofferdam_types::run::{EventKind, RunStatus};
use cofferdam_types::task::{TaskStatus, TaskWorkspace};
use cofferdam_types::workspace::{Access, Offer, Place};
use cofferdam_types::{Code, Failure};
use serde_json::{Value, json};

use super::double::{Answer, Scripted};
use super::world::{World, new_task, words};
use crate::Options;

fn failing_until(good: u32, code: Code) -> Scripted {
    Scripted::new(move |_, _, nth| {
        if nth < good {
            Answer::Failure(Failure::new(code, "not yet"))
        } else {
            Answer::Result(json!(nth))
        }
    })
}

#[tokio::test(start_paused = true)]
async fn a_plan_runs_step_by_step_and_later_steps_see_earlier_ones() {
    let world = World::new(Scripted::echo());
    let engine = world.host().await;
    let run = world
        .done(
            &engine,
            json!({
                "steps": [
                    {"name": "a", "tool": "echo", "arguments": {"x": {"$from": "/parameters/n"}}},
                    {"name": "b", "tool": "echo", "when": {"greater": [{"$from": "/steps/a/result/x"}, 5]}},
                    {"name": "c", "tool": "echo", "arguments": {
                        "text": {"$text": ["hello ", {"$from": "/parameters/who"}, " ", {"$from": "/steps/a/result"}]},
                        "b": {"$from": "/steps/b/status"}
                    }}
                ],
                "result": {"said": {"$from": "/steps/c/result/text"}, "b": {"$from": "/steps/c/result/b"}}
            }),
        )
        .await;
    assert_eq!(run.status, RunStatus::Completed);
    let result = run.result.clone().expect("completed").into_value();
    assert_eq!(
        result,
        json!({"said": "hello world {\"x\":3}", "b": "skipped"})
    );
    assert_eq!(
        (run.steps, run.usage.fuel, run.usage.memory_peak_bytes),
        (3, 20, 7)
    );
    assert_eq!(world.tools.steps(), ["a", "c"]);
    world.check(&run.id).await;
}

#[tokio::test(start_paused = true)]
async fn a_call_carries_the_caller_the_run_and_the_workspace() {
    let world = World::new(Scripted::echo());
    let engine = world.host().await;
    let mut new = new_task(json!({"steps": [{"name": "a", "tool": "echo@^1"}]}));
    let name: cofferdam_types::WorkspaceName = "docs".parse().expect("a name");
    new.workspace = Some(TaskWorkspace {
        name: name.clone(),
        access: Access::ReadOnly,
    });
    let task = engine.create_task(&world.caller, new).await.expect("valid");
    let run = engine
        .start_run(&world.caller, &task.id)
        .await
        .expect("starts");
    world.over(&engine, &run.id).await;
    let call = world.tools.made().remove(0).call;
    assert_eq!(call.caller, world.caller);
    assert_eq!(call.tool.to_string(), "echo@^1");
    let step = "a".parse().expect("a name");
    assert_eq!(
        call.origin,
        Origin::Run {
            run_id: run.id,
            step
        }
    );
    let offer = Offer {
        place: Place::Named(name),
        access: Access::ReadOnly,
    };
    assert_eq!(call.workspace, Some(offer));
}

#[tokio::test(start_paused = true)]
async fn only_failures_that_time_can_mend_are_retried() {
    let retryable = Failure::new(Code::ToolError, "busy").with("retryable", true);
    let cases = [
        (Failure::new(Code::Unavailable, ""), 3),
        (Failure::new(Code::Timeout, ""), 3),
        (Failure::new(Code::UpstreamError, ""), 3),
        (Failure::new(Code::RateLimited, ""), 3),
        (retryable, 3),
        (Failure::new(Code::ToolError, "wrong"), 1),
        (Failure::new(Code::PolicyDenied, ""), 1),
        (Failure::new(Code::InvalidInput, ""), 1),
        (Failure::new(Code::Trap, ""), 1),
        (Failure::new(Code::FuelExhausted, ""), 1),
        (Failure::new(Code::Internal, ""), 1),
    ];
    for (failure, calls) in cases {
        let code = failure.code;
        let world = World::new(Scripted::new(move |_, _, _| {
            Answer::Failure(failure.clone())
        }));
        let engine = world.host().await;
        let plan = json!({"steps": [{"name": "a", "tool": "t", "retry": {"max_attempts": 3}}]});
        let run = world.done(&engine, plan).await;
        assert_eq!(world.tools.made().len(), calls, "{code}");
        assert_eq!(run.status, RunStatus::Failed);
        assert_eq!(run.status_reason.as_deref(), Some("step_failed"));
        let error = run.error.clone().expect("failed");
        assert_eq!((error.code, &error.details["step"]), (code, &json!("a")));
        world.check(&run.id).await;
    }
}

#[tokio::test(start_paused = true)]
async fn waits_double_are_recorded_and_kept() {
    let world = World::new(failing_until(5, Code::Unavailable));
    let engine = world.host().await;
    let retry = json!({"max_attempts": 5, "backoff_ms": 1_000});
    let plan = json!({"steps": [{"name": "a", "tool": "t", "retry": retry}]});
    let run = world.done(&engine, plan).await;
    assert_eq!(run.status, RunStatus::Completed);
    let log = world.log(&run.id).await;
    let mut promised = None;
    let mut waits = Vec::new();
    for event in &log {
        match &event.kind {
            EventKind::StepFailed { retry_at, .. } => {
                promised = *retry_at;
                waits.extend(retry_at.map(|until| until.since(event.at).as_millis()));
            }
            EventKind::StepStarted { .. } => {
                assert!(promised.is_none_or(|until| event.at >= until));
                let late = promised.map(|until| event.at.since(until));
                assert!(late.is_none_or(|late| late < Duration::from_millis(50)));
            }
            _ => {}
        }
    }
    // The last wait is long enough to be spent off the driver's place.
    assert_eq!(waits, [1_000, 2_000, 4_000, 8_000]);
    world.check(&run.id).await;
}

#[tokio::test(start_paused = true)]
async fn a_failure_that_is_let_pass_is_seen_by_later_steps() {
    let world = World::new(Scripted::new(|step, arguments, _| match step.as_str() {
        "a" => Answer::Failure(Failure::new(Code::ToolError, "no such page")),
        _ => Answer::Result(arguments.clone()),
    }));
    let engine = world.host().await;
    let run = world
        .done(
            &engine,
            json!({"steps": [
                {"name": "a", "tool": "t", "on_error": "continue"},
                {"name": "b", "tool": "t", "arguments": {
                    "why": {"$from": "/steps/a/error/message"}, "got": {"$from": "/steps/a/result"}
                }}
            ]}),
        )
        .await;
    let result = run.result.clone().expect("completed").into_value();
    assert_eq!(result, json!({"why": "no such page", "got": null}));
    world.check(&run.id).await;
}

#[tokio::test(start_paused = true)]
async fn what_can_not_be_expanded_fails_the_step_without_a_call() {
    let cases: [(Value, &str, &str); 3] = [
        (
            json!({"name": "a", "tool": "t", "arguments": {"x": {"$from": "/parameters/gone"}}}),
            "invalid_input",
            "/parameters/gone",
        ),
        (
            json!({"name": "a", "tool": "t", "when": {"greater": ["x", 1]}}),
            "invalid_input",
            "greater",
        ),
        (
            json!({"name": "a", "tool": "t", "when": {"equals": [{"$from": "/parameters/no"}, 1]}}),
            "invalid_input",
            "/parameters/no",
        ),
    ];
    for (step, code, says) in cases {
        let world = World::new(Scripted::echo());
        let engine = world.host().await;
        let run = world.done(&engine, json!({"steps": [step]})).await;
        let error = run.error.clone().expect("failed");
        assert_eq!(error.code.as_str(), code);
        assert!(error.message.contains(says), "{error}");
        assert!(world.tools.made().is_empty());
        assert_eq!(words(&world.log(&run.id).await), ["step.failed"]);
        world.check(&run.id).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_result_that_can_not_be_made_fails_the_run() {
    let world = World::new(Scripted::echo());
    let engine = world.host().await;
    let plan = json!({
        "steps": [{"name": "a", "tool": "t"}],
        "result": {"$from": "/steps/a/result/gone"}
    });
    let run = world.done(&engine, plan).await;
    assert_eq!(run.status_reason.as_deref(), Some("result_failed"));
    assert_eq!(
        run.error.as_ref().map(|error| error.code),
        Some(Code::InvalidInput)
    );
    world.check(&run.id).await;
}

#[tokio::test(start_paused = true)]
async fn results_of_one_run_are_bounded_together() {
    let world = World::new(Scripted::new(|_, _, _| {
        // With its quotes exactly 8 MiB.
        Answer::Result(json!("x".repeat((8 << 20) - 2)))
    }));
    let engine = world.host().await;
    let steps: Vec<_> = (0..9)
        .map(|n| json!({"name": format!("s{n}"), "tool": "t"}))
        .collect();
    let run = world.done(&engine, json!({"steps": steps})).await;
    let error = run.error.clone().expect("failed");
    assert_eq!(error.details["limit"], json!("run_results_bytes"));
    assert_eq!(error.details["step"], json!("s8"));
    world.check(&run.id).await;
}

#[tokio::test(start_paused = true)]
async fn a_panicking_tool_is_an_internal_failure_of_its_step() {
    let world = World::new(Scripted::new(|_, _, _| Answer::Panic));
    let engine = world.host().await;
    let run = world
        .done(&engine, json!({"steps": [{"name": "a", "tool": "t"}]}))
        .await;
    assert_eq!(
        run.error.as_ref().map(|error| error.code),
        Some(Code::Internal)
    );
    world.check(&run.id).await;
}

#[tokio::test(start_paused = true)]
async fn the_task_follows_its_run_and_can_run_again() {
    let world = World::new(Scripted::new(|_, _, nth| {
        let failure = Failure::new(Code::ToolError, "not yet");
        let then = [Answer::Failure(failure), Answer::Result(json!(nth))];
        let [first, second] = then.map(Box::new);
        Answer::After(
            Duration::from_secs(1),
            if nth == 1 { first } else { second },
        )
    }));
    let options = Options {
        drivers_max: 0,
        ..Options::default()
    };
    let idle = world.host_with(options, world.stores.clone()).await;
    let plan = json!({"steps": [{"name": "a", "tool": "t"}]});
    let task = world.task(&idle, plan).await;
    assert_eq!(task.status, TaskStatus::Pending);
    for status in [TaskStatus::Failed, TaskStatus::Completed] {
        let run = idle.start_run(&world.caller, &task.id).await;
        let run = run.expect("it starts");
        let seen = async || {
            let task = idle.task(&world.caller, &task.id).await.expect("there");
            assert_eq!(task.run_id, Some(run.id));
            (task.status, task.error.is_some(), task.result.is_some())
        };
        assert_eq!(seen().await, (TaskStatus::Queued, false, false));
        let busy = world.host().await;
        tokio::time::sleep(Duration::from_millis(500)).await;
        assert_eq!(seen().await, (TaskStatus::Active, false, false));
        world.over(&busy, &run.id).await;
        let failed = status == TaskStatus::Failed;
        assert_eq!(seen().await, (status, failed, !failed));
        world.check(&run.id).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_thousand_steps_run_and_long_chains_of_skips_fit_into_appends() {
    let world = World::new(Scripted::echo());
    let engine = world.host().await;
    let steps: Vec<_> = (0..1_000)
        .map(|n| {
            let mut step = json!({"name": format!("s{n}"), "tool": "t", "arguments": {"n": n}});
            if n % 100 != 0 {
                step["when"] = json!({"equals": [1, 2]});
            }
            step
        })
        .collect();
    let run = world
        .done(
            &engine,
            json!({"steps": steps, "result": {"$from": "/steps/s900/result/n"}}),
        )
        .await;
    assert_eq!(run.steps, 1_000);
    assert_eq!(
        run.result.clone().expect("completed").into_value(),
        json!(900)
    );
    assert_eq!(world.tools.made().len(), 10);
    world.check(&run.id).await;
}
