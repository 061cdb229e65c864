//! What a guest learns about what is there.

use std::collections::hash_map::RandomState;
use std::collections::{HashSet, VecDeque};
use std::hash::BuildHasher;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use cofferdam_policy::capability::filesystem::{MountPath, Right};
use rustix::fs::{self, AtFlags, FileType, Mode, OFlags, RawDir};

use crate::directory::{Directory, Spot};
use crate::error::Error;
use crate::file::File;
use crate::mount::{Mount, Need};
use crate::resolve::AtEnd;
use crate::stat::{Kind, Stat};

/// Bytes of one page of a listing: some hundred names. A directory of any size is held in no more.
const PAGE_BYTES: usize = 16 << 10;

/// To see a file's size and times, a guest may read it or list it.
const SEE: Need<'_> = Need::Any(&[Right::Read, Right::List]);

/// Says of two files or directories whether they are the same one, and nothing else about them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    /// Half of it.
    pub lower: u64,
    /// The other half.
    pub upper: u64,
}

/// Something in a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its name; an error where it is not UTF-8, which the interface can't say.
    pub name: Result<String, Error>,
    /// What it is.
    pub kind: Kind,
}

/// A directory that is being listed, page by page.
pub struct Listing {
    fd: Option<OwnedFd>,
    page: VecDeque<Entry>,
    /// Names that an overlay answers for.
    hidden: HashSet<String>,
    /// What a guest lists, which is asked about at each page; nothing where the host does.
    of: Option<(Arc<Mount>, MountPath)>,
}

impl Directory {
    /// What a path leads to.
    pub fn stat_at(&self, text: &str, at_end: AtEnd) -> Result<Stat, Error> {
        let spot = self.locate(text, SEE, at_end)?;
        let stat = self.look(&spot)?.0;
        if at_end == AtEnd::Target && stat.kind == Kind::Link {
            return Err(Error::Loop);
        }
        Ok(stat)
    }

    /// This directory itself.
    pub fn stat(&self) -> Result<Stat, Error> {
        self.stat_at(".", AtEnd::Link)
    }

    /// Which file a path leads to.
    pub fn identity_at(&self, text: &str, at_end: AtEnd) -> Result<Identity, Error> {
        let spot = self.locate(text, SEE, at_end)?;
        let (_, key) = self.look(&spot)?;
        Ok(identity(&self.mount.identities, key))
    }

    fn look(&self, spot: &Spot) -> Result<(Stat, Key), Error> {
        let (stat, key) = match (&self.mount.overlay, &spot.place) {
            (Some(overlay), _) => overlay.look(&self.mount, &spot.path)?,
            (None, Some(place)) => {
                let raw = match &place.name {
                    Some(name) => {
                        fs::statat(&*place.parent, name.as_str(), AtFlags::SYMLINK_NOFOLLOW)?
                    }
                    None => fs::fstat(&*place.parent)?,
                };
                (Stat::of(&raw), Key(raw.st_dev, raw.st_ino))
            }
            (None, None) => return Err(Error::NoEntry),
        };
        if spot.is_directory && stat.kind != Kind::Directory {
            return Err(Error::NotDirectory);
        }
        Ok((stat, key))
    }

    /// What a link says. One that starts at the root is not told: it names places of the host.
    pub fn read_link(&self, text: &str) -> Result<String, Error> {
        let spot = self.locate(text, SEE, AtEnd::Link)?;
        if spot.is_directory {
            return Err(Error::Invalid);
        }
        let target = if let Some(overlay) = &self.mount.overlay {
            overlay.read_link(&self.mount, &spot.path)?
        } else {
            let (parent, name) = spot.named().map_err(|_| Error::Invalid)?;
            fs::readlinkat(parent, name, Vec::new())?
        };
        let target = target
            .into_string()
            .map_err(|_| Error::IllegalByteSequence)?;
        if target.starts_with('/') {
            return Err(Error::NotPermitted);
        }
        Ok(target)
    }

    /// Begins to list this directory.
    pub fn list(&self) -> Result<Listing, Error> {
        self.mount.decide_exact(&self.path, Right::List)?;
        let mut listing = match (&self.mount.overlay, &self.fd) {
            (Some(overlay), _) => {
                let below = overlay.below(&self.mount, &self.path)?;
                let (made, hidden) = overlay.made_in(&self.path);
                match below {
                    Some(fd) => Listing::of(&fd, made, hidden)?,
                    None => Listing {
                        fd: None,
                        page: made.into(),
                        hidden,
                        of: None,
                    },
                }
            }
            (None, Some(fd)) => Listing::of(fd, Vec::new(), HashSet::new())?,
            (None, None) => return Err(Error::NoEntry),
        };
        listing.of = Some((self.mount.clone(), self.path.clone()));
        Ok(listing)
    }

