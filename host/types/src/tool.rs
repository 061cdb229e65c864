//! What a tool is: its spec, as the component describes it and the registry keeps it.

use std::fmt;

use semver::{Version, VersionReq};
use serde::{Deserialize, Serialize};

use crate::limits::LimitRequest;
use crate::workspace::Access;
use crate::{ComponentName, Digest, ParseError, Payload, ToolName};

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
