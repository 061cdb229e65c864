//! `cargo xtask interop`: the components of the interop suite, each built from source by the
//! toolchain of its language.
//!
//! Everything that is installed or made lies in `target/interop`; only clang comes from outside.
//! What is unchanged since the last time is left as it is.

mod clang;
mod stamp;
mod toolchains;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::command::{Stages, line, root, run as run_command};
use crate::graph::Graph;
use stamp::Inputs;
use toolchains::Toolchains;

/// The sources, relative to the repository.
const SOURCES: &str = "tests/interop";

/// A component that a foreign toolchain makes.
struct Component {
    name: &'static str,
    /// What its bytes depend on beside the commands: files and folders of [`SOURCES`].
    sources: &'static [&'static str],
    commands: fn(&Toolchains, &Path) -> Vec<Command>,
}

const COMPONENTS: [Component; 5] = [
    Component {
        name: "python",
        sources: &["wit/kinds", "python", "requirements.txt"],
        commands: |tools, out| vec![tools.python("kinds", "python", &[], out)],
    },
    Component {
        name: "hostile",
        sources: &["wit/hostile", "hostile", "requirements.txt"],
        commands: |tools, out| vec![tools.python("hostile", "hostile", &["--stub-wasi"], out)],
    },
    Component {
        name: "javascript",
        sources: &["wit/kinds", "javascript", "package-lock.json"],
        commands: |tools, out| vec![tools.javascript(out)],
    },
    Component {
        name: "quickjs",
        sources: &["wit/kinds", "javascript", "quickjs", "package-lock.json"],
        commands: |tools, out| vec![tools.quickjs(out)],
    },
    Component {
        name: "c",
        sources: &["wit/kinds", "c", "package-lock.json"],
        commands: |tools, out| tools.c(out).into(),
    },
];

/// Builds every component and answers the folder that holds them, one `NAME.wasm` each, beside
/// the Python environment with the independent host.
pub(crate) fn build() -> Result<PathBuf> {
    let mut stages = Stages::new();
    let result = stages_of(&mut stages);
    stages.summary();
    result
}

fn stages_of(stages: &mut Stages) -> Result<PathBuf> {
    let target = Graph::members()?.target_directory;
    let out = target.join("interop");
    fs::create_dir_all(&out).with_context(|| out.display().to_string())?;

    let compiler = stages.stage("clang", || clang::ensure(&out))?;
    stages.stage("Python packages", || toolchains::python_packages(&out))?;
    stages.stage("npm packages", || toolchains::npm_packages(&out))?;
    let bindings = stages.stage("Rust", || toolchains::cargo(&target, &out))?;
    let tools = Toolchains {
        out: out.clone(),
        bindings,
    };
    for component in &COMPONENTS {
        stages.stage(component.name, || component.make(&tools, &compiler))?;
    }
    Ok(out)
}

impl Component {
    /// Makes the component unless it was made from the same sources by the same commands.
    fn make(&self, tools: &Toolchains, compiler: &str) -> Result<()> {
        let wasm = tools.out.join(format!("{}.wasm", self.name));
        let part = tools.out.join(format!("{}.part.wasm", self.name));
        let commands = (self.commands)(tools, &part);

        let mut inputs = Inputs::new();
        inputs.text(compiler);
        for command in &commands {
            inputs.text(&line(command));
        }
        for source in self.sources {
            inputs.path(&root().join(SOURCES).join(source))?;
        }
        inputs.unless_made(&wasm, || {
            for mut command in commands {
                run_command(&mut command)?;
            }
            fs::rename(&part, &wasm).with_context(|| format!("{} was not made", part.display()))
        })
    }
}
