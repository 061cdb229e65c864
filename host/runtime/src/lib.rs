//! Runs components in the sandbox: engine, compiled components, limits, host functions.
//!
//! Owns the engine and everything a guest can reach. Refuses to know names, tenants and policy
//! texts: it takes a [`Grant`](cofferdam_policy::Grant), which says for which bytes and with what,
//! and nothing else opens a component. Start with [`Runtime::call`]; how guests share the machine
//! is in `schedule.rs`, what stops them in `limiter.rs`, `fuel.rs` and `meter.rs`, what they can reach in
//! `capability.rs`, what is trusted of a disk in `artifacts.rs`.

mod artifacts;
mod bindings;
mod budget;
mod call;
mod capability;
mod compile;
mod component;
mod engine;
mod error;
mod features;
mod fuel;
mod inspect;
mod ledger;
mod limiter;
mod meter;
mod plain;
mod runtime;
mod schedule;
mod state;
mod stdio;
mod typed;
mod warrant;
mod wit;

pub use artifacts::Artifacts;
pub use capability::environment::HostVariable;
pub use capability::filesystem::{Changes, ListedChange};
pub use capability::key_value::{KeyValues, Spaces, Unavailable};
pub use capability::secrets::{Secrets, SecretsUnreachable};
pub use capability::tool_call::{Depth, Finished, Nested, Tools};
pub use cofferdam_egress::{Options as EgressOptions, Owner};
pub use cofferdam_files::{Change, ChangeKind, CommitError, Scratch, check as check_mounts};
pub use cofferdam_process::{Launcher, launcher_main};
pub use compile::{Compiler, child_main};
pub use error::{Error, Limit};
pub use inspect::{Inspection, Kind, Labels, inspect};
pub use ledger::Ledger;
pub use plain::{Function, Interface, Skipped};
pub use runtime::{Held, Invocation, Options, Report, Runtime, Source};
pub use wit::Wit;
