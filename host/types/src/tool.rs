//! What a tool is: its spec, as the component describes it and the registry keeps it.

use std::fmt;

use semver::{Version, VersionReq};
use serde::{Deserialize, Serialize};

use crate::limits::LimitRequest;
use crate::workspace::Access;
use crate::{ComponentName, Digest, ParseError, Payload, Timestamp, ToolName};

/// A sandbox permission that a tool declares it needs.
///
/// **Shape**: `{"kind": "workspace", "access": "read_only", "optional": false}`. Every kind the
/// product will know is listed, so that a tool that needs one this host can't grant is refused by
/// name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Capability {
    /// Files of the workspace. Optional: the tool also works without one.
    Workspace {
        /// What it does there.
        access: Access,
        /// True when the tool also works without a workspace.
        #[serde(default)]
        optional: bool,
    },
    /// The wall clock, the monotonic clock and timers.
    Clocks,
    /// Secure randomness.
    Random,
    /// Outgoing connections.
    Network,
    /// Programs of the machine.
    Subprocess,
    /// Environment variables.
    Environment,
    /// Secrets.
    Secret,
    /// Small state kept between calls.
    KeyValue,
    /// Calls of other tools.
    ToolCall,
}

impl Capability {
    /// The word for this kind of permission, as denials and the audit spell it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Workspace { .. } => "workspace",
            Self::Clocks => "clocks",
            Self::Random => "random",
            Self::Network => "network",
            Self::Subprocess => "subprocess",
            Self::Environment => "environment",
            Self::Secret => "secret",
            Self::KeyValue => "key_value",
            Self::ToolCall => "tool_call",
        }
    }
}

/// How it is known what a tool needs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Contract {
    /// It says so itself; what it doesn't say it doesn't get.
    #[default]
    Declared,
    /// By what its component imports; it starts with as much of that as policy gives.
    Derived,
}

/// What the author says about a tool's effects; clients and the engine's retries go by it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SafetyFlags {
    /// Changes nothing.
    #[serde(default)]
    pub read_only: bool,
    /// May destroy something.
    #[serde(default)]
    pub destructive: bool,
    /// Twice does the same as once.
    #[serde(default)]
    pub idempotent: bool,
}

/// A call that shows how the tool is used.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// What the example shows.
    #[serde(default)]
    pub title: String,
    /// The arguments.
    pub arguments: Payload,
    /// The result, when it is always the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<Payload>,
}

/// The contract of one tool.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolSpec {
    /// The canonical name.
    pub name: ToolName,
    /// The function in the component: `read`, or `docs:calc/ops@0.1.0#mul` for one that a plain
    /// component exports in an interface.
    pub function: String,
    /// The component's version.
    pub version: Version,
    /// For models and people.
    pub description: String,
    /// JSON Schema 2020-12 of the arguments: always an object.
    pub args_schema: Payload,
    /// JSON Schema 2020-12 of the result.
    pub returns_schema: Payload,
    /// What the tool needs.
    #[serde(default)]
    pub capabilities: Vec<Capability>,
    /// What its effects are.
    #[serde(default)]
    pub safety: SafetyFlags,
    /// Words to find it by.
    #[serde(default)]
    pub tags: Vec<String>,
    /// Calls that show its use.
    #[serde(default)]
    pub examples: Vec<Example>,
    /// What its author thinks is enough.
    #[serde(default)]
    pub limits: LimitRequest,
}

/// What a component says about itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Manifest {
    /// The component's name.
    pub component: ComponentName,
    /// Its version, shared by its tools.
    pub version: Version,
    /// Its tools, at least one, in the component's order.
    pub tools: Vec<ToolSpec>,
}

/// How a caller names a tool.
///
/// **Shape**: `files-read`, or `files-read@^1.2` with a semver range; no range means the latest.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ToolRef {
    /// The canonical name.
    pub name: ToolName,
    /// Which versions will do.
    pub range: Option<VersionReq>,
}

