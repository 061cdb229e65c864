//! Building the suites and running of each what belongs to an attack.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};
use serde::Deserialize;

use super::marks::Mark;
use crate::command::{cargo, line, read, root};

/// What came of a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It passed: the attack was held.
    Held,
    /// It failed.
    Failed,
    /// No suite has it, or its suite did not come so far.
    NotRun,
}

/// A program of tests.
#[derive(Debug)]
pub(super) struct Suite {
    executable: PathBuf,
    /// The folder of its root file.
    sources: PathBuf,
    /// The folder of its package, in which it expects to run.
    package: PathBuf,
}

/// What cargo says of a thing it built.
#[derive(Debug, Deserialize)]
struct Artifact {
    executable: Option<PathBuf>,
    manifest_path: Option<PathBuf>,
    target: Option<Target>,
    profile: Option<Profile>,
}

#[derive(Debug, Deserialize)]
struct Target {
    src_path: PathBuf,
}

#[derive(Debug, Deserialize)]
struct Profile {
    test: bool,
}

/// Builds the host and every suite, with the features that all share.
pub(super) fn build() -> Result<Vec<Suite>> {
    let words = ["test", "--workspace", "--no-run"];
    let format = ["--message-format", "json-render-diagnostics"];
    let mut command = cargo(words.into_iter().chain(format));
    eprintln!("$ {}", line(&command));
    let messages = read(command.stderr(Stdio::inherit()))?;
    messages
        .lines()
        .filter_map(|line| suite(line).transpose())
        .collect()
}

fn suite(message: &str) -> Result<Option<Suite>> {
    let artifact: Artifact = serde_json::from_str(message).context("a message of cargo")?;
    let is_test = artifact.profile.is_some_and(|profile| profile.test);
    let (Some(executable), Some(manifest), Some(target)) =
        (artifact.executable, artifact.manifest_path, artifact.target)
    else {
        return Ok(None);
    };
    let folder = |file: &Path| file.parent().map(Path::to_owned).context("a file's folder");
    Ok(if is_test {
        Some(Suite {
            executable,
            sources: folder(&target.src_path)?,
            package: folder(&manifest)?,
        })
    } else {
        None
    })
}

/// Runs the marked tests, suite by suite.
pub(super) fn run(
    suites: &[Suite],
    marks: &[Mark],
    environment: &[(&str, OsString)],
) -> Result<BTreeMap<Mark, Outcome>> {
    let root = root().canonicalize()?;
    let mut outcomes: BTreeMap<Mark, Outcome> = BTreeMap::new();
    for suite in suites {
        let own: Vec<&Mark> = marks
            .iter()
            .filter(|mark| is_closest(suite, suites, &root.join(&mark.file)))
            .collect();
        if own.is_empty() {
            continue;
        }
        let tests: BTreeSet<&str> = own.iter().map(|mark| mark.test.as_str()).collect();
        let mut command = Command::new(&suite.executable);
        command.args(&tests).current_dir(&suite.package);
        command.envs(environment.iter().map(|(name, value)| (name, value)));
        eprintln!("$ {}", line(&command));
        // What a failed test said is for the person who started this; the verdict comes later.
        let output = command.stderr(Stdio::inherit()).output()?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        if !output.status.success() {
            eprint!("{said}");
        }
        for mark in own {
            outcomes.insert(mark.clone(), outcome(&said, &mark.test));
        }
    }
    Ok(outcomes)
}

/// Whether this suite, of all, is the one that a file belongs to.
fn is_closest(suite: &Suite, suites: &[Suite], file: &Path) -> bool {
    let length = |suite: &Suite| suite.sources.components().count();
    let mut near = suites.iter().filter(|it| file.starts_with(&it.sources));
    file.starts_with(&suite.sources) && near.all(|other| length(other) <= length(suite))
}

/// What a suite's output says of the tests of this name: all of them have to pass.
fn outcome(said: &str, test: &str) -> Outcome {
    let of_test = |line: &str| {
        let (name, verdict) = line.strip_prefix("test ")?.split_once(" ... ")?;
        let is_it = name == test || name.ends_with(&format!("::{test}"));
        is_it.then(|| verdict == "ok")
    };
    let mut verdicts = said.lines().filter_map(of_test).peekable();
    match (verdicts.peek().is_some(), verdicts.all(|passed| passed)) {
        (false, _) => Outcome::NotRun,
        (true, true) => Outcome::Held,
        (true, false) => Outcome::Failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_is_found_by_its_name() {
        let said = "running 3 tests\ntest files::one ... ok\ntest two ... FAILED\n\
                    test other::one_more ... FAILED\ntest three ... ok\ntest a::three ... FAILED\n";
        for (test, expected) in [
            ("one", Outcome::Held),
            ("two", Outcome::Failed),
            ("three", Outcome::Failed),
            ("more", Outcome::NotRun),
        ] {
            assert_eq!(outcome(said, test), expected, "{test}");
        }
    }

    #[test]
    fn a_file_belongs_to_the_closest_suite() {
        let suite = |sources: &str| Suite {
            executable: PathBuf::new(),
            sources: sources.into(),
            package: PathBuf::new(),
        };
        let suites = [suite("/r/tests"), suite("/r/tests/sandbox")];
        let file = Path::new("/r/tests/sandbox/files.rs");
        assert!(!is_closest(&suites[0], &suites, file));
        assert!(is_closest(&suites[1], &suites, file));
        assert!(is_closest(&suites[0], &suites, Path::new("/r/tests/a.rs")));
    }

    #[test]
    fn cargo_says_where_a_suite_is() {
        let message = r#"{"reason": "compiler-artifact", "manifest_path": "/r/tests/Cargo.toml",
            "target": {"src_path": "/r/tests/sandbox/main.rs", "kind": ["test"]},
            "profile": {"test": true}, "executable": "/r/target/sandbox-1"}"#;
        let found = suite(message).expect("a message").expect("a suite");
        assert_eq!(found.sources, Path::new("/r/tests/sandbox"));
        assert_eq!(found.package, Path::new("/r/tests"));
        let library = message.replace("\"test\": true", "\"test\": false");
        assert!(suite(&library).expect("a message").is_none());
        let finished = r#"{"reason": "build-finished", "success": true}"#;
        assert!(suite(finished).expect("a message").is_none());
    }
}
