use cofferdam_store_api::StoreError;
use rusqlite::ErrorCode;

/// Why an operation on a connection did not do what it was asked: refused by the table's rules, or
/// failed in SQLite.
#[derive(Debug)]
pub(crate) enum Fault {
    Refused(StoreError),
    Sql(rusqlite::Error),
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Refused(error)
    }
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<Fault> for StoreError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Refused(error) => error,
            Fault::Sql(error) => outward(&error),
        }
    }
}

/// The store's word for a failure of SQLite.
///
/// What time or an operator can mend (a full or read-only disk, a lock, memory) is `Unavailable`;
/// everything else means that the file is not what this version wrote.
fn outward(error: &rusqlite::Error) -> StoreError {
    use ErrorCode as Code;
    match error.sqlite_error_code() {
        Some(
            Code::DatabaseBusy
            | Code::DatabaseLocked
            | Code::DiskFull
            | Code::ReadOnly
            | Code::SystemIoFailure
            | Code::CannotOpen
            | Code::PermissionDenied
            | Code::AuthorizationForStatementDenied
            | Code::OutOfMemory
            | Code::OperationInterrupted
            | Code::OperationAborted
            | Code::FileLockingProtocolFailed
            | Code::NoLargeFileSupport
            | Code::TooBig,
        ) => StoreError::Unavailable(error.to_string()),
        // The tables' code asks before it writes; the constraints of the schema stand behind it.
        Some(Code::ConstraintViolation) => StoreError::Conflict,
        _ => StoreError::Damaged(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::ffi;

    #[test]
    fn codes_have_their_words() {
        let word = |code| {
            let error = rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);
            match outward(&error) {
                StoreError::Unavailable(_) => "unavailable",
                StoreError::Damaged(_) => "damaged",
                StoreError::Conflict => "conflict",
                StoreError::Missing | StoreError::Stale => "wrong",
            }
        };
        for (code, expected) in [
            (ffi::SQLITE_FULL, "unavailable"),
            (ffi::SQLITE_READONLY, "unavailable"),
            (ffi::SQLITE_BUSY, "unavailable"),
            (ffi::SQLITE_IOERR_FSYNC, "unavailable"),
            (ffi::SQLITE_CANTOPEN, "unavailable"),
            (ffi::SQLITE_CORRUPT, "damaged"),
            (ffi::SQLITE_CORRUPT_INDEX, "damaged"),
            (ffi::SQLITE_NOTADB, "damaged"),
            (ffi::SQLITE_ERROR, "damaged"),
            (ffi::SQLITE_CONSTRAINT_UNIQUE, "conflict"),
        ] {
            assert_eq!(word(code), expected, "{code}");
        }
    }
}
