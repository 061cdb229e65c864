//! The executor agent: carries out the plan of a task, one step after the other.
//!
//! `state` folds a run's log, `next` decides what comes then, `head` keeps the run's and the
//! task's summary; all three are pure. `driver` and `call` carry the decisions out, `log` writes
//! them down, `board` says which run gets a driver and `takeover` finds those of a host that
//! stopped.

pub(crate) mod board;
mod call;
pub(crate) mod driver;
mod head;
mod log;
mod next;
mod notes;
pub(crate) mod patience;
pub(crate) mod state;
pub(crate) mod takeover;

#[cfg(test)]
mod tests;
