use std::fs;
use std::io::{BufRead, BufReader, ErrorKind};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use clap::Args;
use cofferdam_server::types::{Code, Digest, Failure};
use serde::Deserialize;
use serde_json::json;

use crate::context::Context;
use crate::error::{self, Exit, Result, usage};
use crate::input;
use crate::project::Project;
use crate::view;

/// Compile the project in this directory to a component
///
/// Adds the target wasm32-wasip2 to the Rust toolchain when it is missing, and puts the component
/// to target/NAME.wasm.
#[derive(Args)]
pub(crate) struct Build {
    /// Faster to compile, slower and larger to run
    #[arg(long)]
    debug: bool,
}

/// What tools are compiled for.
const TARGET: &str = "wasm32-wasip2";
/// Where to get what is missing.
const RUSTUP: &str = "install Rust from https://rustup.rs";

/// A line that cargo prints for programs.
#[derive(Deserialize)]
#[serde(tag = "reason", rename_all = "kebab-case")]
enum Message {
    CompilerArtifact {
        manifest_path: PathBuf,
        target: Target,
        filenames: Vec<PathBuf>,
    },
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct Target {
    crate_types: Vec<String>,
}

impl Build {
    pub(super) fn run(self, context: &Context) -> Result<Exit> {
        let project = Project::here()?;
        let output = context.output;
        add_target(context)?;
        let Some(artifact) = compile(&project, self.debug)? else {
            let message = "cargo could not build the tool; it says why above";
            output.failure(Failure::new(Code::ComponentInvalid, message));
            return Ok(Exit::Failed);
        };
        let target = project.component();
        place(&artifact, &target)?;
        let bytes = input::component(&target)?;
        let digest = Digest::of(&bytes);
        if output.is_json() {
            output.json(&json!({"file": target, "bytes": bytes.len(), "digest": digest}))?;
        } else {
            let size = view::bytes(bytes.len() as u64);
            output.text(format!("{}  {size}  {digest}", target.display()))?;
        }
        Ok(Exit::Done)
    }
}

/// Makes sure that the toolchain can compile for the sandbox.
fn add_target(context: &Context) -> Result<()> {
    let sysroot = Command::new("rustc").args(["--print", "sysroot"]).output();
    let sysroot = sysroot.map_err(|error| missing("rustc", &error))?;
    let sysroot = String::from_utf8_lossy(&sysroot.stdout);
    let libraries = Path::new(sysroot.trim()).join("lib/rustlib").join(TARGET);
    if libraries.is_dir() {
        return Ok(());
    }
    context
        .output
        .note(format!("adding the target {TARGET} to the Rust toolchain"));
    let status = Command::new("rustup")
        .args(["target", "add", TARGET])
        .stdin(Stdio::null())
        .stdout(std::io::stderr())
        .status()
        .map_err(|error| missing("rustup", &error))?;
    if status.success() {
        return Ok(());
    }
    let message = format!("the target {TARGET} is missing and `rustup target add {TARGET}` failed");
    Err(Failure::new(Code::Unavailable, message).into())
}

/// Runs cargo, whose words go to stderr as they come, and answers the component it made; `None`
/// when it could not.
fn compile(project: &Project, is_debug: bool) -> Result<Option<PathBuf>> {
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--target", TARGET]);
    cargo.arg("--message-format=json-render-diagnostics");
    if !is_debug {
        cargo.arg("--release");
    }
    cargo.current_dir(&project.root);
    cargo.stdin(Stdio::null()).stdout(Stdio::piped());
    let mut child = cargo.spawn().map_err(|error| missing("cargo", &error))?;
    let messages = child.stdout.take().map(BufReader::new);
    let mut found = None;
    for line in messages
        .into_iter()
        .flat_map(BufRead::lines)
        .map_while(std::result::Result::ok)
    {
        found = component(&line, project).or(found);
    }
    let status = child
        .wait()
        .map_err(|error| error::broken("wait for cargo", &error))?;
    if !status.success() {
        return Ok(None);
    }
    let nothing = "the package makes no component: give its [lib] the crate-type \"cdylib\", as \
                   `cofferdam tool new` does";
    found.map(Some).ok_or_else(|| usage(nothing))
}

/// The component, when this is the message about it.
fn component(line: &str, project: &Project) -> Option<PathBuf> {
    let Ok(Message::CompilerArtifact {
        manifest_path,
        target,
        filenames,
    }) = serde_json::from_str(line)
    else {
        return None;
    };
    let is_ours = manifest_path == project.root.join("Cargo.toml")
        && target.crate_types.iter().any(|kind| kind == "cdylib");
    let is_wasm = |path: &PathBuf| {
        path.extension()
            .is_some_and(|extension| extension == "wasm")
    };
    filenames.into_iter().find(|path| is_ours && is_wasm(path))
}

/// Puts the component to its place, whole or not at all.
fn place(artifact: &Path, target: &Path) -> Result<()> {
    let fresh = target.with_extension("wasm.new");
    let folder = target.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)
        .and_then(|()| fs::copy(artifact, &fresh))
        .and_then(|_| fs::rename(&fresh, target))
        .map_err(|error| error::file("write", target, &error))
}

fn missing(program: &str, error: &std::io::Error) -> error::Error {
    let message = match error.kind() {
        ErrorKind::NotFound => format!("`{program}` is not there: {RUSTUP}"),
        _ => format!("`{program}` can't be run: {error}"),
    };
    Failure::new(Code::Unavailable, message).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_component_is_the_library_of_this_package() {
        let project = Project {
            root: "/p".into(),
            name: "hello".to_owned(),
        };
        let line = |manifest: &str, kind: &str, file: &str| {
            json!({
                "reason": "compiler-artifact", "package_id": "x", "manifest_path": manifest,
                "target": {"kind": [kind], "crate_types": [kind, "lib"], "name": "hello"},
                "filenames": [file], "fresh": true,
            })
            .to_string()
        };
        let found = |line: &str| component(line, &project);
        let ours = line("/p/Cargo.toml", "cdylib", "/t/hello.wasm");
        assert_eq!(found(&ours), Some("/t/hello.wasm".into()));
        assert_eq!(found(&line("/q/Cargo.toml", "cdylib", "/t/q.wasm")), None);
        assert_eq!(found(&line("/p/Cargo.toml", "bin", "/t/hello.wasm")), None);
        assert_eq!(
            found(&line("/p/Cargo.toml", "cdylib", "/t/hello.rlib")),
            None
        );
        assert_eq!(
            found(r#"{"reason": "build-finished", "success": true}"#),
            None
        );
        assert_eq!(found("warning: no JSON"), None);
    }
}
