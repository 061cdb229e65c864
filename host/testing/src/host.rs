use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::log::Log;

/// How long a host may take to come up on a busy machine, and a client to hear from it.
const PATIENCE: Duration = Duration::from_mins(2);
/// How long a client keeps a connection that it doesn't use: soon gone, so that a host's descriptors
/// can be counted.
const IDLE: Duration = Duration::from_secs(1);
/// How long a large component may take to compile there; the host gives up before.
const COMPILING: Duration = Duration::from_mins(10);

/// The real host, as a child process on a free port with a data directory of its own. Killed when
/// dropped.
pub struct Host {
    child: Child,
    address: String,
    key: String,
    data: PathBuf,
    client: reqwest::Client,
    log: Log,
    /// The ids of the calls that were answered.
    calls: Mutex<Vec<String>>,
    /// What its log must not show.
    canaries: Mutex<Vec<String>>,
    /// Deleted with the host unless the directory was given.
    temporary: Option<TempDir>,
}

/// What a request answers.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body; `null` when it is not JSON.
    pub body: Value,
}

impl Answer {
    /// The error's code, or nothing for a success.
    pub fn code(&self) -> Option<&str> {
        self.body["error"]["code"].as_str()
    }

    /// The call's id, whether it succeeded or not.
    pub fn call_id(&self) -> Option<&str> {
        let of_error = &self.body["error"]["details"]["call_id"];
        self.body["call_id"].as_str().or(of_error.as_str())
    }

    /// The body of a success; an error otherwise.
    pub fn ok(self) -> Result<Value> {
        ensure!(self.status < 300, "{}: {}", self.status, self.body);
        Ok(self.body)
    }
}

/// The host's binary: `$COFFERDAM_BIN`, else the one beside the tests.
pub fn binary() -> Result<PathBuf> {
    built("COFFERDAM_BIN", "cofferdam", "cargo build -p cofferdam-cli")
}

/// A built tool or guest by name, as `cargo xtask tools` leaves it.
pub fn tool(name: &str) -> Result<Vec<u8>> {
    let folder = match setting("COFFERDAM_TOOLS") {
        Some(folder) => PathBuf::from(folder),
        None => target()?.join("tools"),
    };
    let path = folder.join(format!("{name}.wasm"));
    std::fs::read(&path)
        .with_context(|| format!("{} is missing; run `cargo xtask tools`", path.display()))
}

/// A file of the interop suite, as `cargo xtask interop` leaves it.
pub fn interop(name: &str) -> Result<PathBuf> {
    let folder = match setting("COFFERDAM_INTEROP") {
        Some(folder) => PathBuf::from(folder),
        None => target()?.join("interop"),
    };
    let path = folder.join(name);
    ensure!(
        path.exists(),
        "{} is missing; run `cargo xtask interop`",
        path.display()
    );
    Ok(path)
}

/// A variable that `cargo xtask test` sets.
#[expect(
    clippy::disallowed_methods,
    reason = "how the driver of the suites says where things are"
)]
pub(crate) fn setting(variable: &str) -> Option<std::ffi::OsString> {
    std::env::var_os(variable)
}

fn built(variable: &str, name: &str, advice: &str) -> Result<PathBuf> {
    let path = match setting(variable) {
        Some(path) => PathBuf::from(path),
        None => target()?.join("debug").join(name),
    };
    ensure!(
        path.is_file(),
        "{} is missing; run `{advice}`",
        path.display()
    );
    Ok(path)
}

/// The target directory: tests run from `target/debug/deps`.
fn target() -> Result<PathBuf> {
    let program = std::env::current_exe()?;
    let target = program
        .ancestors()
        .nth(3)
        .context("the test runs outside a target directory")?;
    Ok(target.to_owned())
}

impl Host {
    /// Starts a host on an empty embedded store.
    pub fn start() -> Result<Self> {
        let temporary = TempDir::new()?;
        let data = temporary.path().join("data");
        let mut host = Self::at(&data, &[])?;
        host.temporary = Some(temporary);
        Ok(host)
    }

    /// Starts a host on this data directory, with further arguments of `serve`.
    pub fn at(data: &Path, arguments: &[&str]) -> Result<Self> {
        Self::with_environment(data, arguments, &[])
    }

    /// The same, with further variables in its environment.
    pub fn with_environment(
        data: &Path,
        arguments: &[&str],
        environment: &[(&str, &str)],
    ) -> Result<Self> {
        Self::by(&binary()?, data, arguments, environment)
    }

