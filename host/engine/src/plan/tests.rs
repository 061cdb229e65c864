use cofferdam_types::plan::{Condition, Plan};
use cofferdam_types::run::EventKind;
use cofferdam_types::{Ambient, CallId, Code, Digest, Failure, Payload, Timestamp};
use serde_json::{Value, json};

use super::condition::holds;
use super::reference::{Part, Reference, Scope};
use super::template::{expand, text_bytes};
use crate::agent::state::State;

struct Still;

impl Ambient for Still {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(0)
    }

    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(7);
    }
}

/// Three steps have ended: `ok` with a result, `bad` with a failure, `off` skipped.
fn state() -> State {
    let plan: Plan = serde_json::from_value(json!({"steps": [
        {"name": "ok", "tool": "t"}, {"name": "bad", "tool": "t"}, {"name": "off", "tool": "t"}
    ]}))
    .expect("a plan");
    let call_id = CallId::generate(&Still);
    let [ok, bad, off] = ["ok", "bad", "off"].map(|name| name.parse().expect("a name"));
    let kinds = [
        EventKind::StepStarted {
            step: plan.steps[0].name.clone(),
            attempt: 1,
            call_id,
            arguments: Payload::empty_object(),
        },
        EventKind::StepCompleted {
            step: ok,
            attempt: 1,
            call_id,
            tool: cofferdam_types::tool::Identity {
                name: "t".parse().expect("a name"),
                version: cofferdam_types::Version::new(1, 0, 0),
                digest: Digest::of(b""),
            },
            result: Payload::from(json!({"rows": [1, "two", null], "a/b": {"~": true}})),
            usage: cofferdam_types::call::Usage::default(),
        },
        EventKind::StepFailed {
            step: bad,
            attempt: 1,
            call_id,
            error: Failure::new(Code::ToolError, "no").with("hint", "look"),
            usage: cofferdam_types::call::Usage::default(),
            retry_at: None,
        },
        EventKind::StepSkipped { step: off },
    ];
    let mut state = State::new();
    for kind in kinds {
        state.apply(&plan, &kind).expect("it follows");
    }
    state
}

fn parameters() -> Payload {
    Payload::from(json!({"who": "ü", "n": 3, "deep": deep(60), "large": "x".repeat(1 << 20)}))
}

fn deep(levels: usize) -> Value {
    (0..levels).fold(json!(1), |inner, _| json!([inner]))
}

fn expanded(template: Value) -> Result<Value, Failure> {
    let (parameters, state) = (parameters(), state());
    let scope = Scope {
        parameters: &parameters,
        state: &state,
    };
    expand(&Payload::from(template), scope).map(Payload::into_value)
}

#[test]
fn references() {
    let step = |part, rest| Reference::Step {
        name: "a",
        part,
        rest,
    };
    for (pointer, expected) in [
        ("/parameters", Some(Reference::Parameters { rest: "" })),
        (
            "/parameters/x~1y",
            Some(Reference::Parameters { rest: "/x~1y" }),
        ),
        ("/steps/a", Some(step(Part::All, ""))),
        ("/steps/a/status", Some(step(Part::Status, ""))),
        ("/steps/a/result/0/b", Some(step(Part::Result, "/0/b"))),
        ("/steps/a/error/code", Some(step(Part::Error, "/code"))),
        ("", None),
        ("/", None),
        ("parameters", None),
        ("/parametersx", None),
        ("/steps", None),
        ("/steps/a/", None),
        ("/steps/a/results", None),
        ("/parameters/~", None),
        ("/parameters/~2", None),
    ] {
        assert_eq!(Reference::parse(pointer).ok(), expected, "{pointer}");
    }
}

#[test]
fn templates() {
    for (template, expected) in [
        (json!({"$from": "/parameters/n"}), json!(3)),
        (json!({"$from": "/steps/ok/result/rows/1"}), json!("two")),
        (json!({"$from": "/steps/ok/result/a~1b/~0"}), json!(true)),
        (json!({"$from": "/steps/ok/result/rows/2"}), Value::Null),
        (json!({"$from": "/steps/ok/status"}), json!("completed")),
        (
            json!({"$from": "/steps/bad/error/details/hint"}),
            json!("look"),
        ),
        (json!({"$from": "/steps/bad/result"}), Value::Null),
        (
            json!({"$from": "/steps/off"}),
            json!({"status": "skipped", "result": null, "error": null}),
        ),
        (
            json!([{"x": [{"$from": "/parameters/who"}]}, 1]),
            json!([{"x": ["ü"]}, 1]),
        ),
        (
            json!({"$text": ["a", 1, null, {"$from": "/parameters/who"}, [{"$from": "/parameters/n"}]]}),
            json!("a1nullü[3]"),
        ),
        (json!({"$text": []}), json!("")),
        (
            json!({"$literal": {"$from": "/gone"}}),
            json!({"$from": "/gone"}),
        ),
        (
            json!({"$from": "/gone", "more": 1}),
            json!({"$from": "/gone", "more": 1}),
        ),
        (json!({"$ref": "#/x"}), json!({"$ref": "#/x"})),
    ] {
        assert_eq!(expanded(template.clone()), Ok(expected), "{template}");
    }
}

