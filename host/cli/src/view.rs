//! How things are shown to people. Text of tools and hosts is cleaned on the way, so that it can't
//! steer the terminal.

mod audit;
mod call;
mod changes;
mod event;
mod failure;
mod list;
mod policy;
mod schema;
mod text;
mod tool;

pub(crate) use audit::{audit, outcome, records, what};
pub(crate) use call::{log, usage};
pub(crate) use event::event;
pub(crate) use failure::{failure, refusal};
pub(crate) use list::table;
pub(crate) use policy::{explanation, shadow};
pub(crate) use text::{bytes, clean, count, first_sentence, pretty, took};
pub(crate) use tool::{capabilities, imports, tool};
