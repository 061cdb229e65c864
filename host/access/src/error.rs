use cofferdam_store_api::StoreError;
use cofferdam_types::{Code, Failure};
use thiserror::Error;

use crate::Permission;

/// Why somebody is not let in.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Error {
    /// No credential was presented.
    #[error("no API key")]
    Missing,
    /// What was presented is not a key of this host: malformed, unknown, or with a wrong secret.
    /// One variant, so that no answer tells which.
    #[error("not an API key of this host")]
    Unknown,
    /// The role does not allow it.
    #[error("the caller's role does not allow {}", .0.as_str())]
    Forbidden(Permission),
    /// The keys can't be read or written.
    #[error("the store of API keys failed")]
    Store(#[from] StoreError),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Missing => Self::new(
                Code::Unauthenticated,
                "an API key is needed: send `Authorization: Bearer <key>`",
            ),
            Error::Unknown => Self::new(Code::Unauthenticated, "the API key is not known"),
            Error::Forbidden(permission) => {
                let least = permission.least_role().as_str();
                let message = format!("this needs a key with the role `{least}` or higher");
                Self::new(Code::Forbidden, message)
                    .with("permission", permission.as_str())
                    .with("role_needed", least)
            }
            Error::Store(StoreError::Unavailable(_)) => {
                Self::new(Code::Unavailable, "the store can't be reached; try again")
            }
            Error::Store(
                StoreError::Conflict
                | StoreError::Missing
                | StoreError::Stale
                | StoreError::Damaged(_),
            ) => Self::new(Code::Internal, "the API keys can't be read"),
        }
    }
}
