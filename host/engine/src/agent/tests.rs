//! The fold and the decision, as tables.

use std::time::Duration;

use cofferdam_types::call::Usage;
use cofferdam_types::plan::{Plan, Step};
use cofferdam_types::run::EventKind;
use cofferdam_types::tool::{Identity, SafetyFlags};
use cofferdam_types::{
    Ambient, CallId, Code, Digest, Failure, Payload, RunId, Tenant, Timestamp, Version,
};
use serde_json::{Value, json};

use super::board::{Board, Left, Ticket};
use super::next::{Next, in_doubt, may_repeat, next, retry_at};
use super::patience::REST;
use super::state::State;

struct Still(u8);

impl Ambient for Still {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(1_000)
    }

    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(self.0);
    }
}

fn call_id(n: u8) -> CallId {
    CallId::generate(&Still(n))
}

fn at(millis: u64) -> Timestamp {
    Timestamp::from_millis(millis)
}

fn started(step: &str, attempt: u32, call: u8) -> EventKind {
    EventKind::StepStarted {
        step: step.parse().expect("a name"),
        attempt,
        call_id: call_id(call),
        arguments: Payload::empty_object(),
    }
}

fn completed(step: &str, call: u8, result: Value) -> EventKind {
    EventKind::StepCompleted {
        step: step.parse().expect("a name"),
        attempt: 1,
        call_id: call_id(call),
        tool: Identity {
            name: "t".parse().expect("a name"),
            version: Version::new(1, 0, 0),
            digest: Digest::of(b""),
        },
        result: Payload::from(result),
        usage: Usage::default(),
    }
}

fn failed(step: &str, call: u8, error: Failure, until: Option<u64>) -> EventKind {
    EventKind::StepFailed {
        step: step.parse().expect("a name"),
        attempt: 1,
        call_id: call_id(call),
        error,
        usage: Usage::default(),
        retry_at: until.map(at),
    }
}

fn skipped(step: &str) -> EventKind {
    EventKind::StepSkipped {
        step: step.parse().expect("a name"),
    }
}

fn over() -> EventKind {
    EventKind::RunCancelled {
        usage: Usage::default(),
    }
}

/// `a` ends the run when it fails, `b` does not and needs `a`'s result.
fn plan() -> Plan {
    serde_json::from_value(json!({"steps": [
        {"name": "a", "tool": "t", "retry": {"max_attempts": 3}},
        {"name": "b", "tool": "t", "on_error": "continue", "when": {"exists": "/steps/a/result"},
         "arguments": {"x": {"$from": "/steps/a/result"}}}
    ]}))
    .expect("a plan")
}

fn fold(events: &[EventKind]) -> State {
    let mut state = State::new();
    for event in events {
        state.apply(&plan(), event).expect("it follows");
    }
    state
}

fn broken() -> Failure {
    Failure::new(Code::ToolError, "broken")
}

fn check_next(events: &[EventKind], expected: &Next<'_>) {
    let state = fold(events);
    let plan = plan();
    let next = next(&plan, &Payload::null(), &state, at(2_000));
    assert_eq!(next, *expected, "{events:?}");
}

#[test]
fn the_step_that_comes_next() {
    let plan = plan();
    let (a, b) = (&plan.steps[0], &plan.steps[1]);
    let call = |step, attempt, arguments: Value| Next::Call {
        step,
        attempt,
        arguments: Payload::from(arguments),
    };
    let interrupted = Next::Interrupted {
        step: a,
        attempt: 1,
        call_id: call_id(1),
    };
    let began = started("a", 1, 1);
    let retried = |until| failed("a", 1, broken(), Some(until));
    check_next(&[], &call(a, 1, json!({})));
    check_next(std::slice::from_ref(&began), &interrupted);
    check_next(&[began.clone(), retried(2_001)], &Next::Wait(at(2_001)));
    check_next(&[began.clone(), retried(2_000)], &call(a, 2, json!({})));
    let ended = completed("a", 1, json!(5));
    check_next(&[began.clone(), ended], &call(b, 1, json!({"x": 5})));
    let ended = completed("a", 1, Value::Null);
    check_next(&[began, ended], &Next::Skip(b));
}

