//! What a guest changes by name: directories, links, names themselves.

use std::sync::Arc;

use cofferdam_policy::capability::filesystem::{FileAsk, MountPath, PathFault, Right};
use rustix::fs::{self, AtFlags, FileType, RenameFlags};
use rustix::io::Errno;

use crate::directory::{Directory, Spot};
use crate::error::Error;
use crate::gate::Leaves;
use crate::mount::Need;
use crate::resolve::AtEnd;
use crate::stat::{Kind, NewTime, timestamps};

impl Directory {
    /// Makes a directory.
    pub fn create_directory(&self, text: &str) -> Result<(), Error> {
        let spot = self.locate(text, Need::All(&[Right::Create]), AtEnd::Link)?;
        let Some(overlay) = &self.mount.overlay else {
            let (parent, name) = spot.named().map_err(|_| Error::Exist)?;
            return self.make(&spot, || {
                fs::mkdirat(parent, name, self.mount.modes.directory)
            });
        };
        self.mount.tally.make(&spot.quota, &spot.path)?;
        overlay
            .create_directory(&self.mount, &spot.path)
            .inspect_err(|_| self.mount.tally.unmake())
    }

    /// Removes a directory that is empty.
    pub fn remove_directory(&self, text: &str) -> Result<(), Error> {
        let spot = self.locate(text, Need::All(&[Right::Delete]), AtEnd::Link)?;
        if let Some(overlay) = &self.mount.overlay {
            return overlay.remove_directory(&self.mount, &spot.path);
        }
        let (parent, name) = spot.named()?;
        Ok(fs::unlinkat(parent, name, AtFlags::REMOVEDIR)?)
    }

    /// Removes a file or a link.
    pub fn remove_file(&self, text: &str) -> Result<(), Error> {
        let spot = self.locate(text, Need::All(&[Right::Delete]), AtEnd::Link)?;
        if spot.is_directory {
            let is_directory = self.kind(&spot)? == Some(Kind::Directory);
            return Err(if is_directory {
                Error::IsDirectory
            } else {
                Error::NotDirectory
            });
        }
        if let Some(overlay) = &self.mount.overlay {
            return overlay.remove_file(&self.mount, &spot.path);
        }
        let (parent, name) = spot.named()?;
        Ok(fs::unlinkat(parent, name, AtFlags::empty())?)
    }

    /// Sets when what a path leads to was read and changed.
    pub fn set_times_at(
        &self,
        text: &str,
        at_end: AtEnd,
        accessed: NewTime,
        modified: NewTime,
    ) -> Result<(), Error> {
        let spot = self.locate(text, Need::All(&[Right::Write]), at_end)?;
        let times = timestamps(accessed, modified)?;
        if let Some(overlay) = &self.mount.overlay {
            return overlay.set_times(&self.mount, &spot, &times);
        }
        if spot.is_directory && self.kind(&spot)? != Some(Kind::Directory) {
            return Err(Error::NotDirectory);
        }
        if let Ok((parent, name)) = spot.named() {
            fs::utimensat(parent, name, &times, AtFlags::SYMLINK_NOFOLLOW)?;
        } else {
            let fd = self.fd.as_ref().ok_or(Error::NoEntry)?;
            fs::utimensat(&**fd, ".", &times, AtFlags::SYMLINK_NOFOLLOW)?;
        }
        Ok(())
    }

    /// Sets when this directory was read and changed.
    pub fn set_times(&self, accessed: NewTime, modified: NewTime) -> Result<(), Error> {
        self.set_times_at(".", AtEnd::Link, accessed, modified)
    }

    /// Gives a file a second name on the same mount. Both have to be writable, and the new one may
    /// give nothing that the old one doesn't.
    pub fn link(&self, from: &str, into: &Self, to: &str) -> Result<(), Error> {
        let source = self.locate(from, Need::All(&[Right::Read, Right::Write]), AtEnd::Link)?;
        let target = into.locate(to, Need::All(&[Right::Create, Right::Write]), AtEnd::Link)?;
        if !Arc::ptr_eq(&self.mount, &into.mount) {
            return Err(Error::CrossDevice);
        }
        if self.mount.overlay.is_some() {
            return Err(Error::Unsupported);
        }
        self.gives_no_more(&source.path, &target.path)?;
        if source.is_directory || target.is_directory {
            return Err(Error::NotDirectory);
        }
        if self.kind(&source)? != Some(Kind::File) {
            return Err(Error::NotPermitted);
        }
        let (old, old_name) = source.named()?;
        let (new, new_name) = target.named().map_err(|_| Error::Exist)?;
        into.make(&target, || {
            fs::linkat(old, old_name, new, new_name, AtFlags::empty())
        })
    }

    /// Makes a link to a path of the same mount.
    ///
    /// A target is a path that goes up only at its start, so that it means the same whatever its
    /// other names are or become. Links are made where the whole mount is granted, as they are
    /// followed.
    pub fn symlink(&self, target: &str, text: &str) -> Result<(), Error> {
        let spot = self.locate(text, Need::All(&[Right::Create]), AtEnd::Link)?;
        let leaves = |why| {
            let mount = &self.mount;
            mount.gate.leaves(&mount.name, target, Right::Create, why);
            Error::NotPermitted
        };
        if target.starts_with('/') {
            return Err(leaves(Leaves::Absolute));
        }
        if !self.mount.is_whole(&[Right::Create]) {
            return Err(leaves(Leaves::LinkInPart));
        }
        check_target(&spot.path, target).map_err(|fault| match fault {
            PathFault::Escapes | PathFault::Absolute => leaves(Leaves::ThroughLink),
            PathFault::Empty => Error::NoEntry,
            PathFault::Nul => Error::Invalid,
            PathFault::TooLong => Error::NameTooLong,
        })?;
        if self.mount.overlay.is_some() {
            return Err(Error::Unsupported);
        }
        if spot.is_directory {
            return Err(Error::NoEntry);
        }
        let (parent, name) = spot.named().map_err(|_| Error::Exist)?;
        self.make(&spot, || fs::symlinkat(target, parent, name))
    }

