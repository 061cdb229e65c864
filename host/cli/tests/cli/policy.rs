//! Policies: of files without a host, and what a host says of its own.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use cofferdam_testing::{Guest, Host};
use serde_json::{Value, json};

use crate::command::Place;

const CAREFUL: &str = "version: 1
name: careful
rules:
  - name: docs
    tools: ['guest-run@^1']
    allow: {network: [{host: docs.example.org, methods: [GET]}]}
";

/// A place where no host is or can be reached.
fn alone() -> Place {
    Place::new().with("COFFERDAM_SERVER", "http://127.0.0.1:1")
}

/// A file that the product comes with.
fn shipped(name: &str) -> String {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../policies");
    root.join(name).display().to_string()
}

#[test]
fn a_policy_is_checked_without_a_host() {
    let place = alone();
    place.write("careful.yaml", CAREFUL);
    let ended = place.run(&["policy", "check", "careful.yaml"]).with_code(0);
    assert_eq!(ended.stdout, "careful.yaml: ok, nothing to say\n");

    place.write(
        "wrong.yaml",
        "version: 1\nrules:\n  - tools: ['a']\n    alow: {}\n    until: never\n",
    );
    let ended = place.run(&["policy", "check", "wrong.yaml"]).with_code(1);
    let lines: Vec<&str> = ended.stdout.lines().collect();
    assert!(lines[0].starts_with("wrong.yaml:4:5: "), "{ended:?}");
    assert!(
        lines
            .last()
            .expect("a line")
            .starts_with("wrong.yaml: wrong, ")
    );
    let told = place
        .run(&["policy", "check", "wrong.yaml", "--json"])
        .with_code(1)
        .json();
    assert_eq!(
        (&told["valid"], &told["mistakes"][0]["line"]),
        (&json!(false), &json!(4))
    );

    place.write(
        "open.yaml",
        CAREFUL
            .replace("docs.example.org", "'**'")
            .replace("@^1", ""),
    );
    let ended = place.run(&["policy", "check", "open.yaml"]).with_code(0);
    assert!(
        ended
            .stdout
            .contains("warning: open.yaml:4 (docs): gives network to every version")
    );
    assert!(
        ended
            .stdout
            .contains("warning: open.yaml:6 (docs): network: "),
        "{ended:?}"
    );

    let path = place.write("shared.yaml", CAREFUL);
    fs::set_permissions(path, Permissions::from_mode(0o666)).expect("chmod");
    let ended = place.run(&["policy", "check", "shared.yaml"]).with_code(0);
    assert!(
        ended.stdout.contains("a host would not read it: "),
        "{ended:?}"
    );

    place.run(&["policy", "check", "absent.yaml"]).with_code(2);
    place.write("careful.txt", CAREFUL);
    place.run(&["policy", "check", "careful.txt"]).with_code(2);
}

#[test]
fn every_shipped_policy_is_valid_and_passes_its_table() {
    let place = alone();
    for name in ["deny-all", "default", "developer", "research", "build"] {
        let (policy, table) = (
            shipped(&format!("{name}.yaml")),
            format!("{name}.test.yaml"),
        );
        let check = place.json(&["policy", "check", &policy]);
        assert_eq!(check["valid"], true, "{check}");
        let tested = place.json(&["policy", "test", &policy, &shipped(&table)]);
        assert_eq!(tested["failed"], 0, "{tested}");
        assert_ne!(tested["passed"], 0, "{tested}");
    }
    let diff = place.json(&[
        "policy",
        "diff",
        &shipped("default.yaml"),
        &shipped("default.json"),
    ]);
    assert_eq!(diff["differences"], json!([]));
}

