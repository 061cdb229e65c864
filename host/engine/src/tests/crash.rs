//! The host dies at every place where a run can stand, and the next one goes on.

use cofferdam_types::run::{Run, RunStatus};
use cofferdam_types::tool::SafetyFlags;
use cofferdam_types::{Code, Failure, RunId};
use serde_json::{Value, json};

use super::double::{Answer, Scripted};
use super::world::{Fate, World, words};
use crate::Options;

/// Four steps: one succeeds, one fails twice before it does, one is skipped, one sees them all.
fn plan(tool: &str, on_interrupt: &str) -> Value {
    let retry = json!({"max_attempts": 9, "backoff_ms": 10});
    json!({"steps": [
        {"name": "a", "tool": tool, "arguments": {"n": 1}, "on_interrupt": on_interrupt},
        {"name": "b", "tool": tool, "retry": retry, "on_interrupt": on_interrupt},
        {"name": "c", "tool": tool, "when": {"exists": "/steps/a/error"}},
        {"name": "d", "tool": tool, "on_interrupt": on_interrupt, "arguments": {
            "a": {"$from": "/steps/a/result"}, "c": {"$from": "/steps/c/status"}
        }}
    ]})
}

fn tools() -> Scripted {
    let idempotent = SafetyFlags {
        idempotent: true,
        ..SafetyFlags::default()
    };
    let read_only = SafetyFlags {
        read_only: true,
        ..SafetyFlags::default()
    };
    Scripted::new(|step, arguments, nth| {
        if step.as_str() == "b" && nth < 3 {
            Answer::Failure(Failure::new(Code::Timeout, "slow"))
        } else {
            Answer::Result(arguments.clone())
        }
    })
    .with_safety("safe-write", idempotent)
    .with_safety("safe-read", read_only)
    .with_safety("write", SafetyFlags::default())
}

/// Starts a run in a host that dies as `fates` say. `None` when it lived to the run's end.
fn first_life(world: &World, plan: Value, fates: &[Fate]) -> (RunId, bool) {
    world.live(async {
        let (stores, runs) = world.fateful(fates);
        let engine = world.host_with(Options::default(), stores).await;
        let task = world.task(&engine, plan).await;
        let run = engine.start_run(&world.caller, &task.id).await;
        let run = run.expect("it starts").id;
        let died = tokio::select! {
            biased;
            () = runs.death.notified() => true,
            _ = world.over(&engine, &run) => false,
        };
        (run, died)
    })
}

fn second_life(world: &World, run: &RunId) -> Run {
    world.live(async {
        let engine = world.host().await;
        let over = world.over(&engine, run).await;
        world.check(run).await;
        over
    })
}

/// Kills the host at each append, before and after it is written, until the run outlives them.
/// Returns how many of the runs completed and how many ended in doubt.
fn die_everywhere(tool: &str, on_interrupt: &str) -> (usize, usize) {
    let (mut completed, mut in_doubt) = (0, 0);
    for death in [Fate::DeathBefore, Fate::DeathAfter] {
        for appends in 0.. {
            let world = World::new(tools());
            let mut fates = vec![Fate::Fine; appends];
            fates.push(death);
            let (run, died) = first_life(&world, plan(tool, on_interrupt), &fates);
            let over = second_life(&world, &run);
            if over.status == RunStatus::Completed {
                let result = over.result.expect("completed").into_value();
                assert_eq!(result, json!({"a": {"n": 1}, "c": "skipped"}));
                completed += 1;
            } else {
                assert_eq!(over.status_reason.as_deref(), Some("in_doubt"));
                let error = over.error.expect("failed");
                assert_eq!(error.code, Code::Unavailable);
                assert_eq!(error.details["in_doubt"], json!(true));
                in_doubt += 1;
            }
            if !died {
                break;
            }
        }
    }
    (completed, in_doubt)
}

#[test]
fn a_run_of_repeatable_calls_completes_wherever_the_host_dies() {
    // Appends: run and a start; a ends, b starts; b fails; b starts; b fails; b starts; b ends,
    // c skipped, d starts; d ends, run ends. Each is died at before and after, and survived once.
    assert_eq!(die_everywhere("safe-write", "auto"), (18, 0));
    assert_eq!(die_everywhere("safe-read", "auto"), (18, 0));
    assert_eq!(die_everywhere("write", "retry"), (18, 0));
}

#[test]
fn a_call_that_may_have_taken_effect_is_never_made_again() {
    // In doubt are deaths after a start was written (5) and before an end was (5).
    assert_eq!(die_everywhere("write", "auto"), (8, 10));
    assert_eq!(die_everywhere("unknown", "auto"), (8, 10));
    assert_eq!(die_everywhere("safe-write", "fail"), (8, 10));
}

