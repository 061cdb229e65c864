use cofferdam_types::tool::Identity;
use cofferdam_types::workspace::{Access, Offer, Place};

use super::*;
use crate::error::ErrorBody;
use crate::strict::decode;

fn outcome(result: Result<Payload, Failure>, tool: bool) -> Outcome {
    Outcome {
        call_id: "call_0192f7a4-7c5e-7d2a-8f00-0123456789ab"
            .parse()
            .expect("an id"),
        tool: tool.then(|| Identity {
            name: "files-read".parse().expect("a name"),
            version: Version::new(1, 2, 0),
            digest: Digest::of(b""),
        }),
        result,
        usage: Usage {
            fuel: 81_234,
            ..Usage::default()
        },
        log: CallLog::default(),
        uses: Vec::new(),
        denials: Vec::new(),
        changes: None,
    }
}

#[test]
fn a_success_reads_as_documented() {
    let answer = CallAnswer::try_from(outcome(Ok(json!({"text": "hi"}).into()), true));
    let answer = answer.expect("a success");
    let text = json!({
        "call_id": "call_0192f7a4-7c5e-7d2a-8f00-0123456789ab",
        "tool": "files-read",
        "version": "1.2.0",
        "digest": "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "result": {"text": "hi"},
        "usage": {
            "fuel": 81_234,
            "wall_us": {"queue": 0, "start": 0, "guest": 0, "host": 0, "total": 0},
            "memory_peak_bytes": 0, "result_bytes": 0, "stdout_bytes": 0,
        },
        "log": {"stdout_tail": "", "stderr_tail": "", "dropped_bytes": 0},
        "denials": [],
    });
    assert_eq!(json!(answer), text);
    assert_eq!(
        serde_json::from_value::<CallAnswer>(text).ok(),
        Some(answer)
    );
}

#[test]
fn a_failure_carries_the_facts_of_the_call() {
    let failure = Failure::new(Code::ToolError, "no such file").with("tool_code", "missing");
    let failure = CallAnswer::try_from(outcome(Err(failure), true)).expect_err("a failure");
    let body = json!(ErrorBody::from(failure));
    assert_eq!(body["detail"], "no such file");
    assert_eq!(body["error"]["code"], "tool_error");
    let details = body["error"]["details"].as_object().expect("an object");
    let mut keys: Vec<&str> = details.keys().map(String::as_str).collect();
    keys.sort_unstable();
    assert_eq!(
        keys,
        [
            "call_id",
            "denials",
            "digest",
            "log",
            "tool",
            "tool_code",
            "usage",
            "version"
        ]
    );
    assert_eq!(details["usage"]["fuel"], 81_234);
}

#[test]
fn a_failure_before_a_tool_was_found_names_none() {
    let failure = outcome(Err(Failure::not_found("tool", "x")), false);
    let failure = CallAnswer::try_from(failure).expect_err("a failure");
    assert!(failure.details.contains_key("call_id"));
    assert!(!failure.details.contains_key("tool"));
}

#[test]
fn what_becomes_of_changes() {
    let digest = Digest::of(b"");
    let request = |more: serde_json::Value| decode::<CallRequest>(more.to_string().as_bytes());
    for (more, expected) in [
        (json!({}), Commit::Apply),
        (json!({"preview": false}), Commit::Apply),
        (json!({"preview": true}), Commit::Preview),
        (json!({"if_changes": digest}), Commit::ApplyIf(digest)),
    ] {
        let request = request(more.clone()).expect("a request");
        assert_eq!(request.commit(), Ok(expected), "{more}");
        let again = serde_json::to_vec(&request).expect("JSON");
        assert_eq!(decode::<CallRequest>(&again), Ok(request));
    }
    let both = request(json!({"preview": true, "if_changes": digest})).expect("a request");
    let failure = both.commit().expect_err("one of both");
    assert_eq!(failure.details["faults"][0]["pointer"], "/if_changes");
    for body in [
        json!({"preview": "yes"}),
        json!({"preview": null}),
        json!({"if_changes": "sha256:1"}),
        json!({"if_changes": true}),
    ] {
        assert!(request(body.clone()).is_err(), "{body}");
    }
}

#[test]
fn requests() {
    let least: CallRequest = decode(b"{}").expect("everything has a default");
    assert_eq!(least.arguments, Payload::empty_object());
    for (body, access) in [
        (json!({"workspace": "demo"}), Access::ReadOnly),
        (json!({"workspace": {"name": "demo"}}), Access::ReadOnly),
        (
            json!({"workspace": {"name": "demo", "access": "read_write"}}),
            Access::ReadWrite,
        ),
    ] {
        let request: CallRequest = decode(body.to_string().as_bytes()).expect("a request");
        let offer = Offer::from(request.workspace.clone().expect("a workspace"));
        assert_eq!(offer.access, access, "{body}");
        assert_eq!(offer.place, Place::Named("demo".parse().expect("a name")));
        let again = serde_json::to_vec(&request).expect("JSON");
        assert_eq!(decode::<CallRequest>(&again), Ok(request));
    }
    for body in [
        json!([]),
        json!({"arguments": null}),
        json!({"arguments": []}),
        json!({"argument": {}}),
        json!({"limits": {"fuel": -1}}),
        json!({"limits": {"fuel": 1.5}}),
        json!({"limits": {"handles": 1}}),
        json!({"workspace": "/etc"}),
        json!({"workspace": {"name": "a", "path": "/"}}),
        json!({"workspace": {"directory": "/"}}),
        json!({"workspace": 1}),
    ] {
        let request = decode::<CallRequest>(body.to_string().as_bytes());
        assert_eq!(
            request.map_err(|f| f.code),
            Err(Code::InvalidInput),
            "{body}"
        );
    }
}
