//! Changes that are kept beside the files until a call has succeeded.
//!
//! What the call changes is a list of paths in memory, and the contents of changed files lie in a
//! directory of the host's own. A path that is not in the list is that of the directory below.
//! Links are neither followed nor made here, and a directory that was there before the call is not
//! renamed: both would need a tree instead of a list.

mod commit;
mod lower;
mod names;

use std::collections::{BTreeMap, HashSet};
use std::ffi::CString;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cofferdam_policy::capability::filesystem::{MountPath, Quota, Right};
use rustix::fs::{self, AtFlags, Mode, OFlags, Timestamps};

use crate::directory::{Directory, Node as Opened, OpenHow, Spot};
use crate::error::{Error, Limit};
use crate::file::File;
use crate::look::{Entry, Key};
use crate::mount::Mount;
use crate::scratch::Private;
use crate::stat::{Kind, Stat};
use lower::{Lower, Stamp};

pub use commit::{Change, ChangeKind, CommitError};

/// Most paths that a call may change on an overlay, deletions included: each takes some 300 bytes
/// of the host's memory. Reached: as the quota of files.
const CHANGES_MAX: usize = 100_000;

/// The changes of one call to one mount.
pub(crate) struct Overlay {
    /// Where the contents of changed files lie, each under its number.
    store: OwnedFd,
    /// Keeps the directory as long as anything may be in it.
    _private: Arc<Private>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// By the text of the path: everything below `a` lies between `a/` and `a0`.
    nodes: BTreeMap<String, Node>,
    stored: u64,
}

/// A changed path.
#[derive(Debug, Clone)]
struct Node {
    kind: NodeKind,
    /// What was there before the call.
    base: Option<Stamp>,
}

/// What is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum NodeKind {
    /// Nothing.
    Gone,
    /// A directory that the call made: nothing that was below before is seen.
    Directory,
    /// A file with the contents of this number.
    File(u64),
}

/// What a path is on the overlay.
enum Found {
    Nothing,
    Made(NodeKind),
    Lower(Lower),
}

