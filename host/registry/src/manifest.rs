//! What a component says about itself, as JSON, and the rules it must keep.

use std::collections::HashSet;

use cofferdam_schema::{Bounds, Schema};
use cofferdam_types::failure::Fault;
use cofferdam_types::limits::LimitRequest;
use cofferdam_types::tool::{Capability, Example, Manifest, SafetyFlags, ToolSpec};
use cofferdam_types::{ComponentName, Payload, ToolName, Version};
use serde::Deserialize;

use crate::error::Error;

/// Most tools of one component.
pub const TOOLS_MAX: usize = 256;
/// Longest description in bytes: a page for a model to read.
const DESCRIPTION_BYTES_MAX: usize = 8 << 10;
/// Most tags of a tool, and the longest one in bytes.
const TAGS_MAX: (usize, usize) = (32, 64);
/// Most examples of a tool.
const EXAMPLES_MAX: usize = 16;

/// What is said about a component, by itself or, for a plain one, by its types; not checked yet.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Draft {
    /// The component's name.
    pub name: String,
    /// Its semantic version.
    pub version: String,
    /// Its tools.
    pub tools: Vec<DraftTool>,
}

/// What is said about one tool.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DraftTool {
    /// The second part of the tool's name, where that is not the function's own.
    #[serde(skip)]
    pub word: Option<String>,
    /// See [`ToolSpec::function`].
    pub function: String,
    /// See [`ToolSpec::description`].
    pub description: String,
    /// See [`ToolSpec::args_schema`].
    pub args_schema: Payload,
    /// See [`ToolSpec::returns_schema`].
    pub returns_schema: Payload,
    /// See [`ToolSpec::capabilities`].
    #[serde(default)]
    pub capabilities: Vec<Capability>,
    /// See [`ToolSpec::safety`].
    #[serde(default)]
    pub safety: SafetyFlags,
    /// See [`ToolSpec::tags`].
    #[serde(default)]
    pub tags: Vec<String>,
    /// See [`ToolSpec::examples`].
    #[serde(default)]
    pub examples: Vec<Example>,
    /// See [`ToolSpec::limits`].
    #[serde(default)]
    pub limits: LimitRequest,
}

/// Parses and checks a manifest.
///
/// **Errors**: [`Error::Manifest`] with every broken place.
pub fn parse(text: &str) -> Result<Manifest, Error> {
    let draft: Draft = serde_json::from_str(text).map_err(|error| {
        Error::Manifest(vec![Fault {
            pointer: String::new(),
            reason: format!("not a manifest: {error}"),
        }])
    })?;
    check(draft)
}

/// True when `description` is not too long for a tool.
pub fn is_short(description: &str) -> bool {
    description.len() <= DESCRIPTION_BYTES_MAX
}

/// Says why a schema can't be a tool's, if so.
pub fn schema_fault(schema: &Payload) -> Option<String> {
    Schema::compile(schema, &Bounds::DERIVED)
        .err()
        .map(|fault| fault.reason)
}

/// Checks a draft. Control characters are taken out of descriptions and titles: they are shown in
/// terminals and to models.
///
/// **Errors**: [`Error::Manifest`] with every broken place.
pub fn check(draft: Draft) -> Result<Manifest, Error> {
    let mut faults = Faults::default();
    let component = faults.keep(
        "/name",
        draft
            .name
            .parse::<ComponentName>()
            .map_err(|e| e.to_string()),
    );
    let version = faults.keep(
        "/version",
        draft.version.parse::<Version>().map_err(|e| e.to_string()),
    );
    if draft.tools.is_empty() || draft.tools.len() > TOOLS_MAX {
        faults.add("/tools", "a component has 1 to 256 tools");
    }
    let (Some(component), Some(version)) = (component, version) else {
        return Err(Error::Manifest(faults.0));
    };
    let mut names = HashSet::new();
    let mut tools = Vec::new();
    for (index, tool) in draft.tools.into_iter().take(TOOLS_MAX).enumerate() {
        let at = format!("/tools/{index}");
        let name = faults.keep(
            &format!("{at}/function"),
            ToolName::of(&component, tool.word.as_ref().unwrap_or(&tool.function))
                .map_err(|e| e.to_string()),
        );
        check_tool(&mut faults, &at, &tool);
        let Some(name) = name else { continue };
        if !names.insert(name.clone()) {
            faults.add(&format!("{at}/function"), "another tool has this name");
        }
        tools.push(ToolSpec {
            name,
            function: tool.function,
            version: version.clone(),
            description: printable(&tool.description),
            args_schema: tool.args_schema,
            returns_schema: tool.returns_schema,
            capabilities: tool.capabilities,
            safety: tool.safety,
            tags: tool.tags.iter().map(|tag| printable(tag)).collect(),
            examples: tool.examples,
            limits: tool.limits,
        });
    }
    if faults.0.is_empty() {
        Ok(Manifest {
            component,
            version,
            tools,
        })
    } else {
        Err(Error::Manifest(faults.0))
    }
}

