//! Licences and bans, read from the same `deny.toml` that cargo-deny reads.
//!
//! cargo-deny takes minutes to install, and these two questions are answered by `cargo metadata`.
//! It stays the better answer where it is installed: it also knows the advisories.

mod licence;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::command::{self, cargo, root};
use crate::graph::{Graph, Package};

/// `deny.toml`, as far as it is checked here; the rest is cargo-deny's.
#[derive(Debug, Deserialize)]
pub(crate) struct Config {
    graph: Targets,
    licenses: Licences,
    bans: Bans,
}

#[derive(Debug, Deserialize)]
struct Targets {
    targets: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Licences {
    allow: BTreeSet<String>,
}

#[derive(Debug, Deserialize)]
struct Bans {
    deny: Vec<Ban>,
}

/// One entry of `[bans] deny`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Ban {
    #[serde(rename = "crate")]
    name: String,
    /// Those who may depend on it; nobody when empty.
    #[serde(default)]
    wrappers: Vec<String>,
    /// The crate is fine, two versions of it are not.
    #[serde(default)]
    deny_multiple_versions: bool,
    #[serde(default)]
    reason: Option<String>,
}

impl Config {
    pub(crate) fn load() -> Result<Self> {
        let path = root().join("deny.toml");
        let text = fs::read_to_string(&path).context("deny.toml")?;
        toml::from_str(&text).context("deny.toml")
    }

    /// Members that declare a crate which another member owns. Needs no resolved graph.
    pub(crate) fn members(&self, graph: &Graph) -> Vec<String> {
        let mut faults = Vec::new();
        for package in &graph.packages {
            for dependency in &package.dependencies {
                for ban in self
                    .bans
                    .deny
                    .iter()
                    .filter(|ban| ban.name == dependency.name)
                {
                    faults.extend(ban.edge(&package.name));
                }
            }
        }
        faults
    }

    /// Faults of everything that is linked.
    fn check(&self, graph: &Graph) -> Vec<String> {
        let nodes = graph.resolve.iter().flat_map(|resolve| &resolve.nodes);
        let packages: BTreeMap<&str, &Package> = graph
            .packages
            .iter()
            .map(|package| (package.id.as_str(), package))
            .collect();
        let mut faults = Vec::new();
        let mut versions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for node in nodes {
            let Some(package) = packages.get(node.id.as_str()) else {
                continue;
            };
            faults.extend(self.licence(package));
            versions
                .entry(&package.name)
                .or_default()
                .insert(&package.version);
            for dependency in &node.dependencies {
                let Some(dependency) = packages.get(dependency.as_str()) else {
                    continue;
                };
                for ban in self
                    .bans
                    .deny
                    .iter()
                    .filter(|ban| ban.name == dependency.name)
                {
                    faults.extend(ban.edge(&package.name));
                }
            }
        }
        if versions.is_empty() {
            faults.push("no package was found to check".to_owned());
        }
        for ban in self
            .bans
            .deny
            .iter()
            .filter(|ban| ban.deny_multiple_versions)
        {
            let found = versions.get(ban.name.as_str()).into_iter().flatten();
            let found: Vec<&str> = found.copied().collect();
            if found.len() > 1 {
                faults.push(format!(
                    "{}: two versions, {}",
                    ban.name,
                    found.join(" and ")
                ));
            }
        }
        faults
    }

    fn licence(&self, package: &Package) -> Option<String> {
        let name = format!("{} {}", package.name, package.version);
        let Some(text) = &package.license else {
            return Some(format!("{name}: declares no licence"));
        };
        match licence::is_satisfied(text, &self.licenses.allow) {
            Ok(true) => None,
            Ok(false) => Some(format!("{name}: licence `{text}` is not on the list")),
            Err(reason) => Some(format!("{name}: licence `{text}`: {reason}")),
        }
    }
}

impl Ban {
    /// Why `user` may not depend on this crate.
    fn edge(&self, user: &str) -> Option<String> {
        if self.deny_multiple_versions || self.wrappers.iter().any(|wrapper| wrapper == user) {
            return None;
        }
        let name = &self.name;
        Some(match &self.reason {
            Some(reason) => format!("{user} uses {name}, which is banned: {reason}"),
            None => format!(
                "{user} uses {name}; only these may: {}",
                self.wrappers.join(", ")
            ),
        })
    }
}

