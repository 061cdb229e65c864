//! Compiled components on disk, so that a host's second start compiles nothing.
//!
//! An artifact is machine code and runs with all rights of the host, so one from a file is taken
//! only when this installation wrote it: [`seal`] authenticates every byte with the installation's
//! key, and what it has checked, in memory, is what the engine gets. The owner-only [`folder`] comes
//! on top, not instead. Whatever is damaged, foreign or stale is removed and compiled again.

mod folder;
mod seal;
#[cfg(test)]
mod tests;

use std::fmt;
use std::path::PathBuf;

use cofferdam_types::Digest;
use thiserror::Error as ThisError;
use wasmtime::Engine;

use self::folder::{Folder, Stored};
pub(crate) use self::seal::Artifact;
use self::seal::Seal;

/// Where compiled components are kept between starts.
#[derive(Clone)]
pub struct Artifacts {
    /// A directory of this user alone; made if need be. Hosts may share it: each uses only the files
    /// that were written with its own key and its own engine.
    pub directory: PathBuf,
    /// The installation's key: whoever knows it can make this host run any machine code.
    pub key: [u8; 32],
    /// Most bytes of artifacts in the directory; above it, those that were not used for longest go.
    pub bytes_max: u64,
}

impl Artifacts {
    /// Bytes kept unless somebody says otherwise: some sixty interpreters of 18 MB, whose artifacts
    /// are about four times their size, or thousands of small tools.
    pub const BYTES_MAX: u64 = 4 << 30;
}

impl fmt::Debug for Artifacts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Artifacts")
            .field("directory", &self.directory)
            .field("bytes_max", &self.bytes_max)
            .finish_non_exhaustive()
    }
}

/// Why a file or the directory is not used.
#[derive(Debug, ThisError)]
enum Fault {
    #[error("it belongs to another user")]
    Foreign,
    #[error("others may change it")]
    Open,
    #[error("it is no regular file")]
    Kind,
    #[error("it is not the artifact that this installation wrote for this component")]
    Seal,
    #[error("{0}")]
    System(#[from] rustix::io::Errno),
    #[error("{0}")]
    Io(#[from] std::io::Error),
}

/// The artifacts of one installation and engine. Its methods wait for the disk.
pub(crate) struct Shelf {
    folder: Folder,
    seal: Seal,
    bytes_max: u64,
}

impl Shelf {
    /// Opens the directory; `None`, and a warning, when it can't be used: a host without it compiles
    /// at every start, which is slow and not wrong.
    pub(crate) fn open(artifacts: &Artifacts, engine: &Engine) -> Option<Self> {
        let directory = artifacts.directory.display();
        let folder = match Folder::open(&artifacts.directory) {
            Ok(folder) => folder,
            Err(fault) => {
                tracing::warn!(%directory, %fault, "compiled components are not kept: the directory can't be used");
                return None;
            }
        };
        let this = Self {
            folder,
            seal: Seal::new(&artifacts.key, engine),
            bytes_max: artifacts.bytes_max,
        };
        if let Err(fault) = this.folder.clean() {
            tracing::warn!(%directory, %fault, "files of a host that was killed stay");
        }
        this.shrink();
        Some(this)
    }

    /// The component's artifact, when there is one that can be trusted. One that can't be is removed.
    pub(crate) fn load(&self, digest: &Digest) -> Option<Artifact> {
        let name = self.seal.name(digest);
        let opened = match self.folder.read(&name) {
            Ok(None) => return None,
            Ok(Some(file)) => self.seal.open(digest, file),
            Err(fault) => Err(fault),
        };
        match opened {
            Ok(artifact) => {
                // Of no more use than to say which went unused for longest.
                if let Err(fault) = self.folder.touch(&name) {
                    tracing::debug!(%digest, %fault, "the use of an artifact is not noted");
                }
                Some(artifact)
            }
            Err(fault) => {
                tracing::warn!(%digest, %fault, "a compiled component on disk is not used, and compiled again");
                self.remove(digest);
                None
            }
        }
    }

    /// Keeps the component's artifact. A failure, as of a full disk, is logged: what is not kept is
    /// compiled again.
    pub(crate) fn keep(&self, digest: &Digest, artifact: &Artifact) {
        let header = self.seal.header(digest, artifact.code());
        let bytes = (header.len() + artifact.code().len()) as u64;
        if bytes > self.bytes_max {
            tracing::warn!(%digest, bytes, "a compiled component is larger than all that may be kept");
            return;
        }
        let name = self.seal.name(digest);
        if let Err(fault) = self.folder.write(&name, [&header, artifact.code()]) {
            tracing::warn!(%digest, %fault, "a compiled component is not kept");
        }
        self.shrink();
    }

    /// Removes the component's artifact, if there is one.
    pub(crate) fn remove(&self, digest: &Digest) {
        if let Err(fault) = self.folder.remove(&self.seal.name(digest)) {
            tracing::warn!(%digest, %fault, "a compiled component can't be removed");
        }
    }

    /// Removes what went unused for longest, until the rest fits. Other hosts' artifacts count and go
    /// as well, and so do those of engines that are gone: nobody else would remove them.
    fn shrink(&self) {
        let mut stored = match self.folder.list() {
            Ok(stored) => stored,
            Err(fault) => {
                tracing::warn!(%fault, "the compiled components can't be counted");
                return;
            }
        };
        let mut bytes: u64 = stored.iter().map(|file| file.bytes).sum();
        stored.sort_by_key(|file| file.used);
        for Stored {
            name, bytes: freed, ..
        } in stored
        {
            if bytes <= self.bytes_max {
                break;
            }
            match self.folder.remove(&name) {
                Ok(()) => bytes -= freed,
                Err(fault) => {
                    tracing::warn!(name, %fault, "a compiled component can't be removed");
                }
            }
        }
    }
}