    /// Moves a name within a mount.
    ///
    /// A directory takes all that is below it along, so all of that has to be granted at both ends,
    /// and it stays at its depth. A link may come to lie deeper only.
    pub fn rename(&self, from: &str, into: &Self, to: &str) -> Result<(), Error> {
        let source = self.locate(from, Need::All(&[Right::Delete]), AtEnd::Link)?;
        let target = into.locate(to, Need::All(&[Right::Create]), AtEnd::Link)?;
        if !Arc::ptr_eq(&self.mount, &into.mount) {
            return Err(Error::CrossDevice);
        }
        let kind = self.kind(&source)?.ok_or(Error::NoEntry)?;
        if (source.is_directory || target.is_directory) && kind != Kind::Directory {
            return Err(Error::NotDirectory);
        }
        match kind {
            Kind::Directory => self.check_tree(&source.path, &target.path)?,
            Kind::File => self.gives_no_more(&source.path, &target.path)?,
            Kind::Link => self.check_link(&source.path, &target.path)?,
            Kind::Other => return Err(Error::NotPermitted),
        }
        let replaces = into.kind(&target)?.is_some();
        if replaces {
            self.mount.decide_exact(&target.path, Right::Delete)?;
        }
        if target.path.depth() as u64 > target.quota.depth {
            let depth = target.quota.depth;
            return Err(Error::Limit(crate::Limit::Depth, depth));
        }
        if let Some(overlay) = &self.mount.overlay {
            return overlay.rename(&self.mount, &source, &target);
        }
        let (old, old_name) = source.named()?;
        let (new, new_name) = target.named()?;
        let may_replace = self.mount.allows(&target.path, Right::Delete);
        if may_replace {
            return Ok(fs::renameat(old, old_name, new, new_name)?);
        }
        // Nothing was there a moment ago, and nothing is replaced that is there by now.
        let flags = RenameFlags::NOREPLACE;
        Ok(fs::renameat_with(old, old_name, new, new_name, flags)?)
    }

    /// Everything below both ends is granted, and the tree stays at its depth: deeper, and files in
    /// it could lie too deep; less deep, and what its links climb could lead out of the mount. Neither
    /// is looked for, since others may put it there while one looks.
    fn check_tree(&self, from: &MountPath, to: &MountPath) -> Result<(), Error> {
        for path in [from, to] {
            for right in Right::ALL {
                self.mount
                    .decide(&FileAsk::below(&self.mount.name, path, right))?;
            }
        }
        if to.depth() != from.depth() {
            return Err(Error::CrossDevice);
        }
        Ok(())
    }

    /// A link climbs as many names as when it was made, so with fewer above it, it could lead out.
    fn check_link(&self, from: &MountPath, to: &MountPath) -> Result<(), Error> {
        self.gives_no_more(from, to)?;
        if to.depth() < from.depth() {
            return Err(Error::CrossDevice);
        }
        Ok(())
    }

    /// What may be done under the new name may be done under the old one.
    fn gives_no_more(&self, from: &MountPath, to: &MountPath) -> Result<(), Error> {
        for right in [Right::Read, Right::Write, Right::List] {
            if self.mount.allows(to, right) {
                self.mount.decide_exact(from, right)?;
            }
        }
        Ok(())
    }

    /// Counts what is made, and takes the count back when it wasn't.
    fn make(&self, spot: &Spot, make: impl FnOnce() -> Result<(), Errno>) -> Result<(), Error> {
        self.mount.tally.make(&spot.quota, &spot.path)?;
        make().map_err(|errno| {
            self.mount.tally.unmake();
            errno.into()
        })
    }

    /// What is there, if anything.
    fn kind(&self, spot: &Spot) -> Result<Option<Kind>, Error> {
        let found = if let Some(overlay) = &self.mount.overlay {
            overlay
                .look(&self.mount, &spot.path)
                .map(|(stat, _)| stat.kind)
        } else {
            let Ok((parent, name)) = spot.named() else {
                return Ok(Some(Kind::Directory));
            };
            fs::statat(parent, name, AtFlags::SYMLINK_NOFOLLOW)
                .map(|stat| FileType::from_raw_mode(stat.st_mode).into())
                .map_err(Error::from)
        };
        match found {
            Ok(kind) => Ok(Some(kind)),
            Err(Error::NoEntry) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Checks that a target leads to a path of the mount: `..` first, names after.
fn check_target(link: &MountPath, target: &str) -> Result<(), PathFault> {
    if target.is_empty() {
        return Err(PathFault::Empty);
    }
    let mut names = target.split('/').filter(|name| !matches!(*name, "" | "."));
    if names
        .by_ref()
        .skip_while(|name| *name == "..")
        .any(|name| name == "..")
    {
        return Err(PathFault::Escapes);
    }
    let from = link.parent().ok_or(PathFault::Escapes)?;
    from.joined(target).map(|_| ())
}
