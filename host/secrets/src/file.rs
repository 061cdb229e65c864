//! Files that hold secrets: whose they are and who else can read them is looked at before a byte
//! is believed.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use cofferdam_types::SecretValue;
use rustix::fs::{FileType, Mode, OFlags, Stat, fstat, open};
use rustix::process::geteuid;
use zeroize::Zeroizing;

use crate::error::FileFault;

/// Reads a secret that somebody put into a file for the host, as orchestrators do.
///
/// One line break at the end is not part of it. The file is this user's and nobody else can read
/// it, or it is root's and only root can change it: the second is how Docker and Kubernetes mount
/// secrets, behind links, readable by all who are in the container.
///
/// **Errors**: [`FileFault`]. Blocks for a disk access.
pub fn read(path: &Path) -> Result<SecretValue, FileFault> {
    // Not blocking: opening a pipe that somebody put here would wait for its other end.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = File::from(open(path, flags, Mode::empty())?);
    let stat = regular(&file)?;
    let mode = Mode::from_raw_mode(stat.st_mode);
    let of_root = stat.st_uid == 0 && !mode.intersects(Mode::WGRP | Mode::WOTH);
    let own = stat.st_uid == geteuid().as_raw();
    let others = mode.intersects(Mode::RWXG | Mode::RWXO);
    match (of_root, own, others) {
        (true, _, _) | (false, true, false) => {}
        (false, true, true) => return Err(FileFault::Open),
        (false, false, _) => return Err(FileFault::Foreign),
    }
    let mut bytes = whole(file, SecretValue::BYTES_MAX + 2)?;
    for end in [b'\n', b'\r'] {
        if bytes.last() == Some(&end) {
            bytes.pop();
        }
    }
    Ok(SecretValue::from_bytes(std::mem::take(&mut *bytes))?)
}

/// Reads a file that is this user's own and nobody else's to read; `None` when there is none.
pub(crate) fn read_own(
    path: &Path,
    bytes_max: usize,
) -> Result<Option<Zeroizing<Vec<u8>>>, FileFault> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = match open(path, flags, Mode::empty()) {
        Ok(file) => File::from(file),
        Err(rustix::io::Errno::NOENT) => return Ok(None),
        Err(rustix::io::Errno::LOOP) => return Err(FileFault::Kind),
        Err(error) => return Err(error.into()),
    };
    let stat = regular(&file)?;
    if stat.st_uid != geteuid().as_raw() {
        return Err(FileFault::Foreign);
    }
    if Mode::from_raw_mode(stat.st_mode).intersects(Mode::RWXG | Mode::RWXO) {
        return Err(FileFault::Open);
    }
    whole(file, bytes_max).map(Some)
}

/// Writes a file of this user's alone: afterwards there is the old one or the new one, whole, also
/// when the power fails.
pub(crate) fn write_own(path: &Path, content: &[u8]) -> Result<(), FileFault> {
    let mut fresh = path.as_os_str().to_owned();
    fresh.push(".new");
    match std::fs::remove_file(&fresh) {
        // One that a kill left behind; nobody else works on the directory.
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
        Ok(()) | Err(_) => {}
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&fresh)?;
    file.write_all(content)?;
    file.sync_all()?;
    std::fs::rename(&fresh, path)?;
    let directory = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    File::open(directory)?.sync_all()?;
    Ok(())
}

fn regular(file: &File) -> Result<Stat, FileFault> {
    let stat = fstat(file)?;
    if FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile {
        Ok(stat)
    } else {
        Err(FileFault::Kind)
    }
}

/// The content, up to one byte more than `bytes_max`, so that what is too long is seen to be.
fn whole(file: File, bytes_max: usize) -> Result<Zeroizing<Vec<u8>>, FileFault> {
    // All the room at once: growing would leave copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(bytes_max + 2));
    let most = u64::try_from(bytes_max + 1).unwrap_or(u64::MAX);
    file.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    /// A file of this mode and content, and what reading it gives.
    fn read_of(mode: u32, content: &[u8]) -> Result<String, String> {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("secret");
        fs::write(&path, content).expect("a file");
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("a mode");
        read(&path)
            .map(|value| value.reveal().to_owned())
            .map_err(|fault| fault.to_string())
    }

    #[test]
    fn one_line_break_at_the_end_is_not_part_of_it() {
        let cases: [(&[u8], &str); 5] = [
            (b"password", "password"),
            (b"password\n", "password"),
            (b"password\r\n", "password"),
            (b"password\n\n", "password\n"),
            (b"pass\nword", "pass\nword"),
        ];
        for (content, value) in cases {
            assert_eq!(read_of(0o600, content), Ok(value.to_owned()));
        }
        let longest = [vec![b'x'; SecretValue::BYTES_MAX], b"\r\n".to_vec()].concat();
        assert!(read_of(0o600, &longest).is_ok());
    }

    #[test]
    fn a_file_that_others_can_change_is_refused() {
        // Root's own files may be readable by all, as orchestrators mount them.
        let readable = if geteuid().is_root() { "" } else { "others" };
        for (mode, reason) in [
            (0o600, ""),
            (0o400, ""),
            (0o644, readable),
            (0o440, readable),
            (0o620, "others"),
            (0o602, "others"),
        ] {
            let answer = read_of(mode, b"password");
            match answer {
                Ok(_) => assert_eq!(reason, "", "{mode:o}"),
                Err(_) => assert_ne!(reason, "", "{mode:o}"),
            }
        }
    }

    #[test]
    fn content_that_is_no_secret_is_refused() {
        for content in [
            &b"short"[..],
            b"\n",
            b"",
            b"not text \xff",
            &vec![b'x'; SecretValue::BYTES_MAX + 1],
            &vec![b'x'; SecretValue::BYTES_MAX + 100],
        ] {
            assert!(read_of(0o600, content).is_err());
        }
    }

    #[test]
    fn only_a_file_is_read() {
        let directory = tempfile::tempdir().expect("a directory");
        assert!(matches!(read(directory.path()), Err(FileFault::Kind)));
        let missing = directory.path().join("missing");
        assert!(matches!(read(&missing), Err(FileFault::Io(_))));
        assert!(matches!(read_own(&missing, 10), Ok(None)));
        let target = directory.path().join("target");
        fs::write(&target, "password").expect("a file");
        fs::set_permissions(&target, fs::Permissions::from_mode(0o600)).expect("a mode");
        let link = directory.path().join("link");
        symlink(&target, &link).expect("a link");
        // Orchestrators put links before secrets; nobody puts one before our own key file.
        assert!(read(&link).is_ok());
        assert!(matches!(read_own(&link, 10), Err(FileFault::Kind)));
    }

    #[test]
    fn an_own_file_is_written_whole_and_for_nobody_else() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("keys");
        fs::write(directory.path().join("keys.new"), "left behind").expect("a file");
        for content in ["first", "second"] {
            write_own(&path, content.as_bytes()).expect("written");
            let kept = read_own(&path, 10).expect("readable").expect("there");
            assert_eq!(&**kept, content.as_bytes());
        }
        let mode = fs::metadata(&path).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(
            fs::read_dir(directory.path()).expect("a listing").count(),
            1
        );
        for mode in [0o640, 0o604, 0o610, 0o660] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("a mode");
            assert!(
                matches!(read_own(&path, 10), Err(FileFault::Open)),
                "{mode:o}"
            );
        }
    }
}
