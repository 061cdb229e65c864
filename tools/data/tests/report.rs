//! The tools' main job: a report about this repository, made of `cargo metadata` and the sources by
//! the calls that a plan would make, and checked against counts made without the tools.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

/// The directory of a crate and the folder in it: `host/types/src`, or the first folder.
const MODULE: &str = "^((?:host|tools|guest-sdk)/[^/]+|[^/]+)/";

fn data(tool: &str, arguments: &Value) -> Value {
    let result = data::TOOLS.call(tool, &arguments.to_string());
    serde_json::from_str(&result.unwrap_or_else(|error| panic!("{tool} {arguments}: {error:?}")))
        .expect("JSON")
}

fn files(tool: &str, arguments: &Value) -> Value {
    let result = files::TOOLS.call(tool, &arguments.to_string());
    serde_json::from_str(&result.unwrap_or_else(|error| panic!("{tool} {arguments}: {error:?}")))
        .expect("JSON")
}

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .expect("the root of the repository")
}

/// Copies the sources, so that whoever changes the repository meanwhile changes nothing here.
fn copy_sources(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).expect("a directory") {
        let entry = entry.expect("an entry");
        let (name, kind) = (entry.file_name(), entry.file_type().expect("a kind"));
        if kind.is_dir() && name != "target" && name != ".git" {
            copy_sources(&entry.path(), &to.join(name));
        } else if kind.is_file() && entry.path().extension().is_some_and(|end| end == "rs") {
            fs::create_dir_all(to).expect("a directory");
            fs::copy(entry.path(), to.join(name)).expect("a copy");
        }
    }
}

fn metadata() -> Vec<u8> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1"])
        .current_dir(repository())
        .output()
        .expect("cargo runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    output.stdout
}

/// The report's parts as the tools make them.
struct Report {
    duplicates: Value,
    licenses: Value,
    modules: Value,
}

fn make_report() -> Report {
    let duplicates = data(
        "query",
        &json!({
            "source": {"path": "metadata.json"},
            "steps": [
                {"op": "get", "pointer": "/packages"},
                {"op": "group", "by": ["name"], "aggregates": [
                    {"fn": "count_distinct", "field": "version", "as": "count"},
                    {"fn": "collect_distinct", "field": "version", "as": "versions"}]},
                {"op": "filter", "where": {"field": "count", "op": "gt", "value": 1}},
                {"op": "sort", "by": [{"field": "count", "desc": true}, "name"]}],
        }),
    );
    let licenses = data(
        "query",
        &json!({
            "source": {"path": "metadata.json"},
            "steps": [
                {"op": "get", "pointer": "/packages"},
                {"op": "group", "by": ["license"], "aggregates": [{"fn": "count", "as": "crates"}]},
                {"op": "sort", "by": [{"field": "crates", "desc": true}, "license"]}],
        }),
    );
    let sources = files(
        "list",
        &json!({
        "glob": "**/*.rs", "kind": "file", "count_lines": true, "limit": 100_000}),
    );
    assert_eq!(sources["truncated"], false);
    let modules = data(
        "query",
        &json!({
            "source": {"rows": sources["entries"]},
            "steps": [
                {"op": "derive", "as": "module",
                 "value": {"fn": "extract", "from": "path", "pattern": MODULE}},
                {"op": "group", "by": ["module"], "aggregates": [
                    {"fn": "sum", "field": "lines", "as": "lines"}, {"fn": "count", "as": "files"}]},
                {"op": "sort", "by": [{"field": "lines", "desc": true}, "module"]},
                {"op": "limit", "count": 10}],
        }),
    );
    Report {
        duplicates,
        licenses,
        modules,
    }
}

fn write_report(report: &Report) {
    let parts = [
        (
            "Duplicated crates",
            &report.duplicates,
            json!(["name", "count", "versions"]),
        ),
        ("Licences", &report.licenses, json!(["license", "crates"])),
        (
            "Module sizes",
            &report.modules,
            json!(["module", "lines", "files"]),
        ),
    ];
    for (at, (title, found, columns)) in parts.into_iter().enumerate() {
        let source = json!({"rows": found["rows"]});
        let table = data(
            "table",
            &json!({"source": source, "columns": columns, "title": title}),
        );
        assert_eq!(table["rows"], found["row_count"], "{title}");
        let mode = if at == 0 { "create" } else { "append" };
        let text = format!("{}\n", table["markdown"].as_str().expect("text"));
        files(
            "write",
            &json!({"path": "out/report.md", "text": text, "mode": mode,
                               "create_dirs": true}),
        );
    }
}

