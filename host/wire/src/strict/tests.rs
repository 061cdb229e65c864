use std::time::{Duration, Instant};

use cofferdam_types::failure::Fault;
use cofferdam_types::{Code, Payload};
use proptest::prelude::*;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{DEPTH_MAX, decode, parse};
use crate::call::CallRequest;
use crate::task::TaskCreate;

fn fault_of(failure: &cofferdam_types::Failure) -> Fault {
    assert_eq!(failure.code, Code::InvalidInput, "{failure}");
    let faults: Vec<Fault> =
        serde_json::from_value(failure.details["faults"].clone()).expect("a list of faults");
    faults.into_iter().next().expect("at least one fault")
}

/// The request is refused at `pointer` with a reason that says `reason`.
#[track_caller]
fn refused(bytes: impl AsRef<[u8]>, pointer: &str, reason: &str) {
    let failure = parse(bytes.as_ref()).expect_err("must be refused");
    let fault = fault_of(&failure);
    assert_eq!(fault.pointer, pointer, "{fault:?}");
    assert!(fault.reason.contains(reason), "{fault:?}");
}

fn nested(depth: usize) -> String {
    "[".repeat(depth) + &"]".repeat(depth)
}

#[test]
fn refuses_what_is_not_one_json_value() {
    refused("", "", "EOF");
    refused(" ", "", "EOF");
    refused("\u{feff}{}", "", "byte order mark");
    refused(b"\xff\xfe{\0}\0", "", "not UTF-8");
    refused(b"{\"a\":\"\xc3\x28\"}", "", "not UTF-8");
    refused("{} {}", "", "trailing characters");
    refused("{}x", "", "trailing characters");
    refused("{}\0", "", "trailing characters");
    refused("{'a':1}", "", "key must be a string");
    refused("{\"a\":1,}", "", "trailing comma");
    refused("// no\n{}", "", "expected value");
    refused("{\"a\":[1,2", "/a/2", "EOF");
}

#[test]
fn refuses_numbers_that_nothing_holds() {
    for text in [
        "NaN",
        "Infinity",
        "-Infinity",
        "01",
        "+1",
        "1.",
        ".5",
        "0x1",
    ] {
        let body = format!("{{\"a\":{{\"b\":[0,{text}]}}}}");
        assert!(parse(body.as_bytes()).is_err(), "{text}");
    }
    for text in ["1e400", "-1e400", "1E999999", "1e99999999999999999999"] {
        refused(
            format!("{{\"a\":{{\"b\":[0,{text}]}}}}"),
            "/a/b/1",
            "number out of range",
        );
    }
}

#[test]
fn keeps_integers_exact() {
    for text in [
        "9007199254740993",
        "18446744073709551615",
        "-9223372036854775808",
    ] {
        assert_eq!(
            parse(text.as_bytes()).map(|v| v.to_string()),
            Ok(text.into())
        );
    }
}

