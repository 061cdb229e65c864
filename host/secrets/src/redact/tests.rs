mod model;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use cofferdam_types::call::{
    CallLog, Denial, DenialCode, LogLevel, LogRecord, Outcome, Usage, Use,
};
use cofferdam_types::change::{ChangeList, ChangeWord, MountChanges, PathChange};
use cofferdam_types::{Code, Digest, Failure, Payload};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::json;

use super::*;
use model::Model;

fn secrets(of: &[(&str, &str)]) -> Vec<(SecretName, SecretValue)> {
    of.iter()
        .map(|(name, value)| {
            let value = SecretValue::new((*value).to_owned()).expect("long enough");
            (name.parse().expect("a name"), value)
        })
        .collect()
}

fn redactor(of: &[(&str, &str)]) -> Redactor {
    Redactor::new(&secrets(of))
}

const SECRET: &str = "p4ss/w\"rd&<ü>+ ~é";

/// SE-01: plain and in every usual encoding.
/// The forms that people know, each made by other means than the redactor's where there are some.
#[test]
fn every_form_is_found_wherever_it_stands() {
    let redactor = redactor(&[("token", SECRET)]);
    let mut texts = vec![
        SECRET.to_owned(),
        SECRET.chars().rev().collect(),
        json!({ "key": SECRET }).to_string(),
        json!({ "key": SECRET }).to_string().replace('/', "\\/"),
        format!("{SECRET:?}"),
        "p4ss/w\\\"rd&<\\u00fc>+ ~\\u00e9".to_owned(),
        "p4ss%2Fw%22rd%26%3C%C3%BC%3E%2B%20~%C3%A9".to_owned(),
        "p4ss%2fw%22rd%26%3c%c3%bc%3e%2b%20~%c3%a9".to_owned(),
        "p4ss%2Fw%22rd%26%3C%C3%BC%3E%2B+%7E%C3%A9".to_owned(),
        "p4ss/w&quot;rd&amp;&lt;ü&gt;+ ~é".to_owned(),
        SECRET
            .bytes()
            .fold(String::new(), |text, b| text + &format!("{b:02x}")),
        SECRET
            .bytes()
            .fold(String::new(), |text, b| text + &format!("{b:02X}")),
        SECRET
            .bytes()
            .fold(String::new(), |text, b| text + &format!("%{b:02X}")),
        format!("hunter {SECRET} {SECRET}"),
    ];
    for before in 0..7 {
        for behind in 0..4 {
            let text = format!("{}{SECRET}{}", "x".repeat(before), "y".repeat(behind));
            texts.push(STANDARD.encode(&text));
            texts.push(URL_SAFE.encode(&text));
        }
    }
    for text in texts {
        let redacted = redactor.text(&text);
        assert!(redacted.contains("[redacted:token]"), "{text}: {redacted}");
        for rest in ["p4ss", "rd&", "dr\"", "c0NzL3", "NHNzL3", "703473"] {
            assert!(!redacted.contains(rest), "{text}: {redacted}");
        }
        assert!(redactor.text(&redacted) == redacted, "{redacted}");
    }
}

#[test]
fn ordinary_text_is_left_alone() {
    let redactor = redactor(&[("token", SECRET)]);
    for text in [
        "",
        "p4ss",
        "nothing to see",
        "[redacted:token]",
        &SECRET[1..],
    ] {
        assert!(matches!(redactor.text(text), Cow::Borrowed(_)), "{text}");
    }
    let idle = Redactor::new(&[]);
    assert!(idle.is_idle());
    assert!(matches!(idle.text(SECRET), Cow::Borrowed(_)));
}

#[test]
fn what_overlaps_is_replaced_as_one() {
    let redactor = redactor(&[("a", "abcdefgh"), ("b", "efghijkl"), ("c", "bcdefghi")]);
    for (text, redacted) in [
        ("-abcdefghijkl-", "-[redacted:a]-"),
        ("-abcdefgh-efghijkl-", "-[redacted:a]-[redacted:b]-"),
        ("abcdefghabcdefgh", "[redacted:a][redacted:a]"),
        ("xbcdefghijkl", "x[redacted:c]"),
    ] {
        assert_eq!(redactor.text(text), redacted);
    }
    let repeated = self::redactor(&[("a", "aaaaaaaa")]);
    assert_eq!(repeated.text(&"a".repeat(1000)), "[redacted:a]");
}

