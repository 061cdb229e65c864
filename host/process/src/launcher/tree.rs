//! Everything that descends from this process: what it uses, and its end.

use std::collections::BTreeSet;
use std::fs;
use std::thread;
use std::time::Duration;

use rustix::param::{clock_ticks_per_second, page_size};
use rustix::process::{
    Pid, Signal, WaitOptions, WaitStatus, getpid, getppid, getuid, kill_process,
    kill_process_group, test_kill_process, wait,
};

use crate::error::Limit;
use crate::message::{Bounds, Ended};

/// Between two looks for what is still there while it is being killed.
const PAUSE: Duration = Duration::from_millis(2);
/// How often all is stopped before it is killed in any case.
const FREEZES_MAX: usize = 100;

/// What a tree uses, all of its processes together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Usage {
    processes: u64,
    memory_bytes: u64,
    cpu_ms: u64,
}

/// What is of interest of `/proc/<pid>/stat`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stat {
    parent: i32,
    /// Neither stopped nor ended.
    runs: bool,
    /// Of itself and of the children it has reaped.
    cpu_ticks: u64,
    /// Of the children it has reaped.
    reaped_ticks: u64,
    threads: u64,
}

impl Usage {
    /// What all descendants of this process use. Stops counting when there are more processes than
    /// `processes_max`: a tree that doubles itself is to be ended, not to be measured.
    pub(super) fn of_descendants(processes_max: u64) -> Self {
        let mut usage = Self {
            cpu_ms: reaped_cpu_ms(),
            ..Self::default()
        };
        let max = usize::try_from(processes_max).unwrap_or(usize::MAX);
        for pid in descendants(max.saturating_add(1)) {
            let Some(stat) = Stat::of(pid) else { continue };
            usage.processes += stat.threads;
            usage.cpu_ms += milliseconds(stat.cpu_ticks);
            usage.memory_bytes += private_bytes(pid).unwrap_or(0);
        }
        usage
    }

    /// The limit that is exceeded. The init of a namespace is ours and not counted.
    pub(super) fn exceeded(self, limits: &Bounds, namespaced: bool) -> Option<Limit> {
        let ours = u64::from(namespaced);
        if self.processes > limits.processes.saturating_add(ours) {
            Some(Limit::Processes)
        } else if self.memory_bytes > limits.memory_bytes {
            Some(Limit::Memory)
        } else if self.cpu_ms > limits.cpu_ms {
            Some(Limit::Cpu)
        } else {
            None
        }
    }
}

impl Stat {
    fn of(pid: i32) -> Option<Self> {
        Self::parse(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
    }

    /// Reads the line; the name in it may hold anything, so it counts from its last parenthesis.
    fn parse(line: &str) -> Option<Self> {
        let fields: Vec<&str> = line.rsplit_once(')')?.1.split_whitespace().collect();
        // Numbered as in proc(5), where the field behind the name is the third.
        let number = |field: usize| fields.get(field - 3)?.parse::<u64>().ok();
        let reaped_ticks = number(16)? + number(17)?;
        Some(Self {
            runs: !matches!(*fields.first()?, "T" | "t" | "Z" | "X"),
            parent: fields.get(1)?.parse().ok()?,
            cpu_ticks: number(14)? + number(15)? + reaped_ticks,
            reaped_ticks,
            threads: number(20)?,
        })
    }
}

/// How everything below this process can be ended at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// The child is the init of a namespace: with it the kernel kills the rest.
    Init,
    /// This process can signal nothing but what descends from it, so a signal to all is one to
    /// those: the kernel sends it while nothing can fork.
    Sweep,
    /// One after the other.
    Hunt,
}

impl End {
    /// Kills everything that descends from this process and reaps it. `child` is the one that it
    /// started itself.
    pub(super) fn all(self, child: Pid) {
        match self {
            Self::Init => send(child, Signal::KILL),
            Self::Sweep => sweep(),
            Self::Hunt => freeze(),
        }
        loop {
            if self == Self::Sweep {
                sweep();
            }
            for pid in descendants(usize::MAX)
                .into_iter()
                .filter_map(Pid::from_raw)
            {
                send(pid, Signal::KILL);
            }
            // What loses its parent becomes a child of this process, so when there is no child
            // left there is nothing left.
            loop {
                match wait(WaitOptions::NOHANG) {
                    Ok(Some(_)) | Err(rustix::io::Errno::INTR) => {}
                    Ok(None) => break,
                    Err(_) => return,
                }
            }
            thread::sleep(PAUSE);
        }
    }
}

/// Sends a signal to everything that this process may signal, itself excepted. Only for a process
/// that has [`can_signal_only_its_own`].
fn sweep() {
    // A group of that number is how the system spells "all".
    let _gone = kill_process_group(Pid::INIT, Signal::KILL);
}

/// True when a rule of the kernel keeps this process from signalling the one that started it, and so
/// everything else that does not descend from it. Asked of the kernel itself: what hangs on it is
/// whether a sweep would hit the machine.
pub(super) fn can_signal_only_its_own() -> bool {
    match getppid() {
        Some(host) => test_kill_process(host) == Err(rustix::io::Errno::PERM),
        None => false,
    }
}

