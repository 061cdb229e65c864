//! Whatever the plan, the tools' failures and the hosts' deaths: every run ends, and its log keeps
//! what the engine promises.

use cofferdam_types::run::RunStatus;
use cofferdam_types::tool::SafetyFlags;
use cofferdam_types::{Code, Failure};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::double::{Answer, Scripted};
use super::world::{Fate, World};
use crate::Options;

/// How a step's tool behaves.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Manner {
    Succeeds,
    /// Fails so often before it succeeds, and may be called often enough.
    Recovers(u32),
    /// Fails for good after so many attempts.
    GivesUp(u32),
    Refuses,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum When {
    Always,
    Never,
    /// The step before completed.
    AfterSuccess,
}

#[derive(Debug, Clone, Copy)]
struct Part {
    manner: Manner,
    when: When,
    goes_on: bool,
    is_safe: bool,
    backoff_ms: u32,
}

fn part() -> impl Strategy<Value = Part> {
    let manner = prop_oneof![
        4 => Just(Manner::Succeeds),
        2 => (1_u32..3).prop_map(Manner::Recovers),
        1 => (1_u32..4).prop_map(Manner::GivesUp),
        1 => Just(Manner::Refuses),
    ];
    let when = prop_oneof![
        4 => Just(When::Always),
        1 => Just(When::Never),
        1 => Just(When::AfterSuccess),
    ];
    let backoff = prop_oneof![Just(0_u32), Just(10), Just(20_000)];
    (
        manner,
        when,
        any::<bool>(),
        prop::bool::weighted(0.7),
        backoff,
    )
        .prop_map(|(manner, when, goes_on, is_safe, backoff_ms)| Part {
            manner,
            when,
            goes_on,
            is_safe,
            backoff_ms,
        })
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        12 => Just(Fate::Fine),
        1 => Just(Fate::Refused),
        1 => Just(Fate::Unanswered),
        1 => Just(Fate::DeathBefore),
        1 => Just(Fate::DeathAfter),
    ]
}

fn plan(parts: &[Part]) -> Value {
    let steps: Vec<_> = parts
        .iter()
        .enumerate()
        .map(|(index, part)| {
            let before = index.checked_sub(1);
            let when = match (part.when, before) {
                (When::Never, _) => json!({"equals": [1, 2]}),
                (When::AfterSuccess, Some(before)) => {
                    json!({"equals": [{"$from": format!("/steps/s{before}/status")}, "completed"]})
                }
                (When::Always, _) | (When::AfterSuccess, None) => json!({"equals": [1, 1.0]}),
            };
            let prior = before.map(|before| json!({"$from": format!("/steps/s{before}/result")}));
            let max_attempts = match part.manner {
                Manner::GivesUp(attempts) => attempts,
                Manner::Succeeds | Manner::Recovers(_) | Manner::Refuses => 20,
            };
            json!({
                "name": format!("s{index}"),
                "tool": if part.is_safe { "safe" } else { "write" },
                "arguments": {"n": index, "prior": prior},
                "when": when,
                "retry": {"max_attempts": max_attempts, "backoff_ms": part.backoff_ms},
                "on_error": if part.goes_on { "continue" } else { "fail" },
            })
        })
        .collect();
    json!({"steps": steps})
}

fn tools(parts: &[Part]) -> Scripted {
    let manners: Vec<_> = parts.iter().map(|part| part.manner).collect();
    let busy = || Answer::Failure(Failure::new(Code::RateLimited, "busy"));
    let safe = SafetyFlags {
        idempotent: true,
        ..SafetyFlags::default()
    };
    Scripted::new(move |step, arguments, nth| {
        let index: usize = step.as_str()[1..].parse().expect("made so");
        match manners[index] {
            Manner::Recovers(failures) if nth <= failures => busy(),
            Manner::Succeeds | Manner::Recovers(_) => Answer::Result(arguments.clone()),
            Manner::GivesUp(_) => busy(),
            Manner::Refuses => Answer::Failure(Failure::new(Code::ToolError, "no")),
        }
    })
    .with_safety("safe", safe)
}

/// The result of a run in which no host dies; `None` when it fails.
fn expected(parts: &[Part]) -> Option<Value> {
    let mut prior = Value::Null;
    let mut succeeded = false;
    for (index, part) in parts.iter().enumerate() {
        let is_on = match part.when {
            When::Always => true,
            When::Never => false,
            When::AfterSuccess => index == 0 || succeeded,
        };
        let succeeds = matches!(part.manner, Manner::Succeeds | Manner::Recovers(_));
        if is_on && !succeeds && !part.goes_on {
            return None;
        }
        succeeded = is_on && succeeds;
        prior = if succeeded {
            json!({"n": index, "prior": prior})
        } else {
            Value::Null
        };
    }
    Some(prior)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn runs_end_and_keep_their_promises(
        parts in prop::collection::vec(part(), 1..6),
        mut lives in prop::collection::vec(prop::collection::vec(fate(), 0..12), 0..5),
    ) {
        let world = World::new(tools(&parts));
        // The last host lives long enough.
        lives.push(Vec::new());
        let mut run = None;
        let mut deaths = 0;
        for fates in &lives {
            let is_over = world.live(async {
                let (stores, fateful) = world.fateful(fates);
                let engine = world.host_with(Options::default(), stores).await;
                let id = if let Some(id) = run {
                    id
                } else {
                    let task = world.task(&engine, plan(&parts)).await;
                    let started = engine.start_run(&world.caller, &task.id).await;
                    started.expect("it starts").id
                };
                run = Some(id);
                tokio::select! {
                    biased;
                    () = fateful.death.notified() => false,
                    _ = world.over(&engine, &id) => true,
                }
            });
            if is_over {
                break;
            }
            deaths += 1;
        }
        let run = run.expect("there is at least one life");
        let over = world.live(async {
            world.check(&run).await;
            let engine = world.host().await;
            engine.run(&world.caller, &run).await.expect("there")
        });
        if over.status_reason.as_deref() == Some("in_doubt") {
            prop_assert!(deaths > 0 && parts.iter().any(|part| !part.is_safe));
        } else {
            let status = if over.result.is_some() { RunStatus::Completed } else { RunStatus::Failed };
            prop_assert_eq!(over.status, status);
            prop_assert_eq!(over.result.map(cofferdam_types::Payload::into_value), expected(&parts));
        }
    }
}