/// Checks everything that is linked, and the advisories where cargo-deny is installed.
pub(crate) fn run() -> Result<()> {
    let config = Config::load()?;
    let graph = Graph::resolved(&config.graph.targets)?;
    let faults = config.check(&graph);
    for fault in &faults {
        eprintln!("deny: {fault}");
    }
    if !faults.is_empty() {
        bail!("faults: {}", faults.len());
    }
    eprintln!("deny: {} packages", graph.packages.len());
    if command::read(&mut cargo(["deny", "--version"])).is_ok() {
        command::run(&mut cargo([
            "deny",
            "check",
            "advisories",
            "bans",
            "licenses",
            "sources",
        ]))?;
    } else {
        eprintln!("deny: cargo-deny is not installed; the advisories were not checked");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const CONFIG: &str = r#"
        [graph]
        targets = ["x86_64-unknown-linux-gnu"]
        [licenses]
        allow = ["MIT"]
        [bans]
        multiple-versions = "allow"
        deny = [
            { crate = "ring", reason = "one provider" },
            { crate = "axum", wrappers = ["http"] },
            { crate = "tokio", deny-multiple-versions = true },
        ]
    "#;

    /// A resolved graph of (name, version, licence, ids it depends on).
    fn graph(packages: &[(&str, &str, Option<&str>, &[&str])]) -> Graph {
        let id = |name: &str, version: &str| format!("{name}@{version}");
        let nodes: Vec<Value> = packages
            .iter()
            .map(
                |(name, version, _, needs)| json!({"id": id(name, version), "dependencies": needs}),
            )
            .collect();
        let packages: Vec<Value> = packages
            .iter()
            .map(|(name, version, licence, needs)| {
                let needs: Vec<Value> = needs
                    .iter()
                    .map(|id| json!({"name": id.split('@').next(), "kind": null}))
                    .collect();
                json!({
                    "id": id(name, version), "name": name, "version": version, "license": licence,
                    "manifest_path": "/repo/Cargo.toml", "targets": [], "dependencies": needs,
                })
            })
            .collect();
        serde_json::from_value(json!({
            "packages": packages, "workspace_root": "/repo", "target_directory": "/repo/target",
            "resolve": {"nodes": nodes},
        }))
        .expect("the sample has the shape of cargo's answer")
    }

    fn config() -> Config {
        toml::from_str(CONFIG).expect("the sample has the shape of deny.toml")
    }

    #[test]
    fn each_ban_finds_its_crate() {
        let mit = Some("MIT");
        let good = graph(&[
            ("http", "1.0.0", mit, &["axum@1.0.0", "tokio@1.0.0"]),
            ("axum", "1.0.0", mit, &[]),
            ("tokio", "1.0.0", mit, &[]),
        ]);
        assert_eq!(config().check(&good), [""; 0]);
        assert_eq!(config().members(&good), [""; 0]);
        let bad = graph(&[
            ("cli", "1.0.0", mit, &["axum@1.0.0", "ring@1.0.0"]),
            ("axum", "1.0.0", Some("GPL-3.0"), &[]),
            ("ring", "1.0.0", None, &[]),
            ("tokio", "1.0.0", mit, &[]),
            ("tokio", "2.0.0", mit, &[]),
        ]);
        let edges = [
            "cli uses axum; only these may: http",
            "cli uses ring, which is banned: one provider",
        ];
        assert_eq!(config().members(&bad), edges);
        let rest = [
            "axum 1.0.0: licence `GPL-3.0` is not on the list",
            "ring 1.0.0: declares no licence",
            "tokio: two versions, 1.0.0 and 2.0.0",
        ];
        assert_eq!(config().check(&bad), [&edges[..], &rest[..]].concat());
    }

    #[test]
    fn nothing_to_check_is_a_fault() {
        assert_eq!(
            config().check(&graph(&[])),
            ["no package was found to check"]
        );
    }
}
