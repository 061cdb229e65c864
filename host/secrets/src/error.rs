use std::io;
use std::path::PathBuf;

use cofferdam_store_api::StoreError;
use cofferdam_types::{BadSecret, SecretName};
use thiserror::Error;

/// Why the vault did not do what it was asked. Never holds a value.
#[derive(Debug, Error)]
pub enum Error {
    /// The store refused.
    #[error("the store of secrets failed")]
    Store(#[from] StoreError),
    /// The file with the keys can't be used; it is left as it is.
    #[error("{} can't hold the keys of secrets", path.display())]
    KeyFile {
        /// The file.
        path: PathBuf,
        /// Why.
        source: FileFault,
    },
    /// There are secrets, and the file with their keys is gone.
    #[error(
        "{} is missing, and without it the secrets in the store can't be opened: bring it back, or \
         remove the secrets",
        path.display()
    )]
    KeysGone {
        /// Where it should be.
        path: PathBuf,
    },
    /// What the store holds was not sealed under this name with a key that is there.
    #[error("the sealed value of `{0}` is damaged, or its key is gone: set it again")]
    Damaged(SecretName),
    /// The variable or file that gives it can't be read.
    #[error("the file of `{name}` can't be read")]
    Source {
        /// Which secret.
        name: SecretName,
        /// Why.
        source: FileFault,
    },
    /// It comes from the environment of the host, which would hide what is set here.
    #[error(
        "`{0}` is given to the host by its environment: change it there, or take it away there first"
    )]
    FromEnvironment(SecretName),
    /// The tenant has as many as it may.
    #[error(
        "a tenant has at most {} secrets: remove one first",
        crate::Vault::SECRETS_MAX
    )]
    Full,
    /// Others change it faster than this change could be made. Safe to repeat.
    #[error("`{0}` is being changed by somebody else: try again")]
    Contended(SecretName),
}

/// Why a file can't be trusted with, or for, a secret.
#[derive(Debug, Error)]
pub enum FileFault {
    /// The disk refused.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// Not a file.
    #[error("it is not a regular file")]
    Kind,
    /// Somebody else owns it.
    #[error("it belongs to another user")]
    Foreign,
    /// Others can read or change it.
    #[error("others than its owner can read or change it: run `chmod 600` on it")]
    Open,
    /// The content makes no sense.
    #[error("its content is damaged: {0}")]
    Damaged(&'static str),
    /// The content is no secret.
    #[error(transparent)]
    Value(#[from] BadSecret),
}

impl From<rustix::io::Errno> for FileFault {
    fn from(errno: rustix::io::Errno) -> Self {
        Self::Io(errno.into())
    }
}
