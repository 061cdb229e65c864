//! Credentials to callers: API keys, roles, permissions.
//!
//! Owns the text of an API key, how it is recognised, and which role may do what. Refuses to know
//! how a credential travels and what a door answers. Start with [`Access::authenticate`], then
//! [`Permission`].

mod access;
mod error;
mod hex;
mod key;
mod permission;

pub use access::Access;
pub use error::Error;
pub use key::{ApiKey, BadKey};
pub use permission::{Permission, require};
