//! The tool catalogue: versions, digests, schemas, resolution.
//!
//! Owns which tool a name means and whether arguments and results fit its schemas. Refuses to know
//! how a tool is run and who may run it. Start with [`Registry::resolve`]; what a component may say
//! about itself is in [`manifest`].

mod catalogue;
mod entry;
mod error;
mod known;
pub mod manifest;
mod names;
mod registry;
mod upgrade;

pub use entry::Entry;
pub use error::Error;
pub use registry::{Publication, Registry};