    /// Which directory this is.
    pub fn identity(&self) -> Result<Identity, Error> {
        self.identity_at(".", AtEnd::Link)
    }

    /// Whether both are one directory.
    pub fn is_same(&self, other: &Self) -> Result<bool, Error> {
        if !Arc::ptr_eq(&self.mount, &other.mount) {
            return Ok(false);
        }
        match (&self.fd, &other.fd) {
            (Some(a), Some(b)) => Ok(Key::of(a)? == Key::of(b)?),
            _ => Ok(self.path == other.path),
        }
    }
}

impl File {
    /// Which file this is.
    pub fn identity(&self) -> Result<Identity, Error> {
        self.stat()?;
        Ok(identity(&self.mount.identities, Key::of(&self.fd)?))
    }

    /// Whether both are one file.
    pub fn is_same(&self, other: &Self) -> Result<bool, Error> {
        Ok(Key::of(&self.fd)? == Key::of(&other.fd)?)
    }
}

impl Listing {
    /// Of a directory, after `first` and without `hidden`.
    pub(crate) fn of(
        fd: &OwnedFd,
        first: Vec<Entry>,
        hidden: HashSet<String>,
    ) -> Result<Self, Error> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(Self {
            fd: Some(fs::openat(fd, ".", flags, Mode::empty())?),
            page: first.into(),
            hidden,
            of: None,
        })
    }

    /// The next entry of the page that is there.
    pub fn pop(&mut self) -> Option<Entry> {
        self.page.pop_front()
    }

    /// The next entry, reading another page when there is none. Nothing at the end.
    #[expect(clippy::should_implement_trait, reason = "it fails")]
    pub fn next(&mut self) -> Result<Option<Entry>, Error> {
        loop {
            if let Some(entry) = self.page.pop_front() {
                return Ok(Some(entry));
            }
            if !self.read_page()? {
                return Ok(None);
            }
        }
    }

    /// How many entries are held ready.
    #[cfg(test)]
    pub(crate) fn held(&self) -> usize {
        self.page.len()
    }

    fn read_page(&mut self) -> Result<bool, Error> {
        let Some(fd) = &self.fd else {
            return Ok(false);
        };
        // Noted once, when it began, unless it was taken back since.
        if let Some((mount, path)) = &self.of
            && !mount.allows(path, Right::List)
        {
            mount.decide_exact(path, Right::List)?;
        }
        let mut buffer = [MaybeUninit::uninit(); PAGE_BYTES];
        let mut raw = RawDir::new(fd, &mut buffer);
        let mut any = false;
        while let Some(entry) = raw.next() {
            let entry = entry?;
            any = true;
            let name = entry.file_name();
            let is_dots = matches!(name.to_bytes(), b"." | b"..");
            let kind = match entry.file_type() {
                FileType::Unknown => fs::statat(fd, name, AtFlags::SYMLINK_NOFOLLOW)
                    .map_or(FileType::Unknown, |stat| {
                        FileType::from_raw_mode(stat.st_mode)
                    }),
                known => known,
            };
            let name = name.to_str().map(str::to_owned);
            let is_hidden = name.as_ref().is_ok_and(|name| self.hidden.contains(name));
            if !is_dots && !is_hidden {
                self.page.push_back(Entry {
                    name: name.map_err(|_| Error::IllegalByteSequence),
                    kind: kind.into(),
                });
            }
            if raw.is_buffer_empty() {
                break;
            }
        }
        Ok(any)
    }
}

/// What the kernel tells files apart by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Key(pub(crate) u64, pub(crate) u64);

impl Key {
    fn of(fd: &OwnedFd) -> Result<Self, Error> {
        let raw = fs::fstat(fd)?;
        Ok(Self(raw.st_dev, raw.st_ino))
    }
}

fn identity(keys: &RandomState, key: Key) -> Identity {
    Identity {
        lower: keys.hash_one((0_u8, key)),
        upper: keys.hash_one((1_u8, key)),
    }
}
