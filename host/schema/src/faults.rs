//! What is wrong with a value, for the person or the model that has to mend it: where, and what was
//! expected there. Values are not repeated: they can be large, or secret.

use cofferdam_types::failure::Fault;
use jsonschema::Validator;
use jsonschema::error::{ValidationError, ValidationErrorKind};
use serde_json::Value;

use crate::schema::cut;

/// Most faults of one answer; the caller mends these first anyway.
const FAULTS_MAX: usize = 20;
/// Most nodes of a value of which all faults are told; of a larger one the first alone. The validator
/// collects every error before it gives the first, each some kilobyte.
const NODES_MAX: usize = 5_000;
/// Longest name that a pointer repeats, in bytes.
const NAME_BYTES_MAX: usize = 64;

/// Every place where `value` breaks `schema`, up to a bound.
pub(crate) fn find(validator: &Validator, schema: &Value, value: &Value) -> Vec<Fault> {
    if validator.is_valid(value) {
        return Vec::new();
    }
    let mut faults = Vec::new();
    let mut left = NODES_MAX;
    if is_small(value, &mut left) {
        for error in validator.iter_errors(value).take(FAULTS_MAX) {
            add(&mut faults, schema, &error);
        }
    } else {
        return first(validator, schema, value);
    }
    faults.truncate(FAULTS_MAX);
    faults
}

/// The first place where `value` breaks `schema`.
pub(crate) fn first(validator: &Validator, schema: &Value, value: &Value) -> Vec<Fault> {
    let mut faults = Vec::new();
    if let Err(error) = validator.validate(value) {
        add(&mut faults, schema, &error);
    }
    faults.truncate(FAULTS_MAX);
    faults
}

/// True when the value has no more nodes than are `left`.
fn is_small(value: &Value, left: &mut usize) -> bool {
    let Some(rest) = left.checked_sub(1) else {
        return false;
    };
    *left = rest;
    match value {
        Value::Array(items) => items.iter().all(|item| is_small(item, left)),
        Value::Object(fields) => fields.values().all(|field| is_small(field, left)),
        _ => true,
    }
}

fn add(faults: &mut Vec<Fault>, schema: &Value, error: &ValidationError<'_>) {
    let at = error.instance_path().as_str();
    let mut fault = |pointer: String, reason: String| faults.push(Fault { pointer, reason });
    match error.kind() {
        ValidationErrorKind::Required { property } => {
            fault(
                member(at, property.as_str().unwrap_or_default()),
                "missing".to_owned(),
            );
        }
        ValidationErrorKind::AdditionalProperties { unexpected } => {
            for name in unexpected.iter().take(FAULTS_MAX) {
                fault(
                    member(at, name),
                    "unknown; there is no such field".to_owned(),
                );
            }
        }
        ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } => {
            match meant(at, context) {
                Some(branch) => branch.iter().for_each(|error| add(faults, schema, error)),
                None => fault(at.to_owned(), alternatives(schema, error)),
            }
        }
        _ => fault(at.to_owned(), cut(&error.masked().to_string())),
    }
}

/// The alternative that the value was meant to be: the one that it fits the furthest into.
fn meant<'a>(
    at: &str,
    context: &'a [Vec<ValidationError<'static>>],
) -> Option<&'a [ValidationError<'static>]> {
    let depth = |branch: &&Vec<ValidationError<'static>>| {
        branch
            .iter()
            .map(|error| error.instance_path().as_str().len())
            .min()
    };
    context
        .iter()
        .max_by_key(depth)
        .filter(|branch| depth(branch).is_some_and(|depth| depth > at.len()))
        .map(Vec::as_slice)
}

/// What was expected where no alternative fits: in the schema's own words, if it has some.
fn alternatives(schema: &Value, error: &ValidationError<'_>) -> String {
    let place = error.schema_path().as_str();
    let description = place
        .rsplit_once('/')
        .and_then(|(parent, _)| schema.pointer(parent)?.get("description")?.as_str());
    match description {
        Some(description) => format!("expected {}", cut(description)),
        None => cut(&error.masked().to_string()),
    }
}

/// The pointer to a member, RFC 6901. A name too long to show gives the pointer to its object.
fn member(at: &str, name: &str) -> String {
    if name.len() > NAME_BYTES_MAX {
        return at.to_owned();
    }
    format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Bounds, Schema};
    use cofferdam_types::Payload;
    use serde_json::json;

    fn found(schema: &Value, value: &Value) -> Vec<(String, String)> {
        let schema = Schema::compile(&Payload::from(schema.clone()), &Bounds::DERIVED);
        let faults = schema
            .expect("a schema")
            .faults(&Payload::from(value.clone()));
        faults
            .into_iter()
            .map(|fault| (fault.pointer, fault.reason))
            .collect()
    }

    /// A million wrong items have one first place, which is told; alternatives would leave as many
    /// errors behind as there are items, so there nothing more is said than that it is wrong.
    #[test]
    fn of_a_large_value_the_first_place_is_told_where_that_is_cheap() {
        let large = json!({"a": vec![7; 300_000]});
        let plain = json!({"properties": {"a": {"items": {"type": "boolean"}}}});
        let faults = found(&plain, &large);
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert_eq!(faults[0].0, "/a/0");
        let items = json!({"anyOf": [{"type": "boolean"}, {"type": "null"}]});
        let faults = found(&json!({"properties": {"a": {"items": items}}}), &large);
        assert_eq!(faults[0].0, "");
        assert!(faults[0].1.contains("too large"), "{faults:?}");
    }

    #[test]
    fn a_fault_points_at_its_place_and_repeats_no_value() {
        let schema = json!({"properties": {"a": {"items": {"type": "integer"}}}});
        let faults = found(&schema, &json!({"a": [1, "secret"]}));
        assert_eq!(faults[0].0, "/a/1");
        assert!(!faults[0].1.contains("secret"), "{}", faults[0].1);
    }

    #[test]
    fn of_a_large_value_the_first_fault_is_told() {
        let many = json!(vec![""; NODES_MAX + 1]);
        assert_eq!(
            found(&json!({"items": {"type": "integer"}}), &many).len(),
            1
        );
        let few = json!(vec![""; 50]);
        assert_eq!(
            found(&json!({"items": {"type": "integer"}}), &few).len(),
            FAULTS_MAX
        );
    }

    #[test]
    fn missing_and_unknown_members_are_named() {
        let schema = json!({
            "properties": {"a/b": {}}, "required": ["a/b"], "additionalProperties": false,
        });
        let faults = found(&schema, &json!({"c~": 1}));
        let pointers: Vec<_> = faults.iter().map(|(pointer, _)| pointer.as_str()).collect();
        assert_eq!(pointers, ["/c~0", "/a~1b"]);
        let long = json!({"a/b": 1, "x".repeat(100): 1});
        assert_eq!(found(&schema, &long)[0].0, "");
    }

    #[test]
    fn of_alternatives_the_one_that_was_meant_is_explained() {
        let schema = json!({"properties": {"p": {"anyOf": [
            {"type": "null"},
            {"type": "object", "properties": {"x": {"type": "integer"}}},
        ]}}});
        assert_eq!(found(&schema, &json!({"p": {"x": "?"}}))[0].0, "/p/x");
        let schema = json!({"items": {
            "description": "a number or its text", "anyOf": [{"type": "integer"}, {"pattern": "^1$", "type": "string"}],
        }});
        let faults = found(&schema, &json!([1, true]));
        assert_eq!(
            faults,
            [("/1".to_owned(), "expected a number or its text".to_owned())]
        );
    }
}
