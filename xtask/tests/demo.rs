//! The demo does what it says, and its counts are right.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// The demo's steps in their order.
const STORY: [&str; 15] = [
    "built",
    "started",
    "tool_added",
    "tool_added",
    "tool_added",
    "tools",
    "workspace",
    "run",
    "report",
    "denied",
    "runaway",
    "alive",
    "audit",
    "stopped",
    "done",
];

/// Runs the demo and answers its steps.
fn demo() -> Vec<Value> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    let output = command
        .args(["demo", "--json"])
        .output()
        .expect("the demo starts");
    let (out, err) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "{}\n{out}\n{err}", output.status);
    out.lines()
        .map(|line| serde_json::from_str(line).expect("one object on each line"))
        .collect()
}

/// What is at `pointer` in the only or first step of that name.
fn at<'a>(steps: &'a [Value], name: &str, pointer: &str) -> &'a Value {
    let step = steps.iter().find(|step| step["step"] == name);
    step.and_then(|step| step.pointer(pointer))
        .unwrap_or_else(|| panic!("{name}{pointer}"))
}

fn count(steps: &[Value], name: &str) -> usize {
    let count = at(steps, "done", &format!("/counts/{name}"));
    usize::try_from(count.as_u64().expect("a number")).expect("a small number")
}

/// The packages that the demo's workspace was given, by asking cargo again.
fn packages(steps: &[Value]) -> Vec<Value> {
    let command = at(steps, "workspace", "/metadata")
        .as_str()
        .expect("a command line");
    let mut words = command.split(' ');
    let mut command = Command::new(words.next().expect("a program"));
    let output = command
        .args(words)
        .current_dir(ROOT)
        .output()
        .expect("cargo starts");
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    metadata["packages"].as_array().expect("packages").clone()
}

/// Files of Rust below `folder`.
fn sources(folder: &Path) -> usize {
    let entries = fs::read_dir(folder).expect("a folder");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    paths
        .map(|path| {
            if path.is_dir() {
                sources(&path)
            } else {
                usize::from(path.extension().is_some_and(|it| it == "rs"))
            }
        })
        .sum()
}

#[test]
fn the_demo_shows_every_step_and_counts_right() {
    let steps = demo();
    let names: Vec<&str> = steps
        .iter()
        .filter_map(|step| step["step"].as_str())
        .collect();
    assert_eq!(names, STORY);
    counts_are_right(&steps);
    calls_ended_as_they_should(&steps);

    let address = at(&steps, "started", "/url").as_str().expect("text");
    let address = address.trim_start_matches("http://");
    assert!(
        TcpStream::connect(address).is_err(),
        "the host is still there"
    );
    assert_eq!(at(&steps, "stopped", "/exit"), 0);
}

fn counts_are_right(steps: &[Value]) {
    let packages = packages(steps);
    let mut versions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for package in &packages {
        let text = |field: &str| package[field].as_str().expect("text");
        versions
            .entry(text("name"))
            .or_default()
            .insert(text("version"));
    }
    versions.retain(|_, versions| versions.len() > 1);
    let licence = |package: &Value| package["license"].as_str().map(str::to_owned);
    let licences: BTreeSet<Option<String>> = packages.iter().map(licence).collect();
    assert_eq!(count(steps, "packages"), packages.len());
    assert_eq!(count(steps, "duplicated"), versions.len());
    assert_eq!(count(steps, "licences"), licences.len());
    assert_eq!(
        count(steps, "modules"),
        sources(&Path::new(ROOT).join("host"))
    );

    let report = at(steps, "report", "/text").as_str().expect("text");
    for (name, versions) in versions {
        let row = format!("| {name} | {} | ", versions.len());
        assert!(report.contains(&row), "{row}");
    }
}

fn calls_ended_as_they_should(steps: &[Value]) {
    let denial = at(steps, "denied", "/answer/error/details/denials/0");
    assert_eq!(
        denial["smallest_grant"],
        "a workspace offered as `read_write`"
    );
    let fuel = at(steps, "runaway", "/answer/error/details/usage/fuel");
    assert!(fuel.as_u64() >= Some(1_000_000_000), "{fuel}");
    assert_eq!(at(steps, "alive", "/answer/result"), 1_000);

    let audit = at(steps, "audit", "/answer/items")
        .as_array()
        .expect("a list");
    let calls: Vec<&Value> = audit
        .iter()
        .filter(|entry| entry["act"] == "call")
        .collect();
    let planned = at(steps, "run", "/answer/steps")
        .as_u64()
        .expect("a number");
    assert_eq!(
        calls.len() as u64,
        planned + 3,
        "those of the plan and three single ones"
    );
    assert!(
        calls
            .iter()
            .all(|call| call["usage"]["wall_us"]["total"].is_u64()),
        "{calls:?}"
    );
}
