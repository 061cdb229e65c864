use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::Arc;

use cofferdam_policy::Fault;
use cofferdam_policy::capability::filesystem::{
    Files, Mount as Granted, MountName, MountPath, Mounts, Place, Writes,
};
use rustix::fs::{self, Mode, OFlags};
use rustix::io::Errno;
use thiserror::Error as ThisError;

use crate::directory::Directory;
use crate::gate::Gate;
use crate::mount::{Modes, Mount};
use crate::overlay::{Change, CommitError, Overlay};
use crate::scratch::{Private, Scratch};
use crate::tally::Tally;

/// Why the directories of a call can't be opened.
#[derive(Debug, Clone, PartialEq, Eq, ThisError)]
pub enum OpenError {
    /// There is no such directory.
    #[error("the directory of `{0}` does not exist")]
    Missing(MountName),
    /// The host itself may not open it.
    #[error("the host may not open the directory of `{0}`")]
    Forbidden(MountName),
    /// The host has nowhere to keep what belongs to one call.
    #[error("this host keeps no private directories, which `{0}` needs")]
    NoScratch(MountName),
    /// The host is short of descriptors or of disk.
    #[error("the directory of `{0}` can't be opened now: {1}")]
    Busy(MountName, Errno),
}

/// What a guest sees of files during one call.
pub struct View {
    mounts: Vec<Arc<Mount>>,
}

/// What a call changed and nobody applied yet. Dropped, it never happened.
pub struct Pending {
    mounts: Vec<(Arc<Mount>, Arc<Overlay>)>,
}

impl View {
    /// Opens the directories of a call. From here on they are these directories, whatever their
    /// names come to mean.
    ///
    /// `call` names what is private to it, below `scratch`.
    pub fn open(
        files: &Files,
        gate: &Arc<dyn Gate>,
        scratch: Option<&Arc<Scratch>>,
        call: &str,
    ) -> Result<Self, OpenError> {
        let mut private = LazyPrivate {
            scratch,
            call,
            made: None,
        };
        let mounts = files
            .mounts()
            .iter()
            .map(|granted| open(granted, gate, &mut private).map(Arc::new))
            .collect::<Result<_, _>>()?;
        Ok(Self { mounts })
    }

    /// The directories at the guest's root, each with its path, `/workspace`.
    pub fn roots(&self) -> impl Iterator<Item = (Directory, String)> {
        self.mounts.iter().map(|mount| {
            let fd = mount.overlay.is_none().then(|| mount.root.clone());
            let root = Directory {
                mount: mount.clone(),
                path: MountPath::root(),
                fd,
                _open: None,
            };
            (root, format!("/{}", mount.name))
        })
    }

    /// True when something is removed with the last of what was opened here, which takes as long as
    /// the disk does.
    pub fn has_private(&self) -> bool {
        self.mounts
            .iter()
            .any(|mount| mount.overlay.is_some() || mount.private.is_some())
    }

    /// What waits to be applied. Nothing when no mount has an overlay.
    pub fn pending(&self) -> Option<Pending> {
        let mounts: Vec<_> = self
            .mounts
            .iter()
            .filter_map(|mount| Some((mount.clone(), mount.overlay.clone()?)))
            .collect();
        (!mounts.is_empty()).then_some(Pending { mounts })
    }
}

impl std::fmt::Debug for Pending {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.changes()).finish()
    }
}

impl Pending {
    /// What would change, in the order of mounts and paths.
    pub fn changes(&self) -> Vec<Change> {
        let of = |(mount, overlay): &(Arc<Mount>, Arc<Overlay>)| overlay.changes(&mount.name);
        self.mounts.iter().flat_map(of).collect()
    }

    /// Gives the new contents of a changed file to `take`, piece by piece. There are none of what is
    /// gone and of directories.
    pub fn read(&self, change: &Change, mut take: impl FnMut(&[u8])) -> Result<(), CommitError> {
        let mut mounts = self.mounts.iter();
        let Some((mount, overlay)) = mounts.find(|(mount, _)| mount.name == change.mount) else {
            return Ok(());
        };
        let read = overlay.read(&change.path, &mut take);
        read.map_err(|error| CommitError::Unreadable {
            mount: mount.name.clone(),
            path: change.path.clone(),
            error,
        })
    }

