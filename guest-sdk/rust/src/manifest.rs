//! The manifest: what a component says about itself. `wit/tool.wit` documents the JSON.

use serde::Serialize;
use serde_json::Value;

/// A tool's part of the manifest that is known while compiling.
#[derive(Debug)]
pub struct Meta {
    pub function: &'static str,
    pub description: &'static str,
    pub capabilities: &'static [Capability],
    pub safety: Safety,
    pub tags: &'static [&'static str],
    pub examples: &'static [Example],
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

#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Capability {
    Workspace { access: Access, optional: bool },
    Clocks,
    Random,
    Network,
    Subprocess,
    Environment,
    Secret,
    KeyValue,
    ToolCall,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    ReadOnly,
    ReadWrite,
}

#[derive(Debug, Serialize)]
pub struct Safety {
    pub read_only: bool,
    pub destructive: bool,
    pub idempotent: bool,
}

/// JSON texts that were checked while compiling.
#[derive(Debug)]
pub struct Example {
    pub title: &'static str,
    pub arguments: &'static str,
    pub result: Option<&'static str>,
}

#[derive(Debug, Serialize)]
pub struct Limits {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fuel: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deadline_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<u64>,
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