#[test]
fn a_long_secret_is_found_by_its_pieces_and_lines() {
    let line = |n: usize| -> String {
        let digit =
            |at: usize| char::from(b'A' + u8::try_from((at * 7 + n * 11) % 26).expect("small"));
        (0..64).map(digit).collect()
    };
    let lines: Vec<_> = (0..25).map(line).collect();
    let key = format!(
        "-----BEGIN KEY-----\n{}\n-----END KEY-----\n",
        lines.join("\n")
    );
    for text in [key.clone(), format!("{key}{}", "ü".repeat(40_000 / 2))] {
        let redactor = redactor(&[("key", &text)]);
        let redacted = redactor.text(&text);
        assert_eq!(
            redacted.matches("[redacted:key]").count(),
            redacted.len() / 14,
            "{redacted}"
        );
        let encoded = STANDARD.encode(format!("x{text}"));
        let redacted = redactor.text(&encoded);
        assert!(redacted.len() < encoded.len() / 2, "{redacted}");
        assert!(redactor.text(&json!(text).to_string()).len() < text.len() / 2);
    }
    let redactor = redactor(&[("key", &key)]);
    assert_eq!(
        redactor.text(&format!("> {}", lines[3])),
        "> [redacted:key]"
    );
    assert_eq!(redactor.text("-----BEGIN KEY-----"), "-----BEGIN KEY-----");
}

#[test]
fn a_rest_at_a_cut_is_taken_out() {
    let redactor = redactor(&[("token", "0123456789abcdef")]);
    for (text, redacted) in [
        ("cdef and more", "[redacted:token] and more"),
        ("456789abcdef", "[redacted:token]"),
        ("0123456789abcdef!", "[redacted:token]!"),
        ("more 0123", "more [redacted:token]"),
        ("89abcdef0123", "[redacted:token][redacted:token]"),
        ("def and 012", "def and 012"),
        ("", ""),
        ("in 4567 between", "in 4567 between"),
    ] {
        assert_eq!(redactor.part(text), redacted, "{text}");
    }
    assert_eq!(redactor.text("cdef and more"), "cdef and more");
    let wide = self::redactor(&[("token", "ü".repeat(8).as_str())]);
    assert!(wide.part("üüüü").contains("[redacted:token]"));
}

#[test]
fn every_field_of_an_outcome_is_searched() {
    let redactor = redactor(&[("token", "hunter2-hunter2"), ("pin", "12345678")]);
    let text = || "a hunter2-hunter2 b".to_owned();
    let mut details = Map::new();
    details.insert(text(), json!([{ "deep": text(), "number": 12_345_678 }]));
    let mut outcome = Outcome {
        result: Err(Failure {
            code: Code::ToolError,
            message: text(),
            details,
        }),
        log: CallLog {
            stdout_tail: text(),
            stderr_tail: "unter2-hunter2 b".to_owned(),
            dropped_bytes: 1,
            records: vec![LogRecord {
                level: LogLevel::Info,
                message: text(),
                fields: Payload::from(json!({ "a": text() })),
            }],
        },
        denials: vec![Denial {
            capability: "network".to_owned(),
            operation: text(),
            resource: text(),
            code: DenialCode::Denied,
            rule: text(),
            file: None,
            line: None,
            reason: text(),
            smallest_grant: text(),
        }],
        uses: vec![Use {
            capability: "network".to_owned(),
            operation: text(),
            resource: text(),
            count: 1,
            bytes: 0,
        }],
        changes: Some(changes(text())),
        ..outcome(Ok(Payload::null()))
    };
    redactor.outcome(&mut outcome);
    let shown = format!("{outcome:?}");
    assert!(
        !shown.contains("unter2") && !shown.contains("12345678"),
        "{shown}"
    );
    assert_eq!(shown.matches("[redacted:token]").count(), 15, "{shown}");
    assert_eq!(shown.matches("[redacted:pin]").count(), 1, "{shown}");

    let result = json!({ "a": [1, true, null, text()], "hunter2-hunter2": 0 });
    let mut outcome = self::outcome(Ok(Payload::from(result)));
    redactor.outcome(&mut outcome);
    let result = outcome.result.expect("a result");
    assert_eq!(
        result.as_value(),
        &json!({ "a": [1, true, null, "a [redacted:token] b"], "[redacted:token]": 0 })
    );
}

