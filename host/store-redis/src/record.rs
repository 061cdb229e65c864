use std::fmt::Display;

use cofferdam_store_api::StoreError;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// The form of the records that this version writes and reads: JSON of the domain types as they
/// are, beside it this number. A field that is added must have a default; any other change is a new
/// version here, and [`decode`] then reads both.
const RECORD_VERSION: u32 = 1;

#[derive(Serialize)]
struct Written<'a, T> {
    record_version: u32,
    #[serde(flatten)]
    record: &'a T,
}

#[derive(Deserialize)]
struct Version {
    record_version: u32,
}

/// The text of a record.
pub(crate) fn encode<T: Serialize>(record: &T) -> Result<String, StoreError> {
    let written = Written {
        record_version: RECORD_VERSION,
        record,
    };
    // The domain types hold only what JSON can: no float that is not finite, no key that is not
    // text.
    serde_json::to_string(&written)
        .map_err(|error| StoreError::Unavailable(format!("a record can't be written: {error}")))
}

/// Reads a record of the table `table`.
pub(crate) fn decode<T: DeserializeOwned>(table: &str, text: &[u8]) -> Result<T, StoreError> {
    let Version { record_version } =
        serde_json::from_slice(text).map_err(|error| unreadable(table, error))?;
    if record_version != RECORD_VERSION {
        let refusal = format!("a record of `{table}` has version {record_version}");
        return Err(StoreError::Damaged(refusal));
    }
    serde_json::from_slice(text).map_err(|error| unreadable(table, error))
}

/// The error for a key whose content makes no sense.
pub(crate) fn unreadable(table: &str, error: impl Display) -> StoreError {
    StoreError::Damaged(format!("a record of `{table}` can't be read: {error}"))
}
