use std::error::Error;
use std::fmt;

use serde::Serialize;
use serde_json::Value;

/// Why a tool could not do what it was asked: an answer, which the caller sees as the code
/// `tool_error` with these fields in its details.
///
/// `?` turns any [`std::error::Error`] into one with the code `failed`; give a code of your own
/// where a caller could act on it. For that conversion to exist this type is not itself a
/// [`std::error::Error`].
///
/// ```
/// use cofferdam_sdk::ToolError;
///
/// fn half(text: &str) -> Result<u32, ToolError> {
///     let number: u32 = text.parse()?;
///     if number % 2 == 1 {
///         return Err(ToolError::new("odd_number", format!("{number} has no half")));
///     }
///     Ok(number / 2)
/// }
///
/// assert_eq!(half("x").unwrap_err().code, "failed");
/// assert_eq!(half("3").unwrap_err().code, "odd_number");
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct ToolError {
    /// One word for programs, in snake case, in the tool's own vocabulary: `file_not_found`.
    pub code: String,
    /// One sentence for people and models: what is wrong and what to do about it.
    pub message: String,
    /// True when the same call may succeed later.
    pub retryable: bool,
    /// A JSON value with facts, when there are any.
    pub details: Option<Value>,
}

impl ToolError {
    /// An error that will be the same next time, without details.
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            message: message.into(),
            retryable: false,
            details: None,
        }
    }

    /// An error with the code `failed`, for what no caller could act on.
    pub fn failed(message: impl fmt::Display) -> Self {
        Self::new("failed", message.to_string())
    }

    /// Says that the same call may succeed later.
    #[must_use]
    pub fn retryable(mut self) -> Self {
        self.retryable = true;
        self
    }

    /// Adds facts. What can't be written as JSON is left out.
    #[must_use]
    pub fn with_details(mut self, details: impl Serialize) -> Self {
        self.details = serde_json::to_value(details).ok();
        self
    }
}

impl fmt::Display for ToolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl<E: Error> From<E> for ToolError {
    fn from(error: E) -> Self {
        let mut message = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            message.push_str(": ");
            message.push_str(&error.to_string());
            cause = error.source();
        }
        Self::new("failed", message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_std_error_keeps_its_causes() {
        #[derive(Debug)]
        struct Outer(std::num::ParseIntError);
        impl fmt::Display for Outer {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("can't read the count")
            }
        }
        impl Error for Outer {
            fn source(&self) -> Option<&(dyn Error + 'static)> {
                Some(&self.0)
            }
        }
        let cause = "x".parse::<u8>().unwrap_err();
        let error = ToolError::from(Outer(cause));
        assert_eq!(
            error.to_string(),
            "failed: can't read the count: invalid digit found in string"
        );
        assert!(!error.retryable);
    }

    #[test]
    fn builders() {
        let error = ToolError::new("busy", "try again")
            .retryable()
            .with_details(json!({"wait_ms": 5}));
        assert!(error.retryable);
        assert_eq!(error.details, Some(json!({"wait_ms": 5})));
        assert_eq!(ToolError::failed("no").code, "failed");
    }
}
