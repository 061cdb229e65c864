//! Runs, as callers see them: one file per command.

pub(crate) mod cancel;
pub(crate) mod events;
pub(crate) mod start;
pub(crate) mod wait;
pub(crate) mod wakeups;
