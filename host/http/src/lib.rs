//! The HTTP door: routes, the reading of requests, the spelling of answers, streams.
//!
//! Owns everything about HTTP: status codes, headers, body limits, connections. Refuses to know how
//! anything is done: a handler takes typed input from its extractors, makes one call into the
//! engine, the toolbox or the registry, and answers a view from `wire`. Start with `router.rs`,
//! which has every route on one page, then `error.rs`, the one place that knows status codes.

mod allow;
mod answer;
mod audit;
mod body;
mod component;
mod error;
mod event;
mod extract;
mod guard;
mod health;
mod inside;
mod mount;
mod policy;
mod router;
mod run;
mod secret;
mod serve;
mod services;
mod task;
mod tool;

#[cfg(test)]
mod tests;

pub use allow::Allow;
pub use axum::Router;
pub use health::Check;
pub use inside::answer;
pub use mount::{Content, Mount, mount};
pub use policy::policy_check;
pub use router::{guarded, router};
pub use serve::serve;
pub use services::Services;