#[test]
fn a_host_that_dies_during_a_call_leaves_it_in_doubt_or_makes_it_again() {
    for (tool, expected) in [
        ("safe-read", RunStatus::Completed),
        ("write", RunStatus::Failed),
    ] {
        let read_only = SafetyFlags {
            read_only: true,
            ..SafetyFlags::default()
        };
        let world = World::new(
            Scripted::new(|step, _, nth| match (step.as_str(), nth) {
                ("b", 1) => Answer::Hang,
                _ => Answer::Result(json!(nth)),
            })
            .with_safety("safe-read", read_only),
        );
        let plan = json!({"steps": [
            {"name": "a", "tool": tool}, {"name": "b", "tool": tool, "on_error": "continue"}
        ]});
        let run = world.live(async {
            let engine = world.host().await;
            let task = world.task(&engine, plan).await;
            let run = engine.start_run(&world.caller, &task.id).await;
            world.tools.hangs.notified().await;
            run.expect("it starts").id
        });
        let over = second_life(&world, &run);
        assert_eq!(over.status, expected);
        let calls_of_a = world
            .tools
            .steps()
            .iter()
            .filter(|step| *step == "a")
            .count();
        assert_eq!(calls_of_a, 1);
    }
}

#[test]
fn a_wait_before_a_retry_survives_the_host() {
    let world = World::new(Scripted::new(|_, _, nth| {
        if nth == 1 {
            Answer::Failure(Failure::new(Code::Unavailable, "busy"))
        } else {
            Answer::Result(json!(nth))
        }
    }));
    let retry = json!({"max_attempts": 2, "backoff_ms": 60_000});
    let plan = json!({"steps": [{"name": "a", "tool": "write", "retry": retry}]});
    let (run, died) = first_life(&world, plan, &[Fate::Fine, Fate::DeathAfter]);
    assert!(died);
    let over = second_life(&world, &run);
    // No call was open, so nothing is in doubt.
    assert_eq!(over.status, RunStatus::Completed);
    world.live(async {
        let log = world.log(&run).await;
        assert_eq!(
            words(&log),
            [
                "step.started",
                "step.failed",
                "step.started",
                "step.completed"
            ]
        );
        let starts: Vec<_> = log
            .iter()
            .filter(|event| event.kind.as_str() == "step.started")
            .map(|event| event.at)
            .collect();
        let waited = starts[1].since(starts[0]).as_millis();
        assert!((60_000..60_100).contains(&waited), "{waited}");
    });
}

#[test]
fn a_call_that_kills_every_host_is_given_up() {
    let read_only = SafetyFlags {
        read_only: true,
        ..SafetyFlags::default()
    };
    let world =
        World::new(Scripted::new(|_, _, _| Answer::Hang).with_safety("safe-read", read_only));
    let run = world.live(async {
        let engine = world.host().await;
        let plan = json!({"steps": [{"name": "a", "tool": "safe-read"}]});
        let task = world.task(&engine, plan).await;
        let run = engine.start_run(&world.caller, &task.id).await;
        world.tools.hangs.notified().await;
        run.expect("it starts").id
    });
    for _ in 0..20 {
        world.live(async {
            let _engine = world.host().await;
            world.tools.hangs.notified().await;
        });
    }
    let over = second_life(&world, &run);
    assert_eq!(over.status_reason.as_deref(), Some("in_doubt"));
    assert_eq!(world.tools.made().len(), 21);
}

#[test]
fn every_acknowledged_run_ends_when_many_are_under_way() {
    let world = World::new(tools());
    let (died, runs) = world.live(async {
        let mut fates = vec![Fate::Fine; 150];
        fates.push(Fate::DeathBefore);
        let (stores, fateful) = world.fateful(&fates);
        let options = Options {
            drivers_max: 8,
            ..Options::default()
        };
        let engine = world.host_with(options, stores).await;
        let mut runs = Vec::new();
        for _ in 0..100 {
            let task = world.task(&engine, plan("safe-write", "auto")).await;
            let run = engine.start_run(&world.caller, &task.id).await;
            runs.push(run.expect("it starts").id);
        }
        let all = async {
            for run in &runs {
                world.over(&engine, run).await;
            }
        };
        let died = tokio::select! {
            () = fateful.death.notified() => true,
            () = all => false,
        };
        (died, runs)
    });
    assert!(died);
    world.live(async {
        let engine = world.host().await;
        for run in &runs {
            assert_eq!(world.over(&engine, run).await.status, RunStatus::Completed);
            world.check(run).await;
        }
    });
}
