use cofferdam_store_api::StoreError;
use redis::{ErrorKind, RedisError, ServerErrorKind};
use thiserror::Error;

/// Why the stores could not be opened.
#[derive(Debug, Error)]
pub enum OpenError {
    /// The address is none.
    #[error("{0}")]
    Address(String),
    /// The server can't be reached, or lets nobody in.
    #[error("Redis can't be reached: {0}")]
    Unreachable(String),
    /// The server is set up so that records would be lost or torn.
    #[error("{0}")]
    Unfit(String),
}

/// The store's word for a failure of Redis.
///
/// Only what says that a key holds something of another kind, or that an answer makes no sense,
/// means damage. All else, a server that is away, full, read-only, loading or refuses this user, is
/// for time or an operator to mend. Whether the write that was under way happened is then not known;
/// each is safe to repeat, as the traits demand.
pub(crate) fn outward(error: &RedisError) -> StoreError {
    let wrong_kind = error.code() == Some("WRONGTYPE");
    match error.kind() {
        ErrorKind::UnexpectedReturnType | ErrorKind::Parse if !error.is_io_error() => {
            StoreError::Damaged(error.to_string())
        }
        ErrorKind::Server(ServerErrorKind::ResponseError) | ErrorKind::Extension if wrong_kind => {
            StoreError::Damaged(error.to_string())
        }
        _ => StoreError::Unavailable(error.to_string()),
    }
}
