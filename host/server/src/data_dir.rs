//! The directory that holds a host's files: one host at a time, readable by its owner only.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

use crate::error::Error;

/// The admin key of a host, for the command line on the same machine.
const ADMIN_KEY: &str = "admin.key";

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

/// A data directory that this process holds.
pub(crate) struct DataDir {
    path: PathBuf,
    /// Locked until it is closed, also when the process is killed.
    _lock: File,
}

impl DataDir {
    /// Creates the directory if need be and takes it.
    ///
    /// **Errors**: [`Error::InUse`] when another host has it.
    pub(crate) fn take(path: &Path) -> Result<Self, Error> {
        let fail = |source| Error::DataDir {
            path: path.to_owned(),
            source,
        };
        create(path).map_err(fail)?;
        let lock = owner_only()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path.join("lock"))
            .map_err(fail)?;
        match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => return Err(Error::InUse(path.to_owned())),
            Err(error) => return Err(fail(error.into())),
        }
        let this = Self {
            path: path.to_owned(),
            _lock: lock,
        };
        create(&this.workspaces()).map_err(fail)?;
        Ok(this)
    }

    /// Where named workspaces are.
    pub(crate) fn workspaces(&self) -> PathBuf {
        self.path.join("workspaces")
    }

    /// The file of the embedded store.
    pub(crate) fn store_file(&self) -> PathBuf {
        self.path.join("cofferdam.db")
    }

    /// Where the admin key is.
    pub(crate) fn admin_key_file(&self) -> PathBuf {
        self.path.join(ADMIN_KEY)
    }

    /// Writes the admin key, whole or not at all.
    pub(crate) fn write_admin_key(&self, key: &str) -> Result<(), Error> {
        let path = self.admin_key_file();
        let fresh = path.with_extension("key.new");
        let write = || -> io::Result<()> {
            let mut file = owner_only()
                .create(true)
                .truncate(true)
                .write(true)
                .open(&fresh)?;
            writeln!(file, "{key}")?;
            file.sync_all()?;
            fs::rename(&fresh, &path)
        };
        write().map_err(|source| Error::DataDir { path, source })
    }
}

fn create(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

fn owner_only() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.mode(0o600);
    options
}
