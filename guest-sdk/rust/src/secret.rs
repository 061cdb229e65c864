//! Secrets of whoever calls the tool, by name.
//!
//! A tool that sends a secret to a server need not ask for it: where policy binds one to that
//! server, the host puts it into the request. Ask for one where a request has to say which secret
//! goes where, as when a server takes two. What [`get`] answers is then a placeholder: put it in the
//! header or the query parameter that policy names, and the host puts the value in its place on the
//! way out. So nothing that the tool prints, returns or is tricked into sending elsewhere holds the
//! value.
//!
//! A tool that has to compute with a value, to sign with it for instance, gets it by the same call
//! where policy says `expose: true`.
//!
//! The tool declares `capabilities(secret)`. In a native test a secret is the environment variable
//! `COFFERDAM_SECRET_<NAME>`.
//!
//! ```
//! use cofferdam_sdk::{ToolError, secret, tool};
//!
//! /// Says how long the token is, placeholder or not.
//! #[tool(read_only, capabilities(secret))]
//! fn length() -> Result<usize, ToolError> {
//!     Ok(secret::get("github-token")?.len())
//! }
//! # assert_eq!(length().unwrap_err().code, "secret_denied");
//! ```

use crate::{ToolError, host};

/// The secret of this name: a placeholder that is good for this call alone, or the value where
/// policy exposes it.
///
/// **Errors**: the code `secret_denied` when the call may not use it or there is none of this name,
/// nobody is told which; `secret_unavailable`, retryable, when the host can't read its secrets now.
pub fn get(name: &str) -> Result<String, ToolError> {
    host::secret(name).map_err(|refusal| match refusal {
        Refusal::Denied => ToolError::new(
            "secret_denied",
            format!("this call may not use the secret `{name}`, or there is none of this name"),
        ),
        Refusal::Unavailable => {
            let message = "the host can't read its secrets now";
            ToolError::new("secret_unavailable", message).retryable()
        }
    })
}

/// Why there is no secret.
#[cfg_attr(
    not(target_family = "wasm"),
    allow(dead_code, reason = "a native test has no host that could fail")
)]
pub(crate) enum Refusal {
    Denied,
    Unavailable,
}
