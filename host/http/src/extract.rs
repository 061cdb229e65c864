//! What handlers take: each is read from the request and checked before the handler runs.

mod allowed;
mod json;
mod path;
mod prefer;
mod query;

pub(crate) use allowed::{
    Allowed, CallTools, ManagePolicy, ManageSecrets, ManageTasks, Publish, ReadAudit, ReadPolicy,
    ReadTasks, ReadTools, RunTasks, identify,
};
pub(crate) use json::{NoBody, StrictJson};
pub(crate) use path::{IdPath, SecretPath, ToolPath};
pub(crate) use prefer::Preferences;
pub(crate) use query::{FromQuery, Pairs, Query, fault_in};
