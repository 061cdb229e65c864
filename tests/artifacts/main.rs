//! Compiled components on disk: what the second start saves, what is never taken from a file, and
//! adding that is watched instead of waited for.

mod added;
mod second_start;
mod trusted;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use cofferdam_testing::{Guest, Host};
use serde_json::json;

/// A component with one tool, `NAME-run`, that answers `true`.
fn guest(name: &str, version: &str) -> Result<Vec<u8>> {
    Guest::well_behaved().named(name, version).component()
}

/// Calls the tool of such a component.
async fn call(host: &Host, name: &str) -> Result<()> {
    let answer = host
        .call(&format!("{name}-run"), json!({}), json!({}))
        .await?;
    let answer = answer.ok()?;
    ensure!(answer["result"] == true, "{answer}");
    Ok(())
}

/// The files in a data directory's place for compiled components.
fn compiled(data: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(data.join("compiled"))?;
    entries.map(|entry| Ok(entry?.path())).collect()
}

/// The only such file.
fn only_compiled(data: &Path) -> Result<PathBuf> {
    let mut files = compiled(data)?;
    ensure!(files.len() == 1, "{files:?}");
    files.pop().context("one file")
}
