//! From a guest's text to a place on the disk, without trusting anything on the way.
//!
//! Every step is one name looked up in a directory that is held open, and the kernel never follows
//! a link: where links may be followed, it is done here, name by name, so that `..` and absolute
//! targets are seen before they lead anywhere. A directory that is swapped for a link in the middle
//! of a walk makes the walk fail; it can't turn it. What comes out is the path with every link
//! resolved, which is the one that is decided about, and the open directory of its last name.

use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use cofferdam_policy::capability::filesystem::{COMPONENT_BYTES_MAX, PATH_BYTES_MAX};
use rustix::fs::{self, AtFlags, FileType, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;

use crate::error::Error;
use crate::gate::Leaves;

/// Most links on one path, as the kernel has it.
const LINKS_MAX: usize = 40;
/// Most names that are looked at for one path, those of its links included: 40 links of full length
/// would be 80,000.
const STEPS_MAX: usize = 4_096;

/// A directory that is only passed through.
const PASS: OFlags = OFlags::PATH
    .union(OFlags::DIRECTORY)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);
/// Anything, itself and not what it points to.
const LOOK: OFlags = OFlags::PATH.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// Whether the kernel has `openat2`. Asked once: older ones and some containers don't.
static HAS_OPENAT2: AtomicBool = AtomicBool::new(true);

/// Where a path leads.
#[derive(Debug)]
pub(crate) struct Place {
    /// The directory that the last name is in.
    pub(crate) parent: Arc<OwnedFd>,
    /// The last name; nothing when the path is the directory that the walk started from.
    pub(crate) name: Option<String>,
    /// Every name from where the walk started, all links resolved.
    pub(crate) names: Vec<String>,
    /// It is spelt so that only a directory can be meant: `a/`, `a/.`.
    pub(crate) is_directory: bool,
}

/// Why a path leads nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It would lead out.
    Leaves(Leaves),
    /// As the system says.
    Error(Error),
}

impl<E: Into<Error>> From<E> for Fault {
    fn from(error: E) -> Self {
        Self::Error(error.into())
    }
}

/// What a walk may do at a link.
#[derive(Clone, Copy)]
pub(crate) struct Links<'a> {
    /// Whether one at the end is meant itself or for what it points to.
    pub(crate) at_end: AtEnd,
    /// Whether links may be followed at all. Asked when there is one.
    pub(crate) may_follow: &'a dyn Fn() -> bool,
}

/// What a link at the end of a path stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AtEnd {
    /// What it points to.
    Target,
    /// Itself.
    Link,
}

/// Checks the form of a path that a guest gives, before anything is looked up.
pub(crate) fn check(text: &str) -> Result<(), Fault> {
    if text.contains('\0') {
        return Err(Fault::Error(Error::Invalid));
    }
    if text.is_empty() {
        return Err(Fault::Error(Error::NoEntry));
    }
    if text.len() > PATH_BYTES_MAX || text.split('/').any(|name| name.len() > COMPONENT_BYTES_MAX) {
        return Err(Fault::Error(Error::NameTooLong));
    }
    if text.starts_with('/') {
        return Err(Fault::Leaves(Leaves::Absolute));
    }
    Ok(())
}

/// Walks `text` from `base`. The path has been checked.
pub(crate) fn resolve(base: &Arc<OwnedFd>, text: &str, links: Links<'_>) -> Result<Place, Fault> {
    let names: Vec<&str> = text
        .split('/')
        .filter(|name| !matches!(*name, "" | "."))
        .collect();
    let is_directory = text.ends_with('/') || text.ends_with("/.") || text == ".";
    if !names.contains(&"..")
        && let Some(place) = straight(base, &names, is_directory, links.at_end)?
    {
        return Ok(place);
    }
    Walk::new(base, &names, is_directory).go(links)
}

/// The place without a link on the way, in one look. Nothing when there is one.
fn straight(
    base: &Arc<OwnedFd>,
    names: &[&str],
    is_directory: bool,
    at_end: AtEnd,
) -> Result<Option<Place>, Fault> {
    let Some((name, above)) = names.split_last() else {
        return Ok(Some(Place {
            parent: base.clone(),
            name: None,
            names: Vec::new(),
            is_directory: true,
        }));
    };
    let parent = match descend(base, above) {
        Ok(parent) => parent,
        Err(Errno::LOOP) => return Ok(None),
        Err(errno) => return Err(errno.into()),
    };
    if at_end == AtEnd::Target
        && let Ok(stat) = fs::statat(&*parent, *name, AtFlags::SYMLINK_NOFOLLOW)
        && FileType::from_raw_mode(stat.st_mode) == FileType::Symlink
    {
        return Ok(None);
    }
    Ok(Some(Place {
        parent,
        name: Some((*name).to_owned()),
        names: names.iter().map(|name| (*name).to_owned()).collect(),
        is_directory,
    }))
}

