//! What tools keep, whom they call, what they are told of time and chance, and how much they may have:
//! each bounded by a policy file, seen from outside.

mod crowds;
mod kept;
mod nested;
mod replayed;
mod revoked;

use anyhow::{Context, Result};
use cofferdam_testing::{Answer, Host, Leftovers, settled, tool};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A host under a policy, with the component `state-prober`.
struct Ruled {
    host: Host,
    before: Leftovers,
    directory: TempDir,
}

/// A policy of which `rest` stands below `version` and `name`.
fn text(rest: &str) -> String {
    format!("version: 1\nname: probed\n{rest}")
}

impl Ruled {
    /// `policy` is what stands below `version` and `name`.
    async fn start(policy: &str, arguments: &[&str]) -> Result<Self> {
        let directory = TempDir::new()?;
        let file = directory.path().join("policy.yaml");
        std::fs::write(&file, text(policy))?;
        let file = file.to_str().context("a path in UTF-8")?.to_owned();
        let arguments: Vec<_> = ["--policy", &file]
            .into_iter()
            .chain(arguments.iter().copied())
            .collect();
        let host = Host::at(&directory.path().join("data"), &arguments)?;
        host.upload(tool("state-prober")?).await?.ok()?;
        Ok(Self {
            before: Leftovers::of(host.pid())?,
            host,
            directory,
        })
    }

    /// The host is as it was before the calls.
    async fn settled(&self) -> Result<()> {
        settled(&self.host, &self.before).await
    }

    /// Puts another policy in the place of the first, at once.
    fn put(&self, policy: &str) -> Result<()> {
        let directory = self.directory.path();
        let next = directory.join("next.yaml");
        std::fs::write(&next, text(policy))?;
        std::fs::rename(next, directory.join("policy.yaml"))?;
        Ok(())
    }

    /// Calls a tool of `state-prober`.
    async fn call(&self, function: &str, arguments: Value) -> Result<Answer> {
        let tool = format!("state-prober-{function}");
        self.host.call(&tool, arguments, json!({})).await
    }

    /// The result of a call that succeeds.
    async fn result(&self, function: &str, arguments: Value) -> Result<Value> {
        Ok(self.call(function, arguments).await?.ok()?["result"].clone())
    }

    /// The tool's own word for why it failed, or the host's.
    async fn code(&self, function: &str, arguments: Value) -> Result<String> {
        let answer = self.call(function, arguments).await?;
        let error = &answer.body["error"];
        let own = error["details"]["tool_code"].as_str();
        Ok(own.or(error["code"].as_str()).unwrap_or("ok").to_owned())
    }
}
