//! What went wrong, and at which place of the arguments.

use std::fmt::Display;

use cofferdam_sdk::ToolError;
use serde_json::{Map, Value};

/// An error that learns its place while it goes up through the parts of the arguments.
#[derive(Debug)]
pub(crate) struct Fault {
    error: ToolError,
    at: String,
    facts: Map<String, Value>,
}

impl Fault {
    pub(crate) fn new(code: &str, message: impl Into<String>) -> Self {
        ToolError::new(code, message).into()
    }

    /// A step that cannot work as it is written.
    pub(crate) fn step(message: impl Into<String>) -> Self {
        Self::new("invalid_step", message)
    }

    /// A value on which a step cannot work.
    pub(crate) fn value(message: impl Into<String>) -> Self {
        Self::new("invalid_value", message)
    }

    /// Says that it happened in the part `token` of what encloses it.
    pub(crate) fn within(mut self, token: impl Display) -> Self {
        self.at.insert_str(0, &format!("/{token}"));
        self
    }

    pub(crate) fn with_fact(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.facts.insert(name.to_owned(), value.into());
        self
    }
}

impl From<ToolError> for Fault {
    fn from(error: ToolError) -> Self {
        Self {
            error,
            at: String::new(),
            facts: Map::new(),
        }
    }
}

impl From<Fault> for ToolError {
    /// The place becomes `details.pointer`, a JSON pointer into the arguments.
    fn from(
        Fault {
            mut error,
            at,
            mut facts,
        }: Fault,
    ) -> Self {
        if !at.is_empty() {
            error.message = format!("{at}: {}", error.message);
        }
        facts.insert("pointer".to_owned(), at.into());
        error.with_details(facts)
    }
}
