//! `cargo xtask bench NAME`: the programs of tests/load in the release profile.

use anyhow::Result;

use crate::command::{cargo, run as run_command};
use crate::tools;

/// Builds the tools and runs `bench-NAME` with `args`.
pub(crate) fn run(name: &str, args: &[String]) -> Result<()> {
    let tools = tools::build()?;
    let program = format!("bench-{name}");
    let fixed = [
        "run",
        "--release",
        "--package",
        "cofferdam-load",
        "--bin",
        &program,
        "--",
    ];
    let args = args.iter().map(String::as_str);
    let mut command = cargo(fixed.into_iter().chain(args));
    run_command(command.env("COFFERDAM_TOOLS", tools))
}
