//! Cases of [`crate::Events`].

use cofferdam_types::call::{LogLevel, LogRecord, Progress, Usage};
use cofferdam_types::failure::{Code, Failure};
use cofferdam_types::run::{Event, EventKind, RunStatus};
use cofferdam_types::tool::Identity;
use cofferdam_types::{CallId, Digest, StepName};
use serde_json::json;

use super::sample::{agent_id, claimed, events, later, run_id, started, tenant, time};
use crate::{Append, Stores};

/// Any place to begin and any limit give the next events in order.
pub async fn reads_on_without_gaps(stores: Stores) {
    let own = tenant("alpha");
    let (_, queued) = started(&stores, &own, 1).await;
    // A neighbour's log must not show.
    started(&stores, &own, 2).await;
    let mut head = claimed(&stores, &queued, 1).await;
    // Twelve events in all, so that 10 sorts before 9 where numbers are kept as text.
    for count in [1, 4, 6] {
        let next = later(&head, count, RunStatus::Running);
        let append = Append {
            run: &next,
            task: None,
            events: &events(head.seq + 1, next.seq),
        };
        assert_eq!(stores.runs.append(append).await, Ok(()));
        head = next;
    }
    for (after, limit, numbers) in [
        (0, 100, (1..=12).collect::<Vec<_>>()),
        (0, 1, vec![1]),
        (0, 0, vec![]),
        (1, 3, vec![2, 3, 4]),
        (8, 3, vec![9, 10, 11]),
        (11, 3, vec![12]),
        (12, 3, vec![]),
        (13, 3, vec![]),
        (u64::MAX, 3, vec![]),
        (9, u32::MAX, vec![10, 11, 12]),
    ] {
        let kept = stores.events.read(&own, &queued.id, after, limit).await;
        let kept: Vec<_> = kept.expect("a log").iter().map(|e| e.seq).collect();
        assert_eq!(kept, numbers, "{limit} after {after}");
    }
    let absent = stores.events.read(&own, &run_id(9), 0, 10).await;
    assert_eq!(absent, Ok(Vec::new()));
}

/// Every kind of event comes back as it was.
pub async fn kinds_come_back(stores: Stores) {
    let own = tenant("alpha");
    let (_, queued) = started(&stores, &own, 1).await;
    let head = claimed(&stores, &queued, 1).await;
    let log: Vec<_> = (2..)
        .zip(kinds())
        .map(|(seq, kind)| Event {
            seq,
            at: time(seq),
            kind,
        })
        .collect();
    let next = later(&head, log.len() as u64, RunStatus::Completed);
    let append = Append {
        run: &next,
        task: None,
        events: &log,
    };
    assert_eq!(stores.runs.append(append).await, Ok(()));
    let kept = stores.events.read(&own, &queued.id, 1, 100).await;
    assert_eq!(kept, Ok(log));
}

fn kinds() -> Vec<EventKind> {
    let step: StepName = "read".parse().expect("a step name");
    let call_id: CallId = "0192f7a4-7c5e-7d2a-8f00-0123456789ab"
        .parse()
        .expect("a UUID");
    let error = Failure::new(Code::ToolError, "no").with("retryable", true);
    let usage = Usage {
        fuel: u64::MAX,
        ..Usage::default()
    };
    let failed = EventKind::StepFailed {
        step: step.clone(),
        attempt: 1,
        call_id,
        error: error.clone(),
        usage,
        retry_at: Some(time(50)),
    };
    vec![
        EventKind::RunStarted {
            agent_id: agent_id(1),
            epoch: 1,
        },
        EventKind::StepStarted {
            step: step.clone(),
            attempt: 1,
            call_id,
            arguments: json!({"path": "a/\u{0}"}).into(),
        },
        EventKind::StepProgress {
            step: step.clone(),
            progress: Progress {
                done: 0.1,
                total: Some(1e9),
                message: "half".to_owned(),
            },
        },
        EventKind::StepLog {
            step: step.clone(),
            record: LogRecord {
                level: LogLevel::Warn,
                message: "slow".to_owned(),
                fields: json!({"ms": 1.5}).into(),
            },
        },
        failed,
        completed(call_id),
        EventKind::StepSkipped { step },
        EventKind::CancelRequested {
            by: "local".to_owned(),
        },
        EventKind::RunFailed {
            reason: "dead_letter".to_owned(),
            error,
            usage,
        },
        EventKind::RunCancelled { usage },
        EventKind::RunCompleted {
            result: json!(null).into(),
            usage,
        },
    ]
}

fn completed(call_id: CallId) -> EventKind {
    EventKind::StepCompleted {
        step: "read".parse().expect("a step name"),
        attempt: 2,
        call_id,
        tool: Identity {
            name: "acme/files-read".parse().expect("a tool name"),
            version: "1.2.0".parse().expect("a version"),
            digest: Digest::of(b"files"),
        },
        result: json!([0.1, 1e300, u64::MAX, {"type": "x", "data": null}]).into(),
        usage: Usage::default(),
    }
}
