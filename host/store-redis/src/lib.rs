//! The stores on Redis, shared by many hosts.
//!
//! Owns the names of the keys, the scripts that make a write atomic, and what a server must be set
//! to. Refuses to know what a record means. Start with [`open`]; a write that checks before it
//! changes something is one Lua script in `lua/`, and everything else is single commands.
//!
//! What is acknowledged is kept as the server's own settings say: with `appendonly yes` and
//! `appendfsync always` nothing that was answered is lost when the server dies, with `everysec` at
//! most what was answered while an fsync ran.

mod agents;
mod audit;
mod blobs;
mod error;
mod events;
mod fitness;
mod key_values;
mod keys;
mod link;
mod names;
mod prefix;
mod record;
mod runs;
mod script;
mod secrets;
mod store;
mod tasks;
#[cfg(feature = "testing")]
pub mod testing;
mod tools;
mod url;

pub use error::OpenError;
pub use prefix::Prefix;
pub use store::{Redis, Settings, open};
pub use url::Address;
