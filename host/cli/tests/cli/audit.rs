//! What `audit` proves: of a host, of a file without one, and of what somebody edited.

use std::fs;
use std::time::Duration;

use cofferdam_testing::{Guest, Host};
use serde_json::{Value, json};

use crate::command::Place;

/// A place with a tool that was called twice: three records.
fn place() -> Place {
    let place = Place::new();
    place.guest("guest.wasm", &Guest::well_behaved());
    place.run(&["tool", "add", "guest.wasm"]).with_code(0);
    for _ in 0..2 {
        place.run(&["tool", "call", "guest-run"]).with_code(0);
    }
    place
}

fn head(place: &Place) -> String {
    let verified = place.json(&["audit", "verify"]);
    assert_eq!(verified["intact"], true, "{verified}");
    verified["head"].as_str().expect("a head").to_owned()
}

#[test]
fn a_chain_is_exported_and_verified_without_a_host() {
    let place = place();
    let pin = head(&place);
    assert!(pin.starts_with("3:sha256:"), "{pin}");
    let export = place.run(&["audit", "export"]).with_code(0);
    // The verification read the chain too.
    assert_eq!(export.stdout.lines().count(), 4, "{export:?}");
    assert!(export.stderr.starts_with("head: 4:sha256:"), "{export:?}");
    fs::write(place.path().join("audit.jsonl"), &export.stdout).expect("a file");

    let elsewhere = place.with("COFFERDAM_SERVER", "http://127.0.0.1:1");
    let verify =
        |file: &str, more: &[&str]| elsewhere.run(&[&["audit", "verify", file], more].concat());
    let whole = verify("audit.jsonl", &["--expect", &pin]).with_code(0);
    assert!(
        whole
            .stdout
            .starts_with("intact: 4 records, 1 to 4\nhead: 4:sha256:"),
        "{whole:?}"
    );

    let lines: Vec<&str> = export.stdout.lines().collect();
    let cases = [
        (
            lines[..2].join("\n"),
            "the chain ends before entry 3, which is expected",
        ),
        (lines[1..].join("\n"), "the chain begins with entry 2"),
        (
            [lines[0], lines[2], lines[3]].join("\n"),
            "entry 2 is missing: 3 follows",
        ),
        (
            [lines[1], lines[0], lines[2]].join("\n"),
            "the chain begins with entry 2",
        ),
    ];
    for (text, flaw) in cases {
        fs::write(elsewhere.path().join("bad.jsonl"), &text).expect("a file");
        let ended = verify("bad.jsonl", &["--expect", &pin]).with_code(1);
        let is_order = flaw.starts_with("the chain begins") && ended.stdout.contains("wrong place");
        assert!(ended.stdout.contains(flaw) || is_order, "{flaw}: {ended:?}");
        assert!(ended.stdout.starts_with("NOT INTACT: "), "{ended:?}");
        let told = verify("bad.jsonl", &["--expect", &pin, "--json"]).with_code(1);
        assert_eq!(told.json()["intact"], false);
    }
    let edited = export.stdout.replacen("guest-run", "guest-fun", 1);
    fs::write(elsewhere.path().join("bad.jsonl"), edited).expect("a file");
    let ended = verify("bad.jsonl", &[]).with_code(1);
    assert!(
        ended.stdout.contains("is not what was written"),
        "{ended:?}"
    );
    let part = verify("audit.jsonl", &["--from", "2", "--to", "3"]).with_code(0);
    assert!(
        part.stdout.contains("intact: 2 records, 2 to 3"),
        "{part:?}"
    );
    fs::write(elsewhere.path().join("bad.jsonl"), "{\"seq\": 1}\n").expect("a file");
    verify("bad.jsonl", &[]).with_code(2);
    verify("absent.jsonl", &[]).with_code(2);
}

#[test]
fn one_record_is_shown_with_all_its_facts() {
    let place = place();
    let shown = place.json(&["audit", "show", "2"]);
    let call_id = shown["items"][0]["call_id"]
        .as_str()
        .expect("a call")
        .to_owned();
    let record = &shown["items"][0];
    assert_eq!(
        (&record["act"], &record["schema"]),
        (&json!("call"), &json!(2))
    );
    assert!(record["result_digest"].is_string(), "{record}");
    assert_eq!(place.json(&["audit", "show", &call_id]), shown);
    let text = place.run(&["audit", "show", &call_id]).with_code(0).stdout;
    assert!(text.contains(&format!("call_id: {call_id}")), "{text}");
    assert!(text.contains("arguments_digest: sha256:"), "{text}");
    place.run(&["audit", "show", "99"]).with_code(2);
    place.run(&["audit", "show", "nothing"]).with_code(2);
    let csv = place.run(&[
        "audit", "export", "--format", "csv", "--from", "2", "--to", "2",
    ]);
    let csv = csv.with_code(0).stdout;
    let mut rows = csv.lines();
    assert!(
        rows.next()
            .is_some_and(|row| row.starts_with("\"seq\",\"at\",\"tenant\"")),
        "{csv}"
    );
    assert!(
        rows.next().is_some_and(|row| row.starts_with("\"2\",\"2")),
        "{csv}"
    );
}

/// A host says when it serves, and removes what is too old, so that the rest still verifies.
#[test]
fn a_host_prunes_and_says_so() {
    let place = place();
    // The records have to be older than what is kept.
    std::thread::sleep(Duration::from_millis(1_100));
    let data = place.path().join("data");
    let host = Host::at(&data, &["--audit-keep", "1s", "--audit-strict"]).expect("a host");
    let acts = |audit: &Value| -> Vec<String> {
        let items = audit["items"].as_array().expect("a list");
        let act = |item: &Value| item["act"].as_str().expect("a word").to_owned();
        items.iter().map(act).collect()
    };
    let begin = std::time::Instant::now();
    let pruned = loop {
        let audit = place.json(&["audit", "list"]);
        // The record comes first: a host that dies between the two removes again.
        let listed = acts(&audit);
        let has = |act: &str| listed.iter().any(|listed| listed == act);
        if has("pruned") && !has("publish") {
            break audit;
        }
        assert!(begin.elapsed() < Duration::from_secs(20), "{audit}");
    };
    assert_eq!(acts(&pruned), ["pruned", "policy_loaded", "host_started"]);
    assert_eq!(pruned["items"][0]["through"], 3);
    place.run(&["tool", "call", "guest-run"]).with_code(0);
    host.stop().expect("the host ends well");
    let audit = place.json(&["audit", "list"]);
    assert_eq!(
        acts(&audit),
        [
            "host_stopped",
            "call",
            "pruned",
            "policy_loaded",
            "host_started"
        ]
    );
    assert!(head(&place).starts_with("8:sha256:"));
    for wrong in ["0d", "1w", "-1d", "forever"] {
        place.run(&["serve", "--audit-keep", wrong]).with_code(2);
    }
}
