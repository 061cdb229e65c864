//! `cargo xtask check`: every gate short of the tests.

use anyhow::{Result, bail};

use crate::command::{Stages, cargo, run as run_command};
use crate::{deny, tidy};

/// A gate and its name.
type Gate = (&'static str, fn() -> Result<()>);

/// Runs every gate, the cheap ones first, also after one has failed: who broke two wants to know.
pub(crate) fn run() -> Result<()> {
    let mut stages = Stages::new();
    let mut failed = Vec::new();
    let gates: [Gate; 5] = [
        ("tidy", tidy::run),
        ("licences and bans", deny::run),
        ("fmt", fmt),
        ("clippy", clippy),
        ("doc", doc),
    ];
    for (name, gate) in gates {
        if let Err(error) = stages.stage(name, gate) {
            eprintln!("error: {error:#}");
            failed.push(name);
        }
    }
    stages.summary();
    if !failed.is_empty() {
        bail!("check failed: {}", failed.join(", "));
    }
    Ok(())
}

fn fmt() -> Result<()> {
    run_command(&mut cargo(["fmt", "--all", "--check"]))
}

fn clippy() -> Result<()> {
    let args = [
        "clippy",
        "--workspace",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ];
    run_command(&mut cargo(args))
}

/// Links in documentation hold, those to private items too: a crate's first page sends its next
/// developer there. Without the dependencies: their links are not ours to check.
fn doc() -> Result<()> {
    let args = [
        "doc",
        "--workspace",
        "--no-deps",
        "--document-private-items",
    ];
    run_command(cargo(args).env("RUSTDOCFLAGS", "-D warnings"))
}
