//! Namespaces: views of the machine in which nothing of others exists.

use std::fs;
use std::io;

use rustix::process::{getegid, geteuid};
use rustix::thread::UnshareFlags;

/// Puts what this process starts into namespaces of its own: of processes, of System V objects,
/// and without a network unless it is granted. False where the machine refuses that.
///
/// **Errors**: when it refuses halfway, where there is no way back.
pub(super) fn enter(network: bool) -> io::Result<bool> {
    let mut wanted = UnshareFlags::NEWPID | UnshareFlags::NEWIPC;
    if !network {
        wanted |= UnshareFlags::NEWNET;
    }
    // Without a user namespace where that works: an identity that is mapped has odd corners.
    if unshare(wanted).is_ok() {
        return Ok(true);
    }
    let (user, group) = (geteuid().as_raw(), getegid().as_raw());
    if unshare(wanted | UnshareFlags::NEWUSER).is_err() {
        return Ok(false);
    }
    fs::write("/proc/self/setgroups", "deny")?;
    fs::write("/proc/self/uid_map", format!("{user} {user} 1"))?;
    fs::write("/proc/self/gid_map", format!("{group} {group} 1"))?;
    Ok(true)
}

fn unshare(flags: UnshareFlags) -> io::Result<()> {
    #[expect(
        deprecated,
        reason = "the safe form: what makes the other one unsafe is a flag that is never given here"
    )]
    rustix::thread::unshare(flags).map_err(Into::into)
}
