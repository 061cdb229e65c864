use std::fmt::Display;

use cofferdam_store_api::StoreError;
use rusqlite::{Params, Row, Statement};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::Fault;

/// The form of the records that this version writes and reads: JSON of the domain types as they
/// are. A field that is added must have a default; any other change is a new version here, and
/// [`decode`] then reads both.
pub(crate) const RECORD_VERSION: i64 = 1;

/// The text of a record.
pub(crate) fn encode<T: Serialize>(record: &T) -> Result<String, StoreError> {
    // The domain types hold only what JSON can: no float that is not finite, no key that is not
    // text.
    serde_json::to_string(record)
        .map_err(|error| StoreError::Unavailable(format!("a record can't be written: {error}")))
}

/// Reads a record from a row that has `record_version` and `record` as its first two columns.
pub(crate) fn decode<T: DeserializeOwned>(table: &str, row: &Row<'_>) -> Result<T, Fault> {
    let version: i64 = row.get(0)?;
    if version != RECORD_VERSION {
        let refusal = format!("a record of `{table}` has version {version}");
        return Err(StoreError::Damaged(refusal).into());
    }
    let text = row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?;
    serde_json::from_str(text).map_err(|error| unreadable(table, error))
}

/// The fault of a row whose content makes no sense.
pub(crate) fn unreadable(table: &str, error: impl Display) -> Fault {
    StoreError::Damaged(format!("a record of `{table}` can't be read: {error}")).into()
}

/// A number as SQLite keeps it. None of ours comes near the end of the range: they count events
/// and entries one by one; a reader may ask beyond it, where nothing is.
pub(crate) fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// The record of the one row that a query finds, if it finds one.
pub(crate) fn one<T: DeserializeOwned>(
    query: &mut Statement<'_>,
    key: impl Params,
    table: &str,
) -> Result<Option<T>, Fault> {
    let mut rows = query.query(key)?;
    match rows.next()? {
        Some(row) => decode(table, row).map(Some),
        None => Ok(None),
    }
}

/// The records of all rows that a query finds.
pub(crate) fn all<T: DeserializeOwned>(
    query: &mut Statement<'_>,
    key: impl Params,
    table: &str,
) -> Result<Vec<T>, Fault> {
    let mut rows = query.query(key)?;
    let mut records = Vec::new();
    while let Some(row) = rows.next()? {
        records.push(decode(table, row)?);
    }
    Ok(records)
}

/// Where a list that goes down from the key `after` begins: a text that every id before it is
/// less than. Ids are ASCII, so nothing sorts behind `~`.
pub(crate) fn below(after: Option<&impl ToString>) -> String {
    after.map_or_else(|| "~".to_owned(), ToString::to_string)
}

/// How many rows to fetch for a page: one more than it holds shows whether another page follows.
pub(crate) fn fetch(items_max: usize) -> i64 {
    i64::try_from(items_max).map_or(i64::MAX, |items| items.saturating_add(1))
}