#[test]
fn two_policies_are_compared_by_what_they_say() {
    let place = alone();
    place.write("old.yaml", CAREFUL);
    place.write(
        "new.yaml",
        CAREFUL.replace("[GET]", "[GET, POST]") + "limits: {memory: 32MiB}\n",
    );
    let ended = place
        .run(&["policy", "diff", "old.yaml", "new.yaml"])
        .with_code(0);
    let lines: Vec<&str> = ended.stdout.lines().collect();
    let begins = |sign: &str| lines.iter().filter(|line| line.starts_with(sign)).count();
    assert_eq!(
        (begins("- "), begins("+ "), begins("~ ")),
        (1, 1, 1),
        "{ended:?}"
    );
    assert!(
        ended.stdout.contains("+ guest-run@^1: allow network {"),
        "{ended:?}"
    );
    assert!(
        ended
            .stdout
            .contains("~ policy: limits memory 536870912 is 33554432  (new.yaml:7 (limits))"),
        "{ended:?}"
    );
    let told = place.json(&["policy", "diff", "old.yaml", "new.yaml"]);
    assert_eq!(told["differences"].as_array().map(Vec::len), Some(3));
    let same = place
        .run(&["policy", "diff", "old.yaml", "old.yaml"])
        .with_code(0);
    assert_eq!(same.stdout, "no differences\n");
    place.write("bad.yaml", "version: 2\n");
    let ended = place
        .run(&["policy", "diff", "old.yaml", "bad.yaml"])
        .with_code(2);
    assert!(ended.stderr.contains("bad.yaml:1:10: "), "{ended:?}");
}

#[test]
fn a_case_that_is_answered_otherwise_fails_the_test() {
    let place = alone();
    place.write("careful.yaml", CAREFUL);
    place.write(
        "good.yaml",
        "version: 1\ncases:\n  - {tool: guest-run, use: {network: 'GET https://docs.example.org/'}, \
         expect: allow, rule: docs}\n",
    );
    place.write(
        "bad.yaml",
        "version: 1\ncases:\n  - {name: others, tool: other-run, expect: allow}\n",
    );
    let ended = place
        .run(&["policy", "test", "careful.yaml", "good.yaml"])
        .with_code(0);
    assert!(
        ended.stdout.ends_with("\n1 cases: 1 ok, 0 failed\n"),
        "{ended:?}"
    );
    let ended = place
        .run(&["policy", "test", "careful.yaml", "good.yaml", "bad.yaml"])
        .with_code(1);
    assert!(
        ended.stdout.contains("FAILED  others  (bad.yaml:3)"),
        "{ended:?}"
    );
    assert!(ended.stdout.contains("expected allow\n"), "{ended:?}");
    assert!(ended.stdout.contains("not_granted: no rule"), "{ended:?}");
    place.run(&["policy", "test", "careful.yaml"]).with_code(2);
    place
        .run(&["policy", "test", "careful.yaml", "careful.yaml"])
        .with_code(2);
}

#[test]
fn the_schema_is_the_shipped_one() {
    let ended = alone().run(&["policy", "schema"]).with_code(0);
    let printed: Value = serde_json::from_str(&ended.stdout).expect("JSON");
    let shipped = fs::read_to_string(shipped("policy.schema.json")).expect("a file");
    let shipped: Value = serde_json::from_str(&shipped).expect("JSON");
    assert_eq!(printed, shipped);
}

/// A place with a tool that needs the network, and a policy without rules.
fn place() -> Place {
    let place = Place::new();
    place.guest("guest.wasm", &Guest::well_behaved().declaring(&["network"]));
    place.run(&["tool", "add", "guest.wasm"]).with_code(0);
    place.write("mine.yaml", "version: 1\nname: mine\n");
    place.with("COFFERDAM_POLICY", "mine.yaml")
}

const EXPLAIN: [&str; 5] = [
    "policy",
    "explain",
    "guest-run",
    "--use",
    "network: GET https://docs.example.org/start",
];

