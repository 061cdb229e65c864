//! The `data` component: tools that query, tabulate and convert JSON, YAML, TOML and CSV.
//!
//! It owns the language of steps and the limits of these tools. It knows nothing of who calls or
//! where files lie; it reads from the workspace only what a source names, and works without one.
//!
//! Start with `query`, then `pipeline`, which runs the steps of `step` over what `source` reads.
//! `json` and `parse` are the values and how they are built without filling a guest's memory.

#[path = "../../files/src/budget.rs"]
mod budget;
mod convert;
mod derive;
mod fault;
mod field;
mod filter;
mod format;
mod group;
mod join;
mod json;
mod parse;
mod pattern;
mod pipeline;
mod query;
mod rows;
mod source;
mod step;
mod table;
// A component shares no code with another but what it compiles itself.
#[path = "../../files/src/workspace.rs"]
mod workspace;

#[cfg(not(target_family = "wasm"))]
pub use workspace::mount;

cofferdam_sdk::tools![query::query, table::table, convert::convert];

#[cfg(test)]
mod tests;
