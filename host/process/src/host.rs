//! The host's side: starts a launcher, feeds the program, hears it out, and ends it in time.

use std::collections::BTreeMap;
use std::io::{self, PipeReader, PipeWriter};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use cofferdam_policy::capability::subprocess::{Limits, MountAccess, Program};
use tokio::io::{AsyncReadExt, AsyncWriteExt, Interest};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, pipe};
use tokio::process::{Child, Command};

use crate::channel::{FDS_MAX, send_head};
use crate::error::{Error, Limit};
use crate::launcher::LEFT_PERCENT;
use crate::message::{Bounds, Ended, FIXED_FDS, Report, Spec, Wall, is_required, is_writable};
use crate::output::Output;
use crate::program::Opened;

/// Longest report of a launcher: a few words.
const REPORT_BYTES_MAX: u64 = 64 << 10;
/// How long a launcher that was told to end may take to kill its tree before it is killed itself,
/// and with it, where there is a process namespace, all the rest.
const END_MAX: Duration = Duration::from_secs(5);

/// How to start a launcher.
#[derive(Debug, Clone)]
pub struct Launcher {
    /// A program that calls [`crate::launcher_main`]; normally this one.
    pub program: PathBuf,
    /// The word that makes it do so.
    pub argument: String,
}

/// One start of a program, as it was decided.
#[derive(Debug)]
pub struct Order<'a> {
    /// What the policy registers.
    pub program: &'a Program,
    /// Its file.
    pub opened: Opened,
    /// What follows its name.
    pub arguments: Vec<String>,
    /// What it is given to read.
    pub stdin: Vec<u8>,
    /// The directory that it starts in, open.
    pub directory: OwnedFd,
    /// The directories that it may use, open.
    pub mounts: Vec<Mount>,
    /// The program's own limits as far as rules narrow them.
    pub limits: Limits,
    /// What is left of the call's time.
    pub time: Duration,
}

/// A directory that a program may use.
#[derive(Debug)]
pub struct Mount {
    /// The directory, open.
    pub directory: OwnedFd,
    /// What it may do there.
    pub access: MountAccess,
}

/// A program that has ended, with everything it started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finished {
    /// How.
    pub ended: Ended,
    /// What it wrote to stdout.
    pub stdout: Output,
    /// What it wrote to stderr.
    pub stderr: Output,
    /// From the order to the end.
    pub wall: Duration,
    /// Processor time of all its processes, to a hundredth of a second.
    pub cpu: Duration,
    /// What kept it in.
    pub walls: Vec<Wall>,
    /// What the policy would have liked to keep it in as well; empty unless it is content with
    /// best effort.
    pub missing: Vec<Wall>,
}

/// The pipes, from the program's side and from ours.
struct Pipes {
    theirs: [OwnedFd; 3],
    stdin: PipeWriter,
    stdout: PipeReader,
    stderr: PipeReader,
}

impl Launcher {
    /// Starts the program and waits for its end.
    ///
    /// Dropping the future kills it with everything it started; that is over some milliseconds
    /// later.
    ///
    /// **Errors**: see [`Error`]; after each of them nothing of it is left running.
    pub async fn run(&self, order: Order<'_>) -> Result<Finished, Error> {
        let began = Instant::now();
        let time = order.time.min(Duration::from_millis(order.limits.time_ms));
        let spec = spec(&order);
        let text =
            serde_json::to_vec(&spec).map_err(|error| Error::launcher("its order", error))?;
        if FIXED_FDS + order.mounts.len() > FDS_MAX {
            return Err(Error::Launcher(
                "too many mounts for one program".to_owned(),
            ));
        }
        let pipes = Pipes::new()?;
        let (child, control) = self.spawn()?;
        hand_over(&control, text.len(), &order, &pipes.theirs).await?;
        // While a copy of the program's ends is ours, its pipes don't end with it.
        let Pipes {
            theirs,
            stdin,
            stdout,
            stderr,
        } = pipes;
        drop(theirs);
        let (listen, mut tell) = control.into_split();
        let (mut out, mut err) = (Output::default(), Output::default());
        let max = order.limits.output_bytes;
        let conversation = async {
            tell.write_all(&text).await?;
            let (fed, heard, complained, report) = tokio::join!(
                feed(stdin, &order.stdin),
                Output::capture(stdout.into(), max, &mut out),
                Output::capture(stderr.into(), max, &mut err),
                report(listen),
            );
            let report = report?;
            fed.and(heard).and(complained)?;
            Ok(report)
        };
        let report = match tokio::time::timeout(time, conversation).await {
            Ok(report) => report,
            Err(_) => Err(Error::Timeout {
                ms: u64::try_from(time.as_millis()).unwrap_or(u64::MAX),
            }),
        };
        // Ends a launcher that is still at work, and tells nothing new to one that isn't.
        drop(tell);
        end(child).await;
        let (ended, cpu_ms, walls) = judge(report?, &order)?;
        Ok(Finished {
            ended,
            stdout: out,
            stderr: err,
            wall: began.elapsed(),
            cpu: Duration::from_millis(cpu_ms),
            missing: missing(&order, &walls),
            walls,
        })
    }

