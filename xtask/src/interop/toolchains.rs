//! The toolchains: how each is installed, and how it is called.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};
use serde::Deserialize;

use super::stamp::Inputs;
use super::{SOURCES, clang};
use crate::command::{cargo as cargo_command, read, root, run as run_command};
use crate::tools;

/// What the environments in the output folder are called.
const PYTHON: &str = "venv";
const NODE: &str = "node";

/// The installed toolchains.
pub(super) struct Toolchains {
    /// Holds the environments and what they make.
    pub(super) out: PathBuf,
    /// Holds the generated C bindings.
    pub(super) bindings: PathBuf,
}

impl Toolchains {
    /// componentize-py: the module `app` in `folder` as a component of `world`.
    pub(super) fn python(&self, world: &str, folder: &str, args: &[&str], out: &Path) -> Command {
        let environment = self.out.join(PYTHON);
        let mut command = Command::new(environment.join("bin/componentize-py"));
        // Else it looks for further packages wherever this machine's Python keeps some.
        command.env("VIRTUAL_ENV", &environment);
        command.arg("--wit-path").arg(wit(world));
        command.args(["--world", world, "componentize"]).args(args);
        command.arg("--python-path").arg(source(folder));
        command.arg("--output").arg(out).arg("app");
        command
    }

    /// componentize-js, with everything that it imports unless told otherwise.
    pub(super) fn javascript(&self, out: &Path) -> Command {
        let mut command = self.node("componentize-js");
        command.arg(source("javascript/kinds.js"));
        command.arg("--wit").arg(wit("kinds"));
        command.args(["--world-name", "kinds", "--out"]).arg(out);
        command
    }

    /// Its sibling, without the component model's async half, which is not for every host.
    pub(super) fn quickjs(&self, out: &Path) -> Command {
        let mut command = self.node("componentize-qjs");
        command.arg("--sync").arg("--js");
        command.arg(source("quickjs/kinds.js"));
        command.arg("--module-root").arg(root().join(SOURCES));
        command.arg("--wit").arg(wit("kinds"));
        command.args(["--world", "kinds", "--output"]).arg(out);
        command
    }

    /// clang makes a core module for WASI preview 1, jco a component of that.
    pub(super) fn c(&self, out: &Path) -> [Command; 2] {
        let core = self.out.join("c.core.wasm");
        let mut compile = Command::new("clang");
        compile
            .args(clang::TARGET)
            .args(["-O2", "-Wall", "-Wextra", "-Werror"]);
        compile
            .arg("-I")
            .arg(&self.bindings)
            .arg(source("c/kinds.c"));
        compile.arg(self.bindings.join("kinds.c"));
        compile.arg(self.bindings.join("kinds_component_type.o"));
        compile.arg("-o").arg(&core);

        let mut adapt = self.node("jco");
        adapt.arg("new").arg(&core);
        adapt.arg("--wasi-reactor").arg("--output").arg(out);
        [compile, adapt]
    }

    fn node(&self, program: &str) -> Command {
        Command::new(self.out.join(NODE).join("node_modules/.bin").join(program))
    }
}

/// The Python environment: only wheels, and only those whose digests are listed.
pub(super) fn python_packages(out: &Path) -> Result<()> {
    let requirements = source("requirements.txt");
    let environment = out.join(PYTHON);
    let mut inputs = Inputs::new();
    inputs.path(&requirements)?;
    inputs.unless_made(&environment, || {
        let mut create = Command::new("python3");
        create.args(["-m", "venv", "--clear"]).arg(&environment);
        run_command(&mut create)
            .context("The interop suite needs Python 3.10 or later with venv.")?;
        let mut install = Command::new(environment.join("bin/python"));
        install.args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
        ]);
        install.args(["--require-hashes", "--only-binary=:all:"]);
        run_command(install.arg("--requirement").arg(&requirements))
    })
}

/// The packages of the lock file; none of their scripts run.
pub(super) fn npm_packages(out: &Path) -> Result<()> {
    let folder = out.join(NODE);
    let files = ["package.json", "package-lock.json"];
    let mut inputs = Inputs::new();
    for file in files {
        inputs.path(&source(file))?;
    }
    inputs.unless_made(&folder, || {
        fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
        for file in files {
            let from = source(file);
            fs::copy(&from, folder.join(file)).with_context(|| from.display().to_string())?;
        }
        let mut install = Command::new("npm");
        install.current_dir(&folder);
        // Not `ci`: that wants an entry for every platform that a package was ever built for,
        // and a registry needn't have them all. Versions and digests hold here too.
        install.args([
            "install",
            "--no-save",
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
        ]);
        run_command(&mut install).context("The interop suite needs Node 20 or later with npm.")
    })
}

/// A line of cargo's report, as far as it is needed.
#[derive(Deserialize)]
struct Message {
    reason: String,
    package_id: Option<String>,
    out_dir: Option<PathBuf>,
}

/// Builds the Rust component and writes the C bindings; answers the folder of those.
pub(super) fn cargo(target: &Path, out: &Path) -> Result<PathBuf> {
    tools::add_target()?;
    let args = "build --profile tool --package interop-rust --package interop-c";
    let mut build = cargo_command(args.split(' '));
    build.args(["--target", tools::TARGET]);
    build.args(["--message-format", "json-render-diagnostics"]);
    let report = read(build.stderr(Stdio::inherit()))?;

    let from = target.join(tools::TARGET).join("tool/interop_rust.wasm");
    let to = out.join("rust.wasm");
    fs::copy(&from, &to).with_context(|| format!("copying {}", from.display()))?;
    bindings(&report).context("cargo did not say where the C bindings are")
}

fn bindings(report: &str) -> Option<PathBuf> {
    let messages = report
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok());
    let is_ours = |message: &Message| {
        let package = message.package_id.as_deref().unwrap_or_default();
        message.reason == "build-script-executed" && package.contains("interop-c@")
    };
    messages.into_iter().find(is_ours)?.out_dir
}

fn source(path: &str) -> PathBuf {
    root().join(SOURCES).join(path)
}

fn wit(world: &str) -> PathBuf {
    source("wit").join(world)
}
