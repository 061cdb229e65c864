use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use cofferdam_policy::Format;
use rustix::fs::{Mode, OFlags};
use rustix::process::geteuid;
use thiserror::Error;

/// Largest policy file, in bytes. Ten thousand rules have about two million.
const BYTES_MAX: u64 = 4 << 20;
/// Bits of a mode that let others write.
const WRITABLE_BY_OTHERS: u32 = 0o022;
/// Links on the way to a policy file, at most: as many as the kernel follows.
const LINKS_MAX: usize = 40;
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
    /// Perhaps somebody is not done with writing it.
    #[error(
        "its last line has no end, as if it were half written; end it, or check what is missing"
    )]
    Unfinished,
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
        is_private_way(path)?;
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

impl Text {
    /// Whether all of it is there. The first half of a YAML or TOML text is often a policy as well,
    /// and denies tend to stand in the second; that of a JSON text never is.
    pub(crate) fn is_whole(&self, format: Format) -> Result<(), Unreadable> {
        let is_told = match format {
            Format::Json => true,
            Format::Yaml | Format::Toml => self.bytes.last().is_none_or(|last| *last == b'\n'),
        };
        if is_told {
            Ok(())
        } else {
            Err(Unreadable::Unfinished)
        }
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

/// Whoever may write a directory on the way to the file may put another file in its place: each is
/// looked at, those that links lead through as well.
fn is_private_way(path: &Path) -> Result<(), Unreadable> {
    let mut at = PathBuf::from("/");
    let mut ahead = parts(&std::path::absolute(path)?);
    let mut links = 0;
    while let Some(part) = ahead.pop() {
        match part.to_str() {
            Some("/") => at = PathBuf::from("/"),
            Some(".") => {}
            Some("..") => {
                at.pop();
            }
            _ => {
                let entry = at.join(&part);
                let found = std::fs::symlink_metadata(&entry)?;
                is_private_place(&at, found.uid())?;
                if found.is_symlink() {
                    links += 1;
                    if links > LINKS_MAX {
                        return Err(std::io::Error::from(rustix::io::Errno::LOOP).into());
                    }
                    ahead.extend(parts(&std::fs::read_link(&entry)?));
                } else {
                    at = entry;
                }
            }
        }
    }
    Ok(())
}

/// The parts of a path, the last one first.
fn parts(path: &Path) -> Vec<PathBuf> {
    let parts = path.components().rev();
    parts.map(|part| PathBuf::from(part.as_os_str())).collect()
}

/// What a directory lets others do with an entry that belongs to `owner`. In a sticky one, whoever
/// owns the entry may replace it.
fn is_private_place(directory: &Path, owner: u32) -> Result<(), Unreadable> {
    let found = std::fs::metadata(directory)?;
    let what = format!("its directory {}", directory.display());
    if found.mode() & STICKY == 0 {
        return is_private(found.uid(), found.mode(), &what);
    }
    is_private(found.uid(), 0, &what)?;
    is_private(owner, 0, &format!("what is below {}", directory.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::Permissions;
    use std::os::unix::fs::{PermissionsExt, symlink};

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

    #[test]
    fn a_text_without_an_end_is_not_whole() {
        let (_dir, path) = file();
        let mut text = Text::read(&path).expect("read");
        assert!(text.is_whole(Format::Yaml).is_ok());
        text.bytes.pop();
        for (format, is_whole) in [
            (Format::Yaml, false),
            (Format::Toml, false),
            (Format::Json, true),
        ] {
            assert_eq!(text.is_whole(format).is_ok(), is_whole, "{format:?}");
        }
        // What is no policy says so itself.
        text.bytes.clear();
        assert!(text.is_whole(Format::Yaml).is_ok());
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
        assert!(refused(&path).contains("its directory /"));
        set_mode(dir.path(), 0o1777);
        assert!(
            Text::read(&path).is_ok(),
            "a sticky directory protects its files"
        );
        set_mode(dir.path(), 0o700);
    }

    /// PO-09: by a directory further up, on the way that is written or on the one that is meant.
    #[test]
    fn a_way_that_others_may_change_leads_to_no_policy() {
        let (dir, path) = file();
        let at = |name: &str| dir.path().join(name);
        let directories = ["shared", "shared/own", "own"];
        for name in directories {
            std::fs::create_dir(at(name)).expect("made");
            set_mode(&at(name), 0o755);
        }
        std::fs::copy(&path, at("shared/own/policy.yaml")).expect("copied");
        std::fs::copy(&path, at("own/policy.yaml")).expect("copied");
        for (link, target) in [
            // Directly, over a directory that others may write, and over a link in one.
            ("to", at("shared/own/policy.yaml")),
            ("shared/way", at("own")),
            ("over", PathBuf::from("shared/way/policy.yaml")),
            ("up", PathBuf::from("shared/own/../../own/policy.yaml")),
        ] {
            symlink(target, at(link)).expect("linked");
        }
        let ways = [
            "shared/own/policy.yaml",
            "to",
            "shared/way/policy.yaml",
            "over",
            "up",
        ];
        for way in ways {
            assert!(Text::read(&at(way)).is_ok(), "{way}");
        }
        set_mode(&at("shared"), 0o777);
        for way in ways {
            let said = refused(&at(way));
            assert!(
                said.contains("shared may be written by others"),
                "{way}: {said}"
            );
        }
        assert!(Text::read(&at("own/policy.yaml")).is_ok());
        set_mode(&at("shared"), 0o755);
        symlink("turns", at("turns")).expect("linked");
        assert!(Text::read(&at("turns")).is_err());
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
