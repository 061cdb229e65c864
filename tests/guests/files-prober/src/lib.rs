//! A component that does to files what it is told, operation by operation, and answers what each
//! came to: `ok`, what was read, or the interface's own word for the error.

use cofferdam_sdk::{ToolError, tool};

#[cfg(target_family = "wasm")]
mod steps;

/// One operation. What it needs of these is in `steps.rs`.
#[derive(Debug, Clone, Default, serde::Deserialize, cofferdam_sdk::schemars::JsonSchema)]
#[schemars(crate = "cofferdam_sdk::schemars")]
#[serde(default, deny_unknown_fields)]
pub struct Step {
    /// Its name: `open`, `read`, `rename`; `peek` opens, reads and closes.
    pub op: String,
    /// The open descriptor it is about; the first directory that the host offers when empty.
    pub on: String,
    /// A path, in which `{}` is the number of the repetition.
    pub path: String,
    /// A second path, or the target of a link.
    pub to: String,
    /// The descriptor that `to` starts from.
    pub into: String,
    /// The name that what is opened gets.
    pub name: String,
    /// Words: `follow`, `create`, `exclusive`, `truncate`, `directory`, `read`, `write`.
    pub flags: Vec<String>,
    /// A place, a size or seconds.
    pub number: u64,
    /// What is written.
    pub text: String,
    /// How often; 0 is once.
    pub times: u32,
    /// Whether what came of it ends the repetition.
    pub how: How,
    /// Go into the directory after each repetition.
    pub enter: bool,
}

/// When a repeated operation ends before its time.
#[derive(Debug, Clone, Copy, Default, serde::Deserialize, cofferdam_sdk::schemars::JsonSchema)]
#[schemars(crate = "cofferdam_sdk::schemars")]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// At the first error, which is the answer.
    #[default]
    WhileItWorks,
    /// At the first success, which is the answer.
    UntilItWorks,
    /// Never; the answer is all that it came to, each once.
    Whatever,
}

/// Does the steps in order and answers what each came to.
#[tool(
    destructive,
    capabilities(workspace(read_write, optional)),
    limits(deadline_ms = 100_000)
)]
fn probe(
    /// What to do.
    steps: Vec<Step>,
) -> Result<Vec<String>, ToolError> {
    done(&steps)
}

/// Reads only, and tries the same.
#[tool(capabilities(workspace(read_only, optional)))]
fn look(
    /// What to do.
    steps: Vec<Step>,
) -> Result<Vec<String>, ToolError> {
    done(&steps)
}

#[cfg(target_family = "wasm")]
fn done(steps: &[Step]) -> Result<Vec<String>, ToolError> {
    Ok(steps::run(steps))
}

#[cfg(not(target_family = "wasm"))]
fn done(_: &[Step]) -> Result<Vec<String>, ToolError> {
    Err(ToolError::new("outside", "there is no sandbox around this"))
}

cofferdam_sdk::tools![probe, look];
