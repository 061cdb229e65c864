use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use cofferdam_policy::capability::filesystem::{MountPath, Quota};

use crate::error::{Error, Limit};

/// What a call has used of a mount.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    bytes: AtomicU64,
    files: AtomicU64,
    open: Arc<AtomicU64>,
}

/// A place among the open descriptors, given back when dropped.
#[derive(Debug)]
pub(crate) struct Open(Arc<AtomicU64>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Tally {
    /// Takes `bytes` before they are written.
    pub(crate) fn write(&self, quota: &Quota, bytes: u64) -> Result<(), Error> {
        take(&self.bytes, bytes, quota.write_bytes)
            .map_err(|()| Error::Limit(Limit::Disk, quota.write_bytes))
    }

    /// Gives back what was taken and not written.
    pub(crate) fn unwrite(&self, bytes: u64) {
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Takes a place for something that is about to be made at `path`.
    pub(crate) fn make(&self, quota: &Quota, path: &MountPath) -> Result<(), Error> {
        if path.depth() as u64 > quota.depth {
            return Err(Error::Limit(Limit::Depth, quota.depth));
        }
        take(&self.files, 1, quota.files).map_err(|()| Error::Limit(Limit::Files, quota.files))
    }

    /// It was not made after all.
    pub(crate) fn unmake(&self) {
        self.files.fetch_sub(1, Ordering::Relaxed);
    }

    pub(crate) fn open(&self, quota: &Quota) -> Result<Open, Error> {
        take(&self.open, 1, quota.open).map_err(|()| Error::Limit(Limit::Handles, quota.open))?;
        Ok(Open(self.open.clone()))
    }
}

fn take(counter: &AtomicU64, more: u64, max: u64) -> Result<(), ()> {
    let order = Ordering::Relaxed;
    let taken = counter.fetch_update(order, order, |used| {
        used.checked_add(more).filter(|sum| *sum <= max)
    });
    taken.map(|_| ()).map_err(|_| ())
}
