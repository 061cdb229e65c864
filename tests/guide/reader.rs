//! Somebody who types commands into a shell, in a directory and with a host of their own.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Context, Result};
use cofferdam_testing::binary;
use tempfile::TempDir;

/// Where commands run.
pub(crate) struct Reader {
    folder: TempDir,
    path: std::ffi::OsString,
}

impl Reader {
    pub(crate) fn new() -> Result<Self> {
        let binary = binary()?;
        let folder = binary.parent().context("the binary's folder")?;
        Ok(Self {
            folder: TempDir::new()?,
            path: search_path(folder)?,
        })
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file into the folder.
    pub(crate) fn save(&self, name: &str, bytes: Vec<u8>) -> Result<PathBuf> {
        let path = self.folder().join(name);
        std::fs::write(&path, bytes)?;
        Ok(path)
    }

    pub(crate) fn command(&self, line: &str) -> Command {
        let mut command = Command::new("bash");
        command
            .args(["-c", line])
            .current_dir(self.folder())
            .env("PATH", &self.path)
            .env("COFFERDAM_DATA_DIR", self.folder().join("data"));
        command
    }

    pub(crate) fn run(&self, line: &str) -> Result<Output> {
        Ok(self.command(line).output()?)
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the reader's shell finds the command on its path"
)]
fn search_path(folder: &Path) -> Result<std::ffi::OsString> {
    let rest = std::env::var_os("PATH").unwrap_or_default();
    let own = std::iter::once(folder.to_owned());
    Ok(std::env::join_paths(
        own.chain(std::env::split_paths(&rest)),
    )?)
}

/// Everything that a command printed.
pub(crate) fn said(output: &Output) -> String {
    let text = [&output.stdout[..], &output.stderr[..]].concat();
    String::from_utf8_lossy(&text).into_owned()
}