    /// The same, by a program that becomes the host.
    pub fn by(
        program: &Path,
        data: &Path,
        arguments: &[&str],
        environment: &[(&str, &str)],
    ) -> Result<Self> {
        let mut child = Command::new(program)
            .envs(environment.iter().copied())
            .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
            .arg(data)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let log = Log::follow(child.stderr.take().context("the host's stderr")?);
        let mut lines = BufReader::new(child.stdout.take().context("the host's stdout")?).lines();
        let Some(line) = lines.next().transpose()? else {
            let status = child.wait()?;
            bail!("the host ended at its start: {status}: {}", log.end());
        };
        let address = line
            .strip_prefix("listening on ")
            .with_context(|| format!("not an address: {line}"))?;
        // Read on, so that the host never blocks on a full pipe.
        std::thread::spawn(move || lines.for_each(drop));
        let key = std::fs::read_to_string(data.join("admin.key")).context("the admin key")?;
        let client = reqwest::Client::builder()
            .no_proxy()
            .timeout(PATIENCE)
            .pool_idle_timeout(IDLE)
            .tcp_nodelay(true)
            .build()?;
        let key = key.trim().to_owned();
        Ok(Self {
            child,
            address: address.to_owned(),
            canaries: Mutex::new(vec![key.clone()]),
            key,
            data: data.to_owned(),
            client,
            log,
            calls: Mutex::default(),
            temporary: None,
        })
    }

    /// `http://127.0.0.1:PORT`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The key of the admin.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Its data directory.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// What it has written to its log.
    pub fn log(&self) -> String {
        self.log.text()
    }

    /// A text that nobody may see: [`crate::settled`] looks for it in the log, as for the admin's
    /// key.
    pub fn hide(&self, canary: &str) {
        let mut canaries = self.canaries.lock().unwrap_or_else(PoisonError::into_inner);
        canaries.push(canary.to_owned());
    }

    pub(crate) fn canaries(&self) -> Vec<String> {
        let canaries = self.canaries.lock().unwrap_or_else(PoisonError::into_inner);
        canaries.clone()
    }

    /// The ids of the calls that [`Self::call`] had an answer to.
    pub(crate) fn calls(&self) -> Vec<String> {
        let calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        calls.clone()
    }

    /// The directory of a workspace, made if need be.
    pub fn workspace(&self, name: &str) -> Result<PathBuf> {
        let path = self.data.join("workspaces").join(name);
        std::fs::create_dir_all(&path)?;
        Ok(path)
    }

    /// A request to build on, with the admin's key.
    pub fn request(&self, method: &str, path: &str) -> Result<reqwest::RequestBuilder> {
        let url = format!("{}{path}", self.address);
        Ok(self
            .client
            .request(method.parse()?, url)
            .bearer_auth(&self.key))
    }

    /// Sends a request.
    pub async fn send(&self, request: reqwest::RequestBuilder) -> Result<Answer> {
        let response = request.send().await?;
        let status = response.status().as_u16();
        let body = serde_json::from_slice(&response.bytes().await?).unwrap_or(Value::Null);
        Ok(Answer { status, body })
    }

    /// `GET path`.
    pub async fn get(&self, path: &str) -> Result<Answer> {
        self.send(self.request("GET", path)?).await
    }

    /// `POST path` with a JSON body.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Answer> {
        self.send(self.request("POST", path)?.json(body)).await
    }

    /// Adds a component.
    pub async fn upload(&self, component: Vec<u8>) -> Result<Answer> {
        self.upload_as(component, &[]).await
    }

    /// Adds a component with parameters such as its name. Waits longer than for anything else:
    /// one with an interpreter in it takes minutes to compile on a busy machine.
    pub async fn upload_as(
        &self,
        component: Vec<u8>,
        parameters: &[(&str, &str)],
    ) -> Result<Answer> {
        let url = format!("{}/api/v1/components", self.address);
        let url = reqwest::Url::parse_with_params(&url, parameters)?;
        let request = self.client.post(url).bearer_auth(&self.key);
        self.send(
            request
                .header("content-type", "application/wasm")
                .timeout(COMPILING)
                .body(component),
        )
        .await
    }

    /// Calls a tool with arguments and further fields of the request.
    pub async fn call(&self, tool: &str, arguments: Value, more: Value) -> Result<Answer> {
        let mut body = json!({"arguments": arguments});
        if let (Value::Object(body), Value::Object(more)) = (&mut body, more) {
            body.extend(more);
        }
        let answer = self
            .post(&format!("/api/v1/tools/{tool}/call"), &body)
            .await?;
        // What was no request for a call has no id.
        if let Some(id) = answer.call_id() {
            let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
            calls.push(id.to_owned());
        }
        Ok(answer)
    }

    /// Kills the host as a crash would, and waits until it is gone.
    pub fn kill(mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Ends the host by a signal, and says how that ended.
    pub fn end_by(mut self, signal: Signal) -> Result<ExitStatus> {
        kill_process(Pid::from_child(&self.child), signal)?;
        Ok(self.child.wait()?)
    }

    /// Asks the host to stop, waits, and checks that it says all went well.
    pub fn stop(mut self) -> Result<()> {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, Signal::TERM)?;
        let status = self.child.wait()?;
        ensure!(status.success(), "the host ended with {status}");
        Ok(())
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // It may be gone already, which is what is wanted.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
