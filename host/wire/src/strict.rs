//! Requests are read strictly: what two readers could understand differently is refused.
//!
//! A request is UTF-8 without a byte order mark, one JSON value with nothing behind it, nested at
//! most [`DEPTH_MAX`] deep, without a key that stands twice in one object, without numbers that no
//! `f64`, `i64` or `u64` holds. Every key is an ordinary key, whatever it is called. The size is
//! bounded by whoever read the bytes.

use std::cell::RefCell;

use cofferdam_types::Failure;
use serde::de::DeserializeOwned;
use serde_json::Value;

mod build;
mod pointer;

#[cfg(test)]
mod tests;

/// Deepest nesting of arrays and objects. Real arguments and plans stay below ten; every layer
/// behind this one may recurse over what passed here.
pub const DEPTH_MAX: usize = 64;

/// Longest reason in bytes: the parser quotes what it met, which may be as long as the request.
const REASON_BYTES_MAX: usize = 300;

/// Longest pointer in bytes, for the same reason.
const POINTER_BYTES_MAX: usize = 1_024;

/// Reads one JSON value.
///
/// **Errors**: `invalid_input` with the JSON pointer of the place and the reason.
pub fn parse(bytes: &[u8]) -> Result<Value, Failure> {
    if bytes.starts_with(b"\xef\xbb\xbf") {
        return Err(Failure::invalid_at("", "starts with a byte order mark"));
    }
    let text = std::str::from_utf8(bytes)
        .map_err(|error| Failure::invalid_at("", format!("not UTF-8: {error}")))?;
    let trail = RefCell::default();
    build::value(text, &trail)
        .map_err(|error| fault(&pointer::from_inside(&trail.borrow()), &error))
}

/// Reads one JSON object as a `T`.
///
/// **Errors**: `invalid_input` as [`parse`], or where the value is not a `T`.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Failure> {
    let value = parse(bytes)?;
    // Derived structs also read a list of their fields in order, which nobody means.
    if !value.is_object() {
        return Err(Failure::invalid_at("", "expected an object"));
    }
    // Following the path costs an allocation for every key; only a refused request pays it.
    T::deserialize(value).map_err(|_| explain::<T>(bytes))
}

/// Decodes once more, this time noting where it fails.
fn explain<T: DeserializeOwned>(bytes: &[u8]) -> Failure {
    let value = match parse(bytes) {
        Ok(value) => value,
        Err(failure) => return failure,
    };
    match serde_path_to_error::deserialize::<_, T>(value) {
        Err(error) => fault(&pointer::from_path(error.path()), error.inner()),
        Ok(_) => Failure::invalid_at("", "not what is expected here"),
    }
}

fn fault(pointer: &str, error: &serde_json::Error) -> Failure {
    Failure::invalid_at(
        clip(pointer, POINTER_BYTES_MAX),
        clip(&error.to_string(), REASON_BYTES_MAX),
    )
}

/// The text, or its beginning and an ellipsis.
fn clip(text: &str, bytes_max: usize) -> String {
    if text.len() <= bytes_max {
        return text.to_owned();
    }
    format!("{}…", &text[..text.floor_char_boundary(bytes_max)])
}
