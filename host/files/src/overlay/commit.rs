//! What a call changed, and how it becomes true.
//!
//! All new contents are first written beside the files, in one directory of the mount's own root,
//! and synced; then each file is renamed to its place, which replaces what is there at once; then
//! what the call deleted is deleted. A host that is killed in the middle leaves some files new and
//! some old, never half of one, nothing deleted before all else is in place, and its directory
//! `.cofferdam-commit-…`, which can be removed.

use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use cofferdam_policy::capability::filesystem::{FileAsk, MountName, MountPath, Right};
use rustix::fs::{self, AtFlags, Mode, OFlags};
use rustix::io::Errno;
use thiserror::Error as ThisError;

use super::lower::{Lower, copy};
use super::{Node, NodeKind, Overlay};
use crate::error::Error;
use crate::mount::{Modes, Mount};
use crate::resolve::descend;
use crate::scratch;
use crate::stat::Stat;

/// How much of the new contents is read at once.
const PIECE_BYTES: usize = 256 << 10;

/// Something that a call changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// On which mount.
    pub mount: MountName,
    /// Where.
    pub path: MountPath,
    /// What came of it.
    pub kind: ChangeKind,
    /// Whether it is, or was, a directory.
    pub is_directory: bool,
    /// Its size in bytes after the change; 0 of directories and of what is gone.
    pub bytes: u64,
}

/// What came of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    /// It was not there.
    Created,
    /// It is another, or has other contents.
    Changed,
    /// It is gone.
    Deleted,
}

/// Why changes were not applied.
#[derive(Debug, Clone, PartialEq, Eq, ThisError)]
pub enum CommitError {
    /// A later policy took back what a change needs; nothing was applied.
    #[error("{0} may not be changed any more; nothing was applied")]
    Refused(Box<FileAsk>),
    /// Somebody else changed a file meanwhile; nothing was applied.
    #[error("/{mount}/{path} was changed by somebody else during the call; nothing was applied")]
    Conflict {
        /// On which mount.
        mount: MountName,
        /// The first such path.
        path: MountPath,
    },
    /// The disk would not give the new contents back; nothing was applied.
    #[error("the new contents of /{mount}/{path} can't be read: {error}; nothing was applied")]
    Unreadable {
        /// On which mount.
        mount: MountName,
        /// Of which path.
        path: MountPath,
        /// What the system said.
        error: Error,
    },
    /// The disk would not take the new contents; nothing was applied.
    #[error("the changes of {mount} can't be written: {error}; nothing was applied")]
    Stage {
        /// Which mount.
        mount: MountName,
        /// What the system said.
        error: Error,
    },
    /// The disk failed while changes were put in place.
    #[error("{applied} changes of {mount} were applied, then /{mount}/{path} failed: {error}")]
    Partial {
        /// Which mount.
        mount: MountName,
        /// Where it ended.
        path: MountPath,
        /// How many were applied before.
        applied: usize,
        /// What the system said.
        error: Error,
    },
}

impl Overlay {
    /// What was changed, in the order of the paths.
    pub(crate) fn changes(&self, mount: &MountName) -> Vec<Change> {
        let state = self.state();
        let changes = state.nodes.iter().filter_map(|(key, node)| {
            let was_directory = node.base.is_some_and(|base| base.is_directory);
            let (kind, is_directory, bytes) = match (node.kind, node.base) {
                (NodeKind::Gone, _) => (ChangeKind::Deleted, was_directory, 0),
                (NodeKind::Directory, Some(_)) if was_directory => return None,
                (NodeKind::Directory, Some(_)) => (ChangeKind::Changed, true, 0),
                (NodeKind::Directory, None) => (ChangeKind::Created, true, 0),
                (NodeKind::File(number), None) => (ChangeKind::Created, false, self.size(number)),
                (NodeKind::File(number), Some(_)) => {
                    (ChangeKind::Changed, false, self.size(number))
                }
            };
            Some(Change {
                mount: mount.clone(),
                path: MountPath::root().joined(key).ok()?,
                kind,
                is_directory,
                bytes,
            })
        });
        changes.collect()
    }

