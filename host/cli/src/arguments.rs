//! The arguments of a call as they are typed.

use std::str::FromStr;

use clap::Args;
use cofferdam_server::types::Payload;
use cofferdam_wire::strict;
use serde_json::{Map, Value};

use crate::error::{Result, usage};
use crate::input;

/// How many references of a schema are followed: enough for any that a person wrote, and an end to
/// those that go round.
const REFERENCES_MAX: usize = 16;

/// The arguments of a call, all at once or one by one.
#[derive(Args)]
pub(crate) struct Arguments {
    /// The arguments: a JSON object, @FILE, or - for stdin
    #[arg(long, value_name = "JSON", default_value = "{}")]
    args: String,
    /// One argument; may stand several times. A value is text, unless the tool's schema asks for
    /// something else, as a number or a list, and the value is that in JSON
    #[arg(long = "arg", value_name = "KEY=VALUE", conflicts_with = "args")]
    each: Vec<Pair>,
}

/// One argument.
#[derive(Clone)]
struct Pair {
    key: String,
    value: String,
}

impl FromStr for Pair {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        match text.split_once('=') {
            Some((key, value)) if !key.is_empty() => Ok(Self {
                key: key.to_owned(),
                value: value.to_owned(),
            }),
            _ => Err("expected KEY=VALUE, as in `url=https://example.org/`".to_owned()),
        }
    }
}

impl Arguments {
    /// True when it takes the tool's schema to read them.
    pub(crate) fn need_schema(&self) -> bool {
        !self.each.is_empty()
    }

    /// The object that they are, for a tool of this schema.
    pub(crate) fn read(&self, schema: &Value) -> Result<Payload> {
        if self.each.is_empty() {
            return input::arguments(&self.args);
        }
        let mut object = Map::new();
        for Pair { key, value } in &self.each {
            let read = typed(value, property(schema, key), schema);
            if object.insert(key.clone(), read).is_some() {
                return Err(usage(format!("--arg {key}: given more than once")));
            }
        }
        Ok(Payload::from(Value::Object(object)))
    }
}

/// What a schema of an object says about one of its fields; nothing where any value will do.
fn property<'s>(schema: &'s Value, key: &str) -> Option<&'s Value> {
    let known = schema.get("properties").and_then(|all| all.get(key));
    known.or_else(|| schema.get("additionalProperties"))
}

/// The value, as JSON where the schema takes it as that and text otherwise.
fn typed(text: &str, asked: Option<&Value>, root: &Value) -> Value {
    match strict::parse(text.as_bytes()) {
        // Text is given as it was typed, with its quotes.
        Ok(Value::String(_)) | Err(_) => Value::from(text),
        Ok(value) if asked.is_none_or(|asked| takes(asked, &value, root, 0)) => value,
        Ok(_) => Value::from(text),
    }
}

/// Whether a value of this kind can be what a schema asks for. Its further rules are the host's to
/// check, which says what is wrong.
fn takes(schema: &Value, value: &Value, root: &Value, depth: usize) -> bool {
    let Some(fields) = schema.as_object() else {
        return schema != &Value::Bool(false);
    };
    if depth > REFERENCES_MAX {
        return false;
    }
    let inner = |schema: &Value| takes(schema, value, root, depth + 1);
    if let Some(Value::String(place)) = fields.get("$ref") {
        let target = place
            .strip_prefix('#')
            .and_then(|place| root.pointer(place));
        return target.is_some_and(inner);
    }
    if let Some(Value::Array(values)) = fields.get("enum") {
        return values.contains(value);
    }
    if let Some(only) = fields.get("const") {
        return only == value;
    }
    for word in ["anyOf", "oneOf"] {
        if let Some(Value::Array(choices)) = fields.get(word)
            && !choices.iter().any(inner)
        {
            return false;
        }
    }
    match fields.get("type") {
        Some(Value::String(kind)) => is_of(value, kind),
        Some(Value::Array(kinds)) => {
            let mut kinds = kinds.iter().filter_map(Value::as_str);
            kinds.any(|kind| is_of(value, kind))
        }
        _ => true,
    }
}

fn is_of(value: &Value, kind: &str) -> bool {
    match kind {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => {
            let is_whole = value.as_f64().is_some_and(|number| number.fract() == 0.0);
            value.is_i64() || value.is_u64() || is_whole
        }
        "number" => value.is_number(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn arguments(each: &[&str]) -> Arguments {
        let pair = |text: &&str| {
            text.parse()
                .unwrap_or_else(|error| panic!("{text}: {error}"))
        };
        Arguments {
            args: "{}".to_owned(),
            each: each.iter().map(pair).collect(),
        }
    }

    fn schema() -> Value {
        json!({
            "type": "object",
            "properties": {
                "url": {"type": "string"},
                "count": {"type": "integer"},
                "ratio": {"type": "number"},
                "deep": {"type": ["boolean", "null"]},
                "names": {"type": "array", "items": {"type": "string"}},
                "either": {"anyOf": [{"type": "string"}, {"type": "integer"}]},
                "level": {"enum": [1, "high"]},
                "page": {"$ref": "#/$defs/Page"},
                "round": {"$ref": "#/$defs/Round"},
                "any": {},
            },
            "additionalProperties": false,
            "$defs": {
                "Page": {"type": "object"},
                "Round": {"$ref": "#/$defs/Round"},
            },
        })
    }

    #[test]
    fn a_value_is_what_the_schema_asks_for_or_text() {
        for (pair, expected) in [
            (
                "url=https://example.org/?a=b",
                json!("https://example.org/?a=b"),
            ),
            ("url=7", json!("7")),
            ("url=", json!("")),
            ("url=true", json!("true")),
            ("url=\"quoted\"", json!("\"quoted\"")),
            ("count=7", json!(7)),
            ("count=7.5", json!("7.5")),
            ("count=many", json!("many")),
            ("ratio=7.5", json!(7.5)),
            ("deep=true", json!(true)),
            ("deep=null", json!(null)),
            ("deep=1", json!("1")),
            ("names=[\"a\", \"b\"]", json!(["a", "b"])),
            ("names=a", json!("a")),
            ("either=7", json!(7)),
            ("either=seven", json!("seven")),
            ("level=1", json!(1)),
            ("level=2", json!("2")),
            ("level=high", json!("high")),
            ("page={\"from\": 1}", json!({"from": 1})),
            (
                "page={\"from\": 1, \"from\": 2}",
                json!("{\"from\": 1, \"from\": 2}"),
            ),
            ("round=1", json!("1")),
            ("any=[1]", json!([1])),
            ("any=text", json!("text")),
            ("unknown=1", json!("1")),
        ] {
            let key = pair.split_once('=').map_or("", |(key, _)| key);
            let read = arguments(&[pair]).read(&schema()).map(Payload::into_value);
            assert_eq!(read, Ok(json!({ key: expected })), "{pair}");
        }
        let read = arguments(&["a=1", "b=x"]).read(&json!({}));
        assert_eq!(read.map(Payload::into_value), Ok(json!({"a": 1, "b": "x"})));
    }

    #[test]
    fn what_is_no_argument_is_refused() {
        for text in ["", "url", "=x"] {
            assert!(text.parse::<Pair>().is_err(), "{text}");
        }
        assert!(arguments(&["url=a", "url=b"]).read(&schema()).is_err());
    }
}