/// Opens a directory below `base` by names of which none is a link, `.` or `..`.
///
/// **Errors**: `LOOP` where one of them is a link.
pub(crate) fn descend<S: AsRef<str>>(
    base: &Arc<OwnedFd>,
    names: &[S],
) -> Result<Arc<OwnedFd>, Errno> {
    if names.is_empty() {
        return Ok(base.clone());
    }
    if HAS_OPENAT2.load(Ordering::Relaxed) {
        let path = names
            .iter()
            .map(AsRef::as_ref)
            .collect::<Vec<_>>()
            .join("/");
        let how = ResolveFlags::BENEATH
            .union(ResolveFlags::NO_SYMLINKS)
            .union(ResolveFlags::NO_MAGICLINKS);
        // With `NOFOLLOW` a link at the end would be answered as a thing that is no directory.
        let flags = PASS.difference(OFlags::NOFOLLOW);
        match fs::openat2(&**base, path, flags, Mode::empty(), how) {
            Ok(fd) => return Ok(Arc::new(fd)),
            // A filter of system calls answers `PERM` where a kernel answers `NOSYS`.
            Err(Errno::NOSYS | Errno::PERM) => HAS_OPENAT2.store(false, Ordering::Relaxed),
            Err(errno) => return Err(errno),
        }
    }
    by_name(base, names)
}

/// The same for a kernel without `openat2`: one name at a time.
pub(crate) fn by_name<S: AsRef<str>>(
    base: &Arc<OwnedFd>,
    names: &[S],
) -> Result<Arc<OwnedFd>, Errno> {
    let mut here = base.clone();
    for name in names {
        here = Arc::new(
            match fs::openat(&*here, name.as_ref(), PASS, Mode::empty()) {
                Ok(fd) => fd,
                // With `DIRECTORY` a link is answered as any other thing that is no directory.
                Err(Errno::NOTDIR) if is_link(&here, name.as_ref()) => return Err(Errno::LOOP),
                Err(errno) => return Err(errno),
            },
        );
    }
    Ok(here)
}

fn is_link(parent: &OwnedFd, name: &str) -> bool {
    fs::statat(parent, name, AtFlags::SYMLINK_NOFOLLOW)
        .is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Symlink)
}

/// A walk that may meet links and `..`.
struct Walk<'a> {
    base: &'a Arc<OwnedFd>,
    here: Arc<OwnedFd>,
    /// From `base` to `here`.
    names: Vec<String>,
    /// What is still to be walked, the next name last.
    pending: Vec<String>,
    is_directory: bool,
    links: usize,
    steps: usize,
}

impl<'a> Walk<'a> {
    fn new(base: &'a Arc<OwnedFd>, names: &[&str], is_directory: bool) -> Self {
        Self {
            base,
            here: base.clone(),
            names: Vec::new(),
            pending: names.iter().rev().map(|name| (*name).to_owned()).collect(),
            is_directory,
            links: 0,
            steps: 0,
        }
    }

    fn go(mut self, links: Links<'_>) -> Result<Place, Fault> {
        while let Some(name) = self.pending.pop() {
            self.steps += 1;
            if self.steps > STEPS_MAX {
                return Err(Fault::Error(Error::Loop));
            }
            if name == ".." {
                self.up()?;
                continue;
            }
            let is_last = self.pending.is_empty();
            let fd = match fs::openat(&*self.here, name.as_str(), LOOK, Mode::empty()) {
                Ok(fd) => fd,
                Err(Errno::NOENT) if is_last => return Ok(self.at(name)),
                Err(errno) => return Err(errno.into()),
            };
            match FileType::from_raw_mode(fs::fstat(&fd)?.st_mode) {
                FileType::Symlink if is_last && links.at_end == AtEnd::Link => {
                    return Ok(self.at(name));
                }
                FileType::Symlink => self.follow(&fd, links)?,
                _ if is_last => return Ok(self.at(name)),
                FileType::Directory => {
                    self.here = Arc::new(fd);
                    self.names.push(name);
                }
                _ => return Err(Fault::Error(Error::NotDirectory)),
            }
        }
        self.ended_in_directory()
    }

    /// `..`. The directory is looked up again from the start rather than asked for its parent: it
    /// may have been moved elsewhere in the meantime.
    fn up(&mut self) -> Result<(), Fault> {
        self.names.pop().ok_or(Fault::Leaves(if self.links > 0 {
            Leaves::ThroughLink
        } else {
            Leaves::Above
        }))?;
        self.steps += self.names.len() / 16;
        self.here = descend(self.base, &self.names)?;
        Ok(())
    }

    fn follow(&mut self, link: &OwnedFd, links: Links<'_>) -> Result<(), Fault> {
        if !(links.may_follow)() {
            return Err(Fault::Leaves(Leaves::LinkInPart));
        }
        self.links += 1;
        if self.links > LINKS_MAX {
            return Err(Fault::Error(Error::Loop));
        }
        let target = fs::readlinkat(link, "", Vec::new())?;
        let target = target.to_str().map_err(|_| Error::IllegalByteSequence)?;
        if target.starts_with('/') {
            return Err(Fault::Leaves(Leaves::ThroughLink));
        }
        if self.pending.is_empty() && (target.ends_with('/') || target.ends_with("/.")) {
            self.is_directory = true;
        }
        let names = target.rsplit('/').filter(|name| !matches!(*name, "" | "."));
        self.pending.extend(names.map(str::to_owned));
        Ok(())
    }

    fn at(mut self, name: String) -> Place {
        self.names.push(name.clone());
        Place {
            parent: self.here,
            name: Some(name),
            names: self.names,
            is_directory: self.is_directory,
        }
    }

    /// The path ended in `..`, or in a link to `.`: it is a directory that was walked through.
    fn ended_in_directory(mut self) -> Result<Place, Fault> {
        let Some(name) = self.names.pop() else {
            return Ok(Place {
                parent: self.base.clone(),
                name: None,
                names: Vec::new(),
                is_directory: true,
            });
        };
        self.here = descend(self.base, &self.names)?;
        self.is_directory = true;
        Ok(self.at(name))
    }
}