/// Stops all descendants, again and again until none runs. Those that stand still go on counting for
/// the limit of processes, so that what forks on soon can't.
fn freeze() {
    for _ in 0..FREEZES_MAX {
        let running: Vec<_> = descendants(usize::MAX)
            .into_iter()
            .filter(|pid| Stat::of(*pid).is_some_and(|stat| stat.runs))
            .filter_map(Pid::from_raw)
            .collect();
        if running.is_empty() {
            return;
        }
        for pid in running {
            send(pid, Signal::STOP);
        }
    }
}

fn send(pid: Pid, signal: Signal) {
    // What is already gone needs none, and nothing that this process started can refuse it.
    let _gone = kill_process(pid, signal);
}

/// Processor time of the children that this process has reaped, and of theirs.
pub(super) fn reaped_cpu_ms() -> u64 {
    Stat::of(own_pid()).map_or(0, |stat| milliseconds(stat.reaped_ticks))
}

/// How a process ended.
pub(super) fn ended(status: WaitStatus) -> Ended {
    match (status.exit_status(), status.terminating_signal()) {
        (Some(code), _) => Ended::Exited(code),
        (None, Some(signal)) => Ended::Signalled(signal),
        (None, None) => Ended::Exited(-1),
    }
}

/// How many processes and threads this user has on the machine.
pub(super) fn of_this_user() -> u64 {
    let uid = getuid().as_raw().to_string();
    all()
        .filter_map(|pid| {
            let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
            let field = |name: &str| {
                let line = status.lines().find_map(|line| line.strip_prefix(name))?;
                line.split_whitespace().next()
            };
            if field("Uid:")? == uid {
                field("Threads:")?.parse::<u64>().ok()
            } else {
                None
            }
        })
        .sum()
}

/// The ids of all descendants, as far as they hold still while one looks, or of a little more than
/// `max` when there are more.
fn descendants(max: usize) -> BTreeSet<i32> {
    let mut found = BTreeSet::new();
    let mut open = vec![own_pid()];
    while let Some(pid) = open.pop() {
        if found.len() > max {
            break;
        }
        let Some(children) = children(pid) else {
            return descendants_by_parent();
        };
        open.extend(children.into_iter().filter(|child| found.insert(*child)));
    }
    found
}

/// The children of all threads of a process; none for one that is gone. `None` where the kernel
/// doesn't list them.
fn children(pid: i32) -> Option<Vec<i32>> {
    let Ok(tasks) = fs::read_dir(format!("/proc/{pid}/task")) else {
        return Some(Vec::new());
    };
    let mut all = Vec::new();
    for task in tasks.flatten() {
        match fs::read_to_string(task.path().join("children")) {
            Ok(list) => all.extend(
                list.split_whitespace()
                    .filter_map(|id| id.parse::<i32>().ok()),
            ),
            // A thread that has ended in the meantime has no children, one that exists has a list.
            Err(_) if task.path().join("stat").exists() => return None,
            Err(_) => {}
        }
    }
    Some(all)
}

/// The same by looking at every process of the machine.
fn descendants_by_parent() -> BTreeSet<i32> {
    let parents: Vec<(i32, i32)> = all()
        .filter_map(|pid| Some((pid, Stat::of(pid)?.parent)))
        .collect();
    let mut found = BTreeSet::from([own_pid()]);
    loop {
        let before = found.len();
        for (pid, parent) in &parents {
            if found.contains(parent) {
                found.insert(*pid);
            }
        }
        if found.len() == before {
            found.remove(&own_pid());
            return found;
        }
    }
}

fn all() -> impl Iterator<Item = i32> {
    fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// Resident memory that a process shares with no file.
fn private_bytes(pid: i32) -> Option<u64> {
    let statm = fs::read_to_string(format!("/proc/{pid}/statm")).ok()?;
    let mut pages = statm.split_whitespace().skip(1).map(str::parse::<u64>);
    let (resident, shared) = (pages.next()?.ok()?, pages.next()?.ok()?);
    Some(resident.saturating_sub(shared) * page_size() as u64)
}

fn milliseconds(ticks: u64) -> u64 {
    ticks.saturating_mul(1_000) / clock_ticks_per_second().max(1)
}

fn own_pid() -> i32 {
    getpid().as_raw_nonzero().get()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_can_hold_anything() {
        let line = "7 (a) b ) (x) S 3 7 7 0 -1 4194560 1 2 0 0 10 20 30 40 20 0 5 0 1 2 3";
        let stat = Stat {
            parent: 3,
            runs: true,
            cpu_ticks: 100,
            reaped_ticks: 70,
            threads: 5,
        };
        assert_eq!(Stat::parse(line), Some(stat));
    }

    #[test]
    fn both_ways_of_looking_find_the_same() {
        let mut child = std::process::Command::new("/bin/cat")
            .stdin(std::process::Stdio::piped())
            .spawn()
            .expect("cat");
        let id = i32::try_from(child.id()).expect("an id");
        assert!(descendants(usize::MAX).contains(&id));
        assert!(descendants_by_parent().contains(&id));
        drop(child.stdin.take());
        child.wait().expect("an end");
    }
}
