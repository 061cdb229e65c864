//! Room on the disks of the mounts: a program may use some of it, and leaves enough to others.

use std::os::fd::OwnedFd;

use rustix::fs::{StatVfs, fstatvfs};

/// Of what was free when it started, a program leaves so much: it can't fill a disk, however many
/// files it writes and by whatever call, and the next one starts from what is left.
pub(crate) const LEFT_PERCENT: u64 = 50;

/// The mounts that can be written, and what has to stay free below each.
pub(super) struct Room<'a>(Vec<(&'a OwnedFd, Free)>);

/// What can still be taken of a file system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Free {
    blocks: u64,
    /// Files; nothing where the file system makes room for more as it goes.
    files: Option<u64>,
}

impl<'a> Room<'a> {
    /// Looks how much there is. A file system that doesn't say is not watched.
    pub(super) fn new(mounts: &'a [OwnedFd], writable: &[bool]) -> Self {
        let written = mounts
            .iter()
            .zip(writable)
            .filter(|(_, writable)| **writable);
        let room = written.filter_map(|(mount, _)| Some((mount, Free::of(mount)?.share())));
        Self(room.collect())
    }

    /// True when less is free somewhere than has to stay.
    pub(super) fn is_short(&self) -> bool {
        let short = |(mount, least): &(&OwnedFd, Free)| {
            Free::of(mount).is_some_and(|free| free.is_below(*least))
        };
        self.0.iter().any(short)
    }
}

impl Free {
    fn of(mount: &OwnedFd) -> Option<Self> {
        fstatvfs(mount).ok().map(|stat| Self::in_stat(&stat))
    }

    fn in_stat(stat: &StatVfs) -> Self {
        Self {
            blocks: stat.f_bavail,
            files: (stat.f_files > 0).then_some(stat.f_favail),
        }
    }

    fn share(self) -> Self {
        let share = |free: u64| free / 100 * LEFT_PERCENT;
        Self {
            blocks: share(self.blocks),
            files: self.files.map(share),
        }
    }

    fn is_below(self, least: Self) -> bool {
        let few = |(free, least): (u64, u64)| free < least;
        self.blocks < least.blocks || self.files.zip(least.files).is_some_and(few)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_each_is_left() {
        let free = |blocks, files| Free { blocks, files };
        let least = free(1_000, Some(400)).share();
        assert_eq!(least, free(500, Some(200)));
        assert!(!free(500, Some(200)).is_below(least));
        assert!(free(499, Some(400)).is_below(least));
        assert!(free(1_000, Some(199)).is_below(least));
        assert!(!free(1_000, None).is_below(free(0, None).share()));
        // A disk that is full to begin with is not the program's doing.
        assert!(!free(0, Some(0)).is_below(free(0, Some(0)).share()));
    }
}
