//! The stores in process memory, for tests and throw-away hosts.
//!
//! Owns a second, plain reading of what `store-api` promises: maps behind one lock, against which
//! the other backends are compared. Refuses to know files and networks; nothing survives the
//! process and nothing is ever let go, so it is for hosts whose work fits into memory. Start with
//! [`open`], then `tables`.

mod agents;
mod audit;
mod blobs;
mod events;
mod key_values;
mod keys;
mod runs;
mod secrets;
mod tables;
mod tasks;
mod tools;

pub use tables::open;
