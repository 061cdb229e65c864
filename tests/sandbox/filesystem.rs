//! The file system rows of the catalogue, through the public door: a guest that does raw operations
//! on its workspace. A canary lies beside the workspace; after each row it is as it was, and so is
//! the host.

mod limits;
mod mounts;
mod moving;
mod overlay;
mod paths;
mod rights;

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use cofferdam_testing::{Answer, Host, Leftovers, tool};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::settled;

/// What no guest may ever read.
const CANARY: &str = "canary 41c9";

/// A host with the prober, a workspace, and a canary beside it.
struct Prober {
    host: Host,
    workspace: PathBuf,
    before: Leftovers,
    /// Of a host under a policy: that, and whatever its mounts show.
    files: Option<TempDir>,
}

impl Prober {
    /// Under the policy that holds when nobody names one.
    async fn start() -> Result<Self> {
        Self::on(Host::start()?, None).await
    }

    /// Under a policy: `mounts` and the entries of `filesystem`, in which `{files}` is a directory
    /// for the test to fill.
    async fn under(mounts: &str, entries: &[&str]) -> Result<Self> {
        let files = TempDir::new()?;
        let entries: String = entries
            .iter()
            .flat_map(|entry| ["        - ", entry, "\n"])
            .collect();
        let policy = format!(
            "version: 1\nname: mounted\nmounts: {mounts}\nrules:\n  - name: prober\n    tools: \
             [\"files-prober-*\"]\n    allow:\n      filesystem:\n{entries}"
        );
        let place = files.path().to_str().context("a plain path")?;
        let file = files.path().join("policy.yaml");
        std::fs::write(&file, policy.replace("{files}", place))?;
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600))?;
        for name in ["refs", "data"] {
            std::fs::create_dir(files.path().join(name))?;
        }
        let file = file.to_str().context("a plain path")?;
        let host = Host::at(&files.path().join("host"), &["--policy", file])?;
        Self::on(host, Some(files)).await
    }

    async fn on(host: Host, files: Option<TempDir>) -> Result<Self> {
        host.hide(CANARY);
        let workspace = host.workspace("probe")?;
        let beside = host.workspace("probe2")?;
        std::fs::write(beside.join("canary"), CANARY)?;
        host.upload(tool("files-prober")?).await?.ok()?;
        let before = Leftovers::of(host.pid())?;
        let prober = Self {
            host,
            workspace,
            before,
            files,
        };
        // The first call warms up what every call uses.
        let warm = json!([{"op": "roots"}]);
        prober.call("probe", &warm).await?.ok()?;
        let before = Leftovers::of(prober.host.pid())?;
        Ok(Self { before, ..prober })
    }

    /// A place that the policy's `{files}` stands for.
    fn file(&self, name: &str) -> Result<PathBuf> {
        let files = self.files.as_ref().context("a host under a policy")?;
        Ok(files.path().join(name))
    }

    async fn call(&self, tool: &str, steps: &Value) -> Result<Answer> {
        self.call_with(tool, steps, &json!({})).await
    }

    /// With further fields of the request.
    async fn call_with(&self, tool: &str, steps: &Value, more: &Value) -> Result<Answer> {
        let access = if tool == "look" {
            "read_only"
        } else {
            "read_write"
        };
        let mut with = json!({"workspace": {"name": "probe", "access": access}});
        if let (Some(with), Some(more)) = (with.as_object_mut(), more.as_object()) {
            with.extend(more.clone());
        }
        let tool = format!("files-prober-{tool}");
        self.host.call(&tool, json!({"steps": steps}), with).await
    }

    /// Does the steps and checks what each came to.
    async fn check(&self, row: &str, steps: &[(Value, &str)]) -> Result<()> {
        self.check_as("probe", row, steps).await
    }

    async fn check_as(&self, tool: &str, row: &str, steps: &[(Value, &str)]) -> Result<()> {
        let all: Vec<&Value> = steps.iter().map(|(step, _)| step).collect();
        let body = self.call(tool, &json!(all)).await?.ok()?;
        for (n, (step, expected)) in steps.iter().enumerate() {
            let came = body["result"][n].as_str().unwrap_or("nothing");
            ensure!(came == *expected, "{row}: {step}: {came}, not {expected}");
        }
        self.check_after(row, &body).await
    }

    /// Does the steps and checks that the call ends with this limit.
    async fn check_limit(&self, row: &str, steps: &Value, limit: &str) -> Result<()> {
        let answer = self.call("probe", steps).await?;
        let error = &answer.body["error"];
        ensure!(
            error["code"] == "limit_exceeded" && error["details"]["limit"] == limit,
            "{row}: {}",
            answer.body
        );
        self.check_after(row, &answer.body).await
    }

    /// What each step came to; the canary and the host as after every row.
    async fn came(&self, row: &str, steps: &Value) -> Result<Vec<String>> {
        let body = self.call("probe", steps).await?.ok()?;
        self.check_after(row, &body).await?;
        let came = body["result"].as_array().context("a list")?.iter();
        Ok(came
            .map(|came| came.as_str().unwrap_or_default().to_owned())
            .collect())
    }

    /// The canary is as it was and nobody has seen it; the host holds no more than before.
    async fn check_after(&self, row: &str, body: &Value) -> Result<()> {
        let beside = self.host.workspace("probe2")?;
        let canary = std::fs::read_to_string(beside.join("canary"))?;
        ensure!(canary == CANARY, "{row}: the canary has changed");
        ensure!(
            std::fs::read_dir(beside)?.count() == 1,
            "{row}: a stray file"
        );
        ensure!(
            !body.to_string().contains(CANARY),
            "{row}: the canary is out"
        );
        settled(&self.host, &self.before).await
    }
}

/// Opens `path` to read it.
fn open(path: &str) -> Value {
    json!({"op": "open", "path": path, "flags": ["read", "follow"], "name": "f"})
}

fn op(op: &str, path: &str) -> Value {
    json!({"op": op, "path": path})
}
