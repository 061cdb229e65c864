//! Commands against a real host.

use std::path::Path;

use cofferdam_testing::{Guest, Host, tool};
use serde_json::{Value, json};

use crate::command::Place;

/// A host, and a place whose commands speak to it. The key is found in the data directory.
fn host() -> (Host, Place) {
    let place = Place::new();
    let host = Host::at(&place.path().join("data"), &["--durability", "fast"]).expect("a host");
    let place = place.with("COFFERDAM_SERVER", host.address());
    (host, place)
}

#[test]
fn a_tool_is_added_seen_called_and_audited() {
    let (host, place) = host();
    place.guest("guest.wasm", &Guest::well_behaved());
    let added = place.json(&["tool", "add", "guest.wasm"]);
    assert_eq!(
        (&added["tools"], &added["created"]),
        (&json!(["guest-run"]), &json!(true))
    );
    let again = place.run(&["tool", "add", "guest.wasm"]).with_code(0);
    assert!(
        again.stdout.starts_with("was there: guest 1.0.0  sha256:"),
        "{again:?}"
    );

    let listed = place.json(&["tool", "list", "--prefix", "guest-"]);
    assert_eq!(
        (&listed["items"][0]["name"], &listed["next"]),
        (&json!("guest-run"), &Value::Null)
    );
    let table = place.run(&["tool", "list"]).with_code(0).stdout;
    let row: Vec<&str> = table
        .lines()
        .nth(1)
        .expect("a row")
        .split_whitespace()
        .collect();
    assert_eq!(row[..2], ["guest-run", "1.0.0"]);
    let shown = place.json(&["tool", "show", "guest-run@^1"]);
    assert_eq!(shown["digest"], added["digest"]);
    place.run(&["tool", "show", "guest-run@2"]).with_code(2);

    let called = place.json(&["tool", "call", "guest-run"]);
    assert_eq!(
        (&called["result"], &called["digest"]),
        (&json!(true), &added["digest"])
    );
    let ended = place
        .run(&["tool", "call", "guest-walk", "--json"])
        .with_code(2);
    assert_eq!(ended.json()["error"]["code"], "not_found");

    let audit = place.json(&["audit", "list", "--limit", "2"]);
    let acts: Vec<&Value> = audit["items"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|r| &r["act"])
        .collect();
    assert_eq!(acts, ["call", "call"]);
    let audit = place.run(&["audit", "list"]).with_code(0).stdout;
    assert!(
        audit.contains("guest-run@1.0.0") && audit.contains("not_found"),
        "{audit}"
    );
    host.stop().expect("the host ends well");
}

#[test]
fn a_terminal_shows_how_far_adding_is() {
    let (host, place) = host();
    place.write("data.wasm", tool("data").expect("built"));
    let added = place.run_on_terminal(&["tool", "add", "data.wasm"]);
    let text = added.with_code(0).stdout;
    assert!(text.contains("compiling data.wasm"), "{text:?}");
    assert!(text.contains("data-query"), "{text:?}");
    place.write("none.wasm", "no component");
    let refused = place.run_on_terminal(&["tool", "add", "none.wasm"]);
    let text = refused.with_code(2).stdout;
    assert!(text.contains("component_invalid"), "{text:?}");
    host.stop().expect("the host ends well");
}

#[test]
fn keys_decide_who_may() {
    let (host, place) = host();
    place.run(&["tool", "list"]).with_code(0);
    let key = host.key().to_owned();
    let stranger = Place::new().with("COFFERDAM_SERVER", host.address());
    let ended = stranger.run(&["tool", "list"]).with_code(3);
    assert!(ended.stderr.contains("(unauthenticated)"), "{ended:?}");
    stranger
        .run(&["tool", "list", "--api-key", "ck_wrong"])
        .with_code(3);
    stranger
        .run(&["tool", "list", "--api-key", &key])
        .with_code(0);
    stranger
        .with("COFFERDAM_API_KEY", key)
        .run(&["tool", "list"])
        .with_code(0);
}

/// A task of two steps, the second with the first one's result.
fn task(tool: &str) -> String {
    json!({
        "title": "two steps",
        "plan": {"steps": [
            {"name": "first", "tool": tool},
            {"name": "second", "tool": tool, "arguments": {"x": {"$from": "/steps/first/result"}}},
        ]},
    })
    .to_string()
}

