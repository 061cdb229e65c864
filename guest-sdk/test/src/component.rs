use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use serde::Deserialize;

use crate::call::Call;
use crate::command;

/// A component file whose tools can be called.
#[derive(Debug, Clone)]
pub struct Component {
    /// The `cofferdam` command that calls it.
    pub(crate) program: PathBuf,
    file: PathBuf,
}

/// What `tool build --json` prints.
#[derive(Deserialize)]
struct Built {
    /// Relative to the package.
    file: PathBuf,
}

/// Packages that were built by this process, or are being built.
static BUILT: Mutex<Option<HashMap<PathBuf, Arc<OnceLock<PathBuf>>>>> = Mutex::new(None);

impl Component {
    /// The component of the package whose tests run, built by `cofferdam tool build` on first use.
    ///
    /// **Panics** when it can't be built, with what the compiler says.
    #[track_caller]
    pub fn of_this_package() -> Self {
        let Some(root) = command::package() else {
            panic!("which package is tested is not known: run the tests with `cargo test`");
        };
        let once = {
            let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
            let built = built.get_or_insert_default();
            Arc::clone(built.entry(root.clone()).or_default())
        };
        let program = command::found();
        let file = once.get_or_init(|| build(&program, &root)).clone();
        Self { program, file }
    }

    /// The component in this file, from whatever toolchain.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self {
            program: command::found(),
            file: path.into(),
        }
    }

    /// The same component, called by the `cofferdam` command at this place.
    pub fn with_command(self, program: impl Into<PathBuf>) -> Self {
        Self {
            program: program.into(),
            ..self
        }
    }

    /// Where the component is.
    pub fn path(&self) -> &Path {
        &self.file
    }

    /// A call of a tool, by its name (`hello-greet`) or its function's alone (`greet`).
    pub fn call(&self, tool: impl Into<String>) -> Call<'_> {
        Call::new(self, tool.into())
    }
}

#[track_caller]
fn build(program: &Path, root: &Path) -> PathBuf {
    let mut tool_build = Command::new(program);
    tool_build
        .args(["tool", "build", "--json"])
        .current_dir(root);
    let output = command::run(tool_build, b"");
    let printed = String::from_utf8_lossy(&output.stdout);
    let built = printed.lines().last().map(serde_json::from_str::<Built>);
    match built {
        Some(Ok(built)) if output.status.success() => root.join(built.file),
        _ => panic!(
            "the component can't be built:\n{}\n{printed}",
            String::from_utf8_lossy(&output.stderr)
        ),
    }
}
