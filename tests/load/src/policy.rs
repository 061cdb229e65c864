//! `cargo xtask bench policy`: what a decision costs beside the bare engine's minimal call, and what
//! more rules add to it.
//!
//! The rules are those of a large catalogue: nearly all are about other tools, and as many are about
//! the one that is called whether there are ten or ten thousand. Everything is measured in one run,
//! in rounds that take turns. The bars are of the median round; a bar that doesn't hold fails.

mod bare;
mod decisions;
mod report;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::bare::{Allocation, Bare};
use crate::decisions::World;
use crate::report::{component, line, machine, ratio, say};

/// Rounds; each measures everything once.
const ROUNDS: usize = 9;
/// How long each is measured in a round.
const TIME: Duration = Duration::from_millis(300);
const FEW: usize = 10;
const MANY: usize = 10_000;
/// What the p99 with [`MANY`] rules may be at most, as a multiple of that with [`FEW`].
const GROWTH_MAX: f64 = 3.0;
/// The tool: built with the SDK, so with all that a Rust tool brings along, and trivial.
const COMPONENT: &str = "spin";
const FUNCTION: &str = "count";
const ARGUMENTS: &str = r#"{"until":1}"#;

fn main() -> ExitCode {
    match tokio::runtime::Runtime::new()
        .context("threads")
        .and_then(|runtime| runtime.block_on(bench()))
    {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            say(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// What is asked of a policy.
#[derive(Debug, Clone, Copy)]
enum Asked {
    /// A call of a tool and a caller that were decided about before.
    Again,
    /// A call of somebody who is new.
    First,
    /// A use, under the grant of a call.
    Use,
}

impl Asked {
    const ALL: [Self; 3] = [Self::Again, Self::First, Self::Use];

    fn as_str(self) -> &'static str {
        match self {
            Self::Again => "decision",
            Self::First => "first decision",
            Self::Use => "use",
        }
    }
}

/// Microseconds that half and that all but one in a hundred took at most, round by round.
#[derive(Debug, Default)]
struct Times {
    p50: Vec<f64>,
    p99: Vec<f64>,
}

impl Times {
    fn add(&mut self, mut nanos: Vec<u64>) {
        nanos.sort_unstable();
        #[expect(clippy::cast_precision_loss, reason = "nanoseconds of microseconds")]
        let at = |hundredth: usize| nanos[nanos.len() * hundredth / 100] as f64 / 1e3;
        self.p50.push(at(50));
        self.p99.push(at(99));
    }
}

/// Whether every bar holds.
async fn bench() -> Result<bool> {
    let component = component(COMPONENT)?;
    let bare = [
        Bare::new(&component, Allocation::Pooling)?,
        Bare::new(&component, Allocation::OnDemand)?,
    ];
    let worlds = [World::new(FEW)?, World::new(MANY)?];
    let mut calls: [Times; 2] = Default::default();
    let mut asked: [[Times; 2]; 3] = Default::default();
    for round in 0..=ROUNDS {
        for (bare, times) in bare.iter().zip(&mut calls) {
            let nanos = each_call(bare).await?;
            // The first round warms caches and allocators up.
            if round > 0 {
                times.add(nanos);
            }
        }
        for (what, times) in Asked::ALL.into_iter().zip(&mut asked) {
            for (world, times) in worlds.iter().zip(times) {
                let nanos = each(world, what);
                if round > 0 {
                    times.add(nanos);
                }
            }
        }
    }
    Ok(report(&calls, &asked))
}

/// Nanoseconds of each of the calls that fit into the time.
async fn each_call(bare: &Bare) -> Result<Vec<u64>> {
    let mut nanos = Vec::new();
    let begin = Instant::now();
    while begin.elapsed() < TIME {
        let call = Instant::now();
        bare.call(FUNCTION, ARGUMENTS).await?;
        nanos.push(since(call));
    }
    Ok(nanos)
}

/// Nanoseconds of each of the answers that fit into the time.
fn each(world: &World, what: Asked) -> Vec<u64> {
    let mut nanos = Vec::new();
    let begin = Instant::now();
    let mut ask = match what {
        Asked::Again => world.again(),
        Asked::First => world.first(),
        Asked::Use => world.uses(),
    };
    while begin.elapsed() < TIME {
        let call = Instant::now();
        ask();
        nanos.push(since(call));
    }
    nanos
}

fn since(begin: Instant) -> u64 {
    u64::try_from(begin.elapsed().as_nanos()).unwrap_or(u64::MAX)
}

/// Shows the figures and the bars; whether all hold.
fn report([calls, on_demand]: &[Times; 2], asked: &[[Times; 2]; 3]) -> bool {
    say(&format!(
        "{COMPONENT}-{FUNCTION} {ARGUMENTS}, {ROUNDS} rounds of {} ms, {}",
        TIME.as_millis(),
        machine()
    ));
    line("bare engine, p50", &calls.p50, "us");
    // The baseline is the fast one: instances from a pool.
    ratio("on demand / pooled", &on_demand.p50, &calls.p50);
    let mut holds = true;
    for (what, times) in Asked::ALL.into_iter().zip(asked) {
        let what = what.as_str();
        for (times, rules) in times.iter().zip([FEW, MANY]) {
            line(&format!("{what}, {rules}, p50"), &times.p50, "us");
            line(&format!("{what}, {rules}, p99"), &times.p99, "us");
        }
        let [few, many] = times;
        for (times, rules) in [(few, FEW), (many, MANY)] {
            let share = ratio(&format!("p50 {rules} / bare call"), &times.p50, &calls.p50);
            holds &= bar(share, 1.0);
        }
        let growth = ratio(&format!("p99 {MANY} / p99 {FEW}"), &many.p99, &few.p99);
        holds &= bar(growth, GROWTH_MAX);
    }
    holds
}

fn bar(value: f64, most: f64) -> bool {
    let holds = value <= most;
    let verdict = if holds { "holds" } else { "DOES NOT HOLD" };
    say(&format!("  bar: at most {most:.0}: {verdict}"));
    holds
}
