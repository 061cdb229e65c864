//! JSON Schema, set up for schemas that strangers wrote: no fetching, no back-tracking, bounded.

use cofferdam_types::Payload;
use cofferdam_types::failure::Fault;
use jsonschema::{Draft, PatternOptions, ValidationOptions, Validator};
use serde_json::Value;

use crate::bounds::Bounds;
use crate::effort::Effort;
use crate::faults;
use crate::graph::Graph;
use crate::measure;

/// Most memory of one compiled pattern and of its lazily built automaton, in bytes.
const PATTERN_BYTES_MAX: usize = 1 << 20;
/// Longest reason of a fault in characters.
const REASON_CHARS_MAX: usize = 300;

/// A schema that values can be checked against.
///
/// **Shape**: JSON Schema 2020-12; `format` is asserted.
pub struct Schema {
    source: Payload,
    validator: Validator,
    effort: Effort,
}

impl Schema {
    /// Compiles a schema that a stranger may have written.
    ///
    /// **Errors**: where the schema is wrong or larger than its bounds, and why.
    pub fn compile(source: &Payload, bounds: &Bounds) -> Result<Self, Fault> {
        let document = source.as_value();
        is_small(document, bounds)?;
        let graph = Graph::read(document)?;
        let measures = measure::check(&graph, bounds)?;
        let validator = options().build(document).map_err(|error| Fault {
            pointer: error.instance_path().as_str().to_owned(),
            reason: cut(&error.masked().to_string()),
        })?;
        Ok(Self {
            effort: Effort::of(&graph, measures),
            source: source.clone(),
            validator,
        })
    }

    /// True when `value` fits. One that can't be checked in a bounded number of steps doesn't.
    pub fn is_valid(&self, value: &Payload) -> bool {
        let value = value.as_value();
        self.effort.can_decide(value) && self.validator.is_valid(value)
    }

    /// Every place where `value` breaks the schema, up to a bound; none when it fits.
    pub fn faults(&self, value: &Payload) -> Vec<Fault> {
        let value = value.as_value();
        let whole = |reason: &str| {
            vec![Fault {
                pointer: String::new(),
                reason: reason.to_owned(),
            }]
        };
        if !self.effort.can_decide(value) {
            return whole("too large to be checked against its schema");
        }
        if self.validator.is_valid(value) {
            return Vec::new();
        }
        let source = self.source.as_value();
        if self.effort.can_tell(value) {
            faults::find(&self.validator, source, value)
        } else if self.effort.first_is_cheap {
            faults::first(&self.validator, source, value)
        } else {
            whole("it breaks its schema, and is too large or too deep to say where")
        }
    }
}

/// How every validator is set up: nothing is fetched, no pattern goes back, formats are asserted.
pub(crate) fn options() -> ValidationOptions<'static> {
    let patterns = PatternOptions::regex()
        .size_limit(PATTERN_BYTES_MAX)
        .dfa_size_limit(PATTERN_BYTES_MAX);
    jsonschema::options()
        .offline()
        .with_draft(Draft::Draft202012)
        .with_pattern_options(patterns)
        .should_validate_formats(true)
}

fn is_small(document: &Value, bounds: &Bounds) -> Result<(), Fault> {
    let fault = |reason| Fault {
        pointer: String::new(),
        reason,
    };
    let Bounds {
        nesting_max,
        bytes_max,
        ..
    } = bounds;
    if !nests_within(document, *nesting_max) {
        return Err(fault(format!("the schema nests deeper than {nesting_max}")));
    }
    if document.to_string().len() > *bytes_max {
        return Err(fault(format!(
            "the schema is larger than {bytes_max} bytes"
        )));
    }
    Ok(())
}

pub(crate) fn cut(text: &str) -> String {
    text.chars().take(REASON_CHARS_MAX).collect()
}

/// True when a value nests no deeper than `max`; a scalar is 1.
fn nests_within(value: &Value, max: usize) -> bool {
    let Some(max) = max.checked_sub(1) else {
        return false;
    };
    match value {
        Value::Array(items) => items.iter().all(|item| nests_within(item, max)),
        Value::Object(fields) => fields.values().all(|field| nests_within(field, max)),
        _ => true,
    }
}