/// A call that made this file.
fn changes(path: String) -> ChangeList {
    ChangeList {
        digest: Digest::of(b""),
        mounts: vec![MountChanges {
            mount: "workspace".to_owned(),
            created: 1,
            modified: 0,
            deleted: 0,
            bytes: 0,
            paths: vec![PathChange {
                path,
                change: ChangeWord::Created,
                bytes: 0,
                directory: false,
            }],
        }],
        unlisted: 0,
    }
}

fn outcome(result: Result<Payload, Failure>) -> Outcome {
    Outcome {
        call_id: "0192f7a4-7c5e-7d2a-8f00-000000000001"
            .parse()
            .expect("an id"),
        tool: None,
        result,
        usage: Usage::default(),
        log: CallLog::default(),
        uses: Vec::new(),
        denials: Vec::new(),
        changes: None,
    }
}

/// Secrets that share beginnings and ends, and a text made of their forms and of what is between.
fn case() -> impl Strategy<Value = (Vec<String>, String)> {
    let word = prop_oneof![
        "[ab]{8,12}",
        "[a-z/+ \"&ü]{8,40}",
        Just("aaaaaaaa".to_owned()),
        "\\PC{8,20}",
    ];
    prop::collection::vec(word, 1..4).prop_flat_map(|secrets| {
        let encoded = |secret: &String, at: usize| {
            let text = format!("{}{secret}{}", "x".repeat(at % 3), "y".repeat(at % 4));
            [STANDARD.encode(&text), URL_SAFE.encode(&text)][at % 2].clone()
        };
        let forms: Vec<String> = secrets
            .iter()
            .flat_map(|secret| {
                let encoded = (0..6).map(move |at| encoded(secret, at));
                model::examples(secret).into_iter().chain(encoded)
            })
            .collect();
        let part = prop_oneof![
            3 => prop::sample::select(forms.clone()),
            1 => (prop::sample::select(forms), any::<prop::sample::Index>()).prop_map(
                |(form, cut)| form.chars().skip(cut.index(form.len().max(1))).collect()
            ),
            2 => "[ab =]{0,9}",
            1 => "\\PC{0,9}",
        ];
        let text = prop::collection::vec(part, 0..8).prop_map(|parts| parts.concat());
        (Just(secrets), text)
    })
}

fn named(values: &[String]) -> Vec<(SecretName, SecretValue)> {
    let names = ["a", "b", "c"];
    let pairs: Vec<_> = names
        .into_iter()
        .zip(values)
        .map(|(n, v)| (n, v.as_str()))
        .collect();
    secrets(&pairs)
}

/// Runs the cases against a model; the error is the first that differs.
fn compare(cases: u32, model: fn(&[(SecretName, SecretValue)]) -> Model) -> Result<(), String> {
    let config = Config {
        failure_persistence: None,
        ..Config::with_cases(cases)
    };
    TestRunner::new(config)
        .run(&case(), |(values, text)| {
            let secrets = named(&values);
            let redacted = Redactor::new(&secrets).text(&text).into_owned();
            prop_assert_eq!(redacted, model(&secrets).redact(&text));
            Ok(())
        })
        .map_err(|error| error.to_string())
}

#[test]
fn agrees_with_a_model_that_is_slow_and_simple() {
    assert_eq!(compare(10_000, Model::new), Ok(()));
}

/// The comparison would notice a fault: each of these models has one.
#[test]
fn a_planted_fault_is_noticed() {
    for fault in [Model::without_an_alignment, Model::without_merging] {
        assert!(compare(10_000, fault).is_err());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn pieces_are_as_the_whole(
        (values, text) in case(),
        long in 0..3_usize,
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
    ) {
        let redactor = Redactor::new(&named(&values));
        // Long enough that the stream lets go before its end.
        let text = text.repeat(1 + long * 200);
        let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(text.len() + 1)).collect();
        cuts.sort_unstable();
        let mut stream = redactor.stream();
        let mut passed = Vec::new();
        let mut at = 0;
        for cut in cuts.into_iter().chain([text.len()]) {
            passed.extend(stream.push(&text.as_bytes()[at..cut]));
            at = cut;
        }
        passed.extend(stream.finish());
        let passed = String::from_utf8(passed).expect("text");
        prop_assert_eq!(passed, redactor.text(&text));
    }

    #[test]
    fn overlaps_are_the_longest(left in "[ab]{0,12}", right in "[ab]{0,12}") {
        let longest = (0..=left.len().min(right.len()))
            .rev()
            .find(|length| left[left.len() - length..] == right[..*length]);
        prop_assert_eq!(overlap(left.as_bytes(), right.as_bytes()), longest.unwrap_or(0));
    }
}
