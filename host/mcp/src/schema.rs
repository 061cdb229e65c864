//! Schemas as MCP wants them: both of a tool describe an object.

use serde_json::{Map, Value, json};

/// Where a result that is no object stands in the structured content.
pub(crate) const RESULT: &str = "result";

/// Keywords whose values are data, in which nothing is a reference.
const DATA: [&str; 4] = ["const", "default", "enum", "examples"];

/// Asks clients to repeat an argument in an HTTP header. Not passed on: headers are logged by
/// whatever stands between, and nothing here reads them.
const HEADER: &str = "x-mcp-header";

/// True when a result of this schema stands below [`RESULT`], because the schema also allows what
/// is no object.
pub(crate) fn is_wrapped(returns: &Value) -> bool {
    returns.get("type").and_then(Value::as_str) != Some("object")
}

/// The schema of the arguments, as it is listed.
pub(crate) fn input(args: &Value) -> Value {
    moved(args, "")
}

/// The schema of the structured content, as it is listed.
pub(crate) fn output(returns: &Value) -> Value {
    if !is_wrapped(returns) {
        return moved(returns, "");
    }
    let mut inner = moved(returns, &format!("/properties/{RESULT}"));
    // Says which draft the whole document is; means nothing further inside.
    let draft = inner
        .as_object_mut()
        .and_then(|inner| inner.remove("$schema"));
    let mut whole = json!({
        "type": "object",
        "properties": {RESULT: inner},
        "required": [RESULT],
        "additionalProperties": false,
    });
    if let Some(draft) = draft {
        whole["$schema"] = draft;
    }
    whole
}

/// The same schema further inside a document: references to its root lead to `place`.
fn moved(schema: &Value, place: &str) -> Value {
    match schema {
        Value::Object(fields) => {
            let fields = fields.iter().filter_map(|(key, field)| {
                let field = match (key.as_str(), field) {
                    (HEADER, Value::String(_)) => return None,
                    ("$ref", Value::String(target)) => {
                        Value::String(match target.strip_prefix('#') {
                            Some(pointer) => format!("#{place}{pointer}"),
                            None => target.clone(),
                        })
                    }
                    (key, field) if DATA.contains(&key) => field.clone(),
                    (_, field) => moved(field, place),
                };
                Some((key.clone(), field))
            });
            Value::Object(fields.collect::<Map<_, _>>())
        }
        Value::Array(items) => items.iter().map(|item| moved(item, place)).collect(),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_stays_as_it_is() {
        let schema = json!({"type": "object", "properties": {"a": {"$ref": "#/$defs/a"}}, "$defs": {"a": {}}});
        assert_eq!(output(&schema), schema);
        assert_eq!(input(&schema), schema);
    }

    #[test]
    fn anything_else_is_wrapped_and_its_references_follow() {
        let schema = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$defs": {"node": {"properties": {"next": {"$ref": "#/$defs/node"}, "top": {"$ref": "#"}}}},
            "anyOf": [{"$ref": "#/$defs/node"}, {"const": {"$ref": "#/kept"}}],
        });
        assert_eq!(
            output(&schema),
            json!({
                "$schema": "https://json-schema.org/draft/2020-12/schema",
                "type": "object",
                "properties": {"result": {
                    "$defs": {"node": {"properties": {
                        "next": {"$ref": "#/properties/result/$defs/node"},
                        "top": {"$ref": "#/properties/result"},
                    }}},
                    "anyOf": [
                        {"$ref": "#/properties/result/$defs/node"},
                        {"const": {"$ref": "#/kept"}},
                    ],
                }},
                "required": ["result"],
                "additionalProperties": false,
            })
        );
        for schema in [json!({}), json!(true), json!({"type": ["object", "null"]})] {
            assert_eq!(output(&schema)["properties"]["result"], schema);
        }
    }

    #[test]
    fn no_argument_goes_into_a_header() {
        let schema = json!({"type": "object", "properties": {
            "key": {"type": "string", "x-mcp-header": "Key"},
            "x-mcp-header": {"type": "string"},
        }});
        assert_eq!(
            input(&schema),
            json!({"type": "object", "properties": {
                "key": {"type": "string"},
                "x-mcp-header": {"type": "string"},
            }})
        );
    }
}
