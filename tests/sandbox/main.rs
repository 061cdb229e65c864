//! Hostile guests: each ends with its own error, and leaves the host as it was.

mod exits;
mod filesystem;
mod host_calls;
mod limits;
mod memory;
mod network;
mod numbers;
mod output;
mod policy;
mod process;
mod secrets;
mod state;

use anyhow::{Context, Result, ensure};
use cofferdam_testing::{Answer, Guest, Host, Leftovers, settled};
use serde_json::{Value, json};

/// One hostile call: what runs and which codes may come of it.
struct Case {
    name: &'static str,
    guest: Guest,
    /// Further fields of the call, such as limits.
    with: Value,
    /// The code of the error, or `ok`.
    expected: &'static str,
}

impl Case {
    fn new(name: &'static str, body: &str, expected: &'static str) -> Self {
        Self {
            name,
            guest: Guest::new(body),
            with: json!({}),
            expected,
        }
    }

    fn limits(self, limits: &Value) -> Self {
        Self {
            with: json!({"limits": limits}),
            ..self
        }
    }

    fn importing(self, definitions: &str, capabilities: &[&str]) -> Self {
        Self {
            guest: self.guest.with(definitions).declaring(capabilities),
            ..self
        }
    }

    /// Uploads the guest and calls it.
    async fn run(&self, host: &Host) -> Result<Answer> {
        let component = self.guest.component().context(self.name)?;
        let added = host.upload(component).await?;
        if added.status >= 300 {
            return Ok(added);
        }
        host.call("guest-run", json!({}), self.with.clone()).await
    }
}

/// Runs each case on a host of its own, and checks the code and what is left behind.
async fn check(cases: Vec<Case>) -> Result<()> {
    for case in cases {
        let host = Host::start()?;
        let answer = warmed(&host, &case).await.context(case.name)?;
        let code = answer.code().unwrap_or("ok");
        ensure!(
            code == case.expected,
            "{}: {code} instead of {}: {}",
            case.name,
            case.expected,
            answer.body
        );
    }
    Ok(())
}

/// The answer to a case, after a first run of the same kind has warmed the host up.
async fn warmed(host: &Host, case: &Case) -> Result<Answer> {
    case.run(host).await?;
    let before = Leftovers::of(host.pid())?;
    let answer = case.run(host).await?;
    settled(host, &before).await?;
    Ok(answer)
}
