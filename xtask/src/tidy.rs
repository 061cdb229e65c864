//! Rules that hold the house together and that no compiler checks.

mod edges;
mod errors;
mod sizes;
mod text;

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::attack;
use crate::command::root;
use crate::deny;
use crate::graph::Graph;

/// What is read: source text that people write. Data of tests may be as broken as it likes.
const EXTENSIONS: [&str; 7] = ["md", "rs", "sh", "toml", "wit", "yaml", "yml"];
/// Hidden folders that belong to the project.
const HIDDEN: [&str; 2] = [".cargo", ".ci"];

/// A file of the repository.
pub(crate) struct Source {
    /// Relative to the root, with `/` between its parts.
    pub(crate) path: String,
    pub(crate) text: String,
}

impl Source {
    pub(crate) fn is_rust(&self) -> bool {
        extension(&self.path) == Some("rs")
    }

    /// A file that only tests and benches compile; the stores' conformance suite is one.
    fn is_test(&self) -> bool {
        let is_suite = |part| ["benches", "conformance", "tests"].contains(&part);
        self.path.trim_end_matches(".rs").split('/').any(is_suite)
    }
}

/// Checks all rules and reports every fault at once.
pub(crate) fn run() -> Result<()> {
    let graph = Graph::members()?;
    let sources = sources(root())?;
    let owners = deny::Config::load()?;

    let mut faults = edges::check(&graph);
    faults.extend(owners.members(&graph));
    let (sizes, summary) = sizes::check(&sources);
    faults.extend(sizes);
    faults.extend(text::check(&sources));
    faults.extend(text::undocumented(&graph, &sources));
    faults.extend(errors::check(&sources));
    faults.extend(attack::faults(&sources));

    if faults.is_empty() {
        eprintln!("tidy: {} crates, {summary}", graph.packages.len());
        return Ok(());
    }
    for fault in &faults {
        eprintln!("tidy: {fault}");
    }
    bail!("faults: {}", faults.len());
}

pub(crate) fn sources(root: &Path) -> Result<Vec<Source>> {
    let mut found = Vec::new();
    walk(root, "", &mut found)?;
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}

fn walk(folder: &Path, prefix: &str, found: &mut Vec<Source>) -> Result<()> {
    let entries = fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{prefix}{name}");
        if entry.file_type()?.is_dir() {
            let hidden = name.starts_with('.') && !HIDDEN.contains(&name.as_str());
            if !hidden && name != "target" && name != "node_modules" {
                walk(&entry.path(), &format!("{path}/"), found)?;
            }
        } else if is_text(&path) {
            let text = fs::read_to_string(entry.path()).with_context(|| path.clone())?;
            found.push(Source { path, text });
        }
    }
    Ok(())
}

fn is_text(path: &str) -> bool {
    extension(path).is_some_and(|it| EXTENSIONS.contains(&it)) || path.starts_with(".ci/")
}

fn extension(path: &str) -> Option<&str> {
    Path::new(path).extension()?.to_str()
}
