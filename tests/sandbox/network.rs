//! The network: a tool that sends whatever it is told to, and servers on this machine that say
//! whatever a test wants.

mod limits;
mod requests;
pub(crate) mod server;
mod sockets;

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use cofferdam_testing::{Host, Leftovers, tool};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::settled;

/// A host under a policy that grants the prober these entries.
struct Wall {
    host: Host,
    before: Leftovers,
    files: TempDir,
}

/// What one call came to.
#[derive(Debug)]
struct Came {
    /// For each attempt, what the guest saw.
    result: Vec<Value>,
    /// The codes of what was refused.
    denials: Vec<String>,
}

impl Wall {
    /// `entries` is YAML below `allow`, on lines of their own.
    async fn new(entries: &str) -> Result<Self> {
        Self::within(entries, &[]).await
    }

    /// The same, with variables in the host's environment.
    async fn within(entries: &str, environment: &[(&str, &str)]) -> Result<Self> {
        let files = TempDir::new()?;
        let policy = files.path().join("policy.yaml");
        write_private(&policy, &document(entries))?;
        let policy = policy.to_str().context("a plain path")?;
        let data = files.path().join("data");
        let host = Host::with_environment(&data, &["--policy", policy], environment)?;
        host.upload(tool("http-prober")?).await?.ok()?;
        let wall = Self {
            before: Leftovers::of(host.pid())?,
            host,
            files,
        };
        // The first call warms up what every call uses.
        wall.call("send", json!({"probes": []})).await?;
        let before = Leftovers::of(wall.host.pid())?;
        Ok(Self { before, ..wall })
    }

    /// Replaces the policy by one that grants the prober nothing, while it is at work.
    fn revoke(&self) -> Result<()> {
        write_private(
            &self.files.path().join("policy.yaml"),
            &document("network: []"),
        )
    }

    async fn call(&self, function: &str, arguments: Value) -> Result<Came> {
        let name = format!("http-prober-{function}");
        let body = self.host.call(&name, arguments, json!({})).await?.ok()?;
        let denials = body["denials"].as_array().context("denials")?.iter();
        let denials = denials.filter_map(|denial| denial["code"].as_str());
        let result = match &body["result"] {
            Value::Array(all) => all.clone(),
            one => vec![one.clone()],
        };
        Ok(Came {
            result,
            denials: denials.map(str::to_owned).collect(),
        })
    }

    /// What came of one request: its status, or its error.
    async fn one(&self, probe: Value) -> Result<String> {
        let came = self.call("send", json!({"probes": [probe]})).await?;
        Ok(word(came.result.first().context("an outcome")?))
    }

    /// Sends each request in a call of its own and compares what came of it.
    async fn check(&self, cases: &[(Value, &str)]) -> Result<()> {
        for (probe, expected) in cases {
            let came = self.one(probe.clone()).await?;
            ensure!(came == *expected, "{probe}: {came} instead of {expected}");
        }
        settled(&self.host, &self.before).await
    }
}

/// The status of an answer that was read to its end, or the error.
fn word(outcome: &Value) -> String {
    match outcome["error"].as_str() {
        Some("") | None => outcome["status"].to_string(),
        Some(error) => error.to_owned(),
    }
}

fn document(entries: &str) -> String {
    let entries: String = entries
        .lines()
        .flat_map(|line| ["      ", line, "\n"])
        .collect();
    format!(
        "version: 1\nname: wall\nrules:\n  - name: prober\n    tools: [\"http-prober-*\"]\n    \
         allow:\n{entries}"
    )
}

/// A file that nobody else may write, as a policy has to be.
fn write_private(path: &Path, text: &str) -> Result<()> {
    std::fs::write(path, text)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    Ok(())
}
