//! The last process: confines itself and becomes the program.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::process::{Signal, fchdir, set_parent_process_death_signal, setsid};

use super::{bounds, files, privileges, syscalls};
use crate::channel::{receive, say};
use crate::message::{FIXED_FDS, Spec, Step, Wall};

/// How long a file that somebody still has open for writing is tried again: a process that was
/// forked at the wrong moment holds it until it becomes another program.
const BUSY_RETRIES: u32 = 20;
const BUSY_PAUSE: Duration = Duration::from_millis(5);

pub(super) fn run() -> io::Result<()> {
    let socket = super::socket()?;
    let Some((spec, fds)) = receive::<Spec>(&socket)? else {
        return Ok(());
    };
    let Some(handed) = Handed::new(fds, &spec) else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    let walls = match confine(&spec, &handed) {
        Ok(walls) => walls,
        Err(error) => return say(&socket, &Step::Failed(format!("confining it: {error}"))),
    };
    let missing: Vec<Wall> = Wall::demanded(spec.network)
        .filter(|wall| !walls.contains(wall))
        .collect();
    if spec.required && !missing.is_empty() {
        return say(&socket, &Step::Unconfinable(missing));
    }
    say(&socket, &Step::Confined(walls))?;
    let error = become_program(&spec, handed);
    say(&socket, &Step::Failed(error.to_string()))
}

/// The descriptors, by what they are for.
struct Handed {
    program: OwnedFd,
    directory: OwnedFd,
    stdio: [OwnedFd; 3],
    mounts: Vec<OwnedFd>,
}

impl Handed {
    fn new(mut fds: Vec<OwnedFd>, spec: &Spec) -> Option<Self> {
        if fds.len() != FIXED_FDS + spec.writable.len() {
            return None;
        }
        let mounts = fds.split_off(FIXED_FDS);
        let [program, directory, stdin, stdout, stderr] = fds.try_into().ok()?;
        Some(Self {
            program,
            directory,
            stdio: [stdin, stdout, stderr],
            mounts,
        })
    }
}

/// Puts up every wall that the machine has, and says which stand.
fn confine(spec: &Spec, handed: &Handed) -> io::Result<Vec<Wall>> {
    // Dies with its parent, which is the supervisor or the init.
    set_parent_process_death_signal(Some(Signal::KILL))?;
    setsid()?;
    fchdir(&handed.directory)?;
    let mut walls = Vec::new();
    if privileges::close_inherited() {
        walls.push(Wall::Descriptors);
    }
    bounds::set(&spec.limits)?;
    let files = files::confine(spec, &handed.program, &handed.mounts);
    if files.is_whole {
        walls.push(Wall::Files);
    }
    if privileges::drop_all()? {
        walls.push(Wall::Privileges);
    }
    let signals_held = spec.namespaced || files.holds_signals;
    let syscalls = syscalls::confine(spec.network, signals_held);
    if syscalls {
        walls.push(Wall::SystemCalls);
    }
    if signals_held || syscalls {
        walls.push(Wall::Signals);
    }
    if spec.ends_whole {
        walls.push(Wall::Processes);
    }
    if !spec.network && (syscalls || spec.namespaced) {
        walls.push(Wall::Network);
    }
    walls.sort_unstable();
    Ok(walls)
}

/// Executes the very file that was handed over; returns only when that fails.
fn become_program(spec: &Spec, handed: Handed) -> io::Error {
    let path = format!("/proc/self/fd/{}", handed.program.as_raw_fd());
    let Some((name, arguments)) = spec.argv.split_first() else {
        return io::ErrorKind::InvalidInput.into();
    };
    let [stdin, stdout, stderr] = handed.stdio;
    let mut command = Command::new(path);
    command
        .arg0(name)
        .args(arguments)
        .env_clear()
        .envs(&spec.environment)
        .stdin(Stdio::from(stdin))
        .stdout(Stdio::from(stdout))
        .stderr(Stdio::from(stderr));
    // The last thing, since this process may well be larger than the program is allowed to be.
    if let Err(error) = bounds::set_memory(spec.limits.memory_bytes) {
        return error;
    }
    for _ in 0..BUSY_RETRIES {
        let error = command.exec();
        if error.kind() != io::ErrorKind::ExecutableFileBusy {
            return error;
        }
        std::thread::sleep(BUSY_PAUSE);
    }
    io::ErrorKind::ExecutableFileBusy.into()
}
