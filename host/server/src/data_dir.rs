//! The directory that holds a host's files: one host at a time, readable by its owner only.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, OFlags, flock};
use rustix::process::geteuid;

use crate::error::Error;

/// The admin key of a host, for the command line on the same machine.
const ADMIN_KEY: &str = "admin.key";
/// Held by whoever works on the directory; its text says who that is.
const LOCK: &str = "lock";
/// Where the host of this directory listens, while it does. Only who finds the lock taken believes
/// it, so that one a killed host left behind misleads nobody.
const ADDRESS: &str = "address";
/// Bits of a mode that let others into a directory.
const OPEN_TO_OTHERS: u32 = 0o077;
/// Most bytes of the lock's text that are shown: a process id and a command.
const HOLDER_BYTES_MAX: usize = 100;

/// The data directory: `explicit`, else `$COFFERDAM_DATA_DIR`, else the platform's directory for
/// user data, else `./.cofferdam`.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that reads where files are"
)]
pub fn data_dir(explicit: Option<PathBuf>) -> PathBuf {
    let variable = |name: &str| {
        std::env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    explicit
        .or_else(|| variable("COFFERDAM_DATA_DIR"))
        .or_else(|| variable("XDG_DATA_HOME").map(|home| home.join("cofferdam")))
        .or_else(|| variable("HOME").map(|home| home.join(user_data()).join("cofferdam")))
        .unwrap_or_else(|| PathBuf::from(".cofferdam"))
}

fn user_data() -> &'static str {
    if cfg!(target_os = "macos") {
        "Library/Application Support"
    } else {
        ".local/share"
    }
}

/// The admin key that the host of this data directory wrote, if there is one to read.
pub fn admin_key(data_dir: &Path) -> Option<String> {
    let text = fs::read_to_string(data_dir.join(ADMIN_KEY)).ok()?;
    Some(text.trim().to_owned())
}

/// Where the host of this data directory listens, if it does.
pub(crate) fn address(data_dir: &Path) -> Option<SocketAddr> {
    let text = fs::read_to_string(data_dir.join(ADDRESS)).ok()?;
    text.trim().parse().ok()
}

/// Who holds this data directory, in words.
pub(crate) fn holder(data_dir: &Path) -> String {
    let text = fs::read_to_string(data_dir.join(LOCK)).unwrap_or_default();
    let text = text.lines().next().unwrap_or_default();
    match text.split_once(' ') {
        Some((process, command)) if text.len() <= HOLDER_BYTES_MAX => {
            format!("`cofferdam {command}`, process {process}")
        }
        _ => "another process".to_owned(),
    }
}

/// A data directory that this process holds.
pub(crate) struct DataDir {
    path: PathBuf,
    /// Locked until it is closed, also when the process is killed.
    lock: File,
}