#[test]
fn a_reference_to_nothing_names_it() {
    for pointer in [
        "/parameters/gone",
        "/parameters/n/x",
        "/steps/ok/result/rows/3",
        "/steps/ok/result/rows/01",
        "/steps/ok/error/code",
        "/steps/later/result",
    ] {
        let failure = expanded(json!({"x": {"$text": [{"$from": pointer}]}})).expect_err("nothing");
        assert_eq!(failure.code, Code::InvalidInput);
        assert_eq!(failure.details["pointer"], json!(pointer));
    }
}

#[test]
fn expansion_is_bounded() {
    let large = json!({"$from": "/parameters/large"});
    let cases = [
        (json!([large, large, large]), None),
        (json!([large, large, large, large]), Some("arguments_bytes")),
        (json!(vec![large.clone(); 100_000]), Some("arguments_bytes")),
        (
            json!({"$text": vec![large; 100_000]}),
            Some("arguments_bytes"),
        ),
        (json!([[[[{"$from": "/parameters/deep"}]]]]), None),
        (
            json!([[[[[{"$from": "/parameters/deep"}]]]]]),
            Some("arguments_depth"),
        ),
        (deep(64), None),
        (deep(65), Some("arguments_depth")),
        (json!({"$literal": deep(65)}), Some("arguments_depth")),
    ];
    for (template, limit) in cases {
        let failure = expanded(template).err();
        let reached = failure.map(|failure| failure.details["limit"].clone());
        assert_eq!(reached, limit.map(Value::from));
    }
}

#[test]
fn text_is_measured_as_it_is_written() {
    for value in [json!(null), json!({"a": [1, "ü\n", 2.5]}), json!("x")] {
        let bytes = value.to_string().len();
        assert_eq!(text_bytes(&value, bytes), Some(bytes));
        assert_eq!(text_bytes(&value, bytes - 1), None);
    }
}

#[test]
fn conditions() {
    for (condition, expected) in [
        (
            json!({"equals": [{"$from": "/parameters/n"}, 3.0]}),
            Some(true),
        ),
        (
            json!({"equals": [[1, {"a": 2.0}], [1.0, {"a": 2}]]}),
            Some(true),
        ),
        (
            json!({"equals": [9_007_199_254_740_993_u64, 9_007_199_254_740_992_u64]}),
            Some(false),
        ),
        (json!({"equals": [{"a": 1}, {"a": 1, "b": 2}]}), Some(false)),
        (json!({"equals": ["1", 1]}), Some(false)),
        (json!({"greater": [2, 1.5]}), Some(true)),
        (json!({"greater": [2, 2]}), Some(false)),
        (json!({"greater": [u64::MAX, u64::MAX - 1]}), Some(true)),
        (json!({"greater": [0, -1]}), Some(true)),
        (json!({"greater": ["ü", "z"]}), Some(true)),
        (json!({"greater": ["10", "9"]}), Some(false)),
        (json!({"greater": ["1", 1]}), None),
        (json!({"greater": [null, 1]}), None),
        (json!({"exists": "/steps/ok/result/rows"}), Some(true)),
        (json!({"exists": "/steps/ok/result/rows/2"}), Some(false)),
        (json!({"exists": "/steps/ok/result/gone"}), Some(false)),
        (json!({"exists": "/steps/bad/error"}), Some(true)),
        (json!({"not": {"exists": "/parameters/gone"}}), Some(true)),
        (json!({"all": []}), Some(true)),
        (json!({"any": []}), Some(false)),
        // What decides first decides: the second would fail.
        (
            json!({"all": [{"exists": "/parameters/gone"}, {"greater": [null, 1]}]}),
            Some(false),
        ),
        (
            json!({"any": [{"exists": "/parameters/n"}, {"greater": [null, 1]}]}),
            Some(true),
        ),
        (
            json!({"all": [{"exists": "/parameters/n"}, {"greater": [null, 1]}]}),
            None,
        ),
        (
            json!({"equals": [{"$from": "/parameters/gone"}, null]}),
            None,
        ),
    ] {
        let (parameters, state) = (parameters(), state());
        let scope = Scope {
            parameters: &parameters,
            state: &state,
        };
        let parsed: Condition = serde_json::from_value(condition.clone()).expect("a condition");
        assert_eq!(holds(&parsed, scope).ok(), expected, "{condition}");
    }
}
