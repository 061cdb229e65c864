//! Durable work: tasks, their runs, and the executor agent that drives runs step by step.
//!
//! Owns what happens next. A run is an append-only log of events; its state is a fold over that
//! log, so that a host that starts again reads on where the last one stopped: a call that ended is
//! in the log and never made again, and a call that had started, but not ended, is known to be in
//! doubt. Refuses to know how a tool runs, what it may do, where data lies and who may ask: the
//! first two stand behind [`Tools`], the third behind the store traits, the last is the doors'.
//!
//! Start with [`Engine`] for what can be asked, then `agent/state.rs` (the fold), `agent/next.rs`
//! (the decision) and `agent/driver.rs` (the loop that carries it out).

mod agent;
mod engine;
mod error;
mod options;
mod plan;
mod run;
mod service;
mod task;
mod tools;

#[cfg(test)]
mod tests;

pub use cofferdam_store_api::{RunFilter, TaskFilter};
pub use engine::Engine;
pub use error::Error;
pub use options::Options;
pub use task::create::NewTask;
pub use tools::Tools;
