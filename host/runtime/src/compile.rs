//! Compiling, in a child process: how long a compiler takes and how much it needs is in the hands
//! of whoever wrote the file, and the engine sets no bound.

use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::{ExitCode, Stdio};
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, nice, setrlimit};
#[cfg(target_os = "linux")]
use rustix::process::{Signal, set_parent_process_death_signal};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};

use crate::artifacts::Artifact;
use crate::engine;
use crate::error::{Error, Limit};

/// Processor time of one compilation in seconds. The largest components in use, 18 MB of
/// interpreter, take about 12.
const CPU_SECONDS_MAX: u64 = 120;
/// Address space of the child in bytes; the same components need 0.4 GB resident.
const ADDRESS_BYTES_MAX: u64 = 3 << 30;
/// Time of one compilation, on a machine that is busy with other things.
const WALL_MAX: Duration = Duration::from_mins(10);
/// Longest artifact in bytes: ten times the longest component.
pub(crate) const ARTIFACT_BYTES_MAX: u64 = 512 << 20;
/// Longest complaint of the child that is passed on.
const COMPLAINT_BYTES_MAX: u64 = 4 << 10;
/// How the child says that the component is at fault.
const REFUSED: u8 = 3;
/// How it says that the host is.
const BROKEN: u8 = 4;
/// How Rust says that a program panicked.
const PANICKED: i32 = 101;
/// How far a compilation stands back behind requests, as a niceness.
const NICENESS: i32 = 5;

/// How to start the child.
#[derive(Debug, Clone)]
pub struct Compiler {
    /// A program that calls [`child_main`]; normally this one.
    pub program: PathBuf,
    /// What makes it do so.
    pub argument: String,
}

/// The child: reads a component from stdin and writes the artifact to stdout.
///
/// The exit status tells the host whose fault a failure is.
pub fn child_main() -> ExitCode {
    let ended = compile_stdin();
    if let Err(error) = &ended {
        // Nobody reads a complaint about a complaint.
        drop(std::io::stderr().write_all(error.to_string().as_bytes()));
    }
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(Error::Component(_)) => ExitCode::from(REFUSED),
        Err(_) => ExitCode::from(BROKEN),
    }
}

fn compile_stdin() -> Result<(), Error> {
    confine()?;
    let mut component = Vec::new();
    std::io::stdin()
        .read_to_end(&mut component)
        .map_err(Error::engine)?;
    let artifact = engine::compiler()?
        .precompile_component(&component)
        .map_err(|error| Error::Component(format!("the component can't be compiled: {error:#}")))?;
    std::io::stdout()
        .write_all(&artifact)
        .map_err(Error::engine)
}

/// Limits on this process, set before it reads anything.
fn confine() -> Result<(), Error> {
    // Dies with the host, also when that is killed.
    #[cfg(target_os = "linux")]
    set_parent_process_death_signal(Some(Signal::KILL)).map_err(Error::engine)?;
    nice(NICENESS).map_err(Error::engine)?;
    let limit = |resource, value: u64| {
        // What is lower already can't be raised.
        let value = getrlimit(resource)
            .maximum
            .map_or(value, |maximum| maximum.min(value));
        setrlimit(
            resource,
            Rlimit {
                current: Some(value),
                maximum: Some(value),
            },
        )
        .map_err(Error::engine)
    };
    limit(Resource::Cpu, CPU_SECONDS_MAX)?;
    limit(Resource::As, ADDRESS_BYTES_MAX)?;
    limit(Resource::Core, 0)?;
    limit(Resource::Fsize, 0)
}

impl Compiler {
    /// Compiles `component` in a child. Dropping the future kills the child.
    ///
    /// **Errors**: [`Error::Component`] with the compiler's words; [`Error::Limit`] when the child
    /// was stopped.
    pub(crate) async fn compile(&self, component: Vec<u8>) -> Result<Artifact, Error> {
        let child = Command::new(&self.program)
            .arg(&self.argument)
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| {
                Error::Internal(format!("starting {}: {error}", self.program.display()))
            })?;
        match tokio::time::timeout(WALL_MAX, converse(child, component)).await {
            Ok(ended) => ended,
            Err(_) => Err(Error::Limit {
                limit: Limit::Compile,
                value: WALL_MAX.as_secs(),
            }),
        }
    }
}

/// Feeds the child and hears it out, all pipes at once so that none can block another.
async fn converse(mut child: Child, component: Vec<u8>) -> Result<Artifact, Error> {
    let pipe = || Error::Internal("the compiler has no pipes".to_owned());
    let mut stdin = child.stdin.take().ok_or_else(pipe)?;
    let stdout = child.stdout.take().ok_or_else(pipe)?;
    let stderr = child.stderr.take().ok_or_else(pipe)?;
    let mut artifact = Vec::new();
    let mut complaint = Vec::new();
    let (fed, heard, complained) = tokio::join!(
        async move {
            let fed = stdin.write_all(&component).await;
            drop(stdin);
            fed
        },
        async {
            stdout
                .take(ARTIFACT_BYTES_MAX)
                .read_to_end(&mut artifact)
                .await
        },
        async {
            stderr
                .take(COMPLAINT_BYTES_MAX)
                .read_to_end(&mut complaint)
                .await
        },
    );
    let status = child
        .wait()
        .await
        .map_err(|error| Error::Internal(format!("waiting for the compiler: {error}")))?;
    if status.success() {
        fed.and(heard)
            .and(complained)
            .map_err(|error| Error::Internal(format!("the compiler's pipes: {error}")))?;
        return Ok(Artifact::of_child(artifact));
    }
    let complaint = String::from_utf8_lossy(&complaint).into_owned();
    if status.code() == Some(i32::from(REFUSED)) {
        return Err(Error::Component(complaint));
    }
    if status.code() == Some(i32::from(BROKEN)) {
        return Err(Error::Internal(format!("the compiler: {complaint}")));
    }
    if status.code() == Some(PANICKED) {
        tracing::error!(complaint, "the compiler panicked");
        return Err(Error::Component(
            "the compiler can't cope with this component; the host's log says where it broke off"
                .to_owned(),
        ));
    }
    // Out of memory aborts, out of processor time is a signal: both mean the same to the author.
    tracing::warn!(%status, complaint, "the compiler was stopped");
    Err(Error::Limit {
        limit: Limit::Compile,
        value: CPU_SECONDS_MAX,
    })
}
