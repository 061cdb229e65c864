//! One file per table.

pub(crate) mod agents;
pub(crate) mod audit;
pub(crate) mod blobs;
pub(crate) mod events;
pub(crate) mod key_values;
pub(crate) mod keys;
pub(crate) mod runs;
pub(crate) mod secrets;
pub(crate) mod tasks;
pub(crate) mod tools;