/// Rows as pairs of a name and a number.
fn pairs(found: &Value, name: &str, number: &str) -> Vec<(Option<String>, u64)> {
    let rows = found["rows"].as_array().expect("rows").iter();
    rows.map(|row| {
        (
            row[name].as_str().map(str::to_owned),
            row[number].as_u64().expect("a number"),
        )
    })
    .collect()
}

/// Counts with a name each, the largest first, then by name.
fn ranked(counts: BTreeMap<Option<String>, u64>) -> Vec<(Option<String>, u64)> {
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by(|one, two| two.1.cmp(&one.1).then_with(|| one.0.cmp(&two.0)));
    counts
}

/// Lines by module, counted by walking the directory.
fn count_lines(root: &Path, directory: &Path, lines: &mut BTreeMap<Option<String>, u64>) {
    for entry in fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            count_lines(root, &path, lines);
        } else if path.extension().is_some_and(|end| end == "rs") {
            let relative = path.strip_prefix(root).expect("below the root");
            let parts: Vec<_> = relative.iter().map(|part| part.to_string_lossy()).collect();
            let grouped = ["host", "tools", "guest-sdk"].contains(&&*parts[0]);
            let depth = if grouped && parts.len() > 2 { 2 } else { 1 };
            let module = (parts.len() > 1).then(|| parts[..depth].join("/"));
            let text = fs::read_to_string(&path).expect("a source");
            *lines.entry(module).or_default() += text.lines().count() as u64;
        }
    }
}

#[test]
fn the_report_has_the_counts_of_the_repository() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let metadata = metadata();
    fs::write(dir.path().join("metadata.json"), &metadata).expect("a file");
    copy_sources(repository(), dir.path());
    data::mount(dir.path());
    files::mount(dir.path());
    let report = make_report();

    let metadata: Value = serde_json::from_slice(&metadata).expect("JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    let (mut versions, mut licenses) = (BTreeMap::<_, BTreeSet<_>>::new(), BTreeMap::new());
    for package in packages {
        let name = package["name"].as_str().map(str::to_owned);
        versions
            .entry(name)
            .or_default()
            .insert(package["version"].as_str().expect("text"));
        let license = package["license"].as_str().map(str::to_owned);
        *licenses.entry(license).or_default() += 1;
    }
    let several = versions
        .iter()
        .map(|(name, all)| (name.clone(), all.len() as u64));
    let several = ranked(several.filter(|(_, count)| *count > 1).collect());
    assert!(
        !several.is_empty() && licenses.len() > 3,
        "there is nothing to count"
    );
    assert_eq!(pairs(&report.duplicates, "name", "count"), several);
    assert_eq!(
        pairs(&report.licenses, "license", "crates"),
        ranked(licenses)
    );
    let mut lines = BTreeMap::new();
    count_lines(dir.path(), dir.path(), &mut lines);
    let mut lines = ranked(lines);
    lines.truncate(10);
    assert!(
        lines.len() > 3 && lines[0].1 > 100,
        "there is nothing to count: {lines:?}"
    );
    assert_eq!(pairs(&report.modules, "module", "lines"), lines);

    write_report(&report);
    let written = fs::read_to_string(dir.path().join("out/report.md")).expect("the report");
    let rows = written
        .lines()
        .filter(|line| line.starts_with("| "))
        .count();
    let found = [&report.duplicates, &report.licenses, &report.modules];
    let expected: u64 = found
        .iter()
        .map(|part| part["row_count"].as_u64().expect("count") + 2)
        .sum();
    assert_eq!(rows as u64, expected, "{written}");
    assert_eq!(
        written
            .lines()
            .filter(|line| line.starts_with("## "))
            .count(),
        3
    );
}