#[test]
fn what_explain_prints_is_what_allows_the_use() {
    let place = place();
    let file = place.path().join("mine.yaml");
    let mut policy = fs::read_to_string(&file).expect("a policy");
    let denied = place.run(&EXPLAIN).with_code(3);
    assert!(
        denied
            .stdout
            .starts_with("guest-run@1.0.0: denied, by mine"),
        "{denied:?}"
    );
    // Once to a file without rules, once to one that ends in its rules.
    for (path, begin) in [("start", "rules:\n"), ("next", "  - tools: ")] {
        let used = format!("network: GET https://docs.example.org/{path}");
        let explain = ["policy", "explain", "guest-run", "--use", &used];
        let patch = place
            .run(&[&explain[..], &["--patch"]].concat())
            .with_code(0);
        assert!(patch.stdout.starts_with(begin), "{patch:?}");
        policy += &patch.stdout;
        fs::write(&file, &policy).expect("a file");
        place.run(&["policy", "check", "mine.yaml"]).with_code(0);
        let allowed = place.run(&explain).with_code(0);
        assert!(
            allowed
                .stdout
                .starts_with("guest-run@1.0.0: allowed, by mine"),
            "{allowed:?}"
        );
        let nothing = place
            .run(&[&explain[..], &["--patch"]].concat())
            .with_code(0);
        assert_eq!(nothing.stdout, "");
    }
    let other = place.run(&[
        "policy",
        "explain",
        "guest-run",
        "--use",
        "network: GET https://b.org/",
    ]);
    other.with_code(3);
    place.run(&["tool", "call", "guest-run"]).with_code(0);
}

#[test]
fn explain_is_about_whoever_is_named() {
    let place = place();
    place.write(
        "mine.yaml",
        CAREFUL.replace(
            "    allow",
            "    callers: {agents: [reader], roles: [user]}\n    allow",
        ),
    );
    place.run(&EXPLAIN).with_code(3);
    let named = ["--agent", "reader", "--role", "user"];
    let allowed = place.json(&[&EXPLAIN[..], &named].concat());
    assert_eq!(
        (&allowed["allowed"], &allowed["rules"][0]["at"]),
        (&json!(true), &json!("mine.yaml:4 (docs)"),)
    );
    place
        .run(&[&EXPLAIN[..], &["--agent", "reader", "--role", "viewer"]].concat())
        .with_code(3);
    place
        .run(&[&EXPLAIN[..], &["--role", "king"]].concat())
        .with_code(2);
    place
        .run(&["policy", "explain", "guest-run", "--use", "network: x"])
        .with_code(2);
    place.run(&["policy", "explain", "no-tool"]).with_code(2);
}

#[test]
fn a_deny_is_lifted_by_no_patch() {
    let place = place();
    place.write(
        "mine.yaml",
        "version: 1\nrules: [{tools: ['*'], deny: {call: true}}]\n",
    );
    let ended = place
        .run(&[&EXPLAIN[..], &["--patch"]].concat())
        .with_code(3);
    assert_eq!(ended.stdout, "");
    assert!(
        ended
            .stderr
            .contains("no rule that is added would allow it"),
        "{ended:?}"
    );
}

#[test]
fn a_host_reads_its_policy_when_it_is_told_to() {
    let place = place();
    let file = place.path().join("mine.yaml");
    let data = place.path().join("data");
    let host = Host::at(&data, &["--policy", file.to_str().expect("UTF-8")]).expect("a host");
    let shown = place.json(&["policy", "snapshot"]);
    assert_eq!(
        (&shown["name"], &shown["generation"]),
        (&json!("mine"), &json!(1))
    );
    fs::write(&file, CAREFUL).expect("a file");
    place.run(&["policy", "reload"]).with_code(0);
    let shown = place.json(&["policy", "snapshot"]);
    assert_eq!(shown["name"], "careful");
    assert_eq!(shown["effective"]["rules"][0]["name"], "docs");

    fs::write(&file, "version: 1\nrule: []\n").expect("a file");
    let ended = place.run(&["policy", "reload"]).with_code(2);
    assert!(ended.stderr.contains("mine.yaml:2:1: "), "{ended:?}");
    assert_eq!(place.json(&["policy", "snapshot"])["name"], "careful");
    let text = place.run(&["policy", "snapshot"]).with_code(0);
    let effective: Value = serde_json::from_str(&text.stdout).expect("JSON");
    assert_eq!(effective["default"], "deny");
    let audit = place.json(&["audit", "list"]);
    let acts = audit["items"].as_array().expect("a list").iter();
    let asked = acts.filter(|act| act["source"] == "the policy file, as asked");
    let words: Vec<_> = asked.map(|act| act["act"].as_str()).collect();
    assert_eq!(words, ["policy_refused", "policy_loaded"].map(Some));
    host.stop().expect("the host ends well");
}
