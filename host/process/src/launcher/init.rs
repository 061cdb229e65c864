//! The first process of a process namespace: when it ends, the kernel kills all others.

use std::ffi::OsStr;
use std::io;
use std::process::Stdio;

use rustix::process::{
    DumpableBehavior, Pid, Signal, WaitOptions, set_dumpable_behavior,
    set_parent_process_death_signal, wait,
};

use super::{STARTER, in_role, tree};
use crate::channel::say;
use crate::message::Step;

pub(super) fn run(word: &OsStr) -> io::Result<()> {
    // The supervisor has one thread: its end and that thread's are the same.
    set_parent_process_death_signal(Some(Signal::KILL))?;
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    let socket = super::socket()?;
    let starter = in_role(word, STARTER, Stdio::inherit()).spawn()?;
    let starter = Pid::from_child(&starter);
    loop {
        match wait(WaitOptions::empty()) {
            Ok(Some((pid, status))) if pid == starter => {
                say(&socket, &Step::Ended(tree::ended(status)))?;
            }
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(rustix::io::Errno::CHILD) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    }
}
