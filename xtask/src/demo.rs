//! `cargo xtask demo`: the product's main job, on this repository's own data.

use anyhow::{Result, bail};

/// Runs the demo.
pub(crate) fn run(_json: bool) -> Result<()> {
    bail!("there is no host to show")
}
