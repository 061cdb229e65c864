//! Resource limits of the kernel: what it counts for each process by itself.

use std::io;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::tree;
use crate::message::Bounds;

/// How far beyond its number of processes a tree can get before the kernel stops it, in times and
/// in processes. The watch shall see that it went too far; and since the kernel counts all that the
/// user runs, other trees that grow meanwhile must not starve this one. Some thousand processes are
/// what any machine copes with until the watch looks again.
const OVERRUN_TIMES: u64 = 2;
const OVERRUN: u64 = 1_024;

/// Sets all limits but the one on memory.
pub(super) fn set(limits: &Bounds) -> io::Result<()> {
    limit(Resource::Core, 0, 0)?;
    limit(Resource::Nofile, limits.open_files, limits.open_files)?;
    limit(Resource::Fsize, limits.file_bytes, limits.file_bytes)?;
    // At the first a signal tells what is wrong, at the second there is no more asking.
    let cpu = limits.cpu_ms.div_ceil(1_000);
    limit(Resource::Cpu, cpu, cpu.saturating_add(1))?;
    // The kernel counts what the user runs elsewhere as well, and root's not at all.
    let processes = limits
        .processes
        .saturating_mul(OVERRUN_TIMES)
        .saturating_add(OVERRUN)
        .saturating_add(tree::of_this_user());
    limit(Resource::Nproc, processes, processes)
}

/// Sets the limit on the address space.
pub(super) fn set_memory(bytes: u64) -> io::Result<()> {
    limit(Resource::As, bytes, bytes)
}

fn limit(resource: Resource, current: u64, maximum: u64) -> io::Result<()> {
    // What is lower already can't be raised.
    let hard = getrlimit(resource).maximum.unwrap_or(u64::MAX);
    let given = |value: u64| (value != u64::MAX).then_some(value);
    let new = Rlimit {
        current: given(current.min(hard)),
        maximum: given(maximum.min(hard)),
    };
    setrlimit(resource, new).map_err(Into::into)
}
