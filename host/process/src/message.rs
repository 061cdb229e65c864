//! What host, launcher and the process that becomes the program tell each other.

use std::collections::BTreeMap;

use cofferdam_policy::capability::subprocess::{Confinement, Limits, MountAccess};
use serde::{Deserialize, Serialize};

use crate::error::Limit;

/// Something that keeps a program in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wall {
    /// It reaches only the files that it was given.
    Files,
    /// System calls that reach past it are refused.
    SystemCalls,
    /// It has no network.
    Network,
    /// None of its processes outlives it, however many it starts.
    Processes,
    /// It can't signal what it didn't start.
    Signals,
    /// It can't gain rights, and holds none of a privileged user's.
    Privileges,
    /// It holds no descriptor but its three.
    Descriptors,
}

impl Wall {
    /// Those without which a confined program isn't started.
    pub(crate) fn demanded(network: bool) -> impl Iterator<Item = Self> {
        let always = [
            Self::Files,
            Self::SystemCalls,
            Self::Processes,
            Self::Signals,
            Self::Privileges,
            Self::Descriptors,
        ];
        always
            .into_iter()
            .chain((!network).then_some(Self::Network))
    }

    /// The word in answers and the audit.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Files => "files",
            Self::SystemCalls => "system_calls",
            Self::Network => "network",
            Self::Processes => "processes",
            Self::Signals => "signals",
            Self::Privileges => "privileges",
            Self::Descriptors => "descriptors",
        }
    }

    /// What is missing without it, for the operator.
    pub fn lacking(self) -> &'static str {
        match self {
            Self::Files => "files need Landlock, in Linux from 6.2 on",
            Self::SystemCalls => "system calls need seccomp filters",
            Self::Network => "no network needs seccomp filters or network namespaces",
            Self::Processes => {
                "an end of all processes needs process namespaces, Linux 6.12, or a user other than root"
            }
            Self::Signals => "signals need process namespaces, Landlock or seccomp filters",
            Self::Privileges => "privileges need no_new_privs and empty capability sets",
            Self::Descriptors => "descriptors need close_range, in Linux from 5.11 on",
        }
    }
}

/// What the launcher is told; beside it travel the descriptors: the program,
/// its directory, the pipes, the mounts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent facts about one start, each named where it is read"
)]
pub(crate) struct Spec {
    /// What the program sees as its own name, and then its arguments.
    pub(crate) argv: Vec<String>,
    pub(crate) environment: BTreeMap<String, String>,
    pub(crate) network: bool,
    pub(crate) required: bool,
    pub(crate) limits: Bounds,
    /// What may be done in each of the mounts.
    pub(crate) writable: Vec<bool>,
    pub(crate) read: Vec<String>,
    pub(crate) execute: Vec<String>,
    /// True when the program is a copy in memory, which no rule about files can name.
    pub(crate) pinned: bool,
    /// True when the program runs in a process namespace of its own; the launcher fills it in.
    pub(crate) namespaced: bool,
    /// True when all that it starts can be ended for certain; the launcher fills it in.
    pub(crate) ends_whole: bool,
}

/// The limits that the launcher holds it to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Bounds {
    pub(crate) cpu_ms: u64,
    pub(crate) memory_bytes: u64,
    pub(crate) processes: u64,
    pub(crate) open_files: u64,
    pub(crate) file_bytes: u64,
}

/// What the process that becomes the program says on the way, one to a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Step {
    /// These walls stand; the next thing is the program.
    Confined(Vec<Wall>),
    /// Walls that are demanded can't stand.
    Unconfinable(Vec<Wall>),
    /// The system doesn't start the program.
    Failed(String),
    /// How it ended, as the init of its namespace saw it.
    Ended(Ended),
}

/// What the launcher tells the host at the end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Report {
    Finished {
        ended: Ended,
        cpu_ms: u64,
        walls: Vec<Wall>,
    },
    Limit(Limit),
    Unconfinable(Vec<Wall>),
    Failed(String),
    Broken(String),
}

/// How a program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// By itself, with this code.
    Exited(i32),
    /// By this signal.
    Signalled(i32),
}

/// How many descriptors stand before those of the mounts: program, directory, stdin, stdout,
/// stderr.
pub(crate) const FIXED_FDS: usize = 5;

impl From<&Limits> for Bounds {
    fn from(limits: &Limits) -> Self {
        Self {
            cpu_ms: limits.cpu_ms,
            memory_bytes: limits.memory_bytes,
            processes: limits.processes,
            open_files: limits.open_files,
            file_bytes: limits.file_bytes,
        }
    }
}

pub(crate) fn is_required(confinement: Confinement) -> bool {
    match confinement {
        Confinement::Required => true,
        Confinement::BestEffort => false,
    }
}

pub(crate) fn is_writable(access: MountAccess) -> bool {
    match access {
        MountAccess::Read => false,
        MountAccess::Write => true,
    }
}
