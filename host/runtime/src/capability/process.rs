//! Programs of the machine. The grant decides about a start as a whole; `cofferdam-process` opens,
//! confines, watches and kills it.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use cofferdam_policy::capability::filesystem::{
    FileAsk, Filesystem, MountName, MountPath, Place as MountPlace, Right, Writes,
};
use cofferdam_policy::capability::subprocess::{
    Argument, Limits, MountAccess, Place, Program, Start, StartCaps, Subprocess,
};
use cofferdam_policy::{Caps, Grant};
use cofferdam_process::{Ended, Error, Finished, Launcher, Mount, Opened, Order, open_beneath};
use cofferdam_types::call::{Denial, DenialCode};
use wasmtime_wasi::runtime::spawn_blocking;

use crate::bindings::cofferdam::tool::process as wit;
use crate::capability::secrets::Held;
use crate::fuel;
use crate::meter::Meter;
use crate::state::State;
use crate::warrant::Warrant;

/// How often it is asked again whether a program that runs may go on: a policy that takes it back
/// is felt within a second.
const ASK_AGAIN: Duration = Duration::from_millis(500);
/// Where a program starts when the guest doesn't say.
const DIRECTORY: &str = "/workspace";

/// A program used more than it may.
#[derive(Debug)]
pub(crate) struct Overrun {
    pub(crate) limit: cofferdam_process::Limit,
    pub(crate) value: u64,
}

impl fmt::Display for Overrun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a program reached its limit of {}", self.limit)
    }
}

impl std::error::Error for Overrun {}

/// Why nothing comes of a start.
enum Stop {
    /// The guest hears of it.
    Answer(wit::Error),
    /// The call ends.
    End(Overrun),
}

impl From<wit::Error> for Stop {
    fn from(error: wit::Error) -> Self {
        Self::Answer(error)
    }
}

impl wit::Host for State {
    async fn run(
        &mut self,
        command: wit::Command,
    ) -> wasmtime::Result<Result<wit::Output, wit::Error>> {
        let stdin = fuel::bytes(command.stdin.len());
        self.meter.charge(fuel::TOOL_CALL + stdin);
        let starter = Starter {
            warrant: self.warrant.clone(),
            meter: self.meter.clone(),
            launcher: self.launcher.clone(),
            secrets: self.secrets.clone(),
        };
        match starter.start(command).await {
            Ok(output) => {
                let printed = output.stdout.len() + output.stderr.len();
                self.meter.charge(fuel::bytes(printed));
                Ok(Ok(output))
            }
            Err(Stop::Answer(error)) => Ok(Err(error)),
            Err(Stop::End(overrun)) => Err(wasmtime::Error::new(overrun)),
        }
    }
}

/// What a start needs of the call.
struct Starter {
    warrant: Warrant,
    meter: Arc<Meter>,
    launcher: Arc<Launcher>,
    secrets: Arc<Held>,
}

impl Starter {
    async fn start(&self, command: wit::Command) -> Result<wit::Output, Stop> {
        let stdin = command.stdin;
        let name = command.program.clone();
        let parsed = parse(
            command.program,
            command.arguments,
            stdin.len(),
            &command.directory,
        );
        let Some(start) = parsed else {
            let reason = "the command is of no form that could be granted";
            self.note(&name, DenialCode::Malformed, reason);
            return Err(wit::Error::Malformed.into());
        };
        let grant = self.warrant.grant();
        // Quietly, and before any secret is read for it.
        grant.decide::<Subprocess>(&start).map_err(|denial| {
            self.warrant.refused(denial);
            wit::Error::Denied
        })?;
        let Some(program) = grant.program(start.program()).cloned() else {
            let reason = "the policy registers no program of this name";
            self.note(&name, DenialCode::NotGranted, reason);
            return Err(wit::Error::Denied.into());
        };
        let stdin = self.with_secrets(&start, stdin).await?;
        // What it gets in the end: a value has another length than what stood for it.
        let start = with_stdin(&start, stdin.len()).ok_or(wit::Error::Malformed)?;
        let caps = self
            .warrant
            .ask::<Subprocess>(&start)
            .map_err(|_| wit::Error::Denied)?;
        let Some(plan) = Plan::new(grant, &start, &caps) else {
            let reason = "it speaks of a mount that this call doesn't have";
            self.note(&name, DenialCode::NotOffered, reason);
            return Err(wit::Error::Denied.into());
        };
        // The result is copied once more on its way into the guest.
        let output_bytes_max = grant.limits().host_alloc_bytes / 4;
        let time = grant.limits().deadline();
        let order = self.order(&program, plan, stdin, output_bytes_max, time);
        let order = order.await?;
        let ended = tokio::select! {
            ended = self.launcher.run(order) => ended,
            denial = revoked(&self.warrant, &start) => {
                self.meter.deny(denial);
                return Err(wit::Error::Denied.into());
            }
        };
        match ended {
            Ok(finished) => {
                self.note_missing(&name, &finished);
                Ok(output(finished))
            }
            Err(error) => Err(self.failure(&name, &error)),
        }
    }