impl DataDir {
    /// Creates the directory if need be and takes it for `command`; `None` when another process has
    /// it.
    pub(crate) fn take(path: &Path, command: &str) -> Result<Option<Self>, Error> {
        let fail = |source| Error::DataDir {
            path: path.to_owned(),
            source,
        };
        create(path).and_then(|()| own(path)).map_err(fail)?;
        let lock = owner_only()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path.join(LOCK))
            .map_err(fail)?;
        match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => return Ok(None),
            Err(error) => return Err(fail(error.into())),
        }
        let this = Self {
            path: path.to_owned(),
            lock,
        };
        // Before the lock names its holder, so that nobody takes a dead host's address for ours.
        this.remove_address().map_err(fail)?;
        this.lock
            .set_len(0)
            .and_then(|()| writeln!(&this.lock, "{} {command}", std::process::id()))
            .map_err(fail)?;
        create(&this.workspaces()).map_err(fail)?;
        Ok(Some(this))
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Where named workspaces are.
    pub(crate) fn workspaces(&self) -> PathBuf {
        self.path.join("workspaces")
    }

    /// The file of the embedded store.
    pub(crate) fn store_file(&self) -> PathBuf {
        self.path.join("cofferdam.db")
    }

    /// Where compiled components are.
    pub(crate) fn compiled(&self) -> PathBuf {
        self.path.join("compiled")
    }

    /// Where what is private to a call is, while it runs.
    pub(crate) fn scratch(&self) -> PathBuf {
        self.path.join("scratch")
    }

    /// The key that compiled components are sealed with.
    pub(crate) fn compiled_key_file(&self) -> PathBuf {
        self.path.join("compiled.key")
    }

    /// The keys that secrets are sealed with.
    pub(crate) fn secrets_key_file(&self) -> PathBuf {
        self.path.join("secrets.key")
    }

    /// Where the admin key is.
    pub(crate) fn admin_key_file(&self) -> PathBuf {
        self.path.join(ADMIN_KEY)
    }

    /// Writes the admin key, whole or not at all.
    pub(crate) fn write_admin_key(&self, key: &str) -> Result<(), Error> {
        self.write(ADMIN_KEY, key)
    }

    /// Says where this host listens, whole or not at all.
    pub(crate) fn write_address(&self, address: SocketAddr) -> Result<(), Error> {
        self.write(ADDRESS, &address.to_string())
    }

    /// Says no longer where this host listens.
    pub(crate) fn remove_address(&self) -> io::Result<()> {
        match fs::remove_file(self.path.join(ADDRESS)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    fn write(&self, name: &str, line: &str) -> Result<(), Error> {
        let path = self.path.join(name);
        write_whole(&path, format!("{line}\n").as_bytes())
            .map_err(|source| Error::DataDir { path, source })
    }
}

/// Writes a file of the owner's alone, whole or not at all.
pub(crate) fn write_whole(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut fresh = path.as_os_str().to_owned();
    fresh.push(".new");
    // One that was left behind by a host that was killed, or that somebody put there.
    match fs::remove_file(&fresh) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let mut file = owner_only().create_new(true).write(true).open(&fresh)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&fresh, path)
}

fn create(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Sees to it that a directory that was there is the host's own and nobody else's.
///
/// **Errors**: when it belongs to somebody else, who could put anything in it.
fn own(path: &Path) -> io::Result<()> {
    let found = fs::metadata(path)?;
    if found.uid() != geteuid().as_raw() {
        let message = format!(
            "it belongs to user {}, not to the host's own user",
            found.uid()
        );
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, message));
    }
    if found.mode() & OPEN_TO_OTHERS != 0 {
        tracing::warn!(
            path = %path.display(),
            mode = format_args!("{:o}", found.mode() & 0o7777),
            "the data directory was open to others, and is closed to them now"
        );
        fs::set_permissions(path, Permissions::from_mode(0o700))?;
    }
    Ok(())
}

/// Files of the owner's alone, never by a link that leads elsewhere.
fn owner_only() -> OpenOptions {
    let mut options = OpenOptions::new();
    options
        .mode(0o600)
        .custom_flags(OFlags::NOFOLLOW.bits().cast_signed());
    options
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_directory_that_was_open_is_closed() {
        let dir = tempfile::tempdir().expect("a directory");
        for mode in [0o777, 0o750, 0o701] {
            let path = dir.path().join(format!("{mode:o}"));
            fs::create_dir(&path).expect("made");
            fs::set_permissions(&path, Permissions::from_mode(mode)).expect("chmod");
            let taken = DataDir::take(&path, "test").expect("taken");
            assert!(taken.is_some());
            let mode = fs::metadata(&path).expect("there").mode();
            assert_eq!(mode & 0o7777, 0o700);
        }
    }

    #[test]
    fn a_link_that_somebody_planted_is_not_written_through() {
        let dir = tempfile::tempdir().expect("a directory");
        let (file, theirs) = (dir.path().join("key"), dir.path().join("theirs"));
        fs::write(&theirs, "theirs").expect("written");
        symlink(&theirs, dir.path().join("key.new")).expect("linked");
        write_whole(&file, b"secret").expect("written");
        assert_eq!(fs::read(&theirs).expect("there"), b"theirs");
        assert_eq!(fs::read(&file).expect("there"), b"secret");
        assert!(!file.is_symlink());
        symlink(&theirs, dir.path().join(LOCK)).expect("linked");
        assert!(DataDir::take(dir.path(), "test").is_err(), "the lock");
        assert_eq!(fs::read(&theirs).expect("there"), b"theirs");
    }
}
