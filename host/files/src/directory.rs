//! A directory that a guest has open, and what it opens from there.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use cofferdam_policy::capability::filesystem::{MountPath, PathFault, Quota, Right};
use rustix::fs::{self, AtFlags, FileType, Mode, OFlags};
use rustix::io::Errno;

use crate::error::Error;
use crate::file::{File, OpenMode};
use crate::gate::Leaves;
use crate::mount::{Mount, Need};
use crate::resolve::{self, AtEnd, Fault, Links, Place};
use crate::stat::Kind;
use crate::tally::Open;

/// How often an opening is tried again when what it found is gone or replaced a moment later.
const OPEN_TRIES: usize = 4;

/// An open directory. Paths start here and stay below.
pub struct Directory {
    pub(crate) mount: Arc<Mount>,
    /// Where it was when it was opened.
    pub(crate) path: MountPath,
    /// The directory itself; nothing on an overlay, where it is its path.
    pub(crate) fd: Option<Arc<OwnedFd>>,
    /// The mounts themselves count for nothing.
    pub(crate) _open: Option<Open>,
}

/// What opening gives.
pub enum Node {
    /// A regular file.
    File(File),
    /// A directory.
    Directory(Directory),
}

/// How to open something.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "the flags of the interface")]
pub struct OpenHow {
    /// What a link at the end stands for.
    pub at_end: AtEnd,
    /// Make a file that is not there.
    pub create: bool,
    /// Only make, never open what is there.
    pub exclusive: bool,
    /// Open nothing but a directory.
    pub directory: bool,
    /// Empty the file.
    pub truncate: bool,
    /// What a file is opened for.
    pub mode: OpenMode,
}

impl OpenHow {
    /// True when the file itself is changed or can be.
    pub(crate) fn writes(self) -> bool {
        self.mode.write || self.truncate
    }

    /// The host's own flags for a file.
    pub(crate) fn flags(self) -> OFlags {
        let access = match (self.mode.read, self.writes()) {
            (true, true) => OFlags::RDWR,
            (false, true) => OFlags::WRONLY,
            (true, false) => OFlags::RDONLY,
            (false, false) => OFlags::PATH,
        };
        access | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY
    }
}

/// Where a guest's path leads, after it was decided that it may be looked at.
pub(crate) struct Spot {
    pub(crate) path: MountPath,
    pub(crate) is_directory: bool,
    /// How much may be changed there.
    pub(crate) quota: Quota,
    /// Where on the disk; nothing on an overlay.
    pub(crate) place: Option<Place>,
}

impl Spot {
    /// The directory and the name in it, for operations on names. The directory that is open itself
    /// has none.
    pub(crate) fn named(&self) -> Result<(&OwnedFd, &str), Error> {
        match &self.place {
            Some(Place {
                parent,
                name: Some(name),
                ..
            }) => Ok((&**parent, name.as_str())),
            _ => Err(Error::Busy),
        }
    }
}

impl Directory {
    /// Finds where `text` leads. What is needed is decided on the path as it is spelt, before
    /// anything is looked up, and again on the path that the links on the way lead to.
    pub(crate) fn locate(&self, text: &str, need: Need<'_>, at_end: AtEnd) -> Result<Spot, Error> {
        self.find(text, need, at_end).map_err(|fault| match fault {
            Fault::Error(error) => error,
            Fault::Leaves(why) => {
                let right = need.rights().first().copied().unwrap_or(Right::Read);
                self.mount.gate.leaves(&self.mount.name, text, right, why);
                Error::NotPermitted
            }
        })
    }

    fn find(&self, text: &str, need: Need<'_>, at_end: AtEnd) -> Result<Spot, Fault> {
        resolve::check(text)?;
        let spelt = self.below(text)?;
        let quota = self.mount.decide_need(&spelt, need)?;
        let Some(fd) = &self.fd else {
            return Ok(Spot {
                path: spelt,
                is_directory: text.ends_with('/') || text.ends_with("/."),
                quota,
                place: None,
            });
        };
        let may_follow = || self.mount.is_whole(need.rights());
        let links = Links {
            at_end,
            may_follow: &may_follow,
        };
        let place = resolve::resolve(fd, text, links)?;
        let mut path = self.path.clone();
        for name in &place.names {
            path = path.child(name).map_err(|_| Error::NameTooLong)?;
        }
        let quota = if path == spelt {
            quota
        } else {
            self.mount.decide_need(&path, need)?
        };
        Ok(Spot {
            path,
            is_directory: place.is_directory,
            quota,
            place: Some(place),
        })
    }

    /// The path as it is spelt, as if nothing in it were a link.
    fn below(&self, text: &str) -> Result<MountPath, Fault> {
        let read = |start: &MountPath, text: &str| {
            start.joined(text).map_err(|fault| match fault {
                PathFault::Absolute | PathFault::Escapes => Fault::Leaves(Leaves::Above),
                PathFault::TooLong => Fault::Error(Error::NameTooLong),
                PathFault::Empty => Fault::Error(Error::NoEntry),
                PathFault::Nul => Fault::Error(Error::Invalid),
            })
        };
        // From an empty start first: what climbs above this directory leaves it, even where the
        // mount goes on above.
        let relative = read(&MountPath::root(), text)?;
        read(&self.path, relative.as_str())
    }