#[test]
fn the_end_that_comes_next() {
    let fail = |reason, error: Failure| Next::Fail {
        reason,
        error: error.with("step", "a"),
    };
    let began = started("a", 1, 1);
    let broke = failed("a", 1, broken(), None);
    check_next(&[began.clone(), broke], &fail("step_failed", broken()));
    let doubtful = failed("a", 1, in_doubt(), None);
    check_next(&[began.clone(), doubtful], &fail("in_doubt", in_doubt()));
    let nothing = Next::Complete(Payload::null());
    let first = [began, completed("a", 1, json!(5))];
    let with = |more: &[EventKind]| [&first, more].concat();
    check_next(&with(&[skipped("b")]), &nothing);
    let again = started("b", 1, 2);
    let let_pass = failed("b", 2, broken(), None);
    check_next(&with(&[again.clone(), let_pass]), &nothing);
    let done = with(&[again, completed("b", 2, json!(6))]);
    check_next(&done, &Next::Complete(Payload::from(json!(6))));
}

#[test]
fn a_tools_own_words_do_not_make_a_run_doubtful() {
    let plan = plan();
    let error = broken().with("in_doubt", true);
    let state = fold(&[started("a", 1, 1), failed("a", 1, error, None)]);
    let next = next(&plan, &Payload::null(), &state, at(0));
    assert!(matches!(
        next,
        Next::Fail {
            reason: "step_failed",
            ..
        }
    ));
}

#[test]
fn a_log_that_makes_no_sense_is_refused() {
    for events in [
        vec![started("b", 1, 1)],
        vec![started("z", 1, 1)],
        vec![completed("a", 1, Value::Null)],
        vec![started("a", 1, 1), completed("a", 2, Value::Null)],
        vec![skipped("a"), skipped("a")],
        vec![skipped("a"), skipped("b"), skipped("b")],
        vec![over(), over()],
        vec![over(), started("a", 1, 1)],
    ] {
        let mut state = State::new();
        let (last, before) = events.split_last().expect("not empty");
        for event in before {
            state.apply(&plan(), event).expect("it follows");
        }
        assert!(state.apply(&plan(), last).is_err(), "{events:?}");
    }
}

fn step(fields: &Value) -> Step {
    let mut step = json!({"name": "a", "tool": "t"});
    for (key, value) in fields.as_object().expect("fields") {
        step[key] = value.clone();
    }
    serde_json::from_value(step).expect("a step")
}

#[test]
fn backoff_doubles_up_to_an_hour() {
    let busy = Failure::new(Code::RateLimited, "");
    for (max_attempts, backoff_ms, attempt, wait_ms) in [
        (1, 500, 1, None),
        (2, 500, 1, Some(500)),
        (2, 500, 2, None),
        (2, 0, 1, Some(0)),
        (20, 500, 4, Some(4_000)),
        (20, 1_000_000, 2, Some(2_000_000)),
        (20, 1_000_000, 3, Some(3_600_000)),
        (20, 3_600_000, 19, Some(3_600_000)),
        // An interrupted call made again can have a higher number than the plan allows.
        (2, 500, 25, None),
    ] {
        let retry = json!({"retry": {"max_attempts": max_attempts, "backoff_ms": backoff_ms}});
        let until = retry_at(&step(&retry), attempt, &busy, at(0));
        let expected = wait_ms.map(|wait| at(0).after(Duration::from_millis(wait)));
        assert_eq!(until, expected, "{retry} {attempt}");
    }
}

#[test]
fn what_may_be_repeated_after_an_interruption() {
    let flags = |read_only, idempotent| {
        Some(SafetyFlags {
            read_only,
            destructive: true,
            idempotent,
        })
    };
    for (word, safety, expected) in [
        ("auto", flags(false, false), false),
        ("auto", flags(true, false), true),
        ("auto", flags(false, true), true),
        ("auto", None, false),
        ("retry", flags(false, false), true),
        ("retry", None, true),
        ("fail", flags(true, true), false),
    ] {
        let step = step(&json!({"on_interrupt": word}));
        let state = fold(&[started("a", 1, 1)]);
        assert_eq!(may_repeat(&step, &state, safety), expected, "{word}");
    }
    let state = fold(&(1..=21).map(|n| started("a", n, 1)).collect::<Vec<_>>());
    assert!(!may_repeat(
        &step(&json!({"on_interrupt": "retry"})),
        &state,
        None
    ));
}

#[tokio::test(start_paused = true)]
async fn a_cancel_that_comes_while_a_driver_leaves_cuts_its_rest_short() {
    let (board, tenant) = (Board::new(1), Tenant::default());
    let run = RunId::generate(&Still(1));
    board.add(Ticket::new(tenant.clone(), run, 50), Duration::ZERO);
    let ticket = board.next().expect("it waits");
    board.cancel(&tenant, run, "local");
    board.give_back(&ticket, Left::Later(Duration::from_hours(1)));
    assert!(board.next().is_none(), "not in a circle");
    tokio::time::sleep(REST).await;
    assert!(board.next().is_some());
}
