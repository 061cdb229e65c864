//! Calls of other tools.
//!
//! The tool that is called may use what the policy lets it use, and of that no more than the tool
//! that calls: the calling tool's grant is a layer of its own ([`crate::Party::Caller`]). Only an
//! entry with `own: true` lifts that.

use cofferdam_types::{ToolName, Version, VersionReq};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Capability, Fault};
use crate::glob::Globs;
use crate::grant::Grant;
use crate::slice::{Caps, Pattern, Slice};

mod share;
mod words;

pub use share::{FuelEntry, FuelShare};
pub use words::{Word, Words};

/// One entry below `tool_call`, as people write it.
///
/// ```yaml
/// tool_call:
///   - tools: ["files-*@^1", "text-count"]
///     depth: 1
///     calls: 20
///     fuel: 50%
///     delegate: [filesystem]
/// ```
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ToolCallEntry")]
pub struct Entry {
    /// Which tools: patterns of names, each with a range of versions after `@` or for any version.
    /// Left out below `allow`: none; below `deny`: all.
    #[serde(default)]
    pub tools: Option<Vec<String>>,
    /// How many calls deep the tree below this tool may be, 1 to 8. Left out: 1, so that what it
    /// calls calls nothing.
    #[serde(default)]
    pub depth: Option<u8>,
    /// Calls by one call of this tool. Left out: 16.
    #[serde(default)]
    pub calls: Option<u32>,
    /// Most fuel of one call: a share of what the caller has left, as `50%`, or an amount. Left out:
    /// all that is left.
    #[serde(default)]
    pub fuel: Option<FuelEntry>,
    /// Capabilities that the called tool may use at most. Left out: those that the caller has.
    #[serde(default)]
    pub delegate: Option<Vec<Word>>,
    /// True when the called tool may use what policy grants it though the caller may not: it acts in
    /// its own right, and the caller decides with what arguments. Left out: false.
    #[serde(default)]
    pub own: Option<bool>,
}

/// One call of a tool by a tool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolUse {
    /// The tool.
    pub tool: ToolName,
    /// The version that would run; absent when there is no such tool, which is told only to who may
    /// call one of that name.
    pub version: Option<Version>,
}

/// Which tools an entry covers.
#[derive(Debug, Clone)]
pub struct ToolCall {
    tools: Vec<Tool>,
    caps: CallCaps,
}

#[derive(Debug, Clone)]
struct Tool {
    names: Globs,
    range: Option<VersionReq>,
}

/// How a tool may be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallCaps {
    /// Calls below this one, itself included.
    pub depth: u8,
    /// Calls by one call of the tool.
    pub calls: u32,
    /// Fuel of one call.
    pub fuel: FuelShare,
    /// What the called tool may use at most.
    pub delegate: Words,
    /// True when it may also use what the caller may not.
    pub own: bool,
}

impl CallCaps {
    /// Deepest tree: each level is a guest that waits with all its memory.
    pub const DEPTH_MAX: u8 = 8;
    /// Depth where nothing is said.
    pub const DEPTH: u8 = 1;
    /// Calls where nothing is said: enough to read a handful of files, too few to do harm.
    pub const CALLS: u32 = 16;
}

impl Caps for CallCaps {
    fn widest(self, other: Self) -> Self {
        Self {
            depth: self.depth.max(other.depth),
            calls: self.calls.max(other.calls),
            fuel: self.fuel.widest(other.fuel),
            delegate: self.delegate.union(other.delegate),
            own: self.own || other.own,
        }
    }

    fn narrowest(self, other: Self) -> Self {
        Self {
            depth: self.depth.min(other.depth),
            calls: self.calls.min(other.calls),
            fuel: self.fuel.narrowest(other.fuel),
            delegate: self.delegate.intersection(other.delegate),
            own: self.own && other.own,
        }
    }
}

impl Tool {
    fn parse(pointer: &str, text: &str) -> Result<Self, Fault> {
        let (names, range) = match text.split_once('@') {
            Some((names, range)) => (names, Some(range)),
            None => (text, None),
        };
        let names = Globs::parse("", &[names.to_owned()])
            .map_err(|fault| Fault::at(pointer, fault.reason))?;
        // A full version means exactly that one, as where a tool is called.
        let range = range.map(|range| match range.parse::<Version>() {
            Ok(_) => format!("={range}").parse(),
            Err(_) => range.parse::<VersionReq>(),
        });
        let range = range
            .transpose()
            .map_err(|_| Fault::at(pointer, "expected a range of versions after `@`: `^1.2`"))?;
        Ok(Self { names, range })
    }

