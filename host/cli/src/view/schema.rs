//! JSON Schemas in a few words.

use serde_json::Value;

/// How deep a type is told: a list of lists of records is as far as a line of text goes.
const DEPTH_MAX: usize = 3;

/// One property of an object's schema.
pub(super) struct Property {
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) is_required: bool,
    pub(super) description: String,
}

/// The properties of an object's schema, those that must be there first.
pub(super) fn properties(schema: &Value) -> Vec<Property> {
    let required: Vec<&str> = schema["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let properties = schema["properties"].as_object().into_iter().flatten();
    let mut properties: Vec<_> = properties
        .map(|(name, property)| Property {
            name: name.clone(),
            kind: kind(property, schema),
            is_required: required.contains(&name.as_str()),
            description: described(property, schema),
        })
        .collect();
    properties.sort_by_key(|property| !property.is_required);
    properties
}

/// The type that a schema stands for, in words.
pub(super) fn kind(schema: &Value, root: &Value) -> String {
    at_depth(schema, root, 0)
}

fn at_depth(schema: &Value, root: &Value, depth: usize) -> String {
    let schema = target(schema, root);
    if depth == DEPTH_MAX {
        return "…".to_owned();
    }
    if let Some(words) = schema["enum"].as_array() {
        return alternatives(words.iter().map(Value::to_string));
    }
    if let Some(word) = schema.get("const") {
        return word.to_string();
    }
    for key in ["anyOf", "oneOf"] {
        if let Some(choices) = schema[key].as_array() {
            return alternatives(
                choices
                    .iter()
                    .map(|choice| at_depth(choice, root, depth + 1)),
            );
        }
    }
    match &schema["type"] {
        Value::String(word) => named(word, schema, root, depth),
        Value::Array(words) => {
            let words = words.iter().filter_map(Value::as_str);
            alternatives(words.map(|word| named(word, schema, root, depth)))
        }
        _ => "any".to_owned(),
    }
}

fn named(word: &str, schema: &Value, root: &Value, depth: usize) -> String {
    match word {
        "array" if schema.get("items").is_some() => {
            format!("array of {}", at_depth(&schema["items"], root, depth + 1))
        }
        "object" => match schema["properties"].as_object() {
            Some(properties) if !properties.is_empty() => {
                let names: Vec<&str> = properties.keys().map(String::as_str).collect();
                format!("object {{{}}}", names.join(", "))
            }
            _ => "object".to_owned(),
        },
        _ => word.to_owned(),
    }
}

/// `a or b`, without `null`: that a value may be absent is said elsewhere.
fn alternatives(words: impl Iterator<Item = String>) -> String {
    let words: Vec<String> = words.filter(|word| word != "null").collect();
    if words.is_empty() {
        return "null".to_owned();
    }
    words.join(" or ")
}

/// What a schema, or the one it refers to, says about itself.
fn described(schema: &Value, root: &Value) -> String {
    let text = |schema: &Value| schema["description"].as_str().map(str::to_owned);
    text(schema)
        .or_else(|| text(target(schema, root)))
        .unwrap_or_default()
}

/// The schema that a reference inside the same document names; other references stay as they are.
fn target<'s>(schema: &'s Value, root: &'s Value) -> &'s Value {
    schema["$ref"]
        .as_str()
        .and_then(|reference| root.pointer(reference.strip_prefix('#')?))
        .unwrap_or(schema)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn schemas_are_told_in_words() {
        let root = json!({"$defs": {
            "Order": {"enum": ["rising", "falling"], "description": "The order."},
            "Tree": {"type": "array", "items": {"$ref": "#/$defs/Tree"}},
        }});
        for (schema, words) in [
            (json!({"type": "string"}), "string"),
            (json!({"type": ["string", "null"]}), "string"),
            (
                json!({"type": "array", "items": {"type": "number"}}),
                "array of number",
            ),
            (json!({"$ref": "#/$defs/Order"}), r#""rising" or "falling""#),
            (
                json!({"anyOf": [{"$ref": "#/$defs/Order"}, {"type": "null"}]}),
                r#""rising" or "falling""#,
            ),
            (
                json!({"$ref": "#/$defs/Tree"}),
                "array of array of array of …",
            ),
            (
                json!({"type": "object", "properties": {"a": {}, "b": {}}}),
                "object {a, b}",
            ),
            (json!({"const": 1}), "1"),
            (json!({"type": "null"}), "null"),
            (json!({"$ref": "https://example.org/x"}), "any"),
            (json!(true), "any"),
        ] {
            assert_eq!(kind(&schema, &root), words, "{schema}");
        }
    }

    #[test]
    fn properties_know_whether_they_must_be_there() {
        let schema = json!({
            "type": "object",
            "required": ["path"],
            "properties": {
                "path": {"type": "string", "description": "Which file."},
                "order": {"$ref": "#/$defs/Order"},
            },
            "$defs": {"Order": {"enum": ["rising"], "description": "The order."}},
        });
        let told: Vec<_> = properties(&schema)
            .into_iter()
            .map(|p| format!("{} {} {} {}", p.name, p.kind, p.is_required, p.description))
            .collect();
        assert_eq!(
            told,
            [
                "path string true Which file.",
                r#"order "rising" false The order."#
            ]
        );
        assert!(properties(&json!(7)).is_empty());
    }
}
