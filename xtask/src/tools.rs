//! `cargo xtask tools`: first-party tools and the guests of the suites, built for the sandbox.

use std::fs;
use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context, Result};

use crate::command::{cargo, read, root, run};
use crate::graph::Graph;

/// What a component is compiled for.
pub(crate) const TARGET: &str = "wasm32-wasip2";
/// Folders whose crates are components.
const FOLDERS: [&str; 2] = ["tools/", "tests/guests/"];

/// Builds every component and answers the folder that holds them, one `NAME.wasm` each.
pub(crate) fn build() -> Result<PathBuf> {
    add_target()?;
    let graph = Graph::members()?;
    let is_guest = |folder: String| FOLDERS.iter().any(|prefix| folder.starts_with(prefix));
    // The package and the name of what is shipped: its folder's, which may be that of a foreign crate.
    let guests: Vec<(&str, String)> = graph
        .packages
        .iter()
        .map(|package| (package.name.as_str(), graph.folder(package)))
        .filter(|(_, folder)| is_guest(folder.clone()))
        .collect();

    let fixed = ["build", "--profile", "tool", "--target", TARGET];
    let packages = guests
        .iter()
        .flat_map(|(package, _)| ["--package", package]);
    run(&mut cargo(fixed.into_iter().chain(packages)))?;

    let built = graph.target_directory.join(TARGET).join("tool");
    let tools = graph.target_directory.join("tools");
    fs::create_dir_all(&tools).with_context(|| tools.display().to_string())?;
    for (package, folder) in guests {
        let from = built.join(format!("{}.wasm", package.replace('-', "_")));
        let name = folder.rsplit('/').next().unwrap_or(package);
        let to = tools.join(format!("{name}.wasm"));
        fs::copy(&from, &to).with_context(|| format!("copying {}", from.display()))?;
    }
    Ok(tools)
}

/// Installs the standard library of the target unless it is there.
pub(crate) fn add_target() -> Result<()> {
    let args = ["--print", "target-libdir", "--target", TARGET];
    let mut rustc = std::process::Command::new("rustc");
    let library = read(rustc.current_dir(root()).args(args))?;
    if PathBuf::from(library.trim()).is_dir() {
        return Ok(());
    }
    let mut rustup = std::process::Command::new("rustup");
    rustup
        .current_dir(root())
        .args(["target", "add", TARGET])
        .stdin(Stdio::null());
    run(&mut rustup).with_context(|| {
        format!(
            "The tools need Rust's target {TARGET}. With rustup from https://rustup.rs this chore \
             adds it by itself; without rustup, install your distribution's package for it."
        )
    })
}
