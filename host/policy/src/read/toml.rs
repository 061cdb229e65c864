//! TOML 1. Dates are texts here, as in the other formats.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::error::Mistake;
use crate::node::{Key, Node, Place, Value};

pub(super) fn read(text: &str) -> Result<Node, Vec<Mistake>> {
    let lines = Lines::of(text);
    let (table, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        return Err(errors
            .iter()
            .map(|error| Mistake::new(lines.place(&error.span().unwrap_or(0..0)), error.message()))
            .collect());
    }
    let mut mistakes = Vec::new();
    let root = Node {
        place: Place::START,
        value: fields(table.get_ref(), &lines, &mut mistakes),
    };
    if mistakes.is_empty() {
        Ok(root)
    } else {
        Err(mistakes)
    }
}

/// Where each line starts, so that a place is found without reading the text again.
struct Lines<'a> {
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    fn of(text: &'a str) -> Self {
        let after = text.match_indices('\n').map(|(at, _)| at + 1);
        Self {
            text,
            starts: std::iter::once(0).chain(after).collect(),
        }
    }

    fn place(&self, span: &Range<usize>) -> Place {
        let line = self.starts.partition_point(|start| *start <= span.start);
        let start = self.starts.get(line.saturating_sub(1)).copied();
        let before = self.text.get(start.unwrap_or(0)..span.start);
        let column = before.unwrap_or_default().chars().count() + 1;
        Place {
            line: u32::try_from(line.max(1)).unwrap_or(u32::MAX),
            column: u32::try_from(column).unwrap_or(u32::MAX),
        }
    }
}

fn fields(table: &DeTable<'_>, lines: &Lines<'_>, mistakes: &mut Vec<Mistake>) -> Value {
    let mut all: Vec<_> = table
        .iter()
        .map(|(key, value)| {
            let key = Key {
                place: lines.place(&key.span()),
                text: key.get_ref().to_string(),
            };
            (key, node(value, lines, mistakes))
        })
        .collect();
    all.sort_by_key(|(key, _)| key.place);
    Value::Map(all)
}

fn node(spanned: &Spanned<DeValue<'_>>, lines: &Lines<'_>, mistakes: &mut Vec<Mistake>) -> Node {
    let place = lines.place(&spanned.span());
    let value = match spanned.get_ref() {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Integer(number) => match i128::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) => Value::Integer(number),
            Err(_) => refuse(place, "no number here can be so large", mistakes),
        },
        DeValue::Float(number) => match number.as_str().parse::<f64>() {
            Ok(number) if number.is_finite() => Value::Float(number),
            _ => refuse(place, "a number here is finite", mistakes),
        },
        DeValue::Boolean(value) => Value::Bool(*value),
        DeValue::Datetime(time) => Value::Text(time.to_string()),
        DeValue::Array(items) => Value::List(
            items
                .iter()
                .map(|item| node(item, lines, mistakes))
                .collect(),
        ),
        DeValue::Table(table) => fields(table, lines, mistakes),
    };
    Node { place, value }
}

fn refuse(place: Place, reason: &str, mistakes: &mut Vec<Mistake>) -> Value {
    mistakes.push(Mistake::new(place, reason));
    Value::Null
}
