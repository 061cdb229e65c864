use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use clap::Args;
use cofferdam_server::types::{Code, ComponentName, Failure, ToolName};
use rust_embed::RustEmbed;
use serde_json::json;

use crate::context::Context;
use crate::error::{self, Exit, Result, usage};

/// Start the project of a tool
///
/// Writes a small Rust project with one tool, its tests, and the SDK it builds with.
#[derive(Args)]
pub(crate) struct New {
    /// The component's name: lower-case words joined by hyphens
    name: String,
    /// Where to write it [default: a new directory of that name]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

/// What stands for the component's name in the template.
const NAME: &str = "{{name}}";
/// The template's tool.
const FUNCTION: &str = "greet";
/// Crates of Rust and of the SDK: a package of such a name hides or doubles them.
const TAKEN: [&str; 10] = [
    "alloc",
    "cofferdam-sdk",
    "cofferdam-sdk-macros",
    "cofferdam-test",
    "core",
    "proc-macro",
    "self",
    "std",
    "super",
    "test",
];

#[derive(RustEmbed)]
#[folder = "../../guest-sdk/template"]
#[exclude = "target/*"]
#[exclude = "Cargo.lock"]
struct Template;

#[derive(RustEmbed)]
#[folder = "../../guest-sdk/rust"]
#[include = "Cargo.toml"]
#[include = "README.md"]
#[include = "src/*"]
struct Sdk;

#[derive(RustEmbed)]
#[folder = "../../guest-sdk/macros"]
#[include = "Cargo.toml"]
#[include = "README.md"]
#[include = "src/*"]
struct Macros;

#[derive(RustEmbed)]
#[folder = "../../guest-sdk/test"]
#[include = "Cargo.toml"]
#[include = "src/*"]
struct Test;

#[derive(RustEmbed)]
#[folder = "../../wit"]
struct Wit;

impl New {
    pub(super) fn run(self, context: &Context) -> Result<Exit> {
        let name = checked(&self.name)?;
        let root = self.dir.unwrap_or_else(|| PathBuf::from(name.as_str()));
        create(&root)?;
        write::<Template>(&root, Some(&name))?;
        let own = root.join("cofferdam");
        write::<Sdk>(&own.join("guest-sdk/rust"), None)?;
        write::<Macros>(&own.join("guest-sdk/macros"), None)?;
        write::<Test>(&own.join("guest-sdk/test"), None)?;
        write::<Wit>(&own.join("wit"), None)?;

        let output = context.output;
        if output.is_json() {
            output.json(&json!({"component": name, "directory": root}))?;
        } else {
            let root = root.display();
            output.text(format!(
                "wrote {root}/\n\nTo go on:\n  cd {root}\n  cofferdam tool build\n  cofferdam tool \
                 test\n  cofferdam tool call target/{name}.wasm {name}-{FUNCTION} --args \
                 '{{\"name\": \"Ada\"}}'\n\nThe tool is the function in src/lib.rs."
            ))?;
        }
        Ok(Exit::Done)
    }
}

/// The name, when a project can have it.
fn checked(text: &str) -> Result<ComponentName> {
    let refused = |error: &dyn std::fmt::Display| usage(format!("{error}, as in `word-count`"));
    let name: ComponentName = text.parse().map_err(|error| refused(&error))?;
    if TAKEN.contains(&text) {
        return Err(usage(format!(
            "`{name}` is the name of a crate that every tool needs; choose another"
        )));
    }
    // Together they are the name of the template's tool.
    ToolName::of(&name, FUNCTION).map_err(|error| refused(&error))?;
    Ok(name)
}

fn create(root: &Path) -> Result<()> {
    fs::create_dir(root).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => {
            let message = format!(
                "{} is there already; choose another name, or another place with --dir",
                root.display()
            );
            Failure::new(Code::Conflict, message).into()
        }
        _ => error::file("make", root, &error),
    })
}

/// Writes what is embedded below `root`.
fn write<E: RustEmbed>(root: &Path, name: Option<&ComponentName>) -> Result<()> {
    for path in E::iter() {
        let Some(file) = E::get(&path) else { continue };
        let target = root.join(&*path);
        let named;
        let bytes: &[u8] = match (name, std::str::from_utf8(&file.data)) {
            (Some(name), Ok(text)) => {
                named = text.replace(NAME, name.as_str());
                named.as_bytes()
            }
            _ => &file.data,
        };
        let folder = target.parent().unwrap_or(root);
        fs::create_dir_all(folder)
            .and_then(|()| fs::write(&target, bytes))
            .map_err(|error| error::file("write", &target, &error))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;

    #[test]
    fn names_that_make_no_tool_are_refused_with_advice() {
        for (name, part) in [
            ("Hello", "lower-case words joined by single hyphens"),
            ("hello_world", "as in `word-count`"),
            ("../x", "is not a component name"),
            ("", "is not a component name"),
            ("a--b", "single hyphens"),
            ("std", "every tool needs"),
            ("cofferdam-sdk", "every tool needs"),
            (&"x".repeat(59), "at most 64 characters"),
        ] {
            let Err(Error::Failure(failure)) = checked(name) else {
                panic!("{name} was taken");
            };
            assert_eq!(failure.code, Code::InvalidInput);
            assert!(failure.message.contains(part), "{name}: {failure}");
        }
        for name in ["hello", "word-count", "a1", &"x".repeat(58)] {
            assert!(checked(name).is_ok(), "{name}");
        }
    }

    #[test]
    fn a_project_gets_what_it_builds_with_and_no_more() {
        let files: Vec<_> = Template::iter()
            .chain(Sdk::iter())
            .chain(Macros::iter())
            .chain(Test::iter())
            .collect();
        for file in [
            ".gitignore",
            "Cargo.toml",
            "src/lib.rs",
            "tests.toml",
            "tests/sandbox.rs",
            "src/bindings.rs",
            "src/component.rs",
        ] {
            assert!(files.iter().any(|path| path == file), "{file} is missing");
        }
        assert!(Wit::iter().any(|path| path == "tool.wit"));
        assert!(Wit::iter().any(|path| path.starts_with("deps/")));
        for path in files {
            let is_left_out = path.starts_with("tests/") || path.starts_with("target/");
            assert!(!is_left_out || path == "tests/sandbox.rs", "{path}");
        }
    }
}
