//! What cargo knows about the workspace: packages and who depends on whom.

use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::command::{cargo, read};

/// The answer of `cargo metadata`, as far as the chores need it.
#[derive(Debug, Deserialize)]
pub(crate) struct Graph {
    pub(crate) packages: Vec<Package>,
    pub(crate) workspace_root: PathBuf,
    pub(crate) target_directory: PathBuf,
    /// Absent when only the members were asked for.
    pub(crate) resolve: Option<Resolve>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Package {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) license: Option<String>,
    pub(crate) manifest_path: PathBuf,
    pub(crate) dependencies: Vec<Dependency>,
    pub(crate) targets: Vec<Target>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Target {
    pub(crate) kind: Vec<String>,
    pub(crate) src_path: PathBuf,
}

/// A dependency as a manifest declares it.
#[derive(Debug, Deserialize)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    /// `None` is a normal one.
    pub(crate) kind: Option<Kind>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    Build,
    Dev,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Resolve {
    pub(crate) nodes: Vec<Node>,
}

/// One package of the build and the packages that it links.
#[derive(Debug, Deserialize)]
pub(crate) struct Node {
    pub(crate) id: String,
    pub(crate) dependencies: Vec<String>,
}

impl Graph {
    /// The workspace's own packages and what they declare.
    pub(crate) fn members() -> Result<Self> {
        Self::load(&["--no-deps"])
    }

    /// Everything that is linked on the given targets.
    pub(crate) fn resolved(targets: &[String]) -> Result<Self> {
        let filters: Vec<&str> = targets
            .iter()
            .flat_map(|target| ["--filter-platform", target])
            .collect();
        Self::load(&filters)
    }

    fn load(args: &[&str]) -> Result<Self> {
        let fixed = ["metadata", "--format-version", "1"];
        let mut command = cargo(fixed.into_iter().chain(args.iter().copied()));
        // On a fresh machine it downloads for a while, and says so there.
        let text = read(command.stderr(Stdio::inherit()))?;
        serde_json::from_str(&text).context("the answer of `cargo metadata`")
    }

    /// The folder of a member relative to the root, with `/` between its parts.
    pub(crate) fn folder(&self, package: &Package) -> String {
        let folder = package
            .manifest_path
            .parent()
            .unwrap_or(&self.workspace_root);
        let folder = folder.strip_prefix(&self.workspace_root).unwrap_or(folder);
        folder.to_string_lossy().replace('\\', "/")
    }
}
