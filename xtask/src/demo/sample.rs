//! The demo's data: this repository, as it is.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::command::{cargo, line, read, root};

/// What the workspace holds.
pub(super) struct Facts {
    pub(super) sources: usize,
    metadata: String,
}

impl Facts {
    /// For programs, with the command that made the metadata: they can check the report with it.
    pub(super) fn as_json(&self) -> Value {
        json!({"sources": self.sources, "metadata": self.metadata})
    }
}

/// Fills a new workspace with the sources of the host and `metadata.json`.
pub(super) fn fill(workspace: &Path) -> Result<Facts> {
    let sources = copy(&root().join("host"), &workspace.join("host"))?;
    let mut rustc = std::process::Command::new("rustc");
    let target = read(rustc.current_dir(root()).args(["--print", "host-tuple"]))?;
    // One platform: a fresh machine has fetched its packages and not those of others.
    let args = [
        "metadata",
        "--format-version",
        "1",
        "--filter-platform",
        target.trim(),
    ];
    let mut command = cargo(args);
    let text = read(&mut command)?;
    fs::write(workspace.join("metadata.json"), text).context("metadata.json")?;
    Ok(Facts {
        sources,
        metadata: line(&command),
    })
}

/// Copies the files below `from`, and answers how many sources of Rust are among them.
fn copy(from: &Path, to: &Path) -> Result<usize> {
    fs::create_dir_all(to).with_context(|| to.display().to_string())?;
    let mut sources = 0;
    for entry in fs::read_dir(from).with_context(|| from.display().to_string())? {
        let entry = entry?;
        let (path, target) = (entry.path(), to.join(entry.file_name()));
        if entry.file_type()?.is_dir() {
            sources += copy(&path, &target)?;
        } else {
            fs::copy(&path, &target).with_context(|| path.display().to_string())?;
            sources += usize::from(path.extension().is_some_and(|extension| extension == "rs"));
        }
    }
    Ok(sources)
}
