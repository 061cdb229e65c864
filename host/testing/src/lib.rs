//! Shared fixtures for the suites: the real host as a child process, guests made from text, and
//! what a run leaves behind.
//!
//! Owns how a test gets a host and a component. Refuses to look inside either: it links no crate of
//! the host. Start with [`Host::start`], [`Guest`] for a component that describes itself, and
//! [`Plain`] for one that does not; [`scale::of`] says how large a crowd or a flood is.

mod aftercare;
mod figures;
mod guest;
mod host;
mod leftovers;
mod log;
mod plain;
pub mod scale;

pub use aftercare::settled;
pub use figures::show;
pub use guest::{Guest, escaped};
pub use host::{Answer, Host, binary, interop, tool};
pub use leftovers::Leftovers;
pub use plain::Plain;
