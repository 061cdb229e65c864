//! The small state that tools keep between calls.

use std::fmt;
use std::str::FromStr;

use crate::text::serde_by_text;
use crate::{ComponentName, ParseError};

/// The name of one value.
///
/// **Shape**: 1 to 512 bytes of UTF-8 without control characters. Taken as it is: two spellings
/// that look alike are two keys. `/` separates the parts that patterns know; it may stand anywhere.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(String);

impl Key {
    /// Longest key in bytes: a path or an address fits, a document doesn't.
    pub const BYTES_MAX: usize = 512;

    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Key {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let fits = (1..=Self::BYTES_MAX).contains(&text.len());
        if fits && !text.contains(char::is_control) {
            Ok(Self(text.to_owned()))
        } else {
            Err(ParseError::new(
                "a key",
                text,
                "expected 1 to 512 bytes without control characters",
            ))
        }
    }
}

serde_by_text!(Key);

/// Who keeps a value, inside a tenant.
///
/// **Shape**: `tool:files`, `agent:executor`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Owner {
    /// A component, for its tools in every version.
    Tool(ComponentName),
    /// An agent, by the name that stays the same over restarts.
    Agent(String),
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tool(name) => write!(f, "tool:{name}"),
            Self::Agent(name) => write!(f, "agent:{name}"),
        }
    }
}

/// How much an owner may keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// Values.
    pub entries: u64,
    /// Bytes of all keys and values.
    pub bytes: u64,
    /// Bytes of one value.
    pub value_bytes: u64,
}

impl Quota {
    /// What an entry of a policy gives that says nothing: enough for settings and cursors, far from
    /// a store of documents.
    pub const DEFAULT: Self = Self {
        entries: 1_000,
        bytes: 1 << 20,
        value_bytes: 64 << 10,
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_short_lines() {
        let longest = "k".repeat(Key::BYTES_MAX);
        for good in ["a", "cache/a b", "\u{e9}", longest.as_str()] {
            assert_eq!(good.parse::<Key>().expect(good).as_str(), good);
        }
        for bad in ["", "a\nb", "a\0", "\u{85}", &format!("{longest}k")] {
            assert!(bad.parse::<Key>().is_err(), "{bad:?}");
        }
    }
}
