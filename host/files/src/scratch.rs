//! Directories that a call has for itself and that go with it.

use std::collections::hash_map::RandomState;
use std::ffi::{CStr, CString};
use std::hash::BuildHasher;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;

use rustix::fs::{self, AtFlags, FileType, Mode, OFlags, RawDir};
use rustix::io::Errno;

use crate::mount::Modes;

/// Bytes of one look into a directory that is being removed.
const PAGE_BYTES: usize = 16 << 10;
/// How often the removal of one directory starts over when something is made in it meanwhile, as by
/// the last operation of a call that was cut off.
const REMOVE_TRIES: usize = 64;

const LIST: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);

/// Where the private directories of all calls are, one of a host's own.
#[derive(Debug)]
pub struct Scratch {
    root: OwnedFd,
}

/// The private directory of one call. Removed, with all that is in it, when this is dropped, which
/// takes as long as the disk does.
#[derive(Debug)]
pub struct Private {
    scratch: Arc<Scratch>,
    name: String,
    fd: OwnedFd,
}

impl Scratch {
    /// Opens the directory, making it when it isn't there. Only this user may enter it.
    ///
    /// **Errors**: those of the system, and `NOTDIR` for a link.
    pub fn open(path: &Path) -> Result<Self, Errno> {
        match fs::mkdir(path, Modes::PRIVATE.directory) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(errno) => return Err(errno),
        }
        let root = fs::open(path, LIST, Mode::empty())?;
        fs::fchmod(&root, Modes::PRIVATE.directory)?;
        Ok(Self { root })
    }

    /// Removes what calls of a host that was killed left. Only for the one host that owns the
    /// directory, before its first call.
    pub fn sweep(&self) -> Result<(), Errno> {
        loop {
            let found = names(&self.root)?;
            if found.is_empty() {
                return Ok(());
            }
            for (name, kind) in found {
                if kind == FileType::Directory {
                    remove(&self.root, &name)?;
                } else {
                    fs::unlinkat(&self.root, name, AtFlags::empty())?;
                }
            }
            fs::seek(&self.root, fs::SeekFrom::Start(0))?;
        }
    }

    /// Makes the directory of a call; `call` is its id.
    ///
    /// **Errors**: `EXIST` when it has one.
    pub fn make(self: &Arc<Self>, call: &str) -> Result<Private, Errno> {
        fs::mkdirat(&self.root, call, Modes::PRIVATE.directory)?;
        let fd = fs::openat(&self.root, call, LIST, Mode::empty())?;
        Ok(Private {
            scratch: self.clone(),
            name: call.to_owned(),
            fd,
        })
    }
}

impl Private {
    /// Makes a directory inside.
    pub(crate) fn directory(&self, name: &str) -> Result<OwnedFd, Errno> {
        fs::mkdirat(&self.fd, name, Modes::PRIVATE.directory)?;
        fs::openat(&self.fd, name, LIST, Mode::empty())
    }
}

impl Drop for Private {
    fn drop(&mut self) {
        if let Err(errno) = remove(&self.scratch.root, &c_string(&self.name)) {
            tracing::warn!(%errno, name = self.name, "a call's private directory stays behind");
        }
    }
}

/// Removes a directory and all that is below it, however deep: each directory inside is moved up
/// next to it, so that there is never a path of more than two names, one open directory, and no
/// recursion.
pub(crate) fn remove(parent: &OwnedFd, name: &CStr) -> Result<(), Errno> {
    let mut pending: Vec<CString> = vec![name.to_owned()];
    let mut moved = 0_u64;
    let mark = random();
    while let Some(name) = pending.pop() {
        let mut tries = 0;
        loop {
            let fd = match fs::openat(parent, name.as_c_str(), LIST, Mode::empty()) {
                Err(Errno::ACCESS) => {
                    // A program of the call may have shut it.
                    fs::chmodat(
                        parent,
                        name.as_c_str(),
                        Modes::PRIVATE.directory,
                        AtFlags::empty(),
                    )?;
                    fs::openat(parent, name.as_c_str(), LIST, Mode::empty())?
                }
                Err(Errno::NOENT) => break,
                opened => opened?,
            };
            let found = names(&fd)?;
            let is_empty = found.is_empty();
            for (inner, kind) in found {
                if kind == FileType::Directory {
                    let target = c_string(&format!(".removed-{mark:016x}-{moved}"));
                    moved += 1;
                    rename_up(&fd, &inner, parent, &target)?;
                    pending.push(target);
                } else {
                    match fs::unlinkat(&fd, inner, AtFlags::empty()) {
                        Ok(()) | Err(Errno::NOENT) => {}
                        Err(errno) => return Err(errno),
                    }
                }
            }
            if !is_empty {
                continue;
            }
            match fs::unlinkat(parent, name.as_c_str(), AtFlags::REMOVEDIR) {
                Ok(()) | Err(Errno::NOENT) => break,
                Err(Errno::NOTEMPTY | Errno::EXIST) if tries < REMOVE_TRIES => tries += 1,
                Err(errno) => return Err(errno),
            }
        }
    }
    Ok(())
}

/// Moves a directory. One that can't be written to can't be moved either, since its `..` changes.
fn rename_up(from: &OwnedFd, name: &CStr, to: &OwnedFd, target: &CStr) -> Result<(), Errno> {
    match fs::renameat(from, name, to, target) {
        Err(Errno::ACCESS) => {
            fs::fchmod(from, Modes::PRIVATE.directory)?;
            fs::chmodat(from, name, Modes::PRIVATE.directory, AtFlags::empty())?;
            fs::renameat(from, name, to, target)
        }
        Err(Errno::NOENT) => Ok(()),
        moved => moved,
    }
}

/// The first names in a directory, at most a page of them: those that are removed make room for the
/// next.
fn names(fd: &OwnedFd) -> Result<Vec<(CString, FileType)>, Errno> {
    let mut found = Vec::new();
    let mut buffer = vec![MaybeUninit::uninit(); PAGE_BYTES];
    let mut raw = RawDir::new(fd, &mut buffer);
    while let Some(entry) = raw.next() {
        let entry = entry?;
        let name = entry.file_name();
        if !matches!(name.to_bytes(), b"." | b"..") {
            let kind = match entry.file_type() {
                FileType::Unknown => FileType::from_raw_mode(
                    fs::statat(fd, name, AtFlags::SYMLINK_NOFOLLOW)?.st_mode,
                ),
                known => known,
            };
            found.push((name.to_owned(), kind));
        }
        if raw.is_buffer_empty() {
            break;
        }
    }
    Ok(found)
}

/// The name without its NULs: it has none.
pub(crate) fn c_string(name: &str) -> CString {
    CString::new(name.replace('\0', "")).unwrap_or_default()
}

/// A number that no other call of this process or of an earlier one is likely to have.
pub(crate) fn random() -> u64 {
    RandomState::new().hash_one(std::process::id())
}
