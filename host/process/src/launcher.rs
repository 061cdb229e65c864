//! The launcher: a process with one thread that puts up the walls and stays as the ancestor of
//! everything below it.
//!
//! It is this same program, started again with a word that says so, in up to three roles: the
//! *supervisor* watches and kills; the *init* of a process namespace, where there is one, reaps;
//! the *starter* confines itself and becomes the program. What is to be started comes over the
//! socket that is their stdin, so no list of processes shows it.

mod bounds;
mod files;
mod init;
mod namespaces;
mod privileges;
mod room;
mod starter;
mod supervisor;
mod syscalls;
mod tree;

use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::{Command, ExitCode, Stdio};

pub(crate) use room::LEFT_PERCENT;

/// This program, whatever has become of the file it was started from.
const SELF: &str = "/proc/self/exe";
/// The roles but the first, which has no word.
const INIT: &str = "init";
const STARTER: &str = "start";

/// The launcher's process: `word` is what made the caller call this, `role` the argument behind it.
///
/// Has to be called before anything starts a thread. Ends when the program and everything that it
/// started has.
pub fn launcher_main(word: &OsStr, role: Option<&OsStr>) -> ExitCode {
    let ended = match role.and_then(OsStr::to_str) {
        None => supervisor::run(word),
        Some(INIT) => init::run(word),
        Some(STARTER) => starter::run(),
        Some(_) => Err(io::ErrorKind::InvalidInput.into()),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever listens hears that it broke off; there is no other place to say more.
        Err(_) => ExitCode::FAILURE,
    }
}

/// The socket that is stdin.
fn socket() -> io::Result<UnixStream> {
    Ok(io::stdin().as_fd().try_clone_to_owned()?.into())
}

/// This program in another role, with nothing of ours but the socket.
fn in_role(word: &OsStr, role: &str, socket: Stdio) -> Command {
    let mut command = Command::new(SELF);
    command
        .arg(word)
        .arg(role)
        .env_clear()
        .stdin(socket)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

fn stdio(socket: &UnixStream) -> io::Result<Stdio> {
    Ok(OwnedFd::from(socket.try_clone()?).into())
}