    fn covers(&self, ask: &ToolUse) -> bool {
        let in_range = match (&self.range, &ask.version) {
            (Some(range), Some(version)) => range.matches(version),
            (None, _) | (Some(_), None) => true,
        };
        in_range && self.names.is_match(ask.tool.as_str())
    }
}

impl Pattern for ToolCall {
    type Ask = ToolUse;
    type Caps = CallCaps;

    fn covers(&self, ask: &ToolUse) -> bool {
        self.tools.iter().any(|tool| tool.covers(ask))
    }

    fn caps(&self) -> CallCaps {
        self.caps
    }
}

impl Capability for ToolCall {
    const NAME: &'static str = "tool_call";

    type Entry = Entry;

    fn slice(grant: &Grant) -> &Slice<Self> {
        grant.tool_call()
    }

    fn allow(entry: Entry) -> Result<Self, Fault> {
        let depth = entry.depth.unwrap_or(CallCaps::DEPTH);
        if !(1..=CallCaps::DEPTH_MAX).contains(&depth) {
            return Err(Fault::at("/depth", "expected 1 to 8"));
        }
        let delegate = entry.delegate.map_or(Words::ALL, Words::from_iter);
        Ok(Self {
            tools: tools(&entry.tools.unwrap_or_default())?,
            caps: CallCaps {
                depth,
                calls: entry.calls.unwrap_or(CallCaps::CALLS),
                fuel: entry.fuel.map_or(FuelShare::ALL, |fuel| fuel.0),
                delegate,
                own: entry.own.unwrap_or(false),
            },
        })
    }

    fn deny(entry: Entry) -> Result<Self, Fault> {
        let given = [
            ("/depth", entry.depth.is_some()),
            ("/calls", entry.calls.is_some()),
            ("/fuel", entry.fuel.is_some()),
            ("/delegate", entry.delegate.is_some()),
            ("/own", entry.own.is_some()),
        ];
        if let Some((pointer, _)) = given.iter().find(|(_, given)| *given) {
            return Err(Fault::at(*pointer, "a deny says only which tools"));
        }
        let all = || vec!["**".to_owned()];
        Ok(Self {
            tools: tools(&entry.tools.unwrap_or_else(all))?,
            caps: CallCaps {
                depth: 0,
                calls: 0,
                fuel: FuelShare::NONE,
                delegate: Words::NONE,
                own: false,
            },
        })
    }

    fn bound(&self, _: &serde_json::Value) -> Option<Self> {
        Some(self.clone())
    }

    fn is_bound_by_arguments(&self) -> bool {
        false
    }

    fn dangers(&self) -> Vec<String> {
        let mut dangers = Vec::new();
        if self.caps.own {
            dangers.push(
                "`own: true` lets the tool reach through others what it may not reach itself"
                    .to_owned(),
            );
        }
        if self.tools.iter().any(Tool::is_any) {
            dangers.push("the tool can call every tool, also those added later".to_owned());
        }
        dangers
    }

    fn operation(_: &ToolUse) -> String {
        "call".to_owned()
    }

    fn resource(ask: &ToolUse) -> String {
        match &ask.version {
            Some(version) => format!("{}@{version}", ask.tool),
            None => ask.tool.to_string(),
        }
    }

    fn smallest(ask: &ToolUse) -> String {
        let name = ask.tool.as_str();
        match &ask.version {
            Some(version) => format!("{{tools: [\"{name}@{version}\"]}}"),
            None => format!("{{tools: [\"{name}\"]}}"),
        }
    }
}

impl Tool {
    fn is_any(&self) -> bool {
        // No tool has this name, so only a pattern for all matches it.
        self.range.is_none() && self.names.is_match("-")
    }
}

fn tools(texts: &[String]) -> Result<Vec<Tool>, Fault> {
    let tools = texts
        .iter()
        .enumerate()
        .map(|(index, text)| Tool::parse(&format!("/tools/{index}"), text));
    tools.collect()
}

#[cfg(test)]
mod tests;
