//! The `files` component: tools that list, read, write and search the files of a call's workspace.
//!
//! It owns the words and the limits of these tools. It knows nothing of where the workspace lies,
//! who calls, or what they may do: the host opens one directory for the call, or none, and refuses
//! what leads out of it.
//!
//! Each tool is one module with its arguments, its result and its limits; start with `read`.
//! `workspace` turns a caller's path into a checked place, `walk` goes through directories in a
//! fixed order, `glob` picks from what it finds, `budget` keeps results below what the host accepts.

mod budget;
mod glob;
mod list;
mod read;
mod search;
mod stat;
mod walk;
mod workspace;
mod write;

#[cfg(not(target_family = "wasm"))]
pub use workspace::mount;

cofferdam_sdk::tools![
    list::list,
    read::read,
    write::write,
    search::search,
    stat::stat
];

#[cfg(test)]
mod tests;
