//! Composition root: configuration, stores, services, drain.
//!
//! Owns which concrete parts a host is made of, and the order in which they start and stop; the
//! only crate that names backends, clocks and processes. Refuses to do the parts' work. Start with
//! [`serve()`] for a host with doors, [`reach`] for whoever speaks to the host of a data directory or
//! becomes it, or [`Local`] for a component file alone.

mod ambient;
mod app;
mod artifacts;
mod claim;
mod config;
mod data_dir;
mod doors;
mod error;
mod host;
mod inside;
mod key_values;
mod local;
mod mcp;
mod policy;
mod retention;
mod secrets;
mod serve;
mod tools;

/// To verify an export of the audit without a host.
pub mod audit {
    pub use cofferdam_audit::{Flaw, Line, Summary, Verifier};
}

/// To check, compare and test policies without a host.
pub mod policies {
    pub use cofferdam_policy::{
        Checked, Decision, Difference, Expected, Format, Lesson, Policy, PolicyError, Said, Source,
        Table, Use, diff, schema,
    };

    pub use crate::policy::{invalid, missing, policy_check, refusal};
}

pub use cofferdam_runtime::{Wit, child_main as compiler_child, launcher_main as launcher_child};
pub use cofferdam_store_redis::{Address as RedisAddress, Prefix as RedisPrefix};
pub use cofferdam_toolbox::Labels;
pub use cofferdam_types as types;
pub use config::{Audit, Config, Durability, Redis, Rules, Runs, Store};
pub use data_dir::{admin_key, data_dir};
pub use error::Error;
pub use inside::{Inside, Reached, reach};
pub use local::{Local, LocalCall, LocalCalled};
pub use serve::{Ready, serve};
