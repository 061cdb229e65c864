use thiserror::Error;

/// Why a store did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum StoreError {
    /// There is something else under this key. Nothing was written.
    #[error("the key is taken by something else")]
    Conflict,
    /// There is nothing under this key.
    #[error("there is no such record")]
    Missing,
    /// The write names an older epoch or another position of the log than the store has: somebody
    /// else drives this run. Nothing was written.
    #[error("the run has another driver")]
    Stale,
    /// The backend can't be reached or can't write now; safe to repeat.
    #[error("the store is unavailable: {0}")]
    Unavailable(String),
    /// The backend holds something that this version can't read.
    #[error("the store is damaged: {0}")]
    Damaged(String),
}
