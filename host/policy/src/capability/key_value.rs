//! Small state that tools keep between calls.

use cofferdam_types::key_value::Quota;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Capability, Fault};
use crate::glob::{self, Globs};
use crate::grant::Grant;
use crate::quantity::Bytes;
use crate::slice::{Caps, Pattern, Slice};

/// One entry below `key_value`, as people write it.
///
/// ```yaml
/// key_value:
///   - scope: tool
///     keys: ["cache/**"]
///     rights: [read, write, list]
///     quota: {entries: 100, bytes: 256KiB, value_bytes: 16KiB}
/// ```
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "KeyValueEntry")]
pub struct Entry {
    /// Whose state. Left out below `allow`: the tool's own; below `deny`: any.
    #[serde(default)]
    pub scope: Option<Scope>,
    /// Patterns of keys: `*` stops at `/`, `**` doesn't. Left out: every key of the scope.
    #[serde(default)]
    pub keys: Option<Vec<String>>,
    /// What may be done. Left out: everything.
    #[serde(default)]
    pub rights: Option<Vec<Right>>,
    /// How much may be kept. Left out: 1,000 values, 1 MiB in all, 64 KiB each. Only below `allow`.
    #[serde(default)]
    pub quota: Option<QuotaEntry>,
}

/// How much may be kept by the owner of the state, as people write it.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct QuotaEntry {
    /// Values.
    #[serde(default)]
    pub entries: Option<u64>,
    /// All keys and values together.
    #[serde(default)]
    pub bytes: Option<Bytes>,
    /// One value.
    #[serde(default)]
    pub value_bytes: Option<Bytes>,
}

/// Whose state it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// The tool's: all tools of its component share it, in every version and whoever calls.
    Tool,
    /// The agent's at work: all tools that it calls share it. Only a call on behalf of an agent has
    /// one.
    Agent,
}

impl Scope {
    /// The word in policies, denials and the audit.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tool => "tool",
            Self::Agent => "agent",
        }
    }
}

/// What may be done with a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Right {
    /// Its value is read.
    Read,
    /// Its value is set.
    Write,
    /// It is removed.
    Delete,
    /// It is named in a listing.
    List,
}

impl Right {
    const ALL: [Self; 4] = [Self::Read, Self::Write, Self::Delete, Self::List];

    /// The word in policies, denials and the audit.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Delete => "delete",
            Self::List => "list",
        }
    }
}

/// One use of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyUse {
    /// Whose state.
    pub scope: Scope,
    /// What is done.
    pub right: Right,
    /// The key; for a listing its prefix, and again each key that it would name.
    pub key: String,
}

/// Which uses of which keys an entry covers.
#[derive(Debug, Clone)]
pub struct KeyValue {
    scopes: Vec<Scope>,
    keys: Globs,
    rights: Vec<Right>,
    quota: Quota,
    is_everything: bool,
}

impl Caps for Quota {
    fn widest(self, other: Self) -> Self {
        Self {
            entries: self.entries.max(other.entries),
            bytes: self.bytes.max(other.bytes),
            value_bytes: self.value_bytes.max(other.value_bytes),
        }
    }

    fn narrowest(self, other: Self) -> Self {
        Self {
            entries: self.entries.min(other.entries),
            bytes: self.bytes.min(other.bytes),
            value_bytes: self.value_bytes.min(other.value_bytes),
        }
    }
}

impl Pattern for KeyValue {
    type Ask = KeyUse;
    type Caps = Quota;

    fn covers(&self, ask: &KeyUse) -> bool {
        self.scopes.contains(&ask.scope)
            && self.rights.contains(&ask.right)
            && self.keys.is_match(&ask.key)
    }

    fn caps(&self) -> Quota {
        self.quota
    }
}

impl Capability for KeyValue {
    const NAME: &'static str = "key_value";

    type Entry = Entry;

    fn slice(grant: &Grant) -> &Slice<Self> {
        grant.key_value()
    }

    fn allow(entry: Entry) -> Result<Self, Fault> {
        let scopes = vec![entry.scope.unwrap_or(Scope::Tool)];
        Self::new(scopes, entry)
    }

    fn deny(entry: Entry) -> Result<Self, Fault> {
        if entry.quota.is_some() {
            return Err(Fault::at("/quota", "a deny has no quota"));
        }
        let scopes = entry
            .scope
            .map_or_else(|| vec![Scope::Tool, Scope::Agent], |scope| vec![scope]);
        Self::new(scopes, entry)
    }

    fn bound(&self, _: &serde_json::Value) -> Option<Self> {
        Some(self.clone())
    }

    fn is_bound_by_arguments(&self) -> bool {
        false
    }

    fn dangers(&self) -> Vec<String> {
        let writes = self.rights.contains(&Right::Write) || self.rights.contains(&Right::Delete);
        if self.scopes.contains(&Scope::Agent) && writes && self.is_everything {
            vec![
                "the tool can change everything that the agent's other tools remember; name the keys"
                    .to_owned(),
            ]
        } else {
            Vec::new()
        }
    }

    fn operation(ask: &KeyUse) -> String {
        ask.right.as_str().to_owned()
    }

    fn resource(ask: &KeyUse) -> String {
        format!("{}:{}", ask.scope.as_str(), ask.key)
    }

    fn smallest(ask: &KeyUse) -> String {
        let mut key = glob::literal(&ask.key);
        if ask.right == Right::List && (key.is_empty() || key.ends_with('/')) {
            key.push_str("**");
        }
        format!(
            "{{scope: {}, keys: [{}], rights: [{}]}}",
            ask.scope.as_str(),
            serde_json::Value::from(key),
            ask.right.as_str()
        )
    }
}

impl KeyValue {
    fn new(scopes: Vec<Scope>, entry: Entry) -> Result<Self, Fault> {
        let keys = entry.keys.unwrap_or_else(|| vec!["**".to_owned()]);
        let rights = entry.rights.unwrap_or_else(|| Right::ALL.to_vec());
        Ok(Self {
            scopes,
            is_everything: keys.iter().any(|key| key == "**"),
            keys: Globs::parse("/keys", &keys)?,
            rights,
            quota: quota(entry.quota),
        })
    }
}

fn quota(entry: Option<QuotaEntry>) -> Quota {
    let Some(entry) = entry else {
        return Quota::DEFAULT;
    };
    let bytes = |size: Option<Bytes>, default: u64| size.map_or(default, |size| size.0);
    Quota {
        entries: entry.entries.unwrap_or(Quota::DEFAULT.entries),
        bytes: bytes(entry.bytes, Quota::DEFAULT.bytes),
        value_bytes: bytes(entry.value_bytes, Quota::DEFAULT.value_bytes),
    }
}

#[cfg(test)]
mod tests;