impl std::str::FromStr for ToolRef {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let Some((name, range)) = text.split_once('@') else {
            return Ok(Self {
                name: text.parse()?,
                range: None,
            });
        };
        // A full version means exactly that one, as a person who pastes it from a listing expects;
        // semver's own reading of a bare `1.2.0` would be `^1.2.0`.
        let range = match range.parse::<Version>() {
            Ok(_) => format!("={range}").parse(),
            Err(_) => range.parse::<VersionReq>(),
        };
        let range = range.map_err(|_| {
            ParseError::new(
                "a tool reference",
                text,
                "expected a semver range after `@`",
            )
        })?;
        Ok(Self {
            name: name.parse()?,
            range: Some(range),
        })
    }
}

impl fmt::Display for ToolRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.range {
            Some(range) => write!(f, "{}@{range}", self.name),
            None => fmt::Display::fmt(&self.name, f),
        }
    }
}

crate::text::serde_by_text!(ToolRef);

/// Exactly which tool: name, version and the bytes behind it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Identity {
    /// The canonical name.
    pub name: ToolName,
    /// The version.
    pub version: Version,
    /// The component's digest.
    pub digest: Digest,
}

/// Whether a version of a tool is offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ToolStatus {
    /// Offered.
    Active,
    /// On its way out: whoever asks for it still gets it, nobody gets it unasked.
    Deprecated,
}

impl ToolStatus {
    /// The word for it, the same everywhere.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Deprecated => "deprecated",
        }
    }
}

impl fmt::Display for ToolStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for ToolStatus {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        [Self::Active, Self::Deprecated]
            .into_iter()
            .find(|status| status.as_str() == text)
            .ok_or_else(|| {
                ParseError::new("a tool's status", text, "expected `active` or `deprecated`")
            })
    }
}

/// How a version of a tool stands: all of it that changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// Whether it is offered.
    pub status: ToolStatus,
    /// Since when it has that status.
    pub since: Timestamp,
    /// Exempt from the cleanup.
    pub pinned: bool,
    /// How it was used.
    pub usage: ToolUsage,
}

impl Standing {
    /// That of a version which was registered at `at`: active, not pinned, never used.
    pub fn fresh(at: Timestamp) -> Self {
        Self {
            status: ToolStatus::Active,
            since: at,
            pinned: false,
            usage: ToolUsage::default(),
        }
    }
}

/// How a version of a tool was used: sums since its registration.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolUsage {
    /// How many calls ended.
    pub calls: u64,
    /// How many of them failed.
    pub failures: u64,
    /// The sum of the calls' time, in microseconds.
    pub wall_us: u64,
    /// When the last of them ended.
    pub last_used_at: Option<Timestamp>,
}

impl ToolUsage {
    /// Where a sum ends: the largest number that every store can count to. One call each
    /// nanosecond would take three centuries to get there.
    pub const SUM_MAX: u64 = i64::MAX.unsigned_abs();

    /// Adds the counts, none beyond [`SUM_MAX`](Self::SUM_MAX); the time moves forward only.
    pub fn add(&mut self, more: &Self) {
        let sum = |one: u64, other: u64| one.saturating_add(other).min(Self::SUM_MAX);
        self.calls = sum(self.calls, more.calls);
        self.failures = sum(self.failures, more.failures);
        self.wall_us = sum(self.wall_us, more.wall_us);
        self.last_used_at = self.last_used_at.max(more.last_used_at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usage_adds_up_and_time_goes_forward() {
        let usage = |count, at: Option<u64>| ToolUsage {
            calls: count,
            failures: count,
            wall_us: count,
            last_used_at: at.map(Timestamp::from_millis),
        };
        for (one, other, sum) in [
            (usage(0, None), usage(0, None), usage(0, None)),
            (usage(1, Some(5)), usage(2, Some(4)), usage(3, Some(5))),
            (usage(1, Some(5)), usage(2, Some(6)), usage(3, Some(6))),
            (usage(1, Some(5)), usage(2, None), usage(3, Some(5))),
            (
                usage(u64::MAX, None),
                usage(1, None),
                usage(ToolUsage::SUM_MAX, None),
            ),
        ] {
            let mut added = one;
            added.add(&other);
            assert_eq!(added, sum);
        }
    }

    #[test]
    fn a_status_is_one_word() {
        for status in [ToolStatus::Active, ToolStatus::Deprecated] {
            let json = serde_json::to_value(status).expect("JSON");
            assert_eq!(json, status.as_str());
            assert_eq!(status.as_str().parse(), Ok(status));
        }
        assert!("Active".parse::<ToolStatus>().is_err());
    }
}
