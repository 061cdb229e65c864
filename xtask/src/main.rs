//! The project's own chores, as `cargo xtask <chore>`.
//!
//! Owns how the house is checked, built, tested and shown. Knows the product only from outside:
//! through cargo, the files of the repository and the `cofferdam` binary; it links no crate of the
//! workspace. Start reading at [`check`] for the gates, at [`demo`] for what a newcomer sees.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a chore talks to the person who started it"
)]

mod attack;
mod bench;
mod check;
mod clients;
mod command;
mod demo;
mod deny;
mod fuzz;
mod graph;
mod interop;
mod redis;
mod test;
mod tidy;
mod tools;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::attack::Size;

/// The suite of the guides.
const GUIDES: [&str; 3] = ["--workspace", "--test", "guide"];

/// The project's own chores.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Every gate short of the tests: tidy, licences and bans, fmt, clippy, doc.
    Check,
    /// Crate edges, sizes of files and functions, unfinished work, error pages.
    Tidy,
    /// Builds the first-party tools for the sandbox into target/tools.
    Tools,
    /// Installs the official MCP clients, which the mcp suite drives, into target/mcp-clients.
    Clients,
    /// Builds the components of the interop suite, by foreign toolchains, into target/interop.
    Interop,
    /// Sees to it that there is a redis-server for the suites, below target/redis if need be.
    Redis,
    /// Builds what the suites need and runs all of them.
    ///
    /// `COFFERDAM_SCALE` is the size of crowds, floods and races in percent of what the attacks
    /// name, 1 when it is not set; `PROPTEST_CASES` the number of cases of property tests, 10,000
    /// at least.
    Test {
        /// Handed to `cargo test`, for example a suite's name or `-p cofferdam-policy`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Shows the product's main job on this repository's own data.
    Demo {
        /// One JSON object per step and line instead of prose.
        #[arg(long)]
        json: bool,
    },
    /// Does what the guides tell their readers, in order.
    Docs,
    /// Runs the tests of every attack in the catalogue and writes docs/ATTACKS.md.
    ///
    /// Crowds, floods and races are a hundredth of what an attack names, as in every run of the
    /// tests, unless they would show nothing then.
    Attack {
        /// Makes them as large as the attacks say.
        #[arg(long)]
        full: bool,
    },
    /// Runs every fuzz target for a while; a finding fails.
    Fuzz {
        /// For how long each, in seconds.
        #[arg(long, default_value_t = 60)]
        seconds: u32,
    },
    /// Builds and runs a benchmark of tests/load in the release profile.
    Bench {
        /// Which one: `call` runs the program `bench-call`.
        name: String,
        /// Handed to the benchmark.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
}

fn main() -> ExitCode {
    let result = match Cli::parse().chore {
        Chore::Check => check::run(),
        Chore::Tidy => tidy::run(),
        Chore::Tools => tools::build().map(|_| ()),
        Chore::Clients => clients::install().map(|_| ()),
        Chore::Interop => interop::build().map(|_| ()),
        Chore::Redis => redis::unpack(),
        Chore::Test { args } => test::run(&args),
        Chore::Demo { json } => demo::run(json),
        Chore::Docs => test::run(&GUIDES.map(str::to_owned)),
        Chore::Attack { full: false } => attack::run(Size::Hundredth),
        Chore::Attack { full: true } => attack::run(Size::Full),
        Chore::Fuzz { seconds } => fuzz::run(seconds),
        Chore::Bench { name, args } => bench::run(&name, &args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
