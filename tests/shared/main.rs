//! Several hosts on one Redis: what one changes the others know, one chain of records, and a server
//! that dies.

mod away;
mod seen;

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use cofferdam_store_redis::testing::Server;
use cofferdam_testing::{Guest, Host};
use tempfile::TempDir;

/// How long a change may take to be known to another host, with as much again for a busy machine.
const SOON: Duration = Duration::from_secs(2);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(20);

/// A Redis and the hosts on it, each with a data directory of its own.
struct Site {
    // The hosts go first: they would wait for their server at the end.
    hosts: Vec<Host>,
    server: Server,
    data: TempDir,
}

impl Site {
    /// So many hosts on a server with these options.
    fn new(hosts: usize, options: &[&str]) -> Result<Self> {
        let mut site = Self {
            hosts: Vec::new(),
            server: Server::with(options),
            data: TempDir::new()?,
        };
        // One after another, as an operator does: they share the key that seals secrets.
        for _ in 0..hosts {
            site.add()?;
        }
        Ok(site)
    }

    /// One more host.
    fn add(&mut self) -> Result<&Host> {
        let data = self.data.path().join(self.hosts.len().to_string());
        if let Some(first) = self.hosts.first() {
            std::fs::create_dir(&data)?;
            let key = "secrets.key";
            std::fs::copy(first.data().join(key), data.join(key)).context("the sealing key")?;
        }
        let url = self.server.url();
        self.hosts.push(Host::at(&data, &["--store", &url])?);
        self.hosts.last().context("the host that was added")
    }
}

/// A component with one tool, `NAME-run`, that answers `true`.
fn guest(name: &str, version: &str) -> Result<Vec<u8>> {
    Guest::well_behaved().named(name, version).component()
}

/// Whether the chain of records is whole, as the command finds that speaks to a host.
fn check_chain(host: &Host) -> Result<()> {
    let mut verify = std::process::Command::new(cofferdam_testing::binary()?);
    verify.args([
        "--server",
        host.address(),
        "--api-key",
        host.key(),
        "audit",
        "verify",
    ]);
    let output = verify.output()?;
    let said = String::from_utf8_lossy(&output.stdout);
    let wrong = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success() && said.contains("intact"),
        "{said}{wrong}"
    );
    Ok(())
}

/// Waits until `look` says that it is so; how long that took.
async fn soon(what: &str, mut look: impl AsyncFnMut() -> Result<bool>) -> Result<Duration> {
    let started = Instant::now();
    while !look().await? {
        ensure!(started.elapsed() < SOON, "{what}: not within {SOON:?}");
        tokio::time::sleep(LOOK).await;
    }
    Ok(started.elapsed())
}
