use std::path::{Path, PathBuf};

use super::{Source, schema};
use crate::testing::parse;
use crate::{Format, Policy};

/// The top of the repository.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[test]
fn the_published_schema_is_that_of_the_parser() {
    let path = root().join("policies/policy.schema.json");
    let own = serde_json::to_string_pretty(&schema()).expect("a schema") + "\n";
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    if kept != own {
        let fresh = std::env::temp_dir().join("policy.schema.json");
        std::fs::write(&fresh, own).expect("written");
        panic!(
            "{} is not current; a fresh one lies at {}",
            path.display(),
            fresh.display()
        );
    }
}

#[test]
fn every_shipped_policy_is_one() {
    for entry in std::fs::read_dir(root().join("policies")).expect("policies") {
        let path = entry.expect("an entry").path();
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        if name.contains(".test.") || ["policy.schema.json", "README.md"].contains(&name) {
            continue;
        }
        let text = std::fs::read(&path).expect("a policy");
        let source = Source {
            file: Some(&path),
            format: Format::of(&path).expect("a format"),
            workspaces: Path::new("/data/workspaces"),
            reserved: &[],
        };
        Policy::parse(&text, &source).unwrap_or_else(|error| panic!("{error}"));
    }
    // The built-in one counts, so that this fails if it can't be read either.
    Policy::builtin(Path::new("/data"));
}

#[test]
fn every_example_of_the_reference_is_a_policy() {
    let text = std::fs::read_to_string(root().join("docs/policy.md")).expect("the reference");
    let examples: Vec<_> = text
        .split("```yaml\n")
        .skip(1)
        .filter_map(|rest| rest.split("\n```").next())
        .collect();
    assert!(examples.len() >= 8, "{} examples", examples.len());
    for example in examples {
        let whole = if example.contains("version: 1") {
            example.to_owned()
        } else if example.starts_with("- ") {
            let indented = example.replace('\n', "\n  ");
            format!("version: 1\nrules:\n  {indented}")
        } else {
            format!("version: 1\n{example}")
        };
        parse(&whole).unwrap_or_else(|error| panic!("{whole}\n{error}"));
    }
}