    /// The input with the values of the placeholders in it. Others on the machine can see arguments,
    /// so a placeholder among them ends the start.
    async fn with_secrets(&self, start: &Start, stdin: Vec<u8>) -> Result<Vec<u8>, Stop> {
        let is_seen = |argument: &Argument| match argument {
            Argument::Text(text) => self.secrets.is_in(text),
            Argument::Path { prefix, place } => {
                self.secrets.is_in(prefix) || self.secrets.is_in(place.path())
            }
        };
        if start.arguments().iter().any(is_seen) {
            let reason = "a placeholder of a secret stands in an argument";
            self.note(start.program(), DenialCode::Malformed, reason);
            return Err(wit::Error::Denied.into());
        }
        let filled = self.secrets.fill_stdin(start.program(), stdin).await;
        filled.map_err(|denial| {
            self.meter.deny(denial);
            wit::Error::Denied.into()
        })
    }

    /// Opens everything on a thread that may block.
    async fn order<'a>(
        &self,
        program: &'a Program,
        plan: Plan,
        stdin: Vec<u8>,
        output_bytes_max: u64,
        time: Duration,
    ) -> Result<Order<'a>, Stop> {
        let mut limits = plan.limits.narrowest(program.limits());
        limits.output_bytes = limits.output_bytes.min(output_bytes_max);
        let registered = program.clone();
        let opened = spawn_blocking(move || {
            let opened = Opened::new(&registered)?;
            let mounts = plan
                .mounts
                .iter()
                .map(|(path, access)| {
                    Ok(Mount {
                        directory: open_beneath(path, "")?,
                        access: *access,
                    })
                })
                .collect::<std::io::Result<Vec<_>>>();
            let directory = open_beneath(&plan.directory.0, &plan.directory.1);
            Ok::<_, Error>((opened, mounts, directory, plan.arguments))
        });
        let (opened, mounts, directory, arguments) = opened
            .await
            .map_err(|error| self.failure(&program.path().display().to_string(), &error))?;
        Ok(Order {
            program,
            opened,
            arguments,
            stdin,
            directory: directory.map_err(|_| wit::Error::NoDirectory)?,
            mounts: mounts.map_err(|_| wit::Error::NoDirectory)?,
            limits,
            time,
        })
    }

    /// What the guest hears of a failure, after the rest is told to those it concerns.
    fn failure(&self, name: &str, error: &Error) -> Stop {
        let error_text = error.to_string();
        match error {
            Error::Limit { limit, value } => {
                let (limit, value) = (*limit, *value);
                return Stop::End(Overrun { limit, value });
            }
            Error::Timeout { .. } => return wit::Error::Timeout.into(),
            Error::Changed { .. } => {
                self.note(name, DenialCode::Denied, "its file is not the pinned one");
            }
            Error::Unconfinable { .. } => {
                self.note(name, DenialCode::Unconfinable, &error_text);
            }
            Error::Program { .. } | Error::Launcher(_) => {
                tracing::warn!(program = name, error = error_text, "a program didn't start");
                return wit::Error::Failed.into();
            }
        }
        wit::Error::Denied.into()
    }

    /// Notes walls that policy could do without, so that the audit shows them.
    fn note_missing(&self, name: &str, finished: &Finished) {
        for wall in &finished.missing {
            let operation = format!("start without {}", wall.as_str());
            self.meter.uses("subprocess", operation, name);
        }
    }

    fn note(&self, program: &str, code: DenialCode, reason: &str) {
        let shown: String = program.chars().take(64).collect();
        let smallest_grant = match code {
            DenialCode::Unconfinable => {
                "programs: its entry says `confinement: best-effort`".to_owned()
            }
            DenialCode::Denied => "programs: its entry's `sha256` is that of the file".to_owned(),
            DenialCode::NotOffered => "a call that has the mount".to_owned(),
            _ => "none".to_owned(),
        };
        self.meter.deny(Denial {
            capability: "subprocess".to_owned(),
            operation: "start".to_owned(),
            resource: shown.escape_debug().to_string(),
            code,
            rule: "programs".to_owned(),
            file: None,
            line: None,
            reason: reason.to_owned(),
            smallest_grant,
        });
    }
}

/// Waits until a later policy takes the start back.
async fn revoked(warrant: &Warrant, start: &Start) -> Denial {
    loop {
        tokio::time::sleep(ASK_AGAIN).await;
        if let Err(denial) = warrant.grant().decide::<Subprocess>(start) {
            return denial;
        }
    }
}

