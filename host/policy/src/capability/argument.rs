use std::fmt;
use std::str::FromStr;

use serde_json::Value;

/// An argument of the call that narrows an entry.
///
/// **Shape**: `args.url`, or `args.source.url` for a key inside an object. Keys hold letters,
/// digits, `_` and `-`; at most eight of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Argument(Vec<String>);

impl Argument {
    const DEPTH_MAX: usize = 8;

    /// Its text in a call's JSON object; `None` when it is absent or is no text.
    pub fn text<'a>(&self, arguments: &'a Value) -> Option<&'a str> {
        self.0
            .iter()
            .try_fold(arguments, |value, key| value.as_object()?.get(key))?
            .as_str()
    }
}

impl FromStr for Argument {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const RULE: &str = "expected an argument of the call, as in `args.url`";
        let keys = text.strip_prefix("args.").ok_or(RULE)?;
        let plain = |key: &str| {
            !key.is_empty()
                && key
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
        };
        let keys: Vec<String> = keys.split('.').map(str::to_owned).collect();
        if keys.len() > Self::DEPTH_MAX || !keys.iter().all(|key| plain(key)) {
            return Err(RULE);
        }
        Ok(Self(keys))
    }
}

impl fmt::Display for Argument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "args.{}", self.0.join("."))
    }
}
