//! Policies that err, those that are taken away, and those who hope for either.

mod broken;
mod failing;
mod granted;
mod replaced;
mod slow;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use cofferdam_testing::{Answer, Guest, Host, Leftovers};
use serde_json::{Value, json};
use tempfile::TempDir;

/// How long a host may take to see what became of a file, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);
/// Every tool runs, and is granted nothing else.
const OPEN: &str = "version: 1\nname: open\nrules: [{tools: ['*'], allow: {}}]\n";
/// No tool runs.
const CLOSED: &str = "version: 1\nname: closed\nrules: [{tools: ['*'], deny: {call: true}}]\n";

/// A host that follows a policy file.
struct Ruled {
    host: Host,
    before: Leftovers,
    file: PathBuf,
    _directory: TempDir,
}

impl Ruled {
    /// With a guest that does nothing, called once under this policy.
    async fn start(policy: &str) -> Result<Self> {
        Self::with(policy, Guest::well_behaved().component()?, "guest-run").await
    }

    /// With a component, of which this tool was called once under this policy.
    async fn with(policy: &str, component: Vec<u8>, tool: &str) -> Result<Self> {
        let directory = TempDir::new()?;
        let file = directory.path().join("policy.yaml");
        replace(&file, policy)?;
        let host = started(directory.path(), &file)?;
        host.upload(component).await?.ok()?;
        host.call(tool, json!({}), json!({})).await?;
        let before = Leftovers::of(host.pid())?;
        Ok(Self {
            host,
            before,
            file,
            _directory: directory,
        })
    }

    async fn call(&self) -> Result<Answer> {
        self.host.call("guest-run", json!({}), json!({})).await
    }

    /// How often a line of the log says this.
    fn said(&self, part: &str) -> usize {
        self.host.log().matches(part).count()
    }

    /// Waits until the log says this so often.
    async fn until_said(&self, part: &str, times: usize) -> Result<()> {
        let patience = Instant::now() + PATIENCE;
        while self.said(part) < times {
            ensure!(Instant::now() < patience, "the host never said `{part}`");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok(())
    }

    async fn records(&self, act: &str) -> Result<Vec<Value>> {
        records(&self.host, act).await
    }
}

/// The records of this kind, the oldest first.
async fn records(host: &Host, act: &str) -> Result<Vec<Value>> {
    let mut records = Vec::new();
    let mut after = String::new();
    loop {
        let path = format!("/api/v1/audit?limit=1000{after}");
        let page = host.get(&path).await?.ok()?;
        let items = page["items"].as_array().context("records")?.iter();
        records.extend(items.filter(|item| item["act"] == act).cloned());
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    records.reverse();
    Ok(records)
}

/// What the host says when another policy came into force.
const IN_FORCE: &str = "another policy is in force";
/// What it says when one could not.
const REFUSED: &str = "the policy file is refused";

fn started(directory: &Path, file: &Path) -> Result<Host> {
    let file = file.to_str().context("a plain path")?;
    Host::at(&directory.join("data"), &["--policy", file])
}

/// Puts a file in the place of another at once, for nobody else to write.
fn replace(file: &Path, text: &str) -> Result<()> {
    let fresh = file.with_extension("new");
    fs::write(&fresh, text)?;
    fs::set_permissions(&fresh, fs::Permissions::from_mode(0o600))?;
    Ok(fs::rename(&fresh, file)?)
}
