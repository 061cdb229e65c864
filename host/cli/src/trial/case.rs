use std::collections::HashSet;
use std::path::{Path, PathBuf};

use cofferdam_server::types::Code;
use cofferdam_server::types::limits::LimitRequest;
use cofferdam_wire::strict;
use serde::Deserialize;
use serde_json::Value;
use tempfile::TempDir;

use crate::error::{self, Result, broken, usage};
use crate::input;

/// Deepest nesting of a workspace that is copied: a link can't make the copy endless, since links
/// are left out, so this only bounds the recursion.
const DEPTH_MAX: usize = 32;

/// A file of cases.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    case: Vec<Case>,
}

/// One call, and what is expected of it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    /// What it shows.
    pub(crate) name: String,
    /// The tool's name, or its function's.
    pub(crate) tool: String,
    /// An object by parameter name.
    #[serde(default = "no_arguments")]
    pub(crate) arguments: Value,
    /// The directory to show to the tool, relative to the file of cases.
    pub(crate) workspace: Option<PathBuf>,
    /// The tool may write to a copy of it.
    #[serde(default)]
    pub(crate) writable: bool,
    /// Tighter limits than the tool's own.
    #[serde(default)]
    pub(crate) limits: LimitRequest,
    /// The result.
    result: Option<Value>,
    /// The result as JSON text, for what TOML can't say: `null`.
    result_json: Option<String>,
    /// The error's code.
    error: Option<Code>,
    /// A part of the error's message.
    message_contains: Option<String>,
    /// The most fuel that the call may use.
    fuel_max: Option<u64>,
}

/// What is expected of a call.
#[derive(Debug, PartialEq)]
pub(crate) struct Expected {
    pub(crate) outcome: Outcome,
    pub(crate) fuel_max: Option<u64>,
}

#[derive(Debug, PartialEq)]
pub(crate) enum Outcome {
    /// Any result.
    Success,
    /// This result.
    Result(Value),
    /// An error.
    Error {
        code: Code,
        message_contains: Option<String>,
    },
}

/// Where a case's workspace is.
pub(crate) enum Place {
    /// As it stands.
    Given(PathBuf),
    /// A copy that ends with the case.
    Copy(TempDir),
}

fn no_arguments() -> Value {
    Value::Object(serde_json::Map::new())
}

/// Reads a file of cases.
///
/// **Errors**: `invalid_input` with the place and what is wrong there.
pub(crate) fn read(path: &Path) -> Result<Vec<Case>> {
    let text = input::document(path)?;
    let at = path.display();
    let file: File = toml::from_slice(&text).map_err(|error| {
        // Its text shows the line and points at the place.
        usage(format!("{at}: {}", error.to_string().trim_end()))
    })?;
    if file.case.is_empty() {
        return Err(usage(format!("{at} has no [[case]]")));
    }
    let mut names = HashSet::new();
    for case in &file.case {
        if !names.insert(&case.name) {
            return Err(usage(format!(
                "{at}: two cases have the name `{}`",
                case.name
            )));
        }
        case.expected()?;
    }
    Ok(file.case)
}

impl Case {
    /// What is expected of the call.
    pub(crate) fn expected(&self) -> Result<Expected> {
        let refused = |why: &str| Err(usage(format!("case `{}`: {why}", self.name)));
        let outcome = match (&self.result, &self.result_json, self.error) {
            (None, None, None) => Outcome::Success,
            (Some(result), None, None) => Outcome::Result(result.clone()),
            (None, Some(text), None) => match strict::parse(text.as_bytes()) {
                Ok(result) => Outcome::Result(result),
                Err(failure) => return refused(&format!("result_json: {}", failure.message)),
            },
            (None, None, Some(code)) => Outcome::Error {
                code,
                message_contains: self.message_contains.clone(),
            },
            _ => return refused("expects a result or an error, not several of them"),
        };
        if self.message_contains.is_some() && self.error.is_none() {
            return refused("message_contains goes with an error");
        }
        if self.writable && self.workspace.is_none() {
            return refused("writable goes with a workspace");
        }
        Ok(Expected {
            outcome,
            fuel_max: self.fuel_max,
        })
    }

    /// The workspace, or a copy of it where the tool may write.
    pub(crate) fn place(&self, folder: &Path) -> Result<Option<Place>> {
        let Some(workspace) = &self.workspace else {
            return Ok(None);
        };
        let path = folder.join(workspace);
        let given = path
            .canonicalize()
            .map_err(|error| error::file("find", &path, &error))?;
        if !self.writable {
            return Ok(Some(Place::Given(given)));
        }
        let copy = TempDir::with_prefix("cofferdam-test-");
        let copy = copy.map_err(|error| broken("make a temporary directory", &error))?;
        copy_into(&given, copy.path(), DEPTH_MAX)
            .map_err(|error| error::file("copy", &given, &error))?;
        Ok(Some(Place::Copy(copy)))
    }
}

