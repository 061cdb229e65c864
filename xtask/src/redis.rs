//! `cargo xtask redis`: the server that the suites of the Redis backend start.
//!
//! A machine that has `redis-server` needs nothing. On Debian and what descends from it the packages
//! are fetched and unpacked below `target/redis`, without installing anything and without rights.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use crate::command::run;
use crate::graph::Graph;

/// The server, and the libraries of it that a bare system lacks.
const PACKAGES: [&str; 5] = [
    "redis-server",
    "redis-tools",
    "libatomic1",
    "libjemalloc2",
    "liblzf1",
];
const HELP: &str = "the suites of the Redis backend need redis-server, version 6.2 or later: install \
                    it, as with `apt-get install redis-server`";

/// Sees to it that there is a server for the suites.
pub(crate) fn unpack() -> Result<()> {
    let mut version = Command::new("redis-server");
    version.arg("--version").stdout(Stdio::null());
    if version.status().is_ok_and(|status| status.success()) {
        return Ok(());
    }
    let out = Graph::members()?.target_directory.join("redis");
    if out.join("usr/bin/redis-server").is_file() {
        return Ok(());
    }
    let packages = out.join("packages");
    fs::create_dir_all(&packages).with_context(|| packages.display().to_string())?;
    if download(&packages, &[]).is_err() {
        // The machine has no list of packages, or an old one: get one without touching its own.
        let lists = out.join("apt");
        let own = private(&lists)?;
        run(apt(&packages).args(&own).arg("update")).context(HELP)?;
        download(&packages, &own).context(HELP)?;
    }
    for entry in fs::read_dir(&packages).with_context(|| packages.display().to_string())? {
        let package = entry?.path();
        if package.extension().is_some_and(|end| end == "deb") {
            let mut unpack = Command::new("dpkg-deb");
            run(unpack.arg("--extract").arg(package).arg(&out)).context(HELP)?;
        }
    }
    Ok(())
}

fn download(folder: &Path, options: &[String]) -> Result<()> {
    let mut command = apt(folder);
    run(command.args(options).arg("download").args(PACKAGES))
}

fn apt(folder: &Path) -> Command {
    let mut command = Command::new("apt-get");
    command.current_dir(folder).arg("--quiet=2");
    // Who is root would fetch as another user, who may not write here.
    command.args(["-o", "APT::Sandbox::User="]);
    command
}

/// The options by which apt keeps its lists in a folder of ours.
fn private(folder: &Path) -> Result<Vec<String>> {
    let mut options = Vec::new();
    for (name, part) in [
        ("Dir::State::lists", "lists/partial"),
        ("Dir::Cache", "cache/archives/partial"),
    ] {
        let made = folder.join(part);
        fs::create_dir_all(&made).with_context(|| made.display().to_string())?;
        let top = part.split('/').next().unwrap_or(part);
        options.push("-o".to_owned());
        options.push(format!("{name}={}", folder.join(top).display()));
    }
    Ok(options)
}
