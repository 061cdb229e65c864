//! How large the schemas of tools may be.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

/// Bounds on the schemas of arguments and results of the tools that may run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SchemasEntry {
    /// How deep schemas nest in each other; 64 when left out.
    #[serde(default)]
    pub depth: Option<usize>,
    /// How many parameters a tool takes; 256 when left out.
    #[serde(default)]
    pub parameters: Option<usize>,
}

/// As deep as any JSON that the host takes.
const DEPTH_MAX: usize = 64;
/// More than a model can fill in and a person can read.
const PARAMETERS_MAX: usize = 256;

impl SchemasEntry {
    /// How deep.
    pub fn depth_max(&self) -> usize {
        self.depth.unwrap_or(DEPTH_MAX)
    }

    /// How many.
    pub fn parameters_max(&self) -> usize {
        self.parameters.unwrap_or(PARAMETERS_MAX)
    }

    /// What is too large about the schema of a tool's arguments or its result.
    pub fn refuses(&self, arguments: &Value, result: &Value) -> Option<String> {
        let parameters = arguments
            .get("properties")
            .and_then(Value::as_object)
            .map_or(0, serde_json::Map::len);
        if parameters > self.parameters_max() {
            let max = self.parameters_max();
            return Some(format!(
                "the tool takes {parameters} parameters, at most {max} are allowed"
            ));
        }
        let deepest = depth(arguments).max(depth(result));
        let max = self.depth_max();
        (deepest > max)
            .then(|| format!("the tool's schemas nest {deepest} deep, at most {max} are allowed"))
    }
}

fn depth(schema: &Value) -> usize {
    let below = |values: &mut dyn Iterator<Item = &Value>| values.map(depth).max().unwrap_or(0);
    match schema {
        Value::Object(fields) => 1 + below(&mut fields.values()),
        Value::Array(items) => 1 + below(&mut items.iter()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}