    /// Opens a file or a directory.
    ///
    /// **Errors**: [`Error::NotPermitted`] for what is not granted and for pipes, sockets and
    /// devices, which are never opened.
    pub fn open(&self, text: &str, how: OpenHow) -> Result<Node, Error> {
        if how.directory && (how.create || how.exclusive || how.truncate) {
            return Err(Error::Invalid);
        }
        let need = if how.writes() && how.create {
            Need::Any(&[Right::Write, Right::Create])
        } else if how.writes() {
            Need::All(&[Right::Write])
        } else if how.directory {
            Need::Any(&[
                Right::List,
                Right::Read,
                Right::Write,
                Right::Create,
                Right::Delete,
            ])
        } else {
            Need::Any(&[
                Right::Read,
                Right::List,
                Right::Write,
                Right::Create,
                Right::Delete,
            ])
        };
        let spot = self.locate(text, need, how.at_end)?;
        if how.create && (how.exclusive || !how.writes()) {
            self.mount.decide_exact(&spot.path, Right::Create)?;
        }
        match &self.mount.overlay {
            Some(overlay) => overlay.clone().open(&self.mount, &spot, how),
            None => self.open_direct(&spot, how),
        }
    }

    fn open_direct(&self, spot: &Spot, how: OpenHow) -> Result<Node, Error> {
        let Ok((parent, name)) = spot.named() else {
            return self.open_directory(spot, how);
        };
        for _ in 0..OPEN_TRIES {
            let stat = match fs::statat(parent, name, AtFlags::SYMLINK_NOFOLLOW) {
                Ok(stat) => stat,
                Err(Errno::NOENT) => match self.create(spot, how)? {
                    Some(file) => return Ok(Node::File(file)),
                    None => continue,
                },
                Err(errno) => return Err(errno.into()),
            };
            if how.create && how.exclusive {
                return Err(Error::Exist);
            }
            match FileType::from_raw_mode(stat.st_mode).into() {
                Kind::Directory => return self.open_directory(spot, how),
                Kind::File if spot.is_directory || how.directory => {
                    return Err(Error::NotDirectory);
                }
                Kind::File => match self.open_file(spot, how) {
                    Err(Error::NoEntry) if how.create => {}
                    opened => return opened.map(Node::File),
                },
                Kind::Link => return Err(Error::Loop),
                Kind::Other => return Err(Error::NotPermitted),
            }
        }
        Err(Error::Busy)
    }

    /// Makes a file. Nothing when somebody else made one of that name just now.
    fn create(&self, spot: &Spot, how: OpenHow) -> Result<Option<File>, Error> {
        if !how.create {
            return Err(Error::NoEntry);
        }
        if spot.is_directory {
            return Err(Error::IsDirectory);
        }
        let mount = &self.mount;
        let made = mount.decide_exact(&spot.path, Right::Create)?;
        let (parent, name) = spot.named()?;
        let quota = spot.quota;
        let open = mount.tally.open(&quota)?;
        mount.tally.make(&made, &spot.path)?;
        let flags = how.flags().difference(OFlags::PATH) | OFlags::CREATE | OFlags::EXCL;
        match fs::openat(parent, name, flags, mount.modes.file) {
            Ok(fd) => Ok(Some(File {
                mount: mount.clone(),
                path: spot.path.clone(),
                fd,
                mode: how.mode,
                right: Right::Create,
                quota,
                _open: open,
            })),
            Err(errno) => {
                mount.tally.unmake();
                match errno {
                    Errno::EXIST if how.exclusive => Err(Error::Exist),
                    Errno::EXIST => Ok(None),
                    errno => Err(errno.into()),
                }
            }
        }
    }

    fn open_file(&self, spot: &Spot, how: OpenHow) -> Result<File, Error> {
        let mount = &self.mount;
        if how.mode.read {
            mount.decide_exact(&spot.path, Right::Read)?;
        }
        let quota = if how.writes() {
            mount.decide_exact(&spot.path, Right::Write)?
        } else {
            spot.quota
        };
        let open = mount.tally.open(&quota)?;
        let (parent, name) = spot.named()?;
        let fd = fs::openat(parent, name, how.flags(), Mode::empty())?;
        // It may be another thing than a moment ago.
        let stat = fs::fstat(&fd)?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(Error::NotPermitted);
        }
        mount.check_device(&fd, stat.st_dev)?;
        if how.truncate {
            fs::ftruncate(&fd, 0)?;
        }
        Ok(File {
            mount: mount.clone(),
            path: spot.path.clone(),
            fd,
            mode: how.mode,
            right: Right::Write,
            quota,
            _open: open,
        })
    }

    fn open_directory(&self, spot: &Spot, how: OpenHow) -> Result<Node, Error> {
        if how.writes() || how.create {
            return Err(if how.exclusive {
                Error::Exist
            } else {
                Error::IsDirectory
            });
        }
        let Some(Place { parent, name, .. }) = &spot.place else {
            return Err(Error::NoEntry);
        };
        let fd = match name {
            Some(name) => resolve::descend(parent, std::slice::from_ref(name))?,
            None => parent.clone(),
        };
        self.mount.check_device(&fd, fs::fstat(&*fd)?.st_dev)?;
        let open = self.mount.tally.open(&spot.quota)?;
        Ok(Node::Directory(Self {
            mount: self.mount.clone(),
            path: spot.path.clone(),
            fd: Some(fd),
            _open: Some(open),
        }))
    }
}
