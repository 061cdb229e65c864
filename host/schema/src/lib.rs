//! JSON Schema: how schemas are set up, bounded and compared.
//!
//! Owns what a schema that a stranger wrote may cost, where a value breaks it, what names in it mean
//! ([`named`]), and whether one is part of another ([`subschema`], [`compatibility`]). Refuses to know
//! what a tool is and where schemas are kept. Start with [`Schema::compile`].

mod bounds;
pub mod compatibility;
mod effort;
mod faults;
mod graph;
mod keywords;
mod measure;
pub mod named;
mod references;
mod schema;
pub mod subschema;

pub use bounds::Bounds;
pub use schema::Schema;
