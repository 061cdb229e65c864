//! The small state that tools keep between calls.

use std::fmt;
use std::str::FromStr;

use crate::text::serde_by_text;
use crate::{ComponentName, ParseError, Tenant};

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

/// Where keys are told apart: two spaces never see each other's.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Space {
    /// Whose data it is.
    pub tenant: Tenant,
    /// Who keeps it there.
    pub owner: Owner,
}

/// A change of one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    /// The key.
    pub key: Key,
    /// What it is to hold; `None` removes it.
    pub value: Option<Vec<u8>>,
    /// When only.
    pub when: When,
}

/// What has to hold for a change to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum When {
    /// Nothing.
    Always,
    /// The key holds nothing.
    Absent,
    /// It holds exactly this.
    Holds(Vec<u8>),
}

impl When {
    /// Whether it holds for what is there.
    pub fn holds(&self, found: Option<&[u8]>) -> bool {
        match self {
            Self::Always => true,
            Self::Absent => found.is_none(),
            Self::Holds(expected) => found == Some(expected.as_slice()),
        }
    }
}

/// What came of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// It was made.
    Done {
        /// True when the key held something before.
        existed: bool,
    },
    /// The key holds something else than the change expects; nothing was changed.
    Differs,
    /// The owner has no room for it; nothing was changed.
    Full(Full),
}

/// Which part of a [`Quota`] has no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Full {
    /// The number of values.
    Entries,
    /// The bytes of all keys and values.
    Bytes,
    /// The bytes of one value.
    ValueBytes,
}

/// What an owner keeps.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Kept {
    /// Values.
    pub entries: u64,
    /// Bytes of all keys and values.
    pub bytes: u64,
}

impl Kept {
    /// After a key of so many bytes held `before` and holds `after` now, each the length of a value.
    ///
    /// **Errors**: what is full. A change that makes nothing more is taken also by who is over the
    /// quota, as after it was lowered: else they could not tidy up.
    pub fn changed(
        self,
        key: usize,
        before: Option<usize>,
        after: Option<usize>,
        quota: &Quota,
    ) -> Result<Self, Full> {
        let size = |value: Option<usize>| value.map_or(0, |value| (key + value) as u64);
        let count = |value: Option<usize>| u64::from(value.is_some());
        let changed = Self {
            entries: self.entries.saturating_sub(count(before)) + count(after),
            bytes: self.bytes.saturating_sub(size(before)) + size(after),
        };
        if after.is_some_and(|after| after as u64 > quota.value_bytes) {
            Err(Full::ValueBytes)
        } else if changed.entries > quota.entries && changed.entries > self.entries {
            Err(Full::Entries)
        } else if changed.bytes > quota.bytes && changed.bytes > self.bytes {
            Err(Full::Bytes)
        } else {
            Ok(changed)
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
