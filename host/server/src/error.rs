use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use cofferdam_store_api::StoreError;
use cofferdam_types::{Code, Failure};
use thiserror::Error as ThisError;

/// Why a host does not start, or stopped.
#[derive(Debug, ThisError)]
pub enum Error {
    /// The data directory can't be used.
    #[error("the data directory {}: {source}", path.display())]
    DataDir {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Another host has it.
    #[error(
        "the data directory {} is in use by another host ({holder}); stop it or name another \
         directory",
        path.display()
    )]
    InUse {
        /// Which.
        path: PathBuf,
        /// Who has it, in words.
        holder: String,
    },
    /// Another command has it, and did not end in time.
    #[error(
        "the data directory {} is in use by {holder}, which did not end within {} s; try again \
         when it has ended",
        path.display(), waited.as_secs()
    )]
    Busy {
        /// Which.
        path: PathBuf,
        /// Who has it, in words.
        holder: String,
        /// How long it was waited for.
        waited: Duration,
    },
    /// The address can't be listened on.
    #[error("can't listen on {address}: {source}")]
    Listen {
        /// Which.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// The store can't be opened or used.
    #[error("the store: {0}")]
    Store(#[from] StoreError),
    /// Redis can't be used.
    #[error("the store: {0}")]
    Redis(#[from] cofferdam_store_redis::OpenError),
    /// The file with the password of Redis can't be read.
    #[error("the password of Redis in {}: {source}", path.display())]
    Password {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The secrets can't be opened.
    #[error("the secrets: {}", with_cause(.0))]
    Secrets(#[from] cofferdam_secrets::Error),
    /// The environment gives a secret that is none.
    #[error("the secrets of the environment: {}", with_cause(.0))]
    SecretSource(#[from] cofferdam_secrets::SourceError),
    /// The file of certificate authorities can't be read.
    #[error("the certificate authorities {}: {source}", path.display())]
    Authorities {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// There is no temporary directory.
    #[error("a temporary directory: {0}")]
    Temporary(std::io::Error),
    /// The policy can't come into force.
    #[error("{}", .0.message)]
    Policy(Failure),
    /// The sandbox can't be set up.
    #[error("the sandbox: {0:?}")]
    Runtime(#[from] cofferdam_runtime::Error),
    /// The engine can't start.
    #[error("the engine: {0}")]
    Engine(#[from] cofferdam_engine::Error),
    /// The first key can't be made.
    #[error("the admin key: {0}")]
    Access(#[from] cofferdam_access::Error),
    /// Serving failed.
    #[error("serving: {0}")]
    Serve(std::io::Error),
    /// The path of the running program is not known, so it can't start its compiler.
    #[error("the path of this program: {0}")]
    Program(std::io::Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Policy(failure) => failure,
            Error::Access(error) => error.into(),
            error => Self::new(Code::Unavailable, error.to_string()),
        }
    }
}

/// What went wrong, and why.
fn with_cause(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}
