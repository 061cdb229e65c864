//! Calls of other tools of the host.
//!
//! The tool declares `capabilities(tool_call)`, and the host's policy says which tools it may call. The
//! called tool can use no more than the caller; its fuel and time are the caller's. What goes wrong
//! with it is an error here and ends nothing.
//!
//! In a native test there are no tools but what [`stand_in`] answers with.
//!
//! ```
//! use cofferdam_sdk::{ToolError, tool, tool_call};
//! use serde_json::json;
//!
//! /// Counts the words of a file.
//! #[tool(read_only, capabilities(tool_call))]
//! fn count_words(path: String) -> Result<usize, ToolError> {
//!     let text: String = tool_call::call("files-read", json!({"path": path}))?;
//!     Ok(text.split_whitespace().count())
//! }
//!
//! # #[cfg(not(target_family = "wasm"))]
//! tool_call::stand_in(|tool, arguments| {
//!     assert_eq!((tool, &arguments["path"]), ("files-read", &json!("a.txt")));
//!     Ok(json!("two words"))
//! });
//! assert_eq!(count_words("a.txt".into()).unwrap(), 2);
//! ```

use std::error::Error as StdError;
use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::host;
#[cfg(not(target_family = "wasm"))]
pub use crate::host::stand_in;

/// Why a called tool gave no result.
#[derive(Debug, Clone, PartialEq)]
pub struct Error {
    /// The host's word: `not_found`, `policy_denied`, `invalid_input`, `tool_error`, `timeout`, …;
    /// `invalid_result` when the result is not of the type that was asked for.
    pub code: String,
    /// For people.
    pub message: String,
    /// Facts, an object.
    pub details: Value,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl StdError for Error {}

/// Calls a tool by its name, or `name@range` for a version, with arguments that are an object as JSON.
///
/// **Errors**: the tool's own, as the code `tool_error`, and all that keeps it from answering.
pub fn call<T: DeserializeOwned>(tool: &str, arguments: impl Serialize) -> Result<T, Error> {
    let fault = |code: &str, error: serde_json::Error| Error {
        code: code.to_owned(),
        message: error.to_string(),
        details: Value::Null,
    };
    let arguments =
        serde_json::to_string(&arguments).map_err(|error| fault("invalid_input", error))?;
    let result = host::call(tool, &arguments)?;
    serde_json::from_str(&result).map_err(|error| fault("invalid_result", error))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_stand_in_answers() {
        let none = call::<Value>("files-read", json!({})).unwrap_err();
        assert_eq!(none.code, "unavailable");
        stand_in(|tool, arguments| Ok(json!([tool, arguments])));
        let answer: (String, Value) = call("a-b", json!({"x": 1})).unwrap();
        assert_eq!(answer, ("a-b".to_owned(), json!({"x": 1})));
        let wrong = call::<u32>("a-b", json!({})).unwrap_err();
        assert_eq!(wrong.code, "invalid_result");
    }
}
