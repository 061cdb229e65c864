use std::fmt;

use cofferdam_files::{Error, Limit};
use wasmtime::component::ResourceTableError;

use super::bindings::wasi::filesystem::types::ErrorCode;

/// A quota of the policy on its way out of a host function, as a trap: a guest that may go on would
/// only fill the next file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct QuotaReached {
    pub(crate) limit: Limit,
    pub(crate) value: u64,
}

impl fmt::Display for QuotaReached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the quota of {} is used up", self.value)
    }
}

impl std::error::Error for QuotaReached {}

/// What an operation ends with: an error for the guest, or the end of the call.
#[derive(Debug)]
#[expect(unreachable_pub, reason = "the generated code names it")]
pub enum Failure {
    /// For the guest.
    Code(ErrorCode),
    /// The end of the call.
    Trap(wasmtime::Error),
}

impl From<ErrorCode> for Failure {
    fn from(code: ErrorCode) -> Self {
        Self::Code(code)
    }
}

impl From<ResourceTableError> for Failure {
    fn from(error: ResourceTableError) -> Self {
        Self::Trap(error.into())
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match code(error) {
            Ok(code) => Self::Code(code),
            Err(reached) => Self::Trap(wasmtime::Error::new(reached)),
        }
    }
}

/// The interface's word for an error.
pub(super) fn code(error: Error) -> Result<ErrorCode, QuotaReached> {
    Ok(match error {
        Error::Access => ErrorCode::Access,
        Error::BadDescriptor => ErrorCode::BadDescriptor,
        Error::Busy => ErrorCode::Busy,
        Error::CrossDevice => ErrorCode::CrossDevice,
        Error::Exist => ErrorCode::Exist,
        Error::FileTooLarge => ErrorCode::FileTooLarge,
        Error::IllegalByteSequence => ErrorCode::IllegalByteSequence,
        Error::Invalid => ErrorCode::Invalid,
        Error::Io => ErrorCode::Io,
        Error::IsDirectory => ErrorCode::IsDirectory,
        Error::Loop => ErrorCode::Loop,
        Error::NameTooLong => ErrorCode::NameTooLong,
        Error::NoEntry => ErrorCode::NoEntry,
        Error::NoSpace => ErrorCode::InsufficientSpace,
        Error::NotDirectory => ErrorCode::NotDirectory,
        Error::NotEmpty => ErrorCode::NotEmpty,
        Error::NotPermitted => ErrorCode::NotPermitted,
        Error::TooManyLinks => ErrorCode::TooManyLinks,
        Error::Unsupported => ErrorCode::Unsupported,
        Error::HostDescriptors => ErrorCode::InsufficientMemory,
        Error::Limit(limit, value) => return Err(QuotaReached { limit, value }),
    })
}
