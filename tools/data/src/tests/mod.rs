//! The tools through the door that the host uses: JSON in, JSON out.

mod errors;
mod formats;
mod properties;
mod steps;
mod tables;

use std::fs;

use cofferdam_sdk::ToolError;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{TOOLS, mount};

fn call(tool: &str, arguments: &Value) -> Result<Value, ToolError> {
    let result = TOOLS.call(tool, &arguments.to_string())?;
    Ok(serde_json::from_str(&result).expect("a result is JSON"))
}

fn ok(tool: &str, arguments: &Value) -> Value {
    call(tool, arguments).unwrap_or_else(|error| panic!("{tool} {arguments}: {error:?}"))
}

/// The error's code and the place that it names.
fn fails(tool: &str, arguments: &Value) -> (String, String) {
    match call(tool, arguments) {
        Ok(result) => panic!("{tool} {arguments} gave {result}"),
        Err(error) => {
            let details = error.details.unwrap_or_default();
            (
                error.code,
                details["pointer"].as_str().unwrap_or_default().to_owned(),
            )
        }
    }
}

/// The rows that `steps` make of `rows`.
fn query(rows: &Value, steps: &Value) -> Value {
    ok("query", &json!({"source": {"rows": rows}, "steps": steps}))["rows"].take()
}

/// What the examples speak of.
fn workspace() -> TempDir {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let metadata = json!({"version": 1, "packages": [
        {"name": "syn", "version": "2.0.1", "dependencies": [1, 2]},
        {"name": "serde", "version": "1.0.0"},
        {"name": "syn", "version": "1.0.9"},
    ], "workspace_root": "/x"});
    put(&dir, "metadata.json", metadata.to_string());
    put(&dir, "sizes.csv", "file,bytes\na,20\nb,30\nc,10\n");
    mount(dir.path());
    dir
}

fn put(dir: &TempDir, path: &str, contents: impl AsRef<[u8]>) {
    fs::write(dir.path().join(path), contents).expect("a file");
}

#[test]
fn every_example_gives_what_it_states() {
    let _dir = workspace();
    let manifest: Value = serde_json::from_str(&TOOLS.describe()).expect("a manifest");
    for tool in manifest["tools"].as_array().expect("tools") {
        let name = tool["function"].as_str().expect("a name");
        let examples = tool["examples"].as_array().expect("examples");
        assert!(!examples.is_empty(), "{name} has no example");
        for example in examples {
            let result = ok(name, &example["arguments"]);
            assert_eq!(result, example["result"], "{name}: {}", example["title"]);
        }
    }
}

/// A model reads the schema of every tool that it may call; this is about 4,000 tokens.
const SCHEMA_BYTES_MAX: usize = 15 * 1024;

#[test]
fn every_argument_is_described() {
    let manifest: Value = serde_json::from_str(&TOOLS.describe()).expect("a manifest");
    assert_eq!(manifest["name"], "data");
    for tool in manifest["tools"].as_array().expect("tools") {
        assert!(
            tool["description"]
                .as_str()
                .is_some_and(|text| text.len() > 80),
            "{tool}"
        );
        let length = tool["args_schema"].to_string().len();
        assert!(length < SCHEMA_BYTES_MAX, "{}: {length}", tool["function"]);
        for (name, schema) in tool["args_schema"]["properties"]
            .as_object()
            .expect("properties")
        {
            assert!(
                schema["description"].is_string(),
                "{}: {name}",
                tool["function"]
            );
        }
    }
}