    /// Gives the new contents of a path to `take`, piece by piece. There are none of what is gone
    /// and of directories.
    pub(crate) fn read(&self, path: &MountPath, take: &mut dyn FnMut(&[u8])) -> Result<(), Error> {
        let kind = self.state().nodes.get(path.as_str()).map(|node| node.kind);
        let Some(NodeKind::File(number)) = kind else {
            return Ok(());
        };
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let from = fs::openat(&self.store, number.to_string(), flags, Mode::empty())?;
        let mut piece = vec![0; PIECE_BYTES];
        loop {
            match rustix::io::read(&from, &mut piece) {
                Ok(0) => return Ok(()),
                Ok(length) => take(&piece[..length]),
                Err(Errno::INTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
    }

    fn size(&self, number: u64) -> u64 {
        fs::statat(&self.store, number.to_string(), AtFlags::SYMLINK_NOFOLLOW)
            .map_or(0, |raw| Stat::of(&raw).size)
    }

    /// Asks for each change once more: what it needed when it was made may have been taken back.
    /// Nothing is noted, since all of it was when it was first decided.
    pub(crate) fn permitted(&self, mount: &Mount) -> Result<(), CommitError> {
        for (key, node) in &self.state().nodes {
            let path = MountPath::root().joined(key).unwrap_or_default();
            let refused = |way: &&[Right]| {
                let mut rights = way.iter();
                rights.find(|right| !mount.allows(&path, **right)).copied()
            };
            let ways = node.ways();
            if let Some(right) = ways.iter().map(refused).reduce(Option::and).flatten() {
                let ask = FileAsk::exact(&mount.name, &path, right);
                return Err(CommitError::Refused(Box::new(ask)));
            }
        }
        Ok(())
    }

    /// The first path whose file is no longer what it was.
    pub(crate) fn conflict(&self, mount: &Mount) -> Result<(), CommitError> {
        for (key, node) in &self.state().nodes {
            let path = MountPath::root().joined(key).unwrap_or_default();
            // Below something that the call made anew nothing of the disk counts.
            let now = Lower::below(&mount.root, &path).ok().flatten();
            let now = now.map(|lower| super::Stamp::of(&lower.raw));
            let same = match (now, node.base) {
                (Some(now), Some(base)) => now == base || (now.is_directory && base.is_directory),
                (now, base) => now.is_none() && base.is_none(),
            };
            if !same {
                return Err(CommitError::Conflict {
                    mount: mount.name.clone(),
                    path,
                });
            }
        }
        Ok(())
    }

    /// Applies the changes.
    pub(crate) fn commit(&self, mount: &Mount) -> Result<(), CommitError> {
        let nodes = self.state().nodes.clone();
        if nodes.is_empty() {
            return Ok(());
        }
        let stage = |error| CommitError::Stage {
            mount: mount.name.clone(),
            error,
        };
        let staging = Staging::make(&mount.root).map_err(stage)?;
        self.stage(&nodes, &staging).map_err(stage)?;
        let mut publisher = Publisher {
            root: &mount.root,
            staging: &staging,
            nodes: &nodes,
            applied: 0,
        };
        publisher
            .run()
            .map_err(|(path, error)| CommitError::Partial {
                mount: mount.name.clone(),
                path,
                applied: publisher.applied,
                error,
            })
    }

    fn stage(&self, nodes: &BTreeMap<String, Node>, staging: &Staging) -> Result<(), Error> {
        for node in nodes.values() {
            let NodeKind::File(number) = node.kind else {
                continue;
            };
            let name = number.to_string();
            let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let from = fs::openat(&self.store, name.as_str(), flags, Mode::empty())?;
            let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
            let to = fs::openat(&staging.fd, name.as_str(), flags, Modes::SHARED.file)?;
            let raw = fs::fstat(&from)?;
            copy(&from, &to, Stat::of(&raw).size)?;
            if let Some(base) = node.base.filter(|base| !base.is_directory) {
                // As executable as it was; never with set-user-id.
                fs::fchmod(&to, Mode::from_raw_mode(base.mode & 0o777))?;
            }
            fs::fdatasync(&to)?;
        }
        Ok(())
    }
}

/// Where new contents lie until they are renamed. Removed with all that is left in it.
struct Staging {
    root: Arc<OwnedFd>,
    name: String,
    fd: OwnedFd,
}

impl Staging {
    fn make(root: &Arc<OwnedFd>) -> Result<Self, Error> {
        for _ in 0..16 {
            let name = format!(".cofferdam-commit-{:016x}", scratch::random());
            match fs::mkdirat(&**root, name.as_str(), Modes::PRIVATE.directory) {
                Ok(()) => {
                    let flags =
                        OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
                    let fd = fs::openat(&**root, name.as_str(), flags, Mode::empty())?;
                    return Ok(Self {
                        root: root.clone(),
                        name,
                        fd,
                    });
                }
                Err(Errno::EXIST) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
        Err(Error::Exist)
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        if let Err(errno) = scratch::remove(&self.root, &scratch::c_string(&self.name)) {
            tracing::warn!(%errno, name = self.name, "a commit's directory stays behind");
        }
    }
}

struct Publisher<'a> {
    root: &'a Arc<OwnedFd>,
    staging: &'a Staging,
    nodes: &'a BTreeMap<String, Node>,
    applied: usize,
}

type Failed = (MountPath, Error);

impl Publisher<'_> {
    /// What can be put in place at once; then deletions, the deepest first; then what had to wait
    /// for one, because another kind of thing was there.
    fn run(&mut self) -> Result<(), Failed> {
        let (mut now, mut later) = (Vec::new(), Vec::new());
        let mut blocked: Option<&str> = None;
        for (key, node) in self.nodes {
            let is_below = blocked.is_some_and(|above| {
                key.strip_prefix(above)
                    .is_some_and(|rest| rest.starts_with('/'))
            });
            if !is_below {
                blocked = node.changes_kind().then_some(key.as_str());
            }
            if is_below || blocked.is_some() {
                later.push((key, node));
            } else {
                now.push((key, node));
            }
        }
        for (key, node) in now {
            self.put(key, node)?;
        }
        for (key, node) in self.nodes.iter().rev() {
            let is_deleted = node.kind == NodeKind::Gone || node.changes_kind();
            if let Some(base) = node.base.filter(|_| is_deleted) {
                let flags = if base.is_directory {
                    AtFlags::REMOVEDIR
                } else {
                    AtFlags::empty()
                };
                self.at(key, |parent, name| fs::unlinkat(parent, name, flags))?;
            }
        }
        for (key, node) in later {
            self.put(key, node)?;
        }
        Ok(())
    }

    fn put(&mut self, key: &str, node: &Node) -> Result<(), Failed> {
        let staging = &self.staging.fd;
        match node.kind {
            NodeKind::Gone => Ok(()),
            NodeKind::Directory if node.base.is_some_and(|base| base.is_directory) => Ok(()),
            NodeKind::Directory => self.at(key, |parent, name| {
                fs::mkdirat(parent, name, Modes::SHARED.directory)
            }),
            NodeKind::File(number) => self.at(key, |parent, name| {
                fs::renameat(staging, number.to_string(), parent, name)
            }),
        }
    }

    fn at(
        &mut self,
        key: &str,
        act: impl FnOnce(&OwnedFd, &str) -> Result<(), Errno>,
    ) -> Result<(), Failed> {
        let path = MountPath::root().joined(key).unwrap_or_default();
        let names: Vec<&str> = path.components().collect();
        let done = match names.split_last() {
            Some((name, above)) => descend(self.root, above).and_then(|parent| act(&parent, name)),
            None => Err(Errno::BUSY),
        };
        match done {
            Ok(()) => {
                self.applied += 1;
                Ok(())
            }
            Err(errno) => Err((path, errno.into())),
        }
    }
}

impl Node {
    /// The rights that each way to such a change takes; one of the ways has to be open.
    fn ways(&self) -> &'static [&'static [Right]] {
        const NOTHING: &[&[Right]] = &[&[]];
        let was_directory = self.base.map(|base| base.is_directory);
        match (self.kind, was_directory) {
            (NodeKind::Gone, None) | (NodeKind::Directory, Some(true)) => NOTHING,
            (NodeKind::Gone, Some(_)) => &[&[Right::Delete]],
            (NodeKind::File(_), Some(false)) => &[&[Right::Delete, Right::Create], &[Right::Write]],
            (NodeKind::File(_), Some(true)) | (NodeKind::Directory, Some(false)) => {
                &[&[Right::Delete, Right::Create]]
            }
            (NodeKind::File(_) | NodeKind::Directory, None) => &[&[Right::Create]],
        }
    }

    /// A file where a directory was, or the other way round.
    fn changes_kind(&self) -> bool {
        match (self.kind, self.base) {
            (NodeKind::File(_), Some(base)) => base.is_directory,
            (NodeKind::Directory, Some(base)) => !base.is_directory,
            (NodeKind::Gone, _) | (_, None) => false,
        }
    }
}
