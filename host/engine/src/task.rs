//! Tasks, as callers see them: one file per command.

pub(crate) mod cancel;
mod check;
pub(crate) mod create;
mod read;
