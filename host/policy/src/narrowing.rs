//! What the environment takes away. It can never give anything.

use std::fmt;
use std::path::PathBuf;

use thiserror::Error;

use crate::selector::Selector;
use crate::subject::Subject;

/// What the environment of the host says about tools. Each part is absent where it says nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Narrowing {
    /// Where the policy file is; a flag of the command goes before it.
    pub policy_file: Option<Sourced<PathBuf>>,
    /// Whether tools may have anything of the network.
    pub network: Option<Sourced<bool>>,
    /// Whether tools may have anything of files.
    pub filesystem: Option<Sourced<bool>>,
    /// Whether tools may start programs.
    pub subprocess: Option<Sourced<bool>>,
    /// The only tools that may run.
    pub callables: Option<Sourced<Vec<Selector>>>,
    /// The longest that a call may take, in milliseconds.
    pub timeout_ms: Option<Sourced<u64>>,
    /// The longest that a program may run, in milliseconds.
    pub command_ms: Option<Sourced<u64>>,
}

/// A value and the variable that gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sourced<T> {
    /// What it is.
    pub value: T,
    /// The variable's name.
    pub source: String,
}

/// Why a variable can't be followed. The host doesn't start on one.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub struct NarrowingError {
    /// The variable.
    pub variable: String,
    /// What is wrong with it.
    pub reason: String,
}

impl fmt::Display for NarrowingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.variable, self.reason)
    }
}

/// The product's own prefix and the one of the documents it follows.
const PREFIXES: [&str; 2] = ["COFFERDAM_", "TTA_"];

/// The variables that allow, without their prefix.
const ALLOWS: [&str; 4] = [
    "ALLOWED_CALLABLES",
    "ALLOW_FILESYSTEM_TOOLS",
    "ALLOW_NETWORK_TOOLS",
    "ALLOW_SUBPROCESS_TOOLS",
];

impl Narrowing {
    /// Reads the variables that are about policy; others are not looked at. Each has two names,
    /// `COFFERDAM_X` and `TTA_X`:
    ///
    /// - `TOOL_POLICY_CONFIG` (also `COFFERDAM_POLICY`): the policy file.
    /// - `ALLOW_NETWORK_TOOLS`, `ALLOW_FILESYSTEM_TOOLS`, `ALLOW_SUBPROCESS_TOOLS`: `true` or
    ///   `false`, also `1` or `0`.
    /// - `ALLOWED_CALLABLES`: selectors of tools, separated by commas; empty is none.
    /// - `TOOL_TIMEOUT_MS`: a whole number of milliseconds above 0.
    /// - `COMMAND_TIMEOUT` (also without a prefix): a whole number of seconds above 0.
    ///
    /// **Errors**: each variable that can't be read, and each pair whose two names disagree.
    pub fn from_environment(
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, Vec<NarrowingError>> {
        let known: Vec<(String, String)> = variables.into_iter().collect();
        let mut errors = Vec::new();
        let mut read = Reader {
            known: &known,
            errors: &mut errors,
        };
        let mut narrowing = Self {
            policy_file: read.one("TOOL_POLICY_CONFIG", path),
            network: read.one("ALLOW_NETWORK_TOOLS", boolean),
            filesystem: read.one("ALLOW_FILESYSTEM_TOOLS", boolean),
            subprocess: read.one("ALLOW_SUBPROCESS_TOOLS", boolean),
            callables: read.one("ALLOWED_CALLABLES", selectors),
            timeout_ms: read.one("TOOL_TIMEOUT_MS", timeout),
            command_ms: read.one("COMMAND_TIMEOUT", seconds),
        };
        if let Some(bare) = read.named("COMMAND_TIMEOUT", seconds) {
            narrowing.command_ms = read.agreed(narrowing.command_ms, Some(bare));
        }
        if let Some(short) = read.named("COFFERDAM_POLICY", path) {
            narrowing.policy_file = read.agreed(narrowing.policy_file, Some(short));
        }
        errors.extend(misspelt(&known));
        if errors.is_empty() {
            Ok(narrowing)
        } else {
            Err(errors)
        }
    }

    /// The variable that takes a capability away, by the capability's word.
    pub(crate) fn takes(&self, capability: &str) -> Option<&str> {
        let switch = match capability {
            "network" | "sockets" => &self.network,
            "filesystem" => &self.filesystem,
            "subprocess" => &self.subprocess,
            _ => return None,
        };
        switch
            .as_ref()
            .filter(|switch| !switch.value)
            .map(|switch| switch.source.as_str())
    }

    /// The variable that keeps a tool from running.
    pub(crate) fn refuses(&self, subject: &Subject<'_>) -> Option<&str> {
        let callables = self.callables.as_ref()?;
        let is_listed = callables.value.iter().any(|tool| tool.matches(subject));
        (!is_listed).then_some(callables.source.as_str())
    }
}

/// The variables that allow something and are none of these: one letter less would leave a tool what
/// somebody meant to take away.
fn misspelt(known: &[(String, String)]) -> impl Iterator<Item = NarrowingError> {
    let is_meant = |name: &str| {
        let ours = PREFIXES.iter().find_map(|prefix| name.strip_prefix(prefix));
        ours.is_some_and(|name| name.starts_with("ALLOW") && !ALLOWS.contains(&name))
    };
    let names = known.iter().map(|(name, _)| name);
    names
        .filter(move |name| is_meant(name))
        .map(|name| NarrowingError {
            variable: name.clone(),
            reason: format!("there is no such variable; there are {}", ALLOWS.join(", ")),
        })
}

struct Reader<'a> {
    known: &'a [(String, String)],
    errors: &'a mut Vec<NarrowingError>,
}

