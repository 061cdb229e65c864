//! HTTP requests, each one answered or refused by the host.
//!
//! A tool that sends requests declares `capabilities(network)`. The host then asks the operator's
//! policy about every request, its address included, and about every answer's size; without a grant
//! each request ends with [`ErrorKind::Denied`], and the call's answer names the rule to change. A
//! component that doesn't use this module doesn't import the interface.
//!
//! ```
//! use cofferdam_sdk::{ToolError, http::Request, tool};
//!
//! /// Says which version of a crate is the newest.
//! #[tool(read_only, idempotent, capabilities(network))]
//! fn newest(
//!     /// The crate's name.
//!     name: String,
//! ) -> Result<String, ToolError> {
//!     let response = Request::get(&format!("https://crates.io/api/v1/crates/{name}"))?
//!         .header("accept", "application/json")
//!         .send()?;
//!     if response.status() != 200 {
//!         return Err(ToolError::new("not_found", format!("no crate {name}")));
//!     }
//!     let body: serde_json::Value = serde_json::from_str(&response.text(1 << 20)?)?;
//!     Ok(body["crate"]["max_stable_version"].to_string())
//! }
//!
//! // Off the sandbox a test answers in the network's place.
//! use cofferdam_sdk::http::{Response, answer_with};
//! answer_with(|request| {
//!     assert_eq!(request.url(), "https://crates.io/api/v1/crates/serde");
//!     let body = br#"{"crate": {"max_stable_version": "1.0.0"}}"#;
//!     Ok(Response::new(200, &[("content-type", "application/json")], body))
//! });
//! assert_eq!(newest("serde".into()).unwrap(), "\"1.0.0\"");
//! ```
//!
//! Redirects are answers like any other: following one is a new request, and a new decision of the
//! host. Nothing is sent that the caller did not set, except `content-length`.

#[cfg(target_family = "wasm")]
mod bindings;
mod error;
mod request;
mod response;
#[cfg(target_family = "wasm")]
mod sandbox;
#[cfg(not(target_family = "wasm"))]
mod stand_in;
mod target;

pub use error::{Error, ErrorKind};
pub use request::Request;
pub use response::{Body, Headers, Response};
#[cfg(not(target_family = "wasm"))]
pub use stand_in::answer_with;

#[cfg(target_family = "wasm")]
use sandbox::send;
#[cfg(not(target_family = "wasm"))]
use stand_in::send;