/// A decided start in terms of the machine.
struct Plan {
    arguments: Vec<String>,
    /// The mount's directory, and the path below it.
    directory: (PathBuf, String),
    mounts: Vec<(PathBuf, MountAccess)>,
    limits: Limits,
}

impl Plan {
    /// `None` when it speaks of mounts that the call doesn't have.
    fn new(grant: &Grant, start: &Start, caps: &StartCaps) -> Option<Self> {
        let arguments = start
            .arguments()
            .iter()
            .map(|argument| match argument {
                Argument::Text(text) => Some(text.clone()),
                Argument::Path { prefix, place } => {
                    let path = directory(grant, place.mount())?.join(place.path());
                    // What is no text can't be an argument that was decided about as text.
                    Some(format!("{prefix}{}", path.to_str()?))
                }
            })
            .collect::<Option<_>>()?;
        let mounts = caps.mounts.iter().filter_map(|(mount, access)| {
            let path = directory(grant, mount)?;
            Some((path.to_owned(), (*access).min(allowed(grant, mount)?)))
        });
        let cwd = start.cwd();
        Some(Self {
            arguments,
            directory: (
                directory(grant, cwd.mount())?.to_owned(),
                cwd.path().to_owned(),
            ),
            mounts: mounts.collect(),
            limits: caps.limits,
        })
    }
}

/// Where a mount of the call is on the machine; none for one that is the call's own.
fn directory<'a>(grant: &'a Grant, mount: &str) -> Option<&'a Path> {
    let mounts = grant.files().mounts();
    let found = mounts.iter().find(|known| known.name().as_str() == mount)?;
    match found.place() {
        MountPlace::Directory(path) => Some(path),
        MountPlace::Scratch => None,
    }
}

/// What the rules about files let the call do with everything in a mount: a program can't be held
/// to less than all of it.
fn allowed(grant: &Grant, mount: &str) -> Option<MountAccess> {
    let name: MountName = mount.parse().ok()?;
    let all = |rights: &[Right]| {
        rights.iter().all(|right| {
            let ask = FileAsk::below(&name, &MountPath::root(), *right);
            grant.decide::<Filesystem>(&ask).is_ok()
        })
    };
    let mounts = grant.files().mounts();
    let direct = mounts
        .iter()
        .any(|known| *known.name() == name && known.writes() == Writes::Direct);
    if !all(&[Right::Read, Right::List]) {
        None
    } else if direct && all(&[Right::Write, Right::Create, Right::Delete]) {
        Some(MountAccess::Write)
    } else {
        Some(MountAccess::Read)
    }
}

fn parse(
    program: String,
    arguments: Vec<wit::Argument>,
    stdin: usize,
    directory: &str,
) -> Option<Start> {
    let arguments = arguments
        .into_iter()
        .map(|argument| match argument {
            wit::Argument::Text(text) => Some(Argument::Text(text)),
            wit::Argument::Path(wit::Place { prefix, path }) => Some(Argument::Path {
                prefix,
                place: place(&path)?,
            }),
        })
        .collect::<Option<_>>()?;
    let directory = match directory {
        "" => DIRECTORY,
        directory => directory,
    };
    Start::new(program, arguments, stdin as u64, place(directory)?).ok()
}

/// The same start with an input of this length.
fn with_stdin(start: &Start, bytes: usize) -> Option<Start> {
    let program = start.program().to_owned();
    let arguments = start.arguments().to_vec();
    Start::new(program, arguments, bytes as u64, start.cwd().clone()).ok()
}

/// `/mount/path` as the guest sees it.
fn place(path: &str) -> Option<Place> {
    let inside = path.strip_prefix('/')?;
    let (mount, below) = inside.split_once('/').unwrap_or((inside, ""));
    Place::new(mount, below).ok()
}

fn output(finished: Finished) -> wit::Output {
    let dropped = |output: &cofferdam_process::Output| {
        output.total_bytes.saturating_sub(output.bytes.len() as u64)
    };
    let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    wit::Output {
        ended: match finished.ended {
            Ended::Exited(code) => wit::Ended::Exited(code),
            Ended::Signalled(signal) => wit::Ended::Signalled(signal),
        },
        stdout_dropped: dropped(&finished.stdout),
        stderr_dropped: dropped(&finished.stderr),
        stdout: finished.stdout.bytes,
        stderr: finished.stderr.bytes,
        wall_ms: millis(finished.wall),
        cpu_ms: millis(finished.cpu),
        confined_by: finished
            .walls
            .iter()
            .map(|wall| wall.as_str().to_owned())
            .collect(),
    }
}
