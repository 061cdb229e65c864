use rustix::fs::{FileType, Stat as Raw, Timespec, Timestamps, UTIME_NOW, UTIME_OMIT};

use crate::error::Error;

/// What something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A directory.
    Directory,
    /// A regular file.
    File,
    /// A symbolic link.
    Link,
    /// A pipe, a socket, a device: shown and never opened.
    Other,
}

impl From<FileType> for Kind {
    fn from(kind: FileType) -> Self {
        match kind {
            FileType::Directory => Self::Directory,
            FileType::RegularFile => Self::File,
            FileType::Symlink => Self::Link,
            _ => Self::Other,
        }
    }
}

/// A moment since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// Whole seconds.
    pub seconds: u64,
    /// And nanoseconds, below 10⁹.
    pub nanoseconds: u32,
}

/// What is known of a file without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stat {
    /// What it is.
    pub kind: Kind,
    /// Its names.
    pub links: u64,
    /// Bytes.
    pub size: u64,
    /// Last read; nothing when that was before 1970, for which the interface has no form.
    pub accessed: Option<Moment>,
    /// Last changed.
    pub modified: Option<Moment>,
    /// Last change of anything about it.
    pub changed: Option<Moment>,
}

impl Stat {
    pub(crate) fn of(raw: &Raw) -> Self {
        Self {
            kind: FileType::from_raw_mode(raw.st_mode).into(),
            links: raw.st_nlink,
            size: u64::try_from(raw.st_size).unwrap_or(0),
            accessed: moment(raw.st_atime, raw.st_atime_nsec),
            modified: moment(raw.st_mtime, raw.st_mtime_nsec),
            changed: moment(raw.st_ctime, raw.st_ctime_nsec),
        }
    }
}

fn moment(seconds: i64, nanoseconds: u64) -> Option<Moment> {
    Some(Moment {
        seconds: u64::try_from(seconds).ok()?,
        nanoseconds: u32::try_from(nanoseconds)
            .ok()
            .filter(|it| *it < 1_000_000_000)?,
    })
}

/// A time to set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NewTime {
    /// As it is.
    Keep,
    /// That of the host.
    Now,
    /// This one.
    At(Moment),
}

/// Both times as the kernel takes them.
///
/// **Errors**: [`Error::Invalid`] for one that no kernel knows.
pub(crate) fn timestamps(accessed: NewTime, modified: NewTime) -> Result<Timestamps, Error> {
    let read = |time| {
        Ok(match time {
            NewTime::Keep => Timespec {
                tv_sec: 0,
                tv_nsec: UTIME_OMIT,
            },
            NewTime::Now => Timespec {
                tv_sec: 0,
                tv_nsec: UTIME_NOW,
            },
            NewTime::At(moment) if moment.nanoseconds < 1_000_000_000 => Timespec {
                tv_sec: i64::try_from(moment.seconds).map_err(|_| Error::Invalid)?,
                tv_nsec: moment.nanoseconds.into(),
            },
            NewTime::At(_) => return Err(Error::Invalid),
        })
    };
    Ok(Timestamps {
        last_access: read(accessed)?,
        last_modification: read(modified)?,
    })
}
