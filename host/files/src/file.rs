use std::io::IoSlice;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use cofferdam_policy::capability::filesystem::{FileAsk, MountPath, Quota, Right};
use rustix::fs;
use rustix::io::{self, Errno, ReadWriteFlags};

use crate::error::Error;
use crate::mount::{Mount, Need};
use crate::stat::{NewTime, Stat, timestamps};
use crate::tally::Open;

/// Most bytes of one read: what a guest asks for is held in the host's memory until it has it.
pub const READ_BYTES_MAX: usize = 64 << 10;

/// An open regular file. Each operation is decided again, so that what is taken away during a call
/// is gone at its next use.
pub struct File {
    pub(crate) mount: Arc<Mount>,
    pub(crate) path: MountPath,
    pub(crate) fd: OwnedFd,
    /// What the guest opened it for.
    pub(crate) mode: OpenMode,
    /// What lets it be changed: the right to write, or that to create for one made by this opening.
    pub(crate) right: Right,
    pub(crate) quota: Quota,
    pub(crate) _open: Open,
}

/// What a file was opened for. Without either only its size and times can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenMode {
    /// Its contents can be read.
    pub read: bool,
    /// Its contents can be changed.
    pub write: bool,
}

impl File {
    /// What it was opened for.
    pub fn mode(&self) -> OpenMode {
        self.mode
    }

    /// Reads at most `len` bytes, and at most [`READ_BYTES_MAX`]. None at the end.
    ///
    /// **Errors**: [`Error::BadDescriptor`] when it was not opened for that.
    pub fn read(&self, len: u64, offset: u64) -> Result<Vec<u8>, Error> {
        if !self.mode.read {
            return Err(Error::BadDescriptor);
        }
        self.decide(Right::Read)?;
        if i64::try_from(offset).is_err() {
            return Err(Error::Invalid);
        }
        let len = usize::try_from(len).map_or(READ_BYTES_MAX, |len| len.min(READ_BYTES_MAX));
        let mut bytes = vec![0; len];
        let read = retried(|| io::pread(&self.fd, &mut bytes, offset))?;
        bytes.truncate(read);
        Ok(bytes)
    }

    /// Writes some of `bytes`, at least one; gives how many.
    ///
    /// **Errors**: [`Error::Limit`] before anything is written.
    pub fn write(&self, bytes: &[u8], offset: u64) -> Result<usize, Error> {
        let len = bytes.len() as u64;
        let end = offset.checked_add(len).ok_or(Error::FileTooLarge)?;
        self.check_write(end)?;
        let hole = offset.saturating_sub(self.size()?);
        self.mount
            .tally
            .write(&self.quota, len.saturating_add(hole))?;
        let written = retried(|| io::pwrite(&self.fd, bytes, offset));
        self.settle(len, hole, written)
    }

    /// The same at the end of the file, wherever that is when it happens.
    pub fn append(&self, bytes: &[u8]) -> Result<usize, Error> {
        let len = bytes.len() as u64;
        self.check_write(len)?;
        self.mount.tally.write(&self.quota, len)?;
        let bytes = [IoSlice::new(bytes)];
        let written = retried(|| io::pwritev2(&self.fd, &bytes, u64::MAX, ReadWriteFlags::APPEND));
        self.settle(len, 0, written)
    }

    fn settle(&self, len: u64, hole: u64, written: Result<usize, Errno>) -> Result<usize, Error> {
        match written {
            Ok(written) => {
                self.mount.tally.unwrite(len - written as u64);
                Ok(written)
            }
            Err(errno) => {
                self.mount.tally.unwrite(len + hole);
                Err(errno.into())
            }
        }
    }

    /// Cuts it or lets it grow. Holes count as written: a disk may have to hold them later.
    pub fn set_size(&self, size: u64) -> Result<(), Error> {
        if !self.mode.write {
            return Err(Error::BadDescriptor);
        }
        self.decide(self.right)?;
        let growth = size.saturating_sub(self.size()?);
        self.mount.tally.write(&self.quota, growth)?;
        if i64::try_from(size).is_err() {
            self.mount.tally.unwrite(growth);
            return Err(Error::FileTooLarge);
        }
        if let Err(errno) = fs::ftruncate(&self.fd, size) {
            self.mount.tally.unwrite(growth);
            return Err(errno.into());
        }
        Ok(())
    }

    /// Sets when it was read and changed.
    pub fn set_times(&self, accessed: NewTime, modified: NewTime) -> Result<(), Error> {
        if !self.mode.write {
            return Err(Error::BadDescriptor);
        }
        self.decide(self.right)?;
        fs::futimens(&self.fd, &timestamps(accessed, modified)?)?;
        Ok(())
    }

    /// What is known of it, where the guest may read or list it; having it open to write is not
    /// enough.
    pub fn stat(&self) -> Result<Stat, Error> {
        let need = Need::Any(&[Right::Read, Right::List]);
        self.mount.decide_need(&self.path, need)?;
        Ok(Stat::of(&fs::fstat(&self.fd)?))
    }

    /// Waits until its contents are on the disk.
    pub fn sync(&self) -> Result<(), Error> {
        if self.mode.write {
            fs::fdatasync(&self.fd)?;
        }
        Ok(())
    }

    fn decide(&self, right: Right) -> Result<Quota, Error> {
        self.mount
            .decide(&FileAsk::exact(&self.mount.name, &self.path, right))
    }

    fn check_write(&self, end: u64) -> Result<(), Error> {
        if !self.mode.write {
            return Err(Error::BadDescriptor);
        }
        self.decide(self.right)?;
        // What can't be addressed is a matter of the quota as well: it would be used up by far.
        if i64::try_from(end).is_err() {
            return Err(Error::FileTooLarge);
        }
        Ok(())
    }

    fn size(&self) -> Result<u64, Error> {
        Ok(Stat::of(&fs::fstat(&self.fd)?).size)
    }
}

fn retried<T>(mut call: impl FnMut() -> Result<T, Errno>) -> Result<T, Errno> {
    loop {
        match call() {
            Err(Errno::INTR) => {}
            ended => return ended,
        }
    }
}
