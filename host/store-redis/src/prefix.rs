use std::fmt;
use std::str::FromStr;

use crate::error::OpenError;

/// What the names of all keys begin with, so that several installations can share a server.
///
/// **Shape**: letters, digits, `-`, `_`, `.` and `:`, at most 64 characters, without `:` at its end;
/// on Redis Cluster one part in braces, as in `{ao}`, which puts all keys into one slot. Empty: the
/// keys stand bare.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prefix(String);

impl Prefix {
    /// Longest prefix in characters: it is part of every key.
    const CHARS_MAX: usize = 64;

    /// What stands before the rest of every key.
    pub(crate) fn lead(&self) -> String {
        if self.0.is_empty() {
            String::new()
        } else {
            format!("{}:", self.0)
        }
    }

    /// True when all keys are in one slot of a cluster: Redis hashes what stands between the first
    /// `{` and the next `}`, unless that is nothing.
    pub(crate) fn is_tagged(&self) -> bool {
        let tag = self
            .0
            .split_once('{')
            .and_then(|(_, rest)| rest.split_once('}'));
        tag.is_some_and(|(tag, _)| !tag.is_empty())
    }
}

impl Default for Prefix {
    fn default() -> Self {
        Self("ao".to_owned())
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Prefix {
    type Err = OpenError;

    fn from_str(text: &str) -> Result<Self, OpenError> {
        let fits = |c: char| c.is_ascii_alphanumeric() || "-_.:{}".contains(c);
        if text.len() <= Self::CHARS_MAX && text.chars().all(fits) && !text.ends_with(':') {
            Ok(Self(text.to_owned()))
        } else {
            Err(OpenError::Address(format!(
                "the key prefix `{text}`: expected letters, digits, `-`, `_`, `.`, `:` and braces, \
                 at most {}, no `:` at the end",
                Self::CHARS_MAX
            )))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_what_redis_takes_for_one() {
        for (text, tagged) in [
            ("{ao}", true),
            ("team:{ao}", true),
            ("ao", false),
            ("", false),
            ("{}", false),
            ("{}{ao}", false),
            ("a}b{c", false),
        ] {
            let prefix: Prefix = text.parse().expect(text);
            assert_eq!(prefix.is_tagged(), tagged, "{text}");
        }
    }

    #[test]
    fn a_prefix_is_no_pattern_and_no_sentence() {
        for bad in ["ao:", "a b", "a*", "ä", &"a".repeat(65)] {
            assert!(bad.parse::<Prefix>().is_err(), "{bad}");
        }
        assert_eq!(Prefix::default().lead(), "ao:");
        assert_eq!("".parse::<Prefix>().expect("empty").lead(), "");
    }
}
