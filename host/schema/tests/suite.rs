//! The required cases of the JSON-Schema-Test-Suite for 2020-12, all of them through our set-up.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use cofferdam_schema::{Bounds, Schema};
use cofferdam_types::Payload;
use serde_json::{Value, json};

use exceptions::EXCEPTIONS;

#[path = "suite/exceptions.rs"]
mod exceptions;

/// Where the suite's schemas expect the remotes.
const REMOTES: &str = "http://localhost:1234/draft2020-12/";

#[test]
fn every_required_case_passes_or_is_an_exception() {
    let remotes = remotes();
    let mut passed = 0;
    let mut failed = BTreeSet::new();
    for path in files(&folder("draft2020-12")) {
        let file = path
            .file_stem()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        for group in read(&path).as_array().expect("groups") {
            let schema = with_remotes(&group["schema"], &remotes);
            let schema = Schema::compile(&Payload::from(schema), &Bounds::DERIVED);
            for case in group["tests"].as_array().expect("cases") {
                let data = Payload::from(case["data"].clone());
                let expected = case["valid"].as_bool();
                let is_right = schema.as_ref().is_ok_and(|schema| {
                    Some(schema.is_valid(&data)) == expected
                        && Some(schema.faults(&data).is_empty()) == expected
                });
                if is_right {
                    passed += 1;
                } else {
                    failed.insert((file.clone(), text(group), text(case)));
                }
            }
        }
    }
    let listed: BTreeSet<_> = EXCEPTIONS
        .iter()
        .flat_map(|(_, cases)| *cases)
        .map(|(file, group, case)| ((*file).to_owned(), (*group).to_owned(), (*case).to_owned()))
        .collect();
    let unexpected: Vec<_> = failed.difference(&listed).collect();
    assert!(
        unexpected.is_empty(),
        "fail and are no exception: {unexpected:#?}"
    );
    let needless: Vec<_> = listed.difference(&failed).collect();
    assert!(
        needless.is_empty(),
        "are exceptions and pass: {needless:#?}"
    );
    assert_eq!(passed + failed.len(), 1299, "cases");
}

fn text(of: &Value) -> String {
    of["description"]
        .as_str()
        .expect("a description")
        .to_owned()
}

/// A document that holds the remotes beside the schema, each under its `$id`: nothing is fetched, so
/// what a schema refers to comes with it, as the specification says of compound documents (§9.3).
fn with_remotes(schema: &Value, remotes: &[(String, Value)]) -> Value {
    let mut schema = schema.clone();
    if schema.to_string().contains(REMOTES) {
        for (name, remote) in remotes {
            schema["$defs"][name] = remote.clone();
        }
    }
    schema
}

fn remotes() -> Vec<(String, Value)> {
    let folder = folder("remotes");
    let mut found = Vec::new();
    for path in files(&folder) {
        let name = path
            .strip_prefix(&folder)
            .expect("below")
            .to_string_lossy()
            .into_owned();
        let mut remote = read(&path);
        // Two are dialects of their own, two more use them, and others refer dynamically.
        let is_plain = ["metaschema", "format-assertion"]
            .iter()
            .all(|it| !name.starts_with(it));
        if !is_plain || remote.to_string().contains("$dynamicRef") {
            continue;
        }
        let place = format!("{REMOTES}{name}");
        match remote.get("$id").cloned() {
            Some(id) if id != place.as_str() => {
                found.push((
                    format!("{name} by place"),
                    json!({"$id": place, "$ref": id}),
                ));
            }
            _ => remote["$id"] = json!(place),
        }
        found.push((name, remote));
    }
    found
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/suite")
        .join(name)
}

/// Every JSON file below a folder, in order.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|it| it == "json") {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn read(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).expect("a file");
    serde_json::from_str(&text).expect("JSON")
}
