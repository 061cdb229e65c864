//! `cargo xtask clients`: the official MCP clients that the mcp suite drives.
//!
//! Everything that is installed lies in `target/mcp-clients`. What is unchanged since the last time
//! is left as it is.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::command::{root, run as run_command};
use crate::graph::Graph;

/// The lists of packages and the programs that use them, relative to the repository.
const SOURCES: &str = "tests/mcp/clients";

/// The environments in the output folder: what they are called, the file that decides what is in
/// them, and how they are made.
const ENVIRONMENTS: [(&str, &str, Make); 2] = [
    ("python", "requirements.txt", python),
    ("node", "package-lock.json", node),
];

type Make = fn(&Path) -> Result<()>;

/// Installs the clients and answers the folder that holds their environments.
pub(crate) fn install() -> Result<PathBuf> {
    let out = Graph::members()?.target_directory.join("mcp-clients");
    fs::create_dir_all(&out).with_context(|| out.display().to_string())?;
    for (name, packages, make) in ENVIRONMENTS {
        let wanted = read(&source(packages))?;
        let (folder, stamp) = (out.join(name), out.join(format!("{name}.stamp")));
        if folder.exists() && fs::read(&stamp).is_ok_and(|made| made == wanted) {
            continue;
        }
        // A failed or interrupted attempt leaves no stamp, so the next time it is tried again.
        if stamp.exists() {
            fs::remove_file(&stamp).with_context(|| stamp.display().to_string())?;
        }
        make(&folder)?;
        fs::write(&stamp, wanted).with_context(|| stamp.display().to_string())?;
    }
    Ok(out)
}

/// Only wheels, and only those whose digests are listed.
fn python(folder: &Path) -> Result<()> {
    let mut create = Command::new("python3");
    create.args(["-m", "venv", "--clear"]).arg(folder);
    run_command(&mut create).context("the mcp suite needs Python 3.10 or later with venv")?;
    let mut install = Command::new(folder.join("bin/python"));
    install.args(["-m", "pip", "install", "--quiet"]);
    install.args(["--disable-pip-version-check", "--require-hashes"]);
    install.args(["--only-binary=:all:", "--requirement"]);
    run_command(install.arg(source("requirements.txt")))
}

/// The packages of the lock file, beside the programs that use them; none of their scripts run.
fn node(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    for file in ["package.json", "package-lock.json"] {
        fs::write(folder.join(file), read(&source(file))?)?;
    }
    let mut install = Command::new("npm");
    install.current_dir(folder).args(["install", "--no-save"]);
    install.args(["--ignore-scripts", "--no-audit", "--no-fund"]);
    run_command(&mut install).context("the mcp suite needs Node 20 or later with npm")
}

fn source(file: &str) -> PathBuf {
    root().join(SOURCES).join(file)
}

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).with_context(|| path.display().to_string())
}
