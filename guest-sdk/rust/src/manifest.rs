//! The manifest: what a component says about itself. `wit/tool.wit` documents the JSON.

use serde::Serialize;
use serde_json::Value;

/// A tool's part of the manifest that is known while compiling.
#[derive(Debug)]
pub struct Meta {
    /// The tool's part of its name.
    pub function: &'static str,
    /// For models and people.
    pub description: &'static str,
    /// What the tool needs.
    pub capabilities: &'static [Capability],
    /// What its effects are.
    pub safety: Safety,
    /// Words to find it by.
    pub tags: &'static [&'static str],
    /// Calls that show its use.
    pub examples: &'static [Example],
    /// What is enough for one call.
    pub limits: Limits,
}

impl Meta {
    /// For a tool that the macro has refused; the program it stands in does not compile.
    pub const fn refused(function: &'static str) -> Self {
        Self {
            function,
            description: "",
            capabilities: &[],
            safety: Safety {
                read_only: false,
                destructive: false,
                idempotent: false,
            },
            tags: &[],
            examples: &[],
            limits: Limits::NONE,
        }
    }
}

/// A permission of the sandbox that a tool declares it needs.
#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Capability {
    /// Files of the workspace.
    Workspace {
        /// What it does there.
        access: Access,
        /// True when the tool also works without a workspace.
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

/// What a tool does in the workspace.
#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// Reads and lists.
    ReadOnly,
    /// Writes and removes as well.
    ReadWrite,
}

/// What the author says about a tool's effects.
#[derive(Debug, Serialize)]
pub struct Safety {
    /// Changes nothing.
    pub read_only: bool,
    /// May destroy something.
    pub destructive: bool,
    /// Twice does the same as once.
    pub idempotent: bool,
}

/// A call that shows a tool's use, in JSON texts that were checked while compiling.
#[derive(Debug)]
pub struct Example {
    /// What it shows; empty when the author says nothing.
    pub title: &'static str,
    /// An object.
    pub arguments: &'static str,
    /// The result, when it is always the same.
    pub result: Option<&'static str>,
}

/// What is enough for one call; an absent field asks for nothing.
#[derive(Debug, Serialize)]
pub struct Limits {
    /// Instructions, roughly.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fuel: Option<u64>,
    /// From taking the call to the answer, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deadline_ms: Option<u64>,
    /// All memories and tables together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<u64>,
    /// Text of the result.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result_bytes: Option<u64>,
}

impl Limits {
    /// Asks for nothing.
    pub const NONE: Self = Self {
        fuel: None,
        deadline_ms: None,
        memory_bytes: None,
        result_bytes: None,
    };
}

#[derive(Serialize)]
pub(crate) struct Manifest<'a> {
    pub(crate) name: &'a str,
    pub(crate) version: &'a str,
    pub(crate) tools: Vec<ToolEntry>,
}

#[derive(Serialize)]
pub(crate) struct ToolEntry {
    function: &'static str,
    description: &'static str,
    args_schema: Value,
    returns_schema: Value,
    capabilities: &'static [Capability],
    safety: &'static Safety,
    tags: &'static [&'static str],
    examples: Vec<ExampleEntry>,
    limits: &'static Limits,
}

#[derive(Serialize)]
struct ExampleEntry {
    title: &'static str,
    arguments: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<Value>,
}

impl ToolEntry {
    pub(crate) fn new(meta: &'static Meta, args_schema: Value, returns_schema: Value) -> Self {
        Self {
            function: meta.function,
            description: meta.description,
            args_schema,
            returns_schema,
            capabilities: meta.capabilities,
            safety: &meta.safety,
            tags: meta.tags,
            examples: meta.examples.iter().map(ExampleEntry::new).collect(),
            limits: &meta.limits,
        }
    }
}

impl ExampleEntry {
    fn new(example: &'static Example) -> Self {
        Self {
            title: example.title,
            arguments: value(example.arguments),
            result: example.result.map(value),
        }
    }
}

fn value(checked: &str) -> Value {
    serde_json::from_str(checked).expect("the macro has parsed this text")
}
