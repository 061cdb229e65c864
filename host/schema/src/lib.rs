//! JSON Schema: how schemas are set up, bounded and compared.
//!
//! Owns what a schema that a stranger wrote may cost, and where a value breaks it. Refuses to know
//! what a tool is and where schemas are kept. Start with [`Schema::compile`].

mod bounds;
mod effort;
mod faults;
mod graph;
mod keywords;
mod measure;
pub mod named;
mod references;
mod schema;

pub use bounds::Bounds;
pub use schema::Schema;
