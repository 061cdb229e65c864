use std::collections::hash_map::RandomState;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use cofferdam_policy::Caps;
use cofferdam_policy::capability::filesystem::{FileAsk, MountName, MountPath, Quota, Right};
use rustix::fs::{self, Mode};

use crate::error::Error;
use crate::gate::Gate;
use crate::overlay::Overlay;
use crate::scratch::Private;
use crate::tally::Tally;

/// File systems through which a kernel is asked and told things rather than files kept: `proc`,
/// `sysfs`, `devpts`, `cgroup` of both versions, `debugfs`, `tracefs`, `securityfs`, `bpf`. A
/// granted directory may have one mounted inside.
const KERNELS: [u32; 9] = [
    0x9fa0,
    0x6265_6572,
    0x1cd1,
    0x0027_e0eb,
    0x6367_7270,
    0x6462_6720,
    0x7472_6163,
    0x7363_6673,
    0xcafe_4a11,
];

/// A mount of one call, bound to the directory that was opened at its start.
pub(crate) struct Mount {
    pub(crate) name: MountName,
    pub(crate) root: Arc<OwnedFd>,
    /// The device of the root: what lies on another one is looked at twice.
    pub(crate) device: u64,
    pub(crate) gate: Arc<dyn Gate>,
    pub(crate) tally: Tally,
    /// Keys of the identities that a guest sees, so that they tell it nothing about inodes.
    pub(crate) identities: RandomState,
    pub(crate) overlay: Option<Arc<Overlay>>,
    pub(crate) modes: Modes,
    /// Keeps the directory that goes with the call, where it is one.
    pub(crate) private: Option<Arc<Private>>,
}

/// With which permissions files and directories are made, before the process's own mask. Never
/// executable, never with set-user-id.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Modes {
    pub(crate) file: Mode,
    pub(crate) directory: Mode,
}

impl Modes {
    /// Readable by the machine's other users, as files of a person are.
    pub(crate) const SHARED: Self = Self {
        file: Mode::from_raw_mode(0o644),
        directory: Mode::from_raw_mode(0o755),
    };
    /// For the host alone.
    pub(crate) const PRIVATE: Self = Self {
        file: Mode::from_raw_mode(0o600),
        directory: Mode::from_raw_mode(0o700),
    };
}

/// The rights that an operation needs.
#[derive(Clone, Copy)]
pub(crate) enum Need<'a> {
    /// Each of them.
    All(&'a [Right]),
    /// One of them; a refusal names the first.
    Any(&'a [Right]),
}

impl Need<'_> {
    pub(crate) fn rights(&self) -> &[Right] {
        match self {
            Self::All(rights) | Self::Any(rights) => rights,
        }
    }
}

impl Mount {
    /// Decides about one use and notes a refusal.
    pub(crate) fn decide(&self, ask: &FileAsk) -> Result<Quota, Error> {
        self.gate.decide(ask).map_err(|_| Error::NotPermitted)
    }

    pub(crate) fn decide_exact(&self, path: &MountPath, right: Right) -> Result<Quota, Error> {
        self.decide(&FileAsk::exact(&self.name, path, right))
    }

    /// Gives how much may be changed, by the narrowest of what was needed.
    pub(crate) fn decide_need(&self, path: &MountPath, need: Need<'_>) -> Result<Quota, Error> {
        match need {
            Need::All([first, rest @ ..]) => rest
                .iter()
                .try_fold(self.decide_exact(path, *first)?, |quota, right| {
                    Ok(quota.narrowest(self.decide_exact(path, *right)?))
                }),
            Need::Any(rights @ [first, ..]) => {
                let granted = rights.iter().find(|right| self.allows(path, **right));
                self.decide_exact(path, *granted.unwrap_or(first))
            }
            Need::All([]) | Need::Any([]) => Err(Error::NotPermitted),
        }
    }

    pub(crate) fn allows(&self, path: &MountPath, right: Right) -> bool {
        self.gate.allows(&FileAsk::exact(&self.name, path, right))
    }

    /// Whether a right holds on every path of the mount, so that a link inside can't lead from what
    /// is granted to what is not.
    pub(crate) fn is_whole(&self, rights: &[Right]) -> bool {
        let root = MountPath::root();
        let whole = |right: &Right| self.gate.allows(&FileAsk::below(&self.name, &root, *right));
        rights.iter().all(whole)
    }

    /// Refuses what lies on a file system of the kernel's own.
    pub(crate) fn check_device(&self, fd: &OwnedFd, device: u64) -> Result<(), Error> {
        if device == self.device {
            return Ok(());
        }
        let kind = fs::fstatfs(fd)?.f_type;
        if KERNELS.iter().any(|kernel| i64::from(*kernel) == kind) {
            return Err(Error::NotPermitted);
        }
        Ok(())
    }
}
