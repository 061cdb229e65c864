//! Write a Cofferdam tool as a plain Rust function.
//!
//! ```
//! use cofferdam_sdk::{ToolError, tool, tools};
//!
//! /// Greets somebody by name.
//! #[tool(read_only, idempotent)]
//! fn greet(
//!     /// Who to greet.
//!     name: String,
//! ) -> Result<String, ToolError> {
//!     if name.is_empty() {
//!         return Err(ToolError::new("name_empty", "say whom to greet"));
//!     }
//!     Ok(format!("Hello, {name}!"))
//! }
//!
//! tools! { component = "hello"; greet }
//! # fn main() { assert_eq!(greet("Ada".into()).unwrap(), "Hello, Ada!"); }
//! ```
//!
//! Doc comments become descriptions, types become JSON Schemas, attributes become the manifest that
//! the host reads. The function stays as it is written and is tested with `cargo test`.
//!
//! Owns what an author sees: [`tool`], [`tools!`], [`data`], [`ToolError`], [`http`], [`key_value`],
//! [`log`], [`process`], [`progress`](fn@progress) and [`tool_call`], and the component's side of the
//! package `cofferdam:tool`. Refuses to know how a host runs, limits or grants anything.
//!
//! Start reading in `component.rs`: what a component describes and how it answers a call. Authors
//! start with the guide, `docs/guide/write-a-tool.md` of the repository.

extern crate self as cofferdam_sdk;

#[cfg(target_family = "wasm")]
#[doc(hidden)]
pub mod bindings;
mod component;
mod error;
mod host;
pub mod http;
pub mod key_value;
pub mod log;
mod manifest;
pub mod process;
mod progress;
mod schema;
pub mod secret;
pub mod tool_call;

#[doc(hidden)]
pub mod __private;

/// Where the host puts the workspace of a call that has one.
pub const WORKSPACE: &str = "/workspace";

pub use component::Component;
pub use error::ToolError;
pub use progress::{Amount, progress};
pub use {schemars, serde, serde_json};

/// Makes a tool of a function.
///
/// The doc comment is the description, which is required. Parameters are the arguments by name: a
/// doc comment describes one, `#[default(value)]` and `Option<T>` make it optional, and
/// `#[schemars(range(min = 1))]` and its like narrow it. A parameter's type implements
/// `Deserialize` and `JsonSchema`, the result's type `Serialize` and `JsonSchema`; [`data`] derives
/// them. The function returns the result or a `Result` of it, whose error becomes a [`ToolError`]
/// by `Into`.
///
/// **Options**, all of them optional:
///
/// | option | meaning |
/// |---|---|
/// | `read_only` | changes nothing |
/// | `destructive` | may destroy something |
/// | `idempotent` | twice does the same as once |
/// | `tags("text", …)` | words to find it by |
/// | `example(title = "…", arguments = r#"{…}"#, result = r#"…"#)` | a call that shows its use; repeat it for more; `title` and `result` may be left out |
/// | `capabilities(…)` | what it needs: `workspace(read_only)`, `workspace(read_write)`, each with `, optional` when it also works without; `clocks`, `random`, `network`, `subprocess`, `environment`, `secret`, `key_value`, `tool_call` |
/// | `limits(fuel = …, deadline_ms = …, memory_bytes = …, result_bytes = …)` | what is enough for one call; the host takes the smaller of this and its own |
/// | `name = "query-rows"` | the tool's part of the name, when it is not the function's in kebab case |
///
/// ```
/// use cofferdam_sdk::{ToolError, WORKSPACE, tool};
///
/// /// Counts the lines of a text file.
/// #[tool(
///     read_only,
///     idempotent,
///     capabilities(workspace(read_only)),
///     limits(deadline_ms = 5_000, memory_bytes = 16 << 20),
///     example(arguments = r#"{"path": "notes.txt"}"#)
/// )]
/// fn count_lines(
///     /// The file, relative to the workspace.
///     path: String,
///     /// Stop counting here.
///     #[default(1_000_000)]
///     #[schemars(range(min = 1))]
///     lines_max: usize,
/// ) -> Result<usize, ToolError> {
///     let text = std::fs::read_to_string(format!("{WORKSPACE}/{path}"))?;
///     Ok(text.lines().take(lines_max).count())
/// }
///
/// assert_eq!(count_lines("no such file".into(), 1).unwrap_err().code, "failed");
/// ```
pub use cofferdam_sdk_macros::tool;

/// Makes a component of tools: collects them in a static `TOOLS`, a [`Component`], and exports it.
/// Used once in a crate.
///
/// The component's name and version are the package's. `component = "name";` before the tools gives
/// another name. A tool's canonical name is `component-function`, at most 64 characters.
///
/// ```
/// use cofferdam_sdk::{tool, tools};
///
/// /// Doubles a number.
/// #[tool(read_only, idempotent)]
/// fn double(number: f64) -> f64 {
///     number * 2.0
/// }
///
/// mod text {
///     /// Turns a text around.
///     #[cofferdam_sdk::tool(read_only, idempotent)]
///     pub fn reverse(text: String) -> String {
///         text.chars().rev().collect()
///     }
/// }
///
/// tools! { component = "sample"; double, text::reverse }
///
/// # fn main() {
/// assert_eq!(TOOLS.call("reverse", r#"{"text": "abc"}"#).unwrap(), r#""cba""#);
/// # }
/// ```
pub use cofferdam_sdk_macros::tools;

/// Makes a struct or an enum usable as a parameter or a result, with no further dependency.
///
/// Derives `Serialize`, `Deserialize` and `JsonSchema`; `#[data(input)]` leaves out the first,
/// `#[data(output)]` the second. Stands above the type's other attributes; `#[serde(…)]` and
/// `#[schemars(…)]` work as ever, doc comments become descriptions.
///
/// ```
/// use cofferdam_sdk::{data, tool};
///
/// /// How a file is counted.
/// #[data(input)]
/// #[serde(rename_all = "snake_case")]
/// enum Unit {
///     Lines,
///     Words,
/// }
///
/// #[data(output)]
/// struct Count {
///     /// How many there are.
///     number: usize,
/// }
///
/// /// Counts the parts of a text.
/// #[tool(read_only, idempotent)]
/// fn count(text: String, unit: Unit) -> Count {
///     let number = match unit {
///         Unit::Lines => text.lines().count(),
///         Unit::Words => text.split_whitespace().count(),
///     };
///     Count { number }
/// }
/// ```
pub use cofferdam_sdk_macros::data;

#[cfg(doctest)]
#[doc = include_str!("../../../docs/guide/write-a-tool.md")]
mod guide {}
