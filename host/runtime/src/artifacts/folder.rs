//! The directory of artifacts: opened once, and reached by that descriptor alone, so that it can't
//! be exchanged for another one later.

use std::fs::{DirBuilder, File};
use std::io::{ErrorKind, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fs::{
    AtFlags, Dir, FileType, FlockOperation, Mode, OFlags, Stat, Timespec, Timestamps, UTIME_NOW,
    fchmod, flock, fstat, open, openat, renameat, statat, unlinkat, utimensat,
};
use rustix::io::Errno;
use rustix::process::{geteuid, getpid};

use super::Fault;
use super::seal::HEADER_BYTES;
use crate::compile::ARTIFACT_BYTES_MAX;

/// What the name of an artifact ends with. Files of other names are left alone.
pub(super) const SUFFIX: &str = ".cwasm";
/// What the name of a file that is being written begins with.
const FRESH: &str = "new-";
/// Names tried for such a file: one may be taken by a process of the same number elsewhere.
const ATTEMPTS_MAX: u32 = 16;

/// A directory that this user alone can change.
pub(super) struct Folder {
    descriptor: OwnedFd,
}

/// An artifact as the directory lists it.
pub(super) struct Stored {
    pub(super) name: String,
    pub(super) bytes: u64,
    /// When it was last written or loaded, in seconds and nanoseconds.
    pub(super) used: (i64, i64),
}

impl Folder {
    /// Opens the directory, and makes it if it is not there.
    pub(super) fn open(path: &Path) -> Result<Self, Fault> {
        match DirBuilder::new().mode(0o700).create(path) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error.into()),
            _ => {}
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let descriptor = open(path, flags, Mode::empty())?;
        let stat = fstat(&descriptor)?;
        let mode = own(&stat)?;
        if mode.intersects(Mode::WGRP | Mode::WOTH) {
            return Err(Fault::Open);
        }
        if mode.intersects(Mode::RWXG | Mode::RWXO) {
            // Nobody else has a reason to read what components do.
            fchmod(&descriptor, Mode::RWXU)?;
        }
        Ok(Self { descriptor })
    }

    /// The whole file; `None` when there is none.
    pub(super) fn read(&self, name: &str) -> Result<Option<Vec<u8>>, Fault> {
        // Not blocking: opening a pipe that somebody put here would wait for its other end.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = match openat(&self.descriptor, name, flags, Mode::empty()) {
            Ok(file) => File::from(file),
            Err(Errno::NOENT) => return Ok(None),
            Err(Errno::LOOP) => return Err(Fault::Kind),
            Err(error) => return Err(error.into()),
        };
        let stat = fstat(&file)?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(Fault::Kind);
        }
        if own(&stat)?.intersects(Mode::RWXG | Mode::RWXO) {
            return Err(Fault::Open);
        }
        let bytes_max = ARTIFACT_BYTES_MAX + HEADER_BYTES as u64;
        let expected = size(&stat).min(bytes_max);
        let mut bytes = Vec::with_capacity(usize::try_from(expected).unwrap_or(0));
        // One that is longer, or grows meanwhile, is cut off and then has no valid seal.
        file.take(bytes_max).read_to_end(&mut bytes)?;
        Ok(Some(bytes))
    }

    /// Writes a file whole, or not at all: whoever reads sees the old one or the new one.
    ///
    /// Nothing waits for the disk: a file that a loss of power leaves torn has no valid seal.
    pub(super) fn write(&self, name: &str, parts: [&[u8]; 2]) -> Result<(), Fault> {
        let (fresh, mut file) = self.create()?;
        let written = parts
            .iter()
            .try_for_each(|part| file.write_all(part))
            .map_err(Fault::from);
        let placed =
            written.and_then(|()| Ok(renameat(&self.descriptor, &*fresh, &self.descriptor, name)?));
        if placed.is_err() {
            self.remove(&fresh)?;
        }
        placed
    }

    /// Removes a file. One that is gone already is what was wanted.
    pub(super) fn remove(&self, name: &str) -> Result<(), Fault> {
        match unlinkat(&self.descriptor, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Notes that a file was used.
    pub(super) fn touch(&self, name: &str) -> Result<(), Fault> {
        let now = Timespec {
            tv_sec: 0,
            tv_nsec: UTIME_NOW,
        };
        let times = Timestamps {
            last_access: now,
            last_modification: now,
        };
        utimensat(&self.descriptor, name, &times, AtFlags::SYMLINK_NOFOLLOW)?;
        Ok(())
    }

    /// The artifacts, of all installations and engines.
    pub(super) fn list(&self) -> Result<Vec<Stored>, Fault> {
        let mut stored = Vec::new();
        for name in self.names(|name| name.ends_with(SUFFIX))? {
            let stat = match statat(&self.descriptor, &*name, AtFlags::SYMLINK_NOFOLLOW) {
                Ok(stat) => stat,
                // Another host removed it.
                Err(Errno::NOENT) => continue,
                Err(error) => return Err(error.into()),
            };
            if FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile {
                stored.push(Stored {
                    name,
                    bytes: size(&stat),
                    used: last_written(&stat),
                });
            }
        }
        Ok(stored)
    }

    /// Removes what hosts that were killed left half written. What a living host writes is locked,
    /// and left alone.
    pub(super) fn clean(&self) -> Result<(), Fault> {
        for name in self.names(|name| name.starts_with(FRESH))? {
            let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
            match openat(&self.descriptor, &*name, flags, Mode::empty()) {
                Ok(file) if flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok() => {
                    self.remove(&name)?;
                }
                Err(Errno::LOOP) => self.remove(&name)?,
                Ok(_) | Err(Errno::NOENT) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// A new file of this process, locked as long as it is open.
    fn create(&self) -> Result<(String, File), Fault> {
        /// Every file of this process gets another number.
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        for _ in 0..ATTEMPTS_MAX {
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let name = format!("{FRESH}{}-{number}", getpid().as_raw_nonzero());
            let file = match openat(&self.descriptor, &*name, flags, Mode::RUSR | Mode::WUSR) {
                Ok(file) => File::from(file),
                Err(Errno::EXIST) => continue,
                Err(error) => return Err(error.into()),
            };
            // Else a host that starts just now took it for left behind, and removes it.
            if flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok() {
                return Ok((name, file));
            }
        }
        Err(Errno::EXIST.into())
    }

    fn names(&self, wanted: impl Fn(&str) -> bool) -> Result<Vec<String>, Fault> {
        let mut names = Vec::new();
        for entry in Dir::read_from(self.descriptor.as_fd())? {
            // Artifacts and fresh files have names of ASCII.
            if let Ok(name) = entry?.file_name().to_str()
                && wanted(name)
            {
                names.push(name.to_owned());
            }
        }
        Ok(names)
    }
}

/// The permissions of what belongs to this user.
fn own(stat: &Stat) -> Result<Mode, Fault> {
    if stat.st_uid == geteuid().as_raw() {
        Ok(Mode::from_raw_mode(stat.st_mode))
    } else {
        Err(Fault::Foreign)
    }
}

fn size(stat: &Stat) -> u64 {
    u64::try_from(stat.st_size).unwrap_or(0)
}

fn last_written(stat: &Stat) -> (i64, i64) {
    #[allow(
        clippy::unnecessary_cast,
        clippy::cast_possible_wrap,
        reason = "the fields have other types on other systems"
    )]
    (stat.st_mtime as i64, stat.st_mtime_nsec as i64)
}
