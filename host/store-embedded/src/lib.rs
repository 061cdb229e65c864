//! The stores in one local SQLite file, for one host on one machine.
//!
//! Owns the file: its schema, who writes it, when it is synced. Refuses to know what the records
//! mean beyond what `store-api` promises about them, and who else may open the file: the server
//! locks the data directory. Start with [`open`]; `writer` says how one fsync serves many writes,
//! and each table has a file of its name.

mod agents;
mod audit;
mod blobs;
mod embedded;
mod error;
mod events;
mod file;
mod key_values;
mod keys;
mod readers;
mod record;
mod runs;
mod schema;
mod secrets;
mod tasks;
mod tools;
mod writer;

pub use embedded::{Embedded, open};
pub use file::Durability;