fn check_tool(faults: &mut Faults, at: &str, tool: &DraftTool) {
    if tool.description.trim().is_empty() || tool.description.len() > DESCRIPTION_BYTES_MAX {
        faults.add(
            &format!("{at}/description"),
            "expected 1 to 8192 bytes of text",
        );
    }
    if tool
        .args_schema
        .as_value()
        .get("type")
        .and_then(|t| t.as_str())
        != Some("object")
    {
        faults.add(&format!("{at}/args_schema/type"), "arguments are an object");
    }
    let args = Schema::compile(&tool.args_schema, &Bounds::DERIVED);
    let returns = Schema::compile(&tool.returns_schema, &Bounds::DERIVED);
    if let Ok(args) = &args {
        for (index, example) in tool.examples.iter().enumerate() {
            if !args.is_valid(&example.arguments) {
                faults.add(
                    &format!("{at}/examples/{index}/arguments"),
                    "the example breaks args_schema",
                );
            }
        }
    }
    faults.schema(&format!("{at}/args_schema"), args.err());
    faults.schema(&format!("{at}/returns_schema"), returns.err());
    if tool.tags.len() > TAGS_MAX.0 || tool.tags.iter().any(|tag| tag.len() > TAGS_MAX.1) {
        faults.add(
            &format!("{at}/tags"),
            "expected at most 32 tags of 64 bytes",
        );
    }
    if tool.examples.len() > EXAMPLES_MAX {
        faults.add(&format!("{at}/examples"), "expected at most 16 examples");
    }
    if tool.safety.read_only && tool.safety.destructive {
        faults.add(&format!("{at}/safety"), "a read-only tool destroys nothing");
    }
    let mut kinds = HashSet::new();
    if !tool
        .capabilities
        .iter()
        .all(|capability| kinds.insert(capability.kind()))
    {
        faults.add(
            &format!("{at}/capabilities"),
            "a capability is declared once",
        );
    }
}

fn printable(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_control() || *c == '\n')
        .collect()
}

#[derive(Default)]
struct Faults(Vec<Fault>);

impl Faults {
    fn add(&mut self, pointer: &str, reason: &str) {
        self.0.push(Fault {
            pointer: pointer.to_owned(),
            reason: reason.to_owned(),
        });
    }

    /// A fault of the schema at `pointer`.
    fn schema(&mut self, pointer: &str, fault: Option<Fault>) {
        if let Some(fault) = fault {
            self.add(&format!("{pointer}{}", fault.pointer), &fault.reason);
        }
    }

    /// The value, or nothing and one fault more.
    fn keep<T>(&mut self, pointer: &str, result: Result<T, String>) -> Option<T> {
        result.map_err(|reason| self.add(pointer, &reason)).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn manifest(change: impl FnOnce(&mut Value)) -> Result<Manifest, Vec<String>> {
        let mut value = json!({"name": "demo", "version": "1.0.0", "tools": [{
            "function": "add", "description": "Adds.",
            "args_schema": {"type": "object", "properties": {"a": {"type": "integer"}}},
            "returns_schema": {"type": "integer"},
        }]});
        change(&mut value);
        parse(&value.to_string()).map_err(|error| match error {
            Error::Manifest(faults) => faults.into_iter().map(|fault| fault.pointer).collect(),
            other => panic!("{other}"),
        })
    }

    #[test]
    fn a_small_manifest_is_enough() {
        let manifest = manifest(|_| ()).expect("valid");
        assert_eq!(manifest.tools[0].name.as_str(), "demo-add");
    }

    #[test]
    fn every_broken_place_is_named() {
        type Change = fn(&mut Value);
        let cases: [(&str, Change); 9] = [
            ("/name", |m| m["name"] = json!("My_Tool")),
            ("/version", |m| m["version"] = json!("1")),
            ("/tools", |m| m["tools"] = json!([])),
            ("/tools/0/function", |m| {
                m["tools"][0]["function"] = json!("Add");
            }),
            ("/tools/0/description", |m| {
                m["tools"][0]["description"] = json!(" ");
            }),
            ("/tools/0/args_schema/type", |m| {
                m["tools"][0]["args_schema"] = json!({});
            }),
            ("/tools/0/returns_schema/type", |m| {
                m["tools"][0]["returns_schema"] = json!({"type": "nothing"});
            }),
            ("/tools/0/safety", |m| {
                m["tools"][0]["safety"] = json!({"read_only": true, "destructive": true});
            }),
            ("/tools/0/examples/0/arguments", |m| {
                m["tools"][0]["examples"] = json!([{"arguments": {"a": "x"}}]);
            }),
        ];
        for (pointer, change) in cases {
            assert_eq!(manifest(change), Err(vec![pointer.to_owned()]));
        }
        assert_eq!(manifest(|m| m["more"] = json!(1)), Err(vec![String::new()]));
    }

    #[test]
    fn control_characters_do_not_pass() {
        let manifest =
            manifest(|m| m["tools"][0]["description"] = json!("a\u{1b}[31mb\u{7}")).expect("valid");
        assert_eq!(manifest.tools[0].description, "a[31mb");
    }
}
