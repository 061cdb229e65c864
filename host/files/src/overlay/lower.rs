use std::os::fd::OwnedFd;
use std::sync::Arc;

use cofferdam_policy::capability::filesystem::{MountPath, Quota};
use rustix::fs::{self, AtFlags, FileType, Mode, OFlags, Stat as Raw};
use rustix::io::{self, Errno};

use crate::directory::OpenHow;
use crate::error::Error;
use crate::mount::Mount;
use crate::resolve::descend;
use crate::stat::Kind;

/// Bytes that are copied at once.
const COPY_BYTES: usize = 256 << 10;

/// Something that was there before the call.
pub(super) struct Lower {
    pub(super) parent: Arc<OwnedFd>,
    /// Nothing for the mount itself.
    pub(super) name: Option<String>,
    pub(super) raw: Raw,
}

/// What a file was when the call first touched it: whether it is still that is asked before any
/// change is applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    pub(super) is_directory: bool,
    pub(super) mode: u32,
    /// Nothing of a directory but that it is one: what is in it is looked at by itself.
    file: Option<FileStamp>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct FileStamp {
    device: u64,
    inode: u64,
    size: i64,
    modified: (i64, u64),
    changed: (i64, u64),
}

impl Stamp {
    pub(super) fn of(raw: &Raw) -> Self {
        let is_directory = FileType::from_raw_mode(raw.st_mode) == FileType::Directory;
        Self {
            is_directory,
            mode: raw.st_mode,
            file: (!is_directory).then_some(FileStamp {
                device: raw.st_dev,
                inode: raw.st_ino,
                size: raw.st_size,
                modified: (raw.st_mtime, raw.st_mtime_nsec),
                changed: (raw.st_ctime, raw.st_ctime_nsec),
            }),
        }
    }
}

impl Lower {
    /// What is at a path on the disk. Nothing where the path leads through something that is no
    /// directory.
    pub(super) fn find(mount: &Mount, path: &MountPath) -> Result<Option<Self>, Error> {
        Self::below(&mount.root, path)
    }

    pub(super) fn below(root: &Arc<OwnedFd>, path: &MountPath) -> Result<Option<Self>, Error> {
        let names: Vec<&str> = path.components().collect();
        let Some((name, above)) = names.split_last() else {
            return Ok(Some(Self {
                parent: root.clone(),
                name: None,
                raw: fs::fstat(&**root)?,
            }));
        };
        let found = descend(root, above).and_then(|parent| {
            let raw = fs::statat(&*parent, *name, AtFlags::SYMLINK_NOFOLLOW)?;
            Ok((parent, raw))
        });
        match found {
            Ok((parent, raw)) => Ok(Some(Self {
                parent,
                name: Some((*name).to_owned()),
                raw,
            })),
            Err(Errno::NOENT | Errno::NOTDIR) => Ok(None),
            Err(errno) => Err(errno.into()),
        }
    }

    pub(super) fn kind(&self) -> Kind {
        FileType::from_raw_mode(self.raw.st_mode).into()
    }

    pub(super) fn directory(&self) -> Result<Arc<OwnedFd>, Error> {
        match &self.name {
            None => Ok(self.parent.clone()),
            Some(name) => Ok(descend(&self.parent, std::slice::from_ref(name))?),
        }
    }

    /// Opens the file as it is. Only to read.
    pub(super) fn open(&self, mount: &Mount, how: OpenHow) -> Result<OwnedFd, Error> {
        let name = self.name.as_deref().ok_or(Error::IsDirectory)?;
        let fd = fs::openat(&*self.parent, name, how.flags(), Mode::empty())?;
        let stat = fs::fstat(&fd)?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(Error::NotPermitted);
        }
        mount.check_device(&fd, stat.st_dev)?;
        Ok(fd)
    }

    /// Copies the file into `to`, all of it or nothing. Gives what it was.
    ///
    /// **Errors**: [`Error::Busy`] when it changes meanwhile.
    pub(super) fn copy(
        &self,
        mount: &Mount,
        to: &mut OwnedFd,
        quota: &Quota,
        keep: bool,
    ) -> Result<Stamp, Error> {
        let name = self.name.as_deref().ok_or(Error::IsDirectory)?;
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let from = fs::openat(&*self.parent, name, flags, Mode::empty())?;
        let before = fs::fstat(&from)?;
        if FileType::from_raw_mode(before.st_mode) != FileType::RegularFile {
            return Err(Error::NotPermitted);
        }
        mount.check_device(&from, before.st_dev)?;
        if keep {
            let size = u64::try_from(before.st_size).unwrap_or(0);
            mount.tally.write(quota, size)?;
            copy(&from, to, size)?;
        }
        let after = fs::fstat(&from)?;
        if Stamp::of(&before) != Stamp::of(&after) {
            return Err(Error::Busy);
        }
        Ok(Stamp::of(&before))
    }
}

/// Copies at most `size` bytes.
pub(super) fn copy(from: &OwnedFd, to: &OwnedFd, size: u64) -> Result<(), Error> {
    let mut buffer = vec![
        0;
        COPY_BYTES
            .min(usize::try_from(size).unwrap_or(COPY_BYTES))
            .max(1)
    ];
    let mut at = 0;
    while at < size {
        let read = io::pread(from, &mut buffer, at)?;
        if read == 0 {
            break;
        }
        let read = read.min(usize::try_from(size - at).unwrap_or(usize::MAX));
        let mut written = 0;
        while written < read {
            written += io::pwrite(to, &buffer[written..read], at + written as u64)?;
        }
        at += read as u64;
    }
    Ok(())
}