impl Overlay {
    /// An empty one that keeps contents in `store`, a directory inside `private`.
    pub(crate) fn new(store: OwnedFd, private: Arc<Private>) -> Self {
        Self {
            store,
            _private: private,
            state: Mutex::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is at a path.
    pub(crate) fn look(&self, mount: &Mount, path: &MountPath) -> Result<(Stat, Key), Error> {
        let state = self.state();
        match state.find(mount, path)? {
            Found::Nothing | Found::Made(NodeKind::Gone) => Err(Error::NoEntry),
            Found::Made(NodeKind::File(number)) => {
                let raw = fs::statat(&self.store, number.to_string(), AtFlags::SYMLINK_NOFOLLOW)?;
                Ok((Stat::of(&raw), Key(raw.st_dev, raw.st_ino)))
            }
            Found::Made(NodeKind::Directory) => {
                // No directory of the disk stands for it; its times are those of the call's own.
                let mut stat = Stat::of(&fs::fstat(&self.store)?);
                stat.links = 1;
                Ok((stat, Key(u64::MAX, mount_key(path))))
            }
            Found::Lower(lower) => {
                let raw = lower.raw;
                Ok((Stat::of(&raw), Key(raw.st_dev, raw.st_ino)))
            }
        }
    }

    /// What a link says that was there before.
    pub(crate) fn read_link(&self, mount: &Mount, path: &MountPath) -> Result<CString, Error> {
        match self.state().find(mount, path)? {
            Found::Lower(Lower {
                parent,
                name: Some(name),
                ..
            }) => Ok(fs::readlinkat(&*parent, name, Vec::new())?),
            Found::Nothing | Found::Made(NodeKind::Gone) => Err(Error::NoEntry),
            Found::Made(_) | Found::Lower(_) => Err(Error::Invalid),
        }
    }

    /// The directory below, where it is still seen.
    pub(crate) fn below(
        &self,
        mount: &Mount,
        path: &MountPath,
    ) -> Result<Option<Arc<OwnedFd>>, Error> {
        match self.state().find(mount, path)? {
            Found::Lower(lower) if lower.kind() == Kind::Directory => lower.directory().map(Some),
            Found::Lower(_) | Found::Made(NodeKind::File(_)) => Err(Error::NotDirectory),
            Found::Made(NodeKind::Directory) => Ok(None),
            Found::Nothing | Found::Made(NodeKind::Gone) => Err(Error::NoEntry),
        }
    }

    /// What the call made in a directory, and every name in it that the call changed.
    pub(crate) fn made_in(&self, path: &MountPath) -> (Vec<Entry>, HashSet<String>) {
        let state = self.state();
        let mut made = Vec::new();
        let mut names = HashSet::new();
        for (name, node) in state.children(path) {
            names.insert(name.to_owned());
            let kind = match node.kind {
                NodeKind::Gone => continue,
                NodeKind::Directory => Kind::Directory,
                NodeKind::File(_) => Kind::File,
            };
            made.push(Entry {
                name: Ok(name.to_owned()),
                kind,
            });
        }
        (made, names)
    }

    /// Opens a file or a directory.
    pub(crate) fn open(
        self: Arc<Self>,
        mount: &Arc<Mount>,
        spot: &Spot,
        how: OpenHow,
    ) -> Result<Opened, Error> {
        let mut state = self.state();
        let found = state.find(mount, &spot.path)?;
        let kind = match &found {
            Found::Nothing | Found::Made(NodeKind::Gone) => None,
            Found::Made(NodeKind::Directory) => Some(Kind::Directory),
            Found::Made(NodeKind::File(_)) => Some(Kind::File),
            Found::Lower(lower) => Some(lower.kind()),
        };
        if kind.is_some() && how.create && how.exclusive {
            return Err(Error::Exist);
        }
        if kind == Some(Kind::File) && how.writes() {
            mount.decide_exact(&spot.path, Right::Write)?;
        }
        let right = match kind {
            None => Right::Create,
            Some(_) => Right::Write,
        };
        let fd = match (kind, found) {
            (None, _) if !how.create => return Err(Error::NoEntry),
            (None, _) if spot.is_directory => return Err(Error::IsDirectory),
            (None, _) => {
                let quota = mount.decide_exact(&spot.path, Right::Create)?;
                let number = self.create(&mut state, mount, &spot.path, &quota)?;
                self.stored(number, how)?
            }
            (Some(Kind::Directory), _) => {
                return open_directory(mount, spot, how).map(Opened::Directory);
            }
            (Some(Kind::File), _) if spot.is_directory || how.directory => {
                return Err(Error::NotDirectory);
            }
            (Some(Kind::File), found) => {
                if how.mode.read {
                    mount.decide_exact(&spot.path, Right::Read)?;
                }
                match found {
                    Found::Made(NodeKind::File(number)) => self.stored(number, how)?,
                    Found::Lower(lower) if how.writes() => {
                        let keep = !how.truncate;
                        let number =
                            self.copy_up(&mut state, mount, &spot.path, &lower, spot.quota, keep)?;
                        self.stored(number, how)?
                    }
                    Found::Lower(lower) => lower.open(mount, how)?,
                    Found::Nothing | Found::Made(_) => return Err(Error::NoEntry),
                }
            }
            (Some(Kind::Link), _) => return Err(Error::Loop),
            (Some(Kind::Other), _) => return Err(Error::NotPermitted),
        };
        Ok(Opened::File(File {
            mount: mount.clone(),
            path: spot.path.clone(),
            fd,
            mode: how.mode,
            right,
            quota: spot.quota,
            _open: mount.tally.open(&spot.quota)?,
        }))
    }

    /// Sets the times of a file.
    pub(crate) fn set_times(
        &self,
        mount: &Mount,
        spot: &Spot,
        times: &Timestamps,
    ) -> Result<(), Error> {
        let mut state = self.state();
        let number = match state.find(mount, &spot.path)? {
            Found::Made(NodeKind::File(number)) => number,
            Found::Lower(lower) if lower.kind() == Kind::File => {
                self.copy_up(&mut state, mount, &spot.path, &lower, spot.quota, true)?
            }
            Found::Nothing | Found::Made(NodeKind::Gone) => return Err(Error::NoEntry),
            Found::Lower(_) | Found::Made(NodeKind::Directory) => return Err(Error::Unsupported),
        };
        let name = number.to_string();
        fs::utimensat(&self.store, name, times, AtFlags::SYMLINK_NOFOLLOW)?;
        Ok(())
    }

    fn create(
        &self,
        state: &mut State,
        mount: &Mount,
        path: &MountPath,
        quota: &Quota,
    ) -> Result<u64, Error> {
        state.check_parent(mount, path)?;
        let base = state.base(mount, path)?;
        mount.tally.make(quota, path)?;
        let (number, _) = self
            .store_new(state)
            .inspect_err(|_| mount.tally.unmake())?;
        state.put(path, NodeKind::File(number), base)?;
        Ok(number)
    }

    /// An empty file for contents, and its number.
    fn store_new(&self, state: &mut State) -> Result<(u64, OwnedFd), Error> {
        state.check_room()?;
        let number = state.stored;
        state.stored += 1;
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let mode = Mode::from_raw_mode(0o600);
        let fd = fs::openat(&self.store, number.to_string(), flags, mode)?;
        Ok((number, fd))
    }

    fn stored(&self, number: u64, how: OpenHow) -> Result<OwnedFd, Error> {
        let fd = fs::openat(&self.store, number.to_string(), how.flags(), Mode::empty())?;
        if how.truncate {
            fs::ftruncate(&fd, 0)?;
        }
        Ok(fd)
    }

    /// Drops contents that no path has any more. Whoever has the file open keeps them.
    fn forget(&self, kind: NodeKind) {
        if let NodeKind::File(number) = kind {
            // What stays is removed with the directory.
            fs::unlinkat(&self.store, number.to_string(), AtFlags::empty()).ok();
        }
    }

    /// Makes a changeable copy of a file that was there. Gives its number.
    fn copy_up(
        &self,
        state: &mut State,
        mount: &Mount,
        path: &MountPath,
        lower: &Lower,
        quota: Quota,
        keep: bool,
    ) -> Result<u64, Error> {
        let (number, mut to) = self.store_new(state)?;
        let copied = lower.copy(mount, &mut to, &quota, keep);
        let base = copied.inspect_err(|_| self.forget(NodeKind::File(number)))?;
        state.put(path, NodeKind::File(number), Some(base))?;
        Ok(number)
    }
}

impl State {
    fn find(&self, mount: &Mount, path: &MountPath) -> Result<Found, Error> {
        if let Some(node) = self.nodes.get(path.as_str()) {
            return Ok(Found::Made(node.kind));
        }
        if self.is_covered(path) {
            return Ok(Found::Nothing);
        }
        Ok(Lower::find(mount, path)?.map_or(Found::Nothing, Found::Lower))
    }

    /// True when something on the way is of the call's own making, so that what was below is gone.
    fn is_covered(&self, path: &MountPath) -> bool {
        let mut above = path.parent();
        while let Some(place) = above {
            if self.nodes.contains_key(place.as_str()) {
                return true;
            }
            above = place.parent();
        }
        false
    }

    fn below(&self, path: &MountPath) -> impl DoubleEndedIterator<Item = (&String, &Node)> {
        let (from, to) = if path.as_str().is_empty() {
            (String::new(), None)
        } else {
            (format!("{path}/"), Some(format!("{path}0")))
        };
        let to = to.map_or(std::ops::Bound::Unbounded, std::ops::Bound::Excluded);
        self.nodes.range((std::ops::Bound::Included(from), to))
    }

    fn children(&self, path: &MountPath) -> impl Iterator<Item = (&str, &Node)> {
        let skip = match path.as_str().len() {
            0 => 0,
            len => len + 1,
        };
        self.below(path).filter_map(move |(key, node)| {
            let name = key.get(skip..)?;
            (!name.is_empty() && !name.contains('/')).then_some((name, node))
        })
    }

    fn check_parent(&self, mount: &Mount, path: &MountPath) -> Result<(), Error> {
        let parent = path.parent().ok_or(Error::Exist)?;
        match self.find(mount, &parent)? {
            Found::Made(NodeKind::Directory) => Ok(()),
            Found::Lower(lower) if lower.kind() == Kind::Directory => Ok(()),
            Found::Nothing | Found::Made(NodeKind::Gone) => Err(Error::NoEntry),
            Found::Made(NodeKind::File(_)) | Found::Lower(_) => Err(Error::NotDirectory),
        }
    }

    /// What was at a path before the call.
    fn base(&self, mount: &Mount, path: &MountPath) -> Result<Option<Stamp>, Error> {
        if let Some(node) = self.nodes.get(path.as_str()) {
            return Ok(node.base);
        }
        if self.is_covered(path) {
            return Ok(None);
        }
        Ok(Lower::find(mount, path)?.map(|lower| Stamp::of(&lower.raw)))
    }

    fn check_room(&self) -> Result<(), Error> {
        if self.nodes.len() < CHANGES_MAX {
            Ok(())
        } else {
            Err(Error::Limit(Limit::Files, CHANGES_MAX as u64))
        }
    }

    fn put(&mut self, path: &MountPath, kind: NodeKind, base: Option<Stamp>) -> Result<(), Error> {
        if !self.nodes.contains_key(path.as_str()) {
            self.check_room()?;
        }
        let node = Node { kind, base };
        self.nodes.insert(path.as_str().to_owned(), node);
        Ok(())
    }
}

fn open_directory(mount: &Arc<Mount>, spot: &Spot, how: OpenHow) -> Result<Directory, Error> {
    if how.writes() || how.create {
        return Err(Error::IsDirectory);
    }
    Ok(Directory {
        mount: mount.clone(),
        path: spot.path.clone(),
        fd: None,
        _open: Some(mount.tally.open(&spot.quota)?),
    })
}

/// Tells made directories apart.
fn mount_key(path: &MountPath) -> u64 {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    path.hash(&mut hasher);
    hasher.finish()
}
