//! Templates: JSON in which some objects stand for values that are known only later.

use std::io::{self, Write};

use cofferdam_types::failure::Failure;
use cofferdam_types::{Code, Payload};
use serde_json::{Map, Value};

use super::reference::Scope;

/// Most bytes of an expanded template: what a request body may hold, so that a plan can pass on
/// whatever a direct caller could send. Reached: the step fails with `limit_exceeded`.
pub(crate) const EXPANDED_BYTES_MAX: usize = 4 << 20;
/// Deepest nesting of an expanded template, as at every door. Reached: as above.
pub(crate) const EXPANDED_DEPTH_MAX: usize = 64;

/// What an object of a template stands for.
#[derive(Debug, PartialEq)]
pub(crate) enum Form<'a> {
    /// `{"$from": pointer}`: the value there.
    From(&'a str),
    /// `{"$text": [part, …]}`: its parts as one text.
    Text(&'a [Value]),
    /// `{"$literal": value}`: the value, not looked into.
    Literal(&'a Value),
    /// Itself.
    Plain,
    /// One of the above with a wrong operand.
    Broken(&'static str),
}

impl<'a> Form<'a> {
    /// Only an object with exactly the one key is special; any other is itself.
    pub(crate) fn of(object: &'a Map<String, Value>) -> Self {
        let mut entries = object.iter();
        let (Some((key, operand)), None) = (entries.next(), entries.next()) else {
            return Self::Plain;
        };
        match (key.as_str(), operand) {
            ("$from", Value::String(pointer)) => Self::From(pointer),
            ("$from", _) => Self::Broken("`$from` takes a JSON pointer as text"),
            ("$text", Value::Array(parts)) => Self::Text(parts),
            ("$text", _) => Self::Broken("`$text` takes an array of parts"),
            ("$literal", value) => Self::Literal(value),
            _ => Self::Plain,
        }
    }
}

/// The template with every reference replaced by what it refers to.
///
/// **Errors**: `invalid_input` that names the pointer where nothing is; `limit_exceeded` past
/// [`EXPANDED_BYTES_MAX`] or [`EXPANDED_DEPTH_MAX`].
pub(crate) fn expand(template: &Payload, scope: Scope<'_>) -> Result<Payload, Failure> {
    let mut expansion = Expansion { scope, inserted: 0 };
    let value = expansion.value(template.as_value(), 0)?;
    if text_bytes(&value, EXPANDED_BYTES_MAX).is_none() {
        return Err(too_large());
    }
    Ok(Payload::from(value))
}

/// Bytes of the value's compact JSON; `None` when it is longer than `most`.
pub(crate) fn text_bytes(value: &Value, most: usize) -> Option<usize> {
    struct Counter {
        left: usize,
    }
    impl Write for Counter {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.left = self
                .left
                .checked_sub(bytes.len())
                .ok_or(io::ErrorKind::FileTooLarge)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut counter = Counter { left: most };
    serde_json::to_writer(&mut counter, value)
        .ok()
        .map(|()| most - counter.left)
}

struct Expansion<'a> {
    scope: Scope<'a>,
    /// Bytes put in so far: stops a small template that names one large value many times before
    /// it has been copied that often.
    inserted: usize,
}

impl Expansion<'_> {
    /// `depth` counts the arrays and objects around this value in the result.
    fn value(&mut self, template: &Value, depth: usize) -> Result<Value, Failure> {
        match template {
            Value::Array(items) => {
                let depth = deeper(depth)?;
                let items: Result<_, _> =
                    items.iter().map(|item| self.value(item, depth)).collect();
                Ok(Value::Array(items?))
            }
            Value::Object(object) => match Form::of(object) {
                Form::From(pointer) => self.inserted(pointer, depth),
                Form::Text(parts) => self.text(parts, depth),
                Form::Literal(value) => {
                    fits_at(value, depth)?;
                    Ok(value.clone())
                }
                Form::Plain => {
                    let depth = deeper(depth)?;
                    let entries: Result<_, Failure> = object
                        .iter()
                        .map(|(key, item)| Ok((key.clone(), self.value(item, depth)?)))
                        .collect();
                    Ok(Value::Object(entries?))
                }
                Form::Broken(reason) => Err(Failure::invalid_at("", reason)),
            },
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                Ok(template.clone())
            }
        }
    }

    fn inserted(&mut self, pointer: &str, depth: usize) -> Result<Value, Failure> {
        let value = self.scope.at(pointer).ok_or_else(|| nothing_at(pointer))?;
        fits_at(&value, depth)?;
        let left = EXPANDED_BYTES_MAX - self.inserted;
        self.inserted += text_bytes(&value, left).ok_or_else(too_large)?;
        Ok(value.into_owned())
    }

    fn text(&mut self, parts: &[Value], depth: usize) -> Result<Value, Failure> {
        let depth = deeper(depth)?;
        let mut text = String::new();
        for part in parts {
            match self.value(part, depth)? {
                Value::String(part) => text.push_str(&part),
                other => text.push_str(&other.to_string()),
            }
        }
        Ok(Value::String(text))
    }
}

/// The failure of a reference to nothing.
pub(crate) fn nothing_at(pointer: &str) -> Failure {
    Failure::new(
        Code::InvalidInput,
        format!("the plan refers to `{pointer}`, where there is nothing"),
    )
    .with("pointer", pointer)
}

fn too_large() -> Failure {
    Failure::limit(
        "arguments_bytes",
        EXPANDED_BYTES_MAX as u64,
        "the expanded template is larger than 4 MiB",
    )
}

fn deeper(depth: usize) -> Result<usize, Failure> {
    if depth < EXPANDED_DEPTH_MAX {
        return Ok(depth + 1);
    }
    Err(Failure::limit(
        "arguments_depth",
        EXPANDED_DEPTH_MAX as u64,
        "the expanded template is nested deeper than 64",
    ))
}

/// Whether `value` may stand below `depth` arrays and objects.
fn fits_at(value: &Value, depth: usize) -> Result<(), Failure> {
    match value {
        Value::Array(items) => {
            let depth = deeper(depth)?;
            items.iter().try_for_each(|item| fits_at(item, depth))
        }
        Value::Object(object) => {
            let depth = deeper(depth)?;
            object.values().try_for_each(|item| fits_at(item, depth))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(()),
    }
}
