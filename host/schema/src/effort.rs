//! What checking a given value against a given schema takes, counted before it is done.
//!
//! The validator remembers, while it decides whether a value fits, what it found out about a part of
//! it, so that a decision takes at most each place of the schema at each part of the value. Telling
//! every fault has no such memory: a schema that names itself twice on one way is entered twice at
//! each level, and a value of twelve levels takes half a minute.

use std::collections::HashMap;

use serde_json::Value;

use crate::graph::{Graph, Id};
use crate::keywords::{Step, step};
use crate::measure::{Measures, own};

/// Most steps of a decision. A step takes some ten nanoseconds.
pub(crate) const DECIDE_MAX: u64 = 20_000_000;
/// Most steps of telling every fault: each may leave an error of a kilobyte.
pub(crate) const TELL_MAX: u64 = 100_000;
/// Bytes of text that take as long as a step of another kind.
const TEXT_STEP_BYTES: u64 = 16;

/// A schema as far as it says what checking takes.
pub(crate) struct Effort {
    /// True when telling the first fault takes no more than deciding: no alternative leaves the errors
    /// of all others behind, and nothing is entered twice at each level.
    pub(crate) first_is_cheap: bool,
    measures: Measures,
    places: Vec<Place>,
}

/// What one schema applies, and to which part of the value.
#[derive(Default)]
struct Place {
    own: u64,
    same: Vec<Id>,
    member: HashMap<String, Vec<Id>>,
    members: Vec<Id>,
    names: Vec<Id>,
    positions: Vec<Id>,
    items: Vec<Id>,
}

impl Effort {
    pub(crate) fn of(graph: &Graph<'_>, measures: Measures) -> Self {
        let is_alternative = |keyword: &str| matches!(keyword, "anyOf" | "oneOf");
        let has_alternatives = graph.ids().any(|id| {
            let below = &graph.node(id).below;
            below.iter().any(|(keyword, _)| is_alternative(keyword))
        });
        Self {
            first_is_cheap: !measures.is_recursive && !has_alternatives,
            measures,
            places: graph.ids().map(|id| Place::of(graph, id)).collect(),
        }
    }

    /// True when whether `value` fits can be decided in [`DECIDE_MAX`] steps.
    pub(crate) fn can_decide(&self, value: &Value) -> bool {
        let places = if self.measures.is_recursive {
            self.measures.written
        } else {
            self.measures.expanded
        };
        let mut left = DECIDE_MAX / places.max(1);
        spend(value, &mut left) || self.is_within(value, DECIDE_MAX)
    }

    /// True when every fault of `value` can be told in [`TELL_MAX`] steps.
    pub(crate) fn can_tell(&self, value: &Value) -> bool {
        self.is_within(value, TELL_MAX)
    }

    fn is_within(&self, value: &Value, max: u64) -> bool {
        let mut left = max;
        self.walk(Graph::root(), value, &mut left).is_some()
    }

    /// Takes the steps of checking `value` against a place from `left`; nothing when they don't suffice.
    fn walk(&self, id: Id, value: &Value, left: &mut u64) -> Option<()> {
        let place = &self.places[id.0];
        *left = left.checked_sub(place.own.saturating_mul(weight(value)))?;
        for id in &place.same {
            self.walk(*id, value, left)?;
        }
        match value {
            Value::Object(fields) => {
                for (name, field) in fields {
                    let named = place.member.get(name).into_iter().flatten();
                    for id in named.chain(&place.members) {
                        self.walk(*id, field, left)?;
                    }
                    for id in &place.names {
                        // Names are counted without looking into them: one is no larger than a step.
                        *left = left.checked_sub(self.places[id.0].own)?;
                    }
                }
            }
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    let position = place.positions.get(index);
                    for id in position.into_iter().chain(&place.items) {
                        self.walk(*id, item, left)?;
                    }
                }
            }
            _ => {}
        }
        Some(())
    }
}

impl Place {
    fn of(graph: &Graph<'_>, id: Id) -> Self {
        let node = graph.node(id);
        let mut place = Self {
            own: own(graph, id),
            same: node.target.into_iter().collect(),
            ..Self::default()
        };
        for (keyword, below) in &node.below {
            match step(keyword) {
                Step::Same => place.same.extend(below.ids()),
                Step::Member => {
                    for (name, id) in node.named(keyword) {
                        place.member.entry(name.to_owned()).or_default().push(id);
                    }
                }
                Step::Members => place.members.extend(below.ids()),
                Step::Names => place.names.extend(below.ids()),
                Step::Position => place.positions.extend(below.ids()),
                Step::Items => place.items.extend(below.ids()),
                Step::Never => {}
            }
        }
        place
    }
}

/// Takes the weight of a value and of everything in it from `left`; false when that doesn't suffice.
fn spend(value: &Value, left: &mut u64) -> bool {
    let Some(rest) = left.checked_sub(weight(value)) else {
        return false;
    };
    *left = rest;
    match value {
        Value::Array(items) => items.iter().all(|item| spend(item, left)),
        Value::Object(fields) => fields.values().all(|field| spend(field, left)),
        _ => true,
    }
}

/// How many steps one keyword takes at this value.
fn weight(value: &Value) -> u64 {
    match value {
        Value::String(text) => 1 + text.len() as u64 / TEXT_STEP_BYTES,
        Value::Array(items) => 1 + items.len() as u64 / TEXT_STEP_BYTES,
        Value::Object(fields) => 1 + fields.len() as u64 / TEXT_STEP_BYTES,
        _ => 1,
    }
}
