//! The JSON shapes that cross the HTTP door, in both directions, and their conversions.
//!
//! Owns how a request is read ([`strict`]) and how every answer is spelt; the command line client
//! reads the same types back. Refuses to know HTTP, stores and the engine: there is no status code
//! and no I/O here. Start with [`call`], the request and answer that matter most.
//!
//! Passive domain data that is already spelt for people (usage, logs, plans, events) appears in
//! the answers as it is; a type stands here only where the wire says it differently.

pub mod audit;
pub mod call;
pub mod component;
pub mod error;
pub mod event;
pub mod health;
pub mod page;
pub mod policy;
pub mod run;
pub mod secret;
pub mod strict;
pub mod task;
pub mod tool;
pub mod workspace;