type Parse<T> = fn(&str) -> Result<T, String>;

impl Reader<'_> {
    fn one<T: PartialEq>(&mut self, name: &str, parse: Parse<T>) -> Option<Sourced<T>> {
        let [own, other] = PREFIXES.map(|prefix| self.named(&format!("{prefix}{name}"), parse));
        self.agreed(own, other)
    }

    fn named<T>(&mut self, variable: &str, parse: Parse<T>) -> Option<Sourced<T>> {
        let (_, text) = self.known.iter().find(|(own, _)| own == variable)?;
        match parse(text.trim()) {
            Ok(value) => Some(Sourced {
                value,
                source: variable.to_owned(),
            }),
            Err(reason) => {
                self.errors.push(NarrowingError {
                    variable: variable.to_owned(),
                    reason,
                });
                None
            }
        }
    }

    fn agreed<T: PartialEq>(
        &mut self,
        own: Option<Sourced<T>>,
        other: Option<Sourced<T>>,
    ) -> Option<Sourced<T>> {
        if let (Some(own), Some(other)) = (&own, &other)
            && own.value != other.value
        {
            self.errors.push(NarrowingError {
                variable: other.source.clone(),
                reason: format!("it says something else than {}", own.source),
            });
        }
        own.or(other)
    }
}

fn path(text: &str) -> Result<PathBuf, String> {
    if text.is_empty() {
        Err("expected the path of a policy file".to_owned())
    } else {
        Ok(PathBuf::from(text))
    }
}

fn boolean(text: &str) -> Result<bool, String> {
    match text {
        "true" | "1" => Ok(true),
        "false" | "0" => Ok(false),
        _ => Err(format!("expected `true` or `false`, found `{text}`")),
    }
}

fn selectors(text: &str) -> Result<Vec<Selector>, String> {
    text.split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .map(|part| part.parse().map_err(|error| format!("{error}")))
        .collect()
}

fn timeout(text: &str) -> Result<u64, String> {
    match text.parse() {
        Ok(millis) if millis > 0 => Ok(millis),
        _ => Err(format!(
            "expected a whole number of milliseconds above 0, found `{text}`"
        )),
    }
}

/// As [`timeout`], for a number of seconds.
fn seconds(text: &str) -> Result<u64, String> {
    match text.parse::<u64>() {
        Ok(seconds) if seconds > 0 => Ok(seconds.saturating_mul(1_000)),
        _ => Err(format!(
            "expected a whole number of seconds above 0, found `{text}`"
        )),
    }
}

#[cfg(test)]
mod tests;