#[test]
fn refuses_lone_surrogates() {
    for text in [
        r#""\ud800""#,
        r#""\udc00""#,
        r#""\ud800\u0041""#,
        r#""\ud800x""#,
    ] {
        refused(format!("{{\"a\":{text}}}"), "/a", "");
    }
    refused(r#"{"\ud800":1}"#, "", "");
    let pair = parse(r#""\ud83d\ude00""#.as_bytes());
    assert_eq!(pair, Ok(json!("\u{1f600}")));
}

#[test]
fn refuses_duplicate_keys_wherever_they_are() {
    refused(r#"{"a":1,"a":2}"#, "/a", "twice");
    refused(r#"{"a":1,"\u0061":1}"#, "/a", "twice");
    refused(r#"{"x":[{},{"a/b":1,"a/b":1}]}"#, "/x/1/a~1b", "twice");
    refused(r#"{"x~":{"":0,"":0}}"#, "/x~0/", "twice");
    refused(r#"{"__proto__":1,"__proto__":1}"#, "/__proto__", "twice");
}

#[test]
fn keys_that_only_look_alike_are_distinct() {
    let keys = [
        "a", "A", "a b", "a  b", "\u{e9}", "e\u{301}", "\u{430}", "a-b", "a_b", "",
    ];
    let body = Value::Object(
        keys.iter()
            .map(|key| ((*key).to_owned(), json!(key)))
            .collect(),
    );
    let value = parse(body.to_string().as_bytes()).expect("distinct keys");
    assert_eq!(value.as_object().map(Map::len), Some(keys.len()));
    for key in keys {
        assert_eq!(value[key], key);
    }
}

#[test]
fn no_key_is_special() {
    for key in [
        "__proto__",
        "constructor",
        "$serde_json::private::RawValue",
        "$serde_json::private::Number",
        "$from",
    ] {
        let body = json!({ "arguments": { key: "{\"a\":1,\"a\":2}" } }).to_string();
        let request: CallRequest = decode(body.as_bytes()).expect("an ordinary key");
        assert_eq!(
            request.arguments.as_value(),
            &json!({ key: "{\"a\":1,\"a\":2}" })
        );
    }
}

#[test]
fn nests_so_deep_and_no_deeper() {
    assert!(parse(nested(DEPTH_MAX).as_bytes()).is_ok());
    let pointer = "/0".repeat(DEPTH_MAX);
    refused(
        nested(DEPTH_MAX + 1),
        &pointer,
        "nested deeper than 64 levels",
    );
    let objects = "{\"a\":".repeat(DEPTH_MAX + 1) + "1" + &"}".repeat(DEPTH_MAX + 1);
    refused(
        objects,
        &"/a".repeat(DEPTH_MAX),
        "nested deeper than 64 levels",
    );
}

#[test]
fn endless_depth_is_refused_at_once_on_a_small_stack() {
    let opening = "[".repeat(100_000);
    let mixed = "[{\"a\":".repeat(100_000);
    let reader = std::thread::Builder::new().stack_size(256 << 10);
    let thread = reader.spawn(move || {
        let start = Instant::now();
        for text in [opening, mixed] {
            assert!(parse(text.as_bytes()).is_err());
            assert!(decode::<CallRequest>(text.as_bytes()).is_err());
        }
        start.elapsed()
    });
    let elapsed = thread.expect("a thread").join().expect("no overflow");
    assert!(elapsed < Duration::from_secs(1), "{elapsed:?}");
}

#[test]
fn a_million_keys_are_read_or_refused_in_bounded_time() {
    let keys: Vec<String> = (0..1_000_000).map(|n| format!("\"{n}\":0")).collect();
    let start = Instant::now();
    let body = format!("{{{}}}", keys.join(","));
    assert!(parse(body.as_bytes()).is_ok());
    refused(format!("{{{},\"7\":1}}", keys.join(",")), "/7", "twice");
    assert!(start.elapsed() < Duration::from_secs(20));
}

#[test]
fn answers_stay_short_whatever_was_sent() {
    let long = "k".repeat(1 << 20);
    for body in [
        format!("{{\"{long}\":1}}"),
        format!("{{\"{long}\":1,\"{long}\":1}}"),
        format!("{{\"arguments\":\"{long}\"}}"),
        format!("{{\"workspace\":\"{long}\"}}"),
        format!("{{\"arguments\":{{\"\u{e4}{long}\":nope}}}}"),
    ] {
        let failure = decode::<CallRequest>(body.as_bytes()).expect_err("must be refused");
        let size = serde_json::to_string(&failure).expect("JSON").len();
        assert!(size < 4_096, "{size}");
    }
}

#[test]
fn says_where_a_request_is_not_what_is_expected() {
    let task = |step: Value| json!({"title": "t", "plan": {"steps": [step]}});
    for (body, pointer, reason) in [
        (json!([]), "", "expected an object"),
        (json!({"title": "t"}), "", "missing field `plan`"),
        (
            json!({"title": 1, "plan": {"steps": []}}),
            "/title",
            "expected a string",
        ),
        (
            task(json!({"name": "a", "tool": "A"})),
            "/plan/steps/0/tool",
            "tool name",
        ),
        (
            task(json!({"name": "a", "tool": "t", "x": 1})),
            "/plan/steps/0/x",
            "unknown field",
        ),
        (
            task(json!({"name": "a", "tool": "t", "retry": {"max_attempts": -1}})),
            "/plan/steps/0/retry/max_attempts",
            "expected u32",
        ),
        (
            task(json!({"name": "a", "tool": "t", "when": {"not": {"exists": 1}}})),
            "/plan/steps/0/when/not/exists",
            "expected a string",
        ),
        (
            json!({"title": "t", "plan": {"steps": []}, "parameters": []}),
            "/parameters",
            "expected an object",
        ),
        (
            json!({"title": "t", "plan": {"steps": []}, "workspace": "../up"}),
            "/workspace",
            "workspace name",
        ),
        (
            json!({"title": "t", "plan": {"steps": []}, "workspace": {"name": "a", "access": "all"}}),
            "/workspace/access",
            "unknown variant",
        ),
    ] {
        let failure = decode::<TaskCreate>(body.to_string().as_bytes()).expect_err("refused");
        let fault = fault_of(&failure);
        assert_eq!(fault.pointer, pointer, "{body} {fault:?}");
        assert!(fault.reason.contains(reason), "{body} {fault:?}");
    }
}

/// Any JSON, with keys from a small set so that duplicates happen.
fn text() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|b| b.to_string()),
        any::<i64>().prop_map(|n| n.to_string()),
        any::<f64>().prop_map(|n| json!(n).to_string()),
        "[ -~]{0,6}".prop_map(|s| json!(s).to_string()),
        Just("1e400".to_owned()),
        Just("nul".to_owned()),
    ];
    leaf.prop_recursive(8, 64, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(|v| format!("[{}]", v.join(","))),
            prop::collection::vec(("[abc]", inner), 0..4).prop_map(|v| {
                let fields: Vec<String> = v.iter().map(|(k, v)| format!("\"{k}\":{v}")).collect();
                format!("{{{}}}", fields.join(","))
            }),
        ]
    })
}

/// True when some object of the text has a key twice, by a reading that keeps them all.
fn has_duplicate(text: &str) -> bool {
    struct Seen(bool);
    impl<'de> Deserialize<'de> for Seen {
        fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
            struct V;
            impl<'de> serde::de::Visitor<'de> for V {
                type Value = Seen;
                fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    f.write_str("JSON")
                }
                fn visit_unit<E>(self) -> Result<Seen, E> {
                    Ok(Seen(false))
                }
                fn visit_bool<E>(self, _: bool) -> Result<Seen, E> {
                    Ok(Seen(false))
                }
                fn visit_i64<E>(self, _: i64) -> Result<Seen, E> {
                    Ok(Seen(false))
                }
                fn visit_u64<E>(self, _: u64) -> Result<Seen, E> {
                    Ok(Seen(false))
                }
                fn visit_f64<E>(self, _: f64) -> Result<Seen, E> {
                    Ok(Seen(false))
                }
                fn visit_str<E>(self, _: &str) -> Result<Seen, E> {
                    Ok(Seen(false))
                }
                fn visit_seq<A: serde::de::SeqAccess<'de>>(
                    self,
                    mut seq: A,
                ) -> Result<Seen, A::Error> {
                    let mut any = false;
                    while let Some(Seen(inner)) = seq.next_element()? {
                        any |= inner;
                    }
                    Ok(Seen(any))
                }
                fn visit_map<A: serde::de::MapAccess<'de>>(
                    self,
                    mut map: A,
                ) -> Result<Seen, A::Error> {
                    let (mut any, mut keys) = (false, Vec::new());
                    while let Some((key, Seen(inner))) = map.next_entry::<String, Seen>()? {
                        any |= inner || keys.contains(&key);
                        keys.push(key);
                    }
                    Ok(Seen(any))
                }
            }
            d.deserialize_any(V)
        }
    }
    serde_json::from_str::<Seen>(text).is_ok_and(|seen| seen.0)
}

proptest! {
    #[test]
    fn accepts_what_the_parser_accepts_but_duplicates(text in text()) {
        let lenient = serde_json::from_str::<Value>(&text).ok();
        let strict = parse(text.as_bytes()).ok();
        if has_duplicate(&text) {
            prop_assert_eq!(strict, None);
        } else {
            prop_assert_eq!(strict, lenient);
        }
    }

    #[test]
    fn never_panics_on_any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        match parse(&bytes) {
            Ok(value) => prop_assert_eq!(serde_json::from_slice::<Value>(&bytes).ok(), Some(value)),
            Err(failure) => prop_assert_eq!(failure.code, Code::InvalidInput),
        }
    }

    #[test]
    fn a_payload_passes_unchanged(text in text()) {
        if let Ok(value) = parse(text.as_bytes()) {
            let payload = decode::<Payload>(text.as_bytes()).ok();
            prop_assert_eq!(payload.is_some(), value.is_object());
            prop_assert!(payload.is_none_or(|payload| *payload.as_value() == value));
        }
    }
}