    fn spawn(&self) -> Result<(Child, UnixStream), Error> {
        let (ours, theirs) = std::os::unix::net::UnixStream::pair()?;
        ours.set_nonblocking(true)?;
        let child = Command::new(&self.program)
            .arg(&self.argument)
            .env_clear()
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| Error::launcher("starting it", error))?;
        Ok((child, UnixStream::from_std(ours)?))
    }
}

impl Pipes {
    fn new() -> io::Result<Self> {
        let (stdin_read, stdin) = io::pipe()?;
        let (stdout, stdout_write) = io::pipe()?;
        let (stderr, stderr_write) = io::pipe()?;
        Ok(Self {
            theirs: [stdin_read.into(), stdout_write.into(), stderr_write.into()],
            stdin,
            stdout,
            stderr,
        })
    }
}

fn spec(order: &Order<'_>) -> Spec {
    let program = order.program;
    let text = |path: &PathBuf| path.to_string_lossy().into_owned();
    let name = text(&program.path().to_owned());
    Spec {
        argv: std::iter::once(name)
            .chain(order.arguments.iter().cloned())
            .collect(),
        environment: BTreeMap::clone(program.environment()),
        network: program.network(),
        required: is_required(program.confinement()),
        limits: Bounds::from(&order.limits),
        writable: order
            .mounts
            .iter()
            .map(|mount| is_writable(mount.access))
            .collect(),
        read: program.read().iter().map(text).collect(),
        execute: program.execute().iter().map(text).collect(),
        pinned: program.sha256().is_some(),
        namespaced: false,
        ends_whole: false,
    }
}

/// Sends the length of the order and every descriptor.
async fn hand_over(
    control: &UnixStream,
    length: usize,
    order: &Order<'_>,
    pipes: &[OwnedFd; 3],
) -> Result<(), Error> {
    let mut fds: Vec<BorrowedFd<'_>> = vec![order.opened.as_fd(), order.directory.as_fd()];
    fds.extend(pipes.iter().map(AsFd::as_fd));
    fds.extend(order.mounts.iter().map(|mount| mount.directory.as_fd()));
    loop {
        control.writable().await?;
        match control.try_io(Interest::WRITABLE, || send_head(control, length, &fds)) {
            Ok(()) => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(Error::launcher("giving it its order", error)),
        }
    }
}

async fn feed(stdin: PipeWriter, bytes: &[u8]) -> Result<(), Error> {
    let mut stdin = pipe::Sender::from_owned_fd(stdin.into())?;
    match stdin.write_all(bytes).await {
        Ok(()) => Ok(()),
        // It need not read what it is given.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(Error::launcher("feeding it", error)),
    }
}

async fn report(listen: OwnedReadHalf) -> Result<Report, Error> {
    let mut text = Vec::new();
    let mut limited = listen.take(REPORT_BYTES_MAX);
    limited
        .read_to_end(&mut text)
        .await
        .map_err(|error| Error::launcher("hearing its report", error))?;
    serde_json::from_slice(&text).map_err(|error| Error::launcher("its report", error))
}

/// Waits for a launcher that has nothing more to do.
async fn end(mut child: Child) {
    if let Ok(Ok(_)) = tokio::time::timeout(END_MAX, child.wait()).await {
        return;
    }
    tracing::error!(pid = child.id(), "a launcher did not end and is killed");
    if let Err(error) = child.kill().await {
        tracing::error!(%error, "a launcher can't be killed");
    }
}

fn judge(report: Report, order: &Order<'_>) -> Result<(Ended, u64, Vec<Wall>), Error> {
    match report {
        Report::Finished {
            ended,
            cpu_ms,
            walls,
        } => Ok((ended, cpu_ms, walls)),
        Report::Limit(limit) => Err(Error::Limit {
            limit,
            value: match limit {
                Limit::Cpu => order.limits.cpu_ms,
                Limit::Memory => order.limits.memory_bytes,
                Limit::Processes => order.limits.processes,
                Limit::FileSize => order.limits.file_bytes,
                Limit::Disk => LEFT_PERCENT,
            },
        }),
        Report::Unconfinable(missing) => Err(Error::Unconfinable { missing }),
        Report::Failed(reason) => Err(Error::Program {
            path: order.program.path().to_owned(),
            reason,
        }),
        Report::Broken(reason) => Err(Error::Launcher(reason)),
    }
}

fn missing(order: &Order<'_>, walls: &[Wall]) -> Vec<Wall> {
    Wall::demanded(order.program.network())
        .filter(|wall| !walls.contains(wall))
        .collect()
}
