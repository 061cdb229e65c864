//! What the benchmarks share: where the tools are, and how figures are shown.

use std::path::PathBuf;

use anyhow::{Context, Result};

/// The bytes of a tool's component.
pub(crate) fn component(name: &str) -> Result<Vec<u8>> {
    let folder = tools_folder().context("COFFERDAM_TOOLS; run `cargo xtask bench NAME`")?;
    let path = PathBuf::from(folder).join(format!("{name}.wasm"));
    std::fs::read(&path).with_context(|| path.display().to_string())
}

#[expect(
    clippy::disallowed_methods,
    reason = "how the driver says where the tools are"
)]
fn tools_folder() -> Option<std::ffi::OsString> {
    std::env::var_os("COFFERDAM_TOOLS")
}

/// The machine, as far as it matters to figures.
pub(crate) fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or("?");
    format!("{cores} cores, load {load}")
}

#[expect(
    clippy::print_stdout,
    reason = "the figures are what these programs are for"
)]
pub(crate) fn say(line: &str) {
    println!("{line}");
}

pub(crate) fn line(name: &str, values: &[f64], unit: &str) {
    let (low, median, high) = spread(values.to_vec());
    say(&format!(
        "{name:<26} {median:>10.1} {unit} ({low:.1} to {high:.1})"
    ));
}

/// The ratio in each round, and its spread. Gives the median.
pub(crate) fn ratio(name: &str, above: &[f64], below: &[f64]) -> f64 {
    let (low, median, high) = spread(
        above
            .iter()
            .zip(below)
            .map(|(above, below)| above / below)
            .collect(),
    );
    say(&format!(
        "{name:<26} {median:>10.2} ({low:.2} to {high:.2})"
    ));
    median
}

fn spread(mut values: Vec<f64>) -> (f64, f64, f64) {
    values.sort_by(f64::total_cmp);
    (
        values[0],
        values[values.len() / 2],
        values[values.len() - 1],
    )
}
