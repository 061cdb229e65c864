//! `cargo xtask test`: what the suites need, then the suites.

use std::path::PathBuf;

use anyhow::Result;

use crate::command::{Stages, cargo, run as run_command};
use crate::graph::Graph;
use crate::{clients, interop, redis, tools};

/// Says to the suites which host to test.
pub(crate) const BINARY: &str = "COFFERDAM_BIN";

/// The suite that drives the official MCP clients, which take a minute to install the first time.
const MCP: &str = "mcp";

/// The suite that needs components of foreign toolchains, which take minutes the first time.
const INTEROP: &str = "interop";

/// What the name of the backend's crate ends in, whose suites need a server.
const REDIS: &str = "store-redis";

/// Builds tools and host, then runs all tests; `args` goes to `cargo test` instead of `--workspace`.
pub(crate) fn run(args: &[String]) -> Result<()> {
    let mut stages = Stages::new();
    let result = stages_of(&mut stages, args);
    stages.summary();
    result
}

fn stages_of(stages: &mut Stages, args: &[String]) -> Result<()> {
    let wanted = |suite| args.is_empty() || args.iter().any(|arg| arg == suite);
    let mut folders = vec![("COFFERDAM_TOOLS", stages.stage("tools", tools::build)?)];
    if wanted(MCP) {
        let clients = stages.stage("MCP clients", clients::install)?;
        folders.push(("COFFERDAM_MCP_CLIENTS", clients));
    }
    if wanted(INTEROP) {
        let components = stages.stage(INTEROP, interop::build)?;
        folders.push(("COFFERDAM_INTEROP", components));
    }
    if args.is_empty() || args.iter().any(|arg| arg.ends_with(REDIS)) {
        stages.stage("Redis", redis::unpack)?;
    }
    let selection: Vec<&str> = if args.is_empty() {
        // All of them, also after one has failed: a run is long, and each answer is worth having.
        vec!["--workspace", "--no-fail-fast"]
    } else {
        args.iter().map(String::as_str).collect()
    };
    let binary = binary()?;
    let test = |extra: &[&'static str]| {
        let words = ["test"].iter().chain(extra).copied();
        let mut command = cargo(words.chain(selection.iter().copied()));
        command.env(BINARY, &binary).envs(folders.iter().cloned());
        run_command(&mut command)
    };
    if args.is_empty() {
        // Builds the host too, with the features that the suites share: building it by itself
        // would compile the engine a second time.
        stages.stage("building host and suites", || test(&["--no-run"]))?;
    } else {
        stages.stage("host", build_host)?;
    }
    stages.stage("running the suites", || test(&[]))
}

/// The host: the one that a suite was given, else one that is built now.
#[expect(
    clippy::disallowed_methods,
    reason = "how the driver of the suites says where things are"
)]
pub(crate) fn host() -> Result<PathBuf> {
    if let Some(binary) = std::env::var_os(BINARY) {
        return Ok(binary.into());
    }
    build_host()?;
    binary()
}

pub(crate) fn binary() -> Result<PathBuf> {
    Ok(Graph::members()?.target_directory.join("debug/cofferdam"))
}

/// The host in the profile that check, test and demo share.
fn build_host() -> Result<()> {
    run_command(&mut cargo(["build", "--package", "cofferdam-cli"]))
}