#[test]
fn a_task_is_run_and_followed_to_its_end() {
    let (_host, place) = host();
    place.guest("guest.wasm", &Guest::well_behaved());
    place.run(&["tool", "add", "guest.wasm"]).with_code(0);
    place.write("task.json", task("guest-run"));

    let ended = place
        .run(&["task", "run", "task.json", "--json"])
        .with_code(0);
    let lines: Vec<Value> = ended.stdout.lines().map(parse).collect();
    let (run, events) = lines.split_last().expect("lines");
    let types: Vec<&Value> = events.iter().map(|event| &event["type"]).collect();
    assert_eq!(
        types,
        [
            "run.created",
            "run.started",
            "step.started",
            "step.completed",
            "step.started",
            "step.completed",
            "run.completed"
        ]
    );
    assert_eq!(
        (&run["status"], &run["result"]),
        (&json!("completed"), &json!(true))
    );
    let [task_id, run_id] = ["task_id", "run_id"].map(|key| run[key].as_str().expect("an id"));

    assert_eq!(place.json(&["task", "show", run_id]), *run);
    assert_eq!(place.json(&["task", "show", task_id])["run_id"], run_id);
    assert_eq!(
        place.json(&["task", "list"])["items"][0]["task_id"],
        task_id
    );
    assert_eq!(
        place.json(&["task", "list", "--status", "failed"])["items"],
        json!([])
    );
    for id in [task_id, run_id] {
        let page = place.json(&["task", "events", id, "--after", "5"]);
        let seqs: Vec<&Value> = page["items"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|e| &e["seq"])
            .collect();
        assert_eq!(seqs, [6, 7]);
        let followed = place
            .run(&["task", "events", id, "--follow", "--json"])
            .with_code(0);
        assert_eq!(
            followed.stdout, ended.stdout,
            "the same events, and the same end"
        );
        let nothing = place.run(&["task", "events", id, "--follow", "--after", "7", "--json"]);
        assert_eq!(
            nothing.with_code(0).stdout.lines().count(),
            1,
            "only the run"
        );
    }
}

#[test]
fn people_see_the_steps_and_the_result() {
    let (_host, place) = host();
    place.guest("guest.wasm", &Guest::well_behaved());
    place.run(&["tool", "add", "guest.wasm"]).with_code(0);
    let people = place
        .run_in(".", &["task", "run", "-"], &task("guest-run"))
        .with_code(0);
    assert_eq!(people.stdout, "true\n");
    assert!(
        people
            .stderr
            .contains("\nsecond: completed by guest-run 1.0.0 (fuel "),
        "{people:?}"
    );
    let task_id = people.stderr.split(',').next().expect("an id");
    let again = place
        .run(&["task", "run", task_id, "--no-wait", "--json"])
        .with_code(0);
    assert_eq!(again.json()["task_id"], task_id);
}

#[test]
fn a_run_that_fails_ends_with_1() {
    let (_host, place) = host();
    let ended = place
        .run_in(".", &["task", "run", "-"], &task("guest-run"))
        .with_code(1);
    assert!(ended.stderr.contains("(not_found)"), "{ended:?}");
    let wrong = place
        .run(&["task", "run", r#"{"title": "x"}"#])
        .with_code(2);
    assert!(wrong.stderr.contains("(invalid_input)"), "{wrong:?}");
}

#[test]
fn a_run_is_cancelled() {
    let (_host, place) = host();
    let forever = Guest::new("(loop $again (br $again)) (global.get $answer)");
    place.guest("guest.wasm", &forever);
    place.run(&["tool", "add", "guest.wasm"]).with_code(0);
    let task = task("guest-run");
    let started = place
        .run_in(".", &["task", "run", "-", "--no-wait", "--json"], &task)
        .with_code(0);
    let started = started.json();
    let run_id = started["run_id"].as_str().expect("an id");
    place.run(&["task", "cancel", run_id]).with_code(0);
    let ended = place
        .run(&["task", "events", run_id, "--follow", "--json"])
        .with_code(1);
    assert_eq!(ended.json()["status"], "cancelled");
    let task_id = started["task_id"].as_str().expect("an id");
    let shown = place.run(&["task", "show", task_id]).with_code(0).stdout;
    assert!(shown.contains("status   cancelled"), "{shown}");
}

#[test]
fn a_host_says_what_it_is() {
    use std::io::{BufRead, BufReader};
    use std::process::{Command, Stdio};

    let place = Place::new();
    let mut child = Command::new(env!("CARGO_BIN_EXE_cofferdam"))
        .args([
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--store",
            "memory",
            "--data-dir",
        ])
        .arg(place.path())
        .stdout(Stdio::piped())
        .spawn()
        .expect("a host");
    let stdout = BufReader::new(child.stdout.take().expect("its stdout"));
    let lines: Vec<String> = stdout.lines().map_while(Result::ok).take(4).collect();
    let ended = place.run(&[
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--data-dir",
        text(place.path()),
    ]);
    child.kill().expect("a host that runs");
    child.wait().expect("a host that ran");
    assert!(
        lines[0].starts_with("listening on http://127.0.0.1:"),
        "{lines:?}"
    );
    assert!(lines[1].starts_with("store: "), "{lines:?}");
    assert!(lines[2].starts_with("policy: built-in"), "{lines:?}");
    assert_eq!(
        lines[3],
        format!("admin key: {}", place.path().join("admin.key").display())
    );
    let ended = ended.with_code(4);
    assert!(
        ended.stderr.contains("is in use by another host"),
        "{ended:?}"
    );
}

fn parse(line: &str) -> Value {
    serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
}

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}
