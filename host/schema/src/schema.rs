//! JSON Schema, set up for schemas that strangers wrote: no fetching, no back-tracking, bounded.

use std::collections::HashMap;

use cofferdam_types::Payload;
use cofferdam_types::failure::Fault;
use jsonschema::{Draft, PatternOptions, Validator};
use serde_json::Value;

use crate::bounds::Bounds;
use crate::faults;

/// Most memory of one compiled pattern and of its lazily built automaton, in bytes.
const PATTERN_BYTES_MAX: usize = 1 << 20;
/// Longest reason of a fault in characters.
const REASON_CHARS_MAX: usize = 300;

/// Most places of a schema once every reference is written out: what checking one value against it
/// may cost. Without this bound a chain of definitions that each name the next one twice is a few
/// kilobytes long and takes years.
const EXPANDED_MAX: u64 = 50_000;
/// Longest chain of references: each is a level of recursion when a value is checked.
const CHAIN_MAX: usize = 200;

/// A schema that values can be checked against.
///
/// **Shape**: JSON Schema 2020-12; `format` is asserted.
pub struct Schema {
    source: Payload,
    validator: Validator,
}

impl Schema {
    /// Compiles a schema that a stranger may have written.
    ///
    /// **Errors**: where the schema is wrong or larger than its bounds, and why.
    pub fn compile(source: &Payload, bounds: &Bounds) -> Result<Self, Fault> {
        let fault = |reason| Fault {
            pointer: String::new(),
            reason,
        };
        let validator = compile(source, bounds).map_err(fault)?;
        Ok(Self {
            source: source.clone(),
            validator,
        })
    }

    /// True when `value` fits.
    pub fn is_valid(&self, value: &Payload) -> bool {
        self.validator.is_valid(value.as_value())
    }

    /// Every place where `value` breaks the schema, up to a bound.
    pub fn faults(&self, value: &Payload) -> Vec<Fault> {
        faults::find(&self.validator, self.source.as_value(), value.as_value())
    }
}

fn compile(schema: &Payload, bounds: &Bounds) -> Result<Validator, String> {
    let value = schema.as_value();
    if schema.to_string().len() > bounds.bytes_max {
        return Err(format!(
            "the schema is larger than {} bytes",
            bounds.bytes_max
        ));
    }
    if depth(value) > bounds.nesting_max {
        return Err(format!(
            "the schema nests deeper than {}",
            bounds.nesting_max
        ));
    }
    let mut expansion = Expansion {
        root: value,
        known: HashMap::new(),
        open: Vec::new(),
    };
    if expansion.of(value)? > EXPANDED_MAX {
        return Err(format!(
            "the schema has more than {EXPANDED_MAX} places with its references written out"
        ));
    }
    let patterns = PatternOptions::regex()
        .size_limit(PATTERN_BYTES_MAX)
        .dfa_size_limit(PATTERN_BYTES_MAX);
    let mut options = jsonschema::options()
        .offline()
        .with_pattern_options(patterns)
        .should_validate_formats(true);
    if value.get("$schema").is_none() {
        options = options.with_draft(Draft::Draft202012);
    }
    options
        .build(value)
        .map_err(|error| cut(&error.masked().to_string()))
}

/// Counts the places of a schema with its references written out, saturating.
struct Expansion<'a> {
    root: &'a Value,
    /// The count of each reference's target.
    known: HashMap<&'a str, u64>,
    /// The references that are being counted; one that leads back to them counts as 1.
    open: Vec<&'a str>,
}

impl<'a> Expansion<'a> {
    fn of(&mut self, value: &'a Value) -> Result<u64, String> {
        let mut sum = 1_u64;
        match value {
            Value::Array(items) => {
                for item in items {
                    sum = sum.saturating_add(self.of(item)?);
                }
            }
            Value::Object(fields) => {
                for (key, field) in fields {
                    let more = match (key.as_str(), field) {
                        ("$ref", Value::String(target)) => self.target(target)?,
                        ("$dynamicRef" | "$recursiveRef", Value::String(_)) => {
                            return Err(format!("`{key}` is not supported; use `$ref`"));
                        }
                        _ => self.of(field)?,
                    };
                    sum = sum.saturating_add(more);
                }
            }
            _ => {}
        }
        Ok(sum)
    }

    fn target(&mut self, reference: &'a str) -> Result<u64, String> {
        if let Some(known) = self.known.get(reference) {
            return Ok(*known);
        }
        if self.open.contains(&reference) {
            return Ok(1);
        }
        if self.open.len() >= CHAIN_MAX {
            return Err(format!(
                "more than {CHAIN_MAX} references lead to each other"
            ));
        }
        let pointer = reference
            .strip_prefix('#')
            .ok_or("a reference stays inside its schema: `#/…`")?;
        let target = self
            .root
            .pointer(pointer)
            .ok_or_else(|| format!("`{}` leads nowhere", cut(reference)))?;
        self.open.push(reference);
        let count = self.of(target);
        self.open.pop();
        let count = count?;
        self.known.insert(reference, count);
        Ok(count)
    }
}

pub(crate) fn cut(text: &str) -> String {
    text.chars().take(REASON_CHARS_MAX).collect()
}

/// How deep a value nests; a scalar is 1. The value came through a parser that bounds its depth,
/// so recursion is safe here.
fn depth(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(depth).max().unwrap_or(0),
        Value::Object(fields) => fields.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn compiles(schema: Value) -> bool {
        compile(&Payload::from(schema), &Bounds::DERIVED).is_ok()
    }

    #[test]
    fn refuses_what_it_would_have_to_fetch() {
        for target in [
            "http://127.0.0.1/x.json",
            "file:///etc/passwd",
            "other.json",
        ] {
            assert!(!compiles(json!({"$ref": target})), "{target}");
        }
    }

    #[test]
    fn patterns_are_linear_or_refused() {
        assert!(!compiles(json!({"pattern": "(?=a)b"})));
        assert!(!compiles(json!({"pattern": "(a{1000}){1000}"})));
        let schema = compile(
            &Payload::from(json!({"pattern": "(a+)+$"})),
            &Bounds::DERIVED,
        )
        .expect("linear");
        assert!(!schema.is_valid(&json!("a".repeat(50_000) + "b")));
    }

    #[test]
    fn reference_loops_and_depth_are_bounded() {
        let mut deep = json!({});
        for _ in 0..100 {
            deep = json!({"not": deep});
        }
        assert!(!compiles(deep));
        let looping = compile(
            &Payload::from(json!({"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/a"}}})),
            &Bounds::DERIVED,
        );
        if let Ok(validator) = looping {
            assert!([true, false].contains(&validator.is_valid(&json!(1))));
        }
    }

    #[test]
    fn references_that_multiply_are_refused() {
        let mut schema = json!({"$ref": "#/$defs/a0", "$defs": {"a50": false}});
        for level in 0..50 {
            let next = json!({"$ref": format!("#/$defs/a{}", level + 1)});
            schema["$defs"][format!("a{level}")] = json!({"anyOf": [next, next]});
        }
        assert!(!compiles(schema));
        let list = json!({"type": "object", "properties": {"next": {"$ref": "#"}}});
        assert!(compiles(list), "a schema may name itself");
        assert!(!compiles(json!({"$ref": "#nowhere"})));
        assert!(!compiles(json!({"$dynamicRef": "#a"})));
    }
}
