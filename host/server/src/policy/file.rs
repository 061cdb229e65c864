use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::fs::{Mode, OFlags};
use rustix::process::geteuid;
use thiserror::Error;

/// Largest policy file, in bytes. Ten thousand rules have about two million.
const BYTES_MAX: u64 = 4 << 20;
/// Bits of a mode that let others write.
const WRITABLE_BY_OTHERS: u32 = 0o022;
/// The bit of a directory's mode that lets only owners replace what is in it.
const STICKY: u32 = 0o1000;

/// A policy file as it was read: at once, from one inode that nobody but its owner may write.
#[derive(Debug, Clone)]
pub(crate) struct Text {
    pub(crate) bytes: Vec<u8>,
    /// The file as it was then.
    pub(crate) state: State,
}

/// What tells one state of a file from the next: another inode, size or time is another state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct State {
    device: u64,
    inode: u64,
    bytes: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

/// Why a policy file isn't read. Whatever it is, the policy does not come into force.
#[derive(Debug, Error)]
pub(crate) enum Unreadable {
    /// The system refuses it.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// A directory, a pipe, a device.
    #[error("it is not a regular file")]
    NotAFile,
    /// Others could have written it.
    #[error("{0}")]
    Permissions(String),
    /// Too large.
    #[error("it has more than {BYTES_MAX} bytes")]
    TooLarge,
    /// Somebody wrote it at the same time.
    #[error("it changed while it was read")]
    Changed,
}

impl Text {
    /// Reads the file behind `path`, through symbolic links: the checks are of the file itself.
    pub(crate) fn read(path: &Path) -> Result<Self, Unreadable> {
        // A pipe in its place must not hold the host up.
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let mut file =
            File::from(rustix::fs::open(path, flags, Mode::empty()).map_err(std::io::Error::from)?);
        let before = file.metadata()?;
        if !before.is_file() {
            return Err(Unreadable::NotAFile);
        }
        is_private(before.uid(), before.mode(), "the file")?;
        is_private_directory(path)?;
        if before.size() > BYTES_MAX {
            return Err(Unreadable::TooLarge);
        }
        let mut bytes = Vec::new();
        (&mut file).take(BYTES_MAX + 1).read_to_end(&mut bytes)?;
        let (state, after) = (State::of(&before), State::of(&file.metadata()?));
        if state != after || bytes.len() as u64 != state.bytes {
            return Err(Unreadable::Changed);
        }
        Ok(Self { bytes, state })
    }
}

impl State {
    /// Of the file behind `path` now; `None` where there is none.
    pub(crate) fn look(path: &Path) -> Option<Self> {
        std::fs::metadata(path).ok().map(|found| Self::of(&found))
    }

    fn of(found: &std::fs::Metadata) -> Self {
        Self {
            device: found.dev(),
            inode: found.ino(),
            bytes: found.size(),
            modified: (found.mtime(), found.mtime_nsec()),
            changed: (found.ctime(), found.ctime_nsec()),
        }
    }
}

/// Whoever may write the policy decides what every tool may do: its owner, and root.
fn is_private(owner: u32, mode: u32, what: &str) -> Result<(), Unreadable> {
    if owner != 0 && owner != geteuid().as_raw() {
        return Err(Unreadable::Permissions(format!(
            "{what} belongs to user {owner}, not to the host's own user or root"
        )));
    }
    if mode & WRITABLE_BY_OTHERS != 0 {
        return Err(Unreadable::Permissions(format!(
            "{what} may be written by others (mode {:o}); chmod go-w",
            mode & 0o7777
        )));
    }
    Ok(())
}

/// Whoever may write the directory may put another file in its place, unless it is sticky.
fn is_private_directory(path: &Path) -> Result<(), Unreadable> {
    let target = path.canonicalize()?;
    let Some(parent) = target.parent() else {
        return Err(Unreadable::NotAFile);
    };
    let found = std::fs::metadata(parent)?;
    let is_sticky = found.mode() & STICKY != 0;
    let owner = if is_sticky { 0 } else { found.uid() };
    let mode = if is_sticky { 0 } else { found.mode() };
    is_private(owner, mode, "its directory")
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::path::PathBuf;

    use super::*;

    fn set_mode(path: &Path, mode: u32) {
        std::fs::set_permissions(path, Permissions::from_mode(mode)).expect("chmod");
    }

    /// A policy file in a directory of its own.
    fn file() -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("policy.yaml");
        std::fs::write(&path, "version: 1\n").expect("written");
        set_mode(&path, 0o644);
        (dir, path)
    }

    fn refused(path: &Path) -> String {
        Text::read(path).expect_err("refused").to_string()
    }

    #[test]
    fn reads_a_private_file_and_sees_each_change() {
        let (dir, path) = file();
        let text = Text::read(&path).expect("read");
        assert_eq!(text.bytes, b"version: 1\n");
        assert_eq!(State::look(&path), Some(text.state));
        let link = dir.path().join("link.yaml");
        symlink(&path, &link).expect("linked");
        assert_eq!(State::look(&link), Some(text.state));
        let next = dir.path().join("next.yaml");
        std::fs::write(&next, "version: 1\n").expect("written");
        std::fs::rename(&next, &path).expect("swapped");
        assert_ne!(State::look(&link), Some(text.state));
        std::fs::remove_file(&path).expect("removed");
        assert_eq!(State::look(&link), None);
    }

    /// PO-09: by its own mode or its directory's.
    #[test]
    fn a_file_that_others_may_write_is_no_policy() {
        let (dir, path) = file();
        for mode in [0o666, 0o664, 0o646] {
            set_mode(&path, mode);
            assert!(
                refused(&path).contains("may be written by others"),
                "{mode:o}"
            );
        }
        set_mode(&path, 0o600);
        set_mode(dir.path(), 0o777);
        assert!(refused(&path).contains("its directory may be written by others"));
        set_mode(dir.path(), 0o1777);
        assert!(
            Text::read(&path).is_ok(),
            "a sticky directory protects its files"
        );
        set_mode(dir.path(), 0o700);
    }

    /// PO-09: a pipe, a directory, or nothing in its place.
    #[test]
    fn what_is_no_file_is_no_policy() {
        let (dir, path) = file();
        assert!(refused(&dir.path().join("missing.yaml")).contains("No such file"));
        assert_eq!(refused(dir.path()), "it is not a regular file");
        let pipe = dir.path().join("pipe.yaml");
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &pipe,
            rustix::fs::FileType::Fifo,
            Mode::from_raw_mode(0o600),
            0,
        )
        .expect("a pipe");
        assert_eq!(refused(&pipe), "it is not a regular file");
        let big = vec![b'#'; 4 << 20 | 1];
        std::fs::write(&path, big).expect("written");
        assert_eq!(refused(&path), "it has more than 4194304 bytes");
    }
}
