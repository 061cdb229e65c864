//! Small state that lasts from call to call: settings, cursors, caches.
//!
//! The tool declares `capabilities(key_value)`, and the host's policy says which keys it may use and
//! how much it may keep. In a native test the values live in the test's own thread.
//!
//! ```
//! use cofferdam_sdk::{ToolError, key_value, tool};
//!
//! /// Counts how often it was called.
//! #[tool(capabilities(key_value))]
//! fn visits() -> Result<u64, ToolError> {
//!     let state = key_value::tool();
//!     loop {
//!         let seen = state.get("visits")?;
//!         let count = match &seen {
//!             Some(bytes) => String::from_utf8_lossy(bytes).parse::<u64>()? + 1,
//!             None => 1,
//!         };
//!         // Somebody else may have counted meanwhile; then it is done again.
//!         if state.swap("visits", seen.as_deref(), Some(count.to_string().as_bytes()))? {
//!             return Ok(count);
//!         }
//!     }
//! }
//!
//! assert_eq!((visits().unwrap(), visits().unwrap()), (1, 2));
//! ```

use std::error::Error as StdError;
use std::fmt;

use crate::host;

/// Whose state it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// The tool's: all tools of its component share it, in every version and whoever calls.
    Tool,
    /// The agent's at work: all tools that it calls share it.
    Agent,
}

/// Why nothing was read or changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Error {
    /// Policy does not grant this use, or no agent is at work.
    Denied,
    /// This is no key: 1 to 512 bytes without control characters.
    InvalidKey,
    /// There is no room: too many values, too many bytes, or too large a value.
    Full,
    /// The host can't reach its store now; safe to repeat.
    Unavailable,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Denied => "policy does not allow this use of the key",
            Self::InvalidKey => "a key has 1 to 512 bytes and no control characters",
            Self::Full => "there is no room for this value",
            Self::Unavailable => "the state can't be reached now; try again",
        })
    }
}

impl StdError for Error {}

/// The state of one scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct State(Scope);

/// The tool's own state.
pub fn tool() -> State {
    State(Scope::Tool)
}

/// The state of the agent at work.
pub fn agent() -> State {
    State(Scope::Agent)
}

impl State {
    /// What a key holds.
    pub fn get(self, key: &str) -> Result<Option<Vec<u8>>, Error> {
        host::get(self.0, key)
    }

    /// Has a key hold a value, whatever it held.
    pub fn set(self, key: &str, value: impl AsRef<[u8]>) -> Result<(), Error> {
        host::set(self.0, key, value.as_ref())
    }

    /// Removes a key. True when it held something.
    pub fn delete(self, key: &str) -> Result<bool, Error> {
        host::delete(self.0, key)
    }

    /// Has a key hold `new`, or nothing, if it holds exactly `expected`, or nothing, at that moment.
    /// False when it holds something else; nothing is changed then.
    pub fn swap(
        self,
        key: &str,
        expected: Option<&[u8]>,
        new: Option<&[u8]>,
    ) -> Result<bool, Error> {
        host::swap(self.0, key, expected, new)
    }

    /// Every key that begins with `prefix` and that policy lets the tool list, in the order of their
    /// bytes. A tool that may list `cache/**` asks for `cache/`.
    pub fn keys(self, prefix: &str) -> Result<Vec<String>, Error> {
        let mut keys = Vec::new();
        let mut after = None;
        loop {
            let (page, next) = host::keys(self.0, prefix, after.as_deref(), PAGE)?;
            keys.extend(page);
            if next.is_none() {
                return Ok(keys);
            }
            after = next;
        }
    }
}

/// The largest page that a host gives.
const PAGE: u32 = 1_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_native_test_has_state() {
        let state = tool();
        assert_eq!(state.get("a"), Ok(None));
        assert_eq!(state.set("a/1", "one"), Ok(()));
        assert_eq!(state.set("b", [0, 255]), Ok(()));
        assert_eq!(state.get("b"), Ok(Some(vec![0, 255])));
        assert_eq!(agent().get("b"), Ok(None));
        assert_eq!(state.swap("b", None, Some(b"x")), Ok(false));
        assert_eq!(state.swap("b", Some(&[0, 255]), None), Ok(true));
        assert_eq!(state.swap("c", None, Some(b"x")), Ok(true));
        assert_eq!(state.keys("a/"), Ok(vec!["a/1".to_owned()]));
        assert_eq!(
            (state.delete("c"), state.delete("c")),
            (Ok(true), Ok(false))
        );
        assert_eq!(state.set("a\nb", ""), Err(Error::InvalidKey));
    }
}
