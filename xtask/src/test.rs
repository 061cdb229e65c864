//! `cargo xtask test`: what the suites need, then the suites.

use anyhow::Result;

use crate::command::{Stages, cargo, run as run_command};
use crate::graph::Graph;
use crate::tools;

/// Builds tools and host, then runs all tests; `args` goes to `cargo test` instead of `--workspace`.
pub(crate) fn run(args: &[String]) -> Result<()> {
    let mut stages = Stages::new();
    let result = stages_of(&mut stages, args);
    stages.summary();
    result
}

fn stages_of(stages: &mut Stages, args: &[String]) -> Result<()> {
    let target = Graph::members()?.target_directory;
    let tools = stages.stage("tools", tools::build)?;
    stages.stage("host", build_host)?;
    let selection: Vec<&str> = if args.is_empty() {
        vec!["--workspace"]
    } else {
        args.iter().map(String::as_str).collect()
    };
    let test = |extra: &[&'static str]| {
        let words = ["test"].iter().chain(extra).copied();
        let mut command = cargo(words.chain(selection.iter().copied()));
        command.env("COFFERDAM_BIN", target.join("debug/cofferdam"));
        command.env("COFFERDAM_TOOLS", &tools);
        run_command(&mut command)
    };
    if args.is_empty() {
        stages.stage("building the suites", || test(&["--no-run"]))?;
    }
    stages.stage("running the suites", || test(&[]))
}

/// The host in the profile that check, test and demo share.
pub(crate) fn build_host() -> Result<()> {
    run_command(&mut cargo(["build", "--package", "cofferdam-cli"]))
}