impl Place {
    pub(crate) fn path(&self) -> PathBuf {
        match self {
            Self::Given(path) => path.clone(),
            Self::Copy(folder) => folder.path().to_owned(),
        }
    }
}

/// Copies files and folders; what is neither is left out.
fn copy_into(from: &Path, to: &Path, depth: usize) -> std::io::Result<()> {
    if depth == 0 {
        return Err(std::io::Error::other("it is nested too deep"));
    }
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let (kind, target) = (entry.file_type()?, to.join(entry.file_name()));
        if kind.is_dir() {
            std::fs::create_dir(&target)?;
            copy_into(&entry.path(), &target, depth - 1)?;
        } else if kind.is_file() {
            std::fs::copy(entry.path(), &target)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::error::Error;

    fn cases(text: &str) -> Result<Vec<Case>> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("tests.toml");
        std::fs::write(&path, text).expect("a file");
        read(&path)
    }

    fn expected(lines: &str) -> Result<Expected> {
        let case = cases(&format!("[[case]]\nname = \"a\"\ntool = \"t\"\n{lines}"))?;
        case[0].expected()
    }

    #[test]
    fn a_case_says_what_it_expects() {
        let outcome = |lines: &str| expected(lines).map(|expected| expected.outcome);
        assert_eq!(outcome(""), Ok(Outcome::Success));
        let result = json!({"rows": [1, 2.5, "x", true]});
        assert_eq!(
            outcome("result = { rows = [1, 2.5, \"x\", true] }"),
            Ok(Outcome::Result(result))
        );
        assert_eq!(
            outcome("result_json = 'null'"),
            Ok(Outcome::Result(Value::Null))
        );
        assert_eq!(
            outcome("error = \"trap\"\nmessage_contains = \"x\""),
            Ok(Outcome::Error {
                code: Code::Trap,
                message_contains: Some("x".to_owned()),
            })
        );
        assert_eq!(expected("fuel_max = 5").map(|e| e.fuel_max), Ok(Some(5)));
    }

    #[test]
    fn what_makes_no_sense_is_refused_before_anything_runs() {
        for (text, part) in [
            ("", "has no [[case]]"),
            ("[[case]]\nname = \"a\"", "missing field `tool`"),
            (
                "[[case]]\nname = \"a\"\ntool = \"t\"\nfule_max = 1",
                "unknown field `fule_max`",
            ),
            (
                "[[case]]\nname = \"a\"\ntool = \"t\"\nerror = \"oops\"",
                "unknown variant `oops`",
            ),
            (
                "[[case]]\nname = \"a\"\ntool = \"t\"\nlimits = { fuell = 1 }",
                "unknown field",
            ),
            (
                "[[case]]\nname = \"a\"\ntool = \"t\"\nresult = 1\nerror = \"trap\"",
                "not several",
            ),
            (
                "[[case]]\nname = \"a\"\ntool = \"t\"\nmessage_contains = \"x\"",
                "goes with an error",
            ),
            (
                "[[case]]\nname = \"a\"\ntool = \"t\"\nwritable = true",
                "goes with a workspace",
            ),
            (
                "[[case]]\nname = \"a\"\ntool = \"t\"\nresult_json = '{'",
                "result_json",
            ),
            (
                "[[case]]\nname = \"a\"\ntool = \"t\"\n[[case]]\nname = \"a\"\ntool = \"t\"",
                "two cases",
            ),
        ] {
            let Err(Error::Failure(failure)) = cases(text) else {
                panic!("{text} was taken");
            };
            assert!(failure.message.contains(part), "{text}: {failure}");
        }
    }

    #[test]
    fn a_tool_that_writes_gets_a_copy() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir_all(folder.path().join("data/sub")).expect("folders");
        std::fs::write(folder.path().join("data/sub/a.txt"), "a").expect("a file");
        let mut read_only = cases("[[case]]\nname = \"a\"\ntool = \"t\"\nworkspace = \"data\"")
            .expect("a case")
            .remove(0);
        let path = |case: &Case| {
            case.place(folder.path())
                .expect("a place")
                .expect("one")
                .path()
        };
        assert!(path(&read_only).ends_with("data"));
        read_only.writable = true;
        let copy = read_only
            .place(folder.path())
            .expect("a place")
            .expect("one");
        std::fs::write(copy.path().join("sub/a.txt"), "b").expect("a file");
        let text = std::fs::read_to_string(folder.path().join("data/sub/a.txt"));
        assert_eq!(text.expect("a file"), "a");
        let gone = copy.path();
        drop(copy);
        assert!(!gone.exists());
    }
}
