//! Environment variables, by name.
//!
//! A guest's environment starts empty. A variable exists there when an entry names it, with the
//! value that the entry gives or with the host's own. The host's values are looked up by whoever
//! builds the environment, through [`variables`]; this crate reads none.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Capability, Fault};
use crate::grant::Grant;
use crate::slice::{Pattern, Slice};

/// Longest name in bytes; the names that programs look for are far shorter.
const NAME_BYTES_MAX: usize = 128;
/// Longest value in bytes. A longer one belongs into a file or an argument.
const VALUE_BYTES_MAX: usize = 32 << 10;
/// What the host's own settings begin with. A tool has no business with them, and some hold keys.
const RESERVED: &str = "COFFERDAM_";

/// The name of a variable.
///
/// **Shape**: `[A-Za-z_][A-Za-z0-9_]*`, at most 128 characters; upper and lower case differ.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(Arc<str>);

impl Name {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Name {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Self, Fault> {
        let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
        let good = !text.is_empty()
            && text.len() <= NAME_BYTES_MAX
            && !text.starts_with(|c: char| c.is_ascii_digit())
            && text.bytes().all(word);
        if good {
            Ok(Self(text.into()))
        } else {
            Err(Fault::at(
                "/name",
                "expected the exact name of a variable: letters, digits and `_`, at most 128",
            ))
        }
    }
}

/// Where a variable's value comes from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// The entry says it.
    Value(Arc<str>),
    /// The variable of the same name of the host, if it has one.
    Host,
}

/// An entry: which variables it covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    /// Absent covers every name.
    name: Option<Name>,
    /// Absent covers every value.
    source: Option<Source>,
}

/// One variable that a guest would see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub name: Name,
    /// Where its value comes from.
    pub source: Source,
}

/// One variable, exactly named: `{name: LANG, value: C}` or `{name: TZ, from: host}`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "EnvironmentEntry")]
pub struct Entry {
    /// The variable's name, as it is. There are no patterns.
    name: Option<String>,
    /// Its value.
    value: Option<String>,
    /// In place of a value: `host` takes the host's own variable, which then must exist there to
    /// exist for the tool.
    from: Option<From>,
}

/// Where a value may come from in place of the policy file.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "EnvironmentFrom")]
enum From {
    /// The host's environment.
    Host,
}

impl Entry {
    fn parse(self) -> Result<Environment, Fault> {
        let name = self.name.as_deref().map(str::parse::<Name>).transpose()?;
        let source = match (self.value, self.from) {
            (Some(_), Some(From::Host)) => {
                let reason = "a variable has a `value` or comes `from` the host, not both";
                return Err(Fault::at("/from", reason));
            }
            (Some(value), None) if value.contains('\0') || value.len() > VALUE_BYTES_MAX => {
                let reason = "a value has no NUL and at most 32 KiB";
                return Err(Fault::at("/value", reason));
            }
            (Some(value), None) => Some(Source::Value(value.into())),
            (None, Some(From::Host)) => Some(Source::Host),
            (None, None) => None,
        };
        Ok(Environment { name, source })
    }
}

impl Pattern for Environment {
    type Ask = Variable;
    type Caps = ();

    fn covers(&self, ask: &Variable) -> bool {
        self.name.as_ref().is_none_or(|name| *name == ask.name)
            && self
                .source
                .as_ref()
                .is_none_or(|source| *source == ask.source)
    }

    fn caps(&self) {}
}

impl Capability for Environment {
    const NAME: &'static str = "environment";

    type Entry = Entry;

    fn slice(grant: &Grant) -> &Slice<Self> {
        grant.environment()
    }

    fn allow(entry: Entry) -> Result<Self, Fault> {
        let parsed = entry.parse()?;
        let Some(name) = &parsed.name else {
            return Err(Fault::at("", "say which variable: `name: LANG`"));
        };
        if name.as_str().starts_with(RESERVED) {
            let reason = "variables that begin with `COFFERDAM_` are the host's own settings";
            return Err(Fault::at("/name", reason));
        }
        if parsed.source.is_none() {
            let reason = "say what it holds: `value: …`, or `from: host`";
            return Err(Fault::at("", reason));
        }
        Ok(parsed)
    }

    fn deny(entry: Entry) -> Result<Self, Fault> {
        entry.parse()
    }

    fn bound(&self, _: &serde_json::Value) -> Option<Self> {
        Some(self.clone())
    }

    fn is_bound_by_arguments(&self) -> bool {
        false
    }

    fn dangers(&self) -> Vec<String> {
        let Some(name) = &self.name else {
            return Vec::new();
        };
        let upper = name.as_str().to_ascii_uppercase();
        let words = ["KEY", "TOKEN", "SECRET", "PASSWORD", "PASSWD", "CREDENTIAL"];
        if words.iter().any(|word| upper.contains(word)) {
            vec![format!(
                "the variable {name} seems to hold a secret, which the tool then reads: grant \
                 `secrets` instead, which the host puts in where it is used"
            )]
        } else {
            Vec::new()
        }
    }

    fn operation(_: &Variable) -> String {
        "read".to_owned()
    }

    fn resource(ask: &Variable) -> String {
        ask.name.to_string()
    }

    fn smallest(ask: &Variable) -> String {
        match &ask.source {
            Source::Host => format!("{{name: {}, from: host}}", ask.name),
            // JSON's strings are YAML's.
            Source::Value(value) => format!(
                "{{name: {}, value: {}}}",
                ask.name,
                serde_json::Value::from(&**value)
            ),
        }
    }
}

/// The environment that a slice gives, by name. `host` looks up the host's own variable; one that
/// it doesn't have, or whose value has a NUL or more than 32 KiB, doesn't exist for the guest.
///
/// Where entries give one name several values, the first by the alphabet counts, and a given value
/// before the host's: the order of rules never matters.
pub fn variables(
    slice: &Slice<Environment>,
    host: impl Fn(&Name) -> Option<String>,
) -> BTreeMap<Name, String> {
    let mut chosen: BTreeMap<Name, Source> = BTreeMap::new();
    let entries = slice.layers().iter().take(1).flat_map(|l| l.allows.iter());
    for entry in entries {
        let (Some(name), Some(source)) = (&entry.value.name, &entry.value.source) else {
            continue;
        };
        let ask = Variable {
            name: name.clone(),
            source: source.clone(),
        };
        if slice.decide(&ask).is_err() {
            continue;
        }
        chosen
            .entry(ask.name)
            .and_modify(|held| *held = (*held).clone().min(ask.source.clone()))
            .or_insert(ask.source);
    }
    let fits = |value: &String| !value.contains('\0') && value.len() <= VALUE_BYTES_MAX;
    chosen
        .into_iter()
        .filter_map(|(name, source)| {
            let value = match source {
                Source::Value(value) => value.to_string(),
                Source::Host => host(&name).filter(fits)?,
            };
            Some((name, value))
        })
        .collect()
}

#[cfg(test)]
mod tests;
