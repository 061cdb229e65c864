//! Ids, names, digests, limits and the passive data of calls, tasks, runs and events.
//!
//! Owns the words every other crate speaks. Refuses to know how anything is done: there is no I/O,
//! no clock and no randomness here; both come in through [`Ambient`]. Start with [`call`] for one
//! run of one tool and with [`run`] for one execution of a task.

pub mod agent;
pub mod audit;
pub mod authority;
pub mod call;
pub mod caller;
pub mod change;
pub mod failure;
pub mod key_value;
pub mod limits;
pub mod page;
pub mod plan;
pub mod run;
pub mod task;
pub mod tool;
pub mod workspace;

mod ambient;
mod digest;
mod id;
mod name;
mod payload;
mod secret;
mod text;
mod time;

pub use ambient::Ambient;
pub use digest::{Digest, Hasher};
pub use failure::{Code, Failure};
pub use id::{AgentId, CallId, KeyId, RunId, TaskId};
pub use limits::Limits;
pub use name::{ComponentName, SecretName, StepName, Tenant, ToolName, WorkspaceName};
pub use payload::Payload;
pub use secret::{BadSecret, SecretValue};
pub use semver::{Version, VersionReq};
pub use text::ParseError;
pub use time::Timestamp;
