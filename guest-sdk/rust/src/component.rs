//! A component's table of tools: describing them, finding one, calling it.

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::ToolError;
use crate::manifest::{Manifest, Meta, ToolEntry};

/// The tools of one component, as [`tools!`](crate::tools) collects them in the static `TOOLS`.
///
/// The host asks it through the component's export; a native test asks it directly, to see the
/// manifest or to call a tool through JSON.
pub struct Component {
    name: &'static str,
    version: &'static str,
    entries: &'static [Entry],
}

impl Component {
    /// The manifest, a JSON object in the shape that `wit/tool.wit` documents. Always the same.
    pub fn describe(&self) -> String {
        let tools = self.entries.iter().map(Entry::describe).collect();
        let manifest = Manifest {
            name: self.name,
            version: self.version,
            tools,
        };
        serde_json::to_string(&manifest).expect("a manifest has text keys only")
    }

    /// Calls the tool `function` (`query-rows` for `fn query_rows`) with a JSON object, and answers
    /// its result as JSON.
    ///
    /// **Errors**: the tool's own; `unknown_tool` when there is none of this name;
    /// `invalid_arguments` when the arguments don't fit its parameters; `invalid_result` when the
    /// result can't be written as JSON.
    pub fn call(&self, function: &str, arguments: &str) -> Result<String, ToolError> {
        let found = self
            .entries
            .iter()
            .find(|entry| entry.meta.function == function);
        match found {
            Some(entry) => (entry.call)(arguments),
            None => Err(ToolError::new(
                "unknown_tool",
                format!("`{}` has no tool `{function}`", self.name),
            )),
        }
    }
}

/// What `#[tool]` implements for the type that stands for its function.
#[diagnostic::on_unimplemented(
    message = "this function is not a tool",
    label = "no `#[tool]` function of this name is visible here",
    note = "put `#[tool]` on the function, and make it visible to `tools!`"
)]
pub trait Tool {
    /// What is known while compiling.
    const META: Meta;
    /// The schema of the arguments.
    fn args_schema() -> Value;
    /// The schema of the result.
    fn returns_schema() -> Value;
    /// Decodes the arguments, calls the function, encodes its result.
    fn call(arguments: &str) -> Result<String, ToolError>;
}

/// A [`Tool`] as a row of the table.
pub struct Entry {
    meta: &'static Meta,
    args_schema: fn() -> Value,
    returns_schema: fn() -> Value,
    call: fn(&str) -> Result<String, ToolError>,
}

impl Entry {
    /// The row of `T`.
    pub const fn of<T: Tool>() -> Self {
        Self {
            meta: const { &T::META },
            args_schema: T::args_schema,
            returns_schema: T::returns_schema,
            call: T::call,
        }
    }

    fn describe(&self) -> ToolEntry {
        ToolEntry::new(self.meta, (self.args_schema)(), (self.returns_schema)())
    }
}

/// What `tools!` makes its static of.
pub const fn component(
    name: &'static str,
    version: &'static str,
    entries: &'static [Entry],
) -> Component {
    Component {
        name,
        version,
        entries,
    }
}

/// Longest name of a tool, component and function together; the host's own limit.
const TOOL_NAME_BYTES_MAX: usize = 64;

/// Fails the build when the tool at `index` has a name that is too long or taken.
#[track_caller]
pub const fn check(component: &Component, index: usize) {
    let function = component.entries[index].meta.function;
    assert!(
        component.name.len() + "-".len() + function.len() <= TOOL_NAME_BYTES_MAX,
        "a tool's name, component and function together, has at most 64 characters"
    );
    let mut other = 0;
    while other < index {
        assert!(
            !is_same(component.entries[other].meta.function, function),
            "two tools of this component have the same name"
        );
        other += 1;
    }
}

const fn is_same(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    if one.len() != other.len() {
        return false;
    }
    let mut at = 0;
    while at < one.len() {
        if one[at] != other[at] {
            return false;
        }
        at += 1;
    }
    true
}

/// **Errors**: `invalid_arguments`. The host has checked them against the schema, so this is left
/// for what a schema can't say.
pub fn decode<T: DeserializeOwned>(arguments: &str) -> Result<T, ToolError> {
    serde_json::from_str(arguments)
        .map_err(|error| ToolError::new("invalid_arguments", error.to_string()))
}

/// What a tool may return.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be the result of a tool",
    label = "has no JSON form and schema",
    note = "put `#[cofferdam_sdk::data]` on the type, or derive `Serialize` and `JsonSchema`"
)]
pub trait Output: Serialize + JsonSchema {}

#[diagnostic::do_not_recommend]
impl<T: Serialize + JsonSchema> Output for T {}

/// **Errors**: `invalid_result`, for a map whose keys are not texts and the like.
pub fn encode<T: Output>(output: &T) -> Result<String, ToolError> {
    serde_json::to_string(output)
        .map_err(|error| ToolError::new("invalid_result", error.to_string()))
}

/// What a tool may fail with.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be the error of a tool",
    label = "does not become a `ToolError`",
    note = "return `ToolError`, which `?` makes of any `std::error::Error`, or implement \
            `From<{Self}>` for it; of a text make one with `ToolError::failed`"
)]
pub trait Failure: Into<ToolError> {}

#[diagnostic::do_not_recommend]
impl<E: Into<ToolError>> Failure for E {}

/// The error of a tool function as the caller sees it.
pub fn fail<E: Failure>(error: E) -> ToolError {
    error.into()
}