    /// Applies the changes of all mounts, or of none when one of them may not be made any more or
    /// somebody else changed one of the files meanwhile.
    ///
    /// **Errors**: [`CommitError::Partial`] is the only one after which something has changed.
    /// **Cancel**: blocks; what it began it ends.
    pub fn commit(self) -> Result<(), CommitError> {
        for (mount, overlay) in &self.mounts {
            overlay.permitted(mount)?;
            overlay.conflict(mount)?;
        }
        for (mount, overlay) in &self.mounts {
            overlay.commit(mount)?;
        }
        Ok(())
    }
}

/// Checks that every directory that a policy defines is there, and that no link makes it one that
/// the policy may not define. `reserved` are the host's own.
///
/// **Errors**: the first fault, with its place inside `mounts`.
pub fn check(mounts: &Mounts, reserved: &[PathBuf]) -> Result<(), Fault> {
    for (name, path) in mounts.iter() {
        let fault = |why: &str| {
            Fault::at(
                format!("/{name}/path"),
                format!("{}: {why}", path.display()),
            )
        };
        let resolved = path
            .canonicalize()
            .map_err(|error| fault(&error.to_string()))?;
        if !resolved.is_dir() {
            return Err(fault("it is no directory"));
        }
        mounts.check_resolved(name, &resolved, reserved)?;
    }
    Ok(())
}

/// The private directory of a call, made when the first mount needs it.
struct LazyPrivate<'a> {
    scratch: Option<&'a Arc<Scratch>>,
    call: &'a str,
    made: Option<Arc<Private>>,
}

impl LazyPrivate<'_> {
    fn directory(
        &mut self,
        mount: &MountName,
        of: &str,
    ) -> Result<(OwnedFd, Arc<Private>), OpenError> {
        let busy = |errno| OpenError::Busy(mount.clone(), errno);
        let private = if let Some(private) = &self.made {
            private.clone()
        } else {
            let scratch = self
                .scratch
                .ok_or_else(|| OpenError::NoScratch(mount.clone()))?;
            let made = Arc::new(scratch.make(self.call).map_err(busy)?);
            self.made.insert(made).clone()
        };
        let fd = private.directory(&format!("{of}-{mount}")).map_err(busy)?;
        Ok((fd, private))
    }
}

fn open(
    granted: &Granted,
    gate: &Arc<dyn Gate>,
    private: &mut LazyPrivate<'_>,
) -> Result<Mount, OpenError> {
    let name = granted.name();
    let busy = |errno| OpenError::Busy(name.clone(), errno);
    let (root, modes, own) = match granted.place() {
        Place::Directory(path) => {
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
            let root = fs::open(path, flags, Mode::empty()).map_err(|errno| match errno {
                Errno::NOENT | Errno::NOTDIR => OpenError::Missing(name.clone()),
                Errno::ACCESS | Errno::PERM => OpenError::Forbidden(name.clone()),
                errno => busy(errno),
            })?;
            (root, Modes::SHARED, None)
        }
        Place::Scratch => {
            let (root, private) = private.directory(name, "files")?;
            (root, Modes::PRIVATE, Some(private))
        }
    };
    // An overlay over what goes with the call anyway would only cost.
    let overlay = match (granted.writes(), granted.place()) {
        (Writes::Overlay, Place::Directory(_)) => {
            let (store, private) = private.directory(name, "changes")?;
            Some(Arc::new(Overlay::new(store, private)))
        }
        (Writes::Direct, _) | (Writes::Overlay, Place::Scratch) => None,
    };
    let device = fs::fstat(&root).map_err(busy)?.st_dev;
    Ok(Mount {
        name: name.clone(),
        root: Arc::new(root),
        device,
        gate: gate.clone(),
        tally: Tally::default(),
        identities: std::collections::hash_map::RandomState::new(),
        overlay,
        modes,
        private: own,
    })
}
