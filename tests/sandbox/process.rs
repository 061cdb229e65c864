//! Programs of the machine, started by a tool: what policy grants, and that nothing else happens.

mod confined;
mod decided;
mod ended;

use std::path::Path;

use anyhow::{Context, Result};
use cofferdam_testing::{Answer, Host, Leftovers, settled, tool};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A host under a policy, with the component `process-prober` and a workspace.
struct Ruled {
    host: Host,
    before: Leftovers,
    directory: TempDir,
}

impl Ruled {
    /// `policy` is what stands below `version` and `name`.
    async fn start(policy: &str) -> Result<Self> {
        let directory = TempDir::new()?;
        let file = directory.path().join("policy.yaml");
        std::fs::write(&file, format!("version: 1\nname: probed\n{policy}"))?;
        let file = file.to_str().context("a path in UTF-8")?.to_owned();
        let host = Host::at(&directory.path().join("data"), &["--policy", &file])?;
        host.upload(tool("process-prober")?).await?.ok()?;
        std::fs::create_dir_all(Self::place(directory.path()).join("sub"))?;
        let before = Leftovers::of(host.pid())?;
        Ok(Self {
            host,
            before,
            directory,
        })
    }

    fn place(directory: &Path) -> std::path::PathBuf {
        directory.join("data/workspaces/demo")
    }

    /// The host is as it was before the calls.
    async fn settled(&self) -> Result<()> {
        settled(&self.host, &self.before).await
    }

    /// The workspace's directory.
    fn workspace(&self) -> std::path::PathBuf {
        Self::place(self.directory.path())
    }

    /// Calls `start` with further fields of the call.
    async fn call(&self, arguments: Value, with: Value) -> Result<Answer> {
        let mut all = json!({"workspace": {"name": "demo", "access": "read_write"}});
        if let (Some(all), Value::Object(with)) = (all.as_object_mut(), with) {
            all.extend(with);
        }
        self.host.call("process-prober-start", arguments, all).await
    }

    /// What a start that is granted says.
    async fn said(&self, arguments: Value) -> Result<Value> {
        Ok(self.call(arguments, json!({})).await?.ok()?["result"].clone())
    }

    /// The tool's own word for why nothing was started, or the host's.
    async fn code(&self, arguments: Value) -> Result<String> {
        Ok(code(&self.call(arguments, json!({})).await?))
    }
}

fn code(answer: &Answer) -> String {
    let error = &answer.body["error"];
    let own = error["details"]["tool_code"].as_str();
    own.or(error["code"].as_str()).unwrap_or("ok").to_owned()
}

/// The processes of the machine that carry this word in their command line.
fn alive(word: &str) -> usize {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    entries
        .filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok())
        .filter(|line| String::from_utf8_lossy(line).contains(word))
        .count()
}
