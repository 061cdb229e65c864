//! The directories that a guest sees: every path resolved without trust, every use decided, every
//! change counted.
//!
//! Owns what happens on the disk in a guest's name: resolving its paths, quotas, overlays, private
//! directories. Refuses to know the engine, and what is granted: a [`Gate`] decides. Everything
//! here blocks; whoever calls from a task moves it to a thread where that is allowed. Start with
//! [`View::open`], then [`Directory`].

mod change;
mod directory;
mod error;
mod file;
mod gate;
mod look;
mod mount;
mod overlay;
mod resolve;
mod scratch;
mod stat;
mod tally;
mod view;

pub use directory::{Directory, Node, OpenHow};
pub use error::{Error, Limit};
pub use file::{File, OpenMode, READ_BYTES_MAX};
pub use gate::{Gate, Leaves, Refused};
pub use look::{Entry, Identity, Listing};
pub use overlay::{Change, ChangeKind, CommitError};
pub use resolve::AtEnd;
pub use scratch::{Private, Scratch};
pub use stat::{Kind, Moment, NewTime, Stat};
pub use view::{OpenError, Pending, View, check};

#[cfg(test)]
mod tests;
