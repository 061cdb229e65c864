//! A host for as long as the demo needs one.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

use crate::command::line;

/// For opening the store and the port; a loaded machine may take a few seconds.
const START_MAX: Duration = Duration::from_secs(30);
/// For finishing what runs; nothing does by then.
const STOP_MAX: Duration = Duration::from_secs(15);
/// Between two looks at a host that is about to end.
const LOOK: Duration = Duration::from_millis(20);
/// How the line begins that says where the host is.
const LISTENING: &str = "listening on ";

/// A running host; killed when dropped, so that it never outlives the demo.
pub(super) struct Host {
    child: Child,
    url: String,
    line: String,
}

impl Host {
    /// Starts a host on a free port. Its log goes to `host.log` beside its data.
    pub(super) fn start(binary: &Path, data: &Path) -> Result<Self> {
        let log = data.join("host.log");
        let mut command = Command::new(binary);
        command
            .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
            .arg(data);
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        command.stderr(File::create(&log).context("the host's log")?);
        let mut shown = Command::new("cofferdam");
        shown.args(command.get_args());
        let child = command
            .spawn()
            .with_context(|| binary.display().to_string())?;
        let mut host = Self {
            child,
            url: String::new(),
            line: format!("$ {}", line(&shown)),
        };
        host.url = host.address().with_context(|| said(&log))?;
        Ok(host)
    }

    /// Where it listens, as `http://ADDRESS`.
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// The command that started it.
    pub(super) fn command_line(&self) -> &str {
        &self.line
    }

    /// Reads the address from the host's own output, and the rest of it to its end.
    fn address(&mut self) -> Result<String> {
        let output = self.child.stdout.take().context("the host has no stdout")?;
        let (found, address) = mpsc::sync_channel(1);
        // Ends with the host: then its stdout is closed.
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if let Some((_, url)) = line.split_once(LISTENING) {
                    // Only the first one is waited for.
                    drop(found.try_send(url.trim().to_owned()));
                }
            }
        });
        match address.recv_timeout(START_MAX) {
            Ok(url) => Ok(url),
            Err(mpsc::RecvTimeoutError::Timeout) => bail!("the host did not say where it listens"),
            Err(mpsc::RecvTimeoutError::Disconnected) => bail!("the host ended at once"),
        }
    }

    /// Asks the host to end, as a service manager would, and waits until it has.
    ///
    /// **Errors**: it did not end in time; it is killed then.
    pub(super) fn stop(mut self) -> Result<ExitStatus> {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, Signal::TERM).context("asking the host to end")?;
        let asked = Instant::now();
        while asked.elapsed() < STOP_MAX {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            thread::sleep(LOOK);
        }
        bail!("the host did not end within {} s", STOP_MAX.as_secs())
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // Both fail only when the host has ended already, which is what is wanted.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The end of the host's log, for the person who wonders why it did not start.
fn said(log: &PathBuf) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(10)..].join("\n")
}
