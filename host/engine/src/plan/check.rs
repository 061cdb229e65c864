//! Broken places of a plan that its own form does not show: references to what can't be there.

use std::collections::HashSet;

use cofferdam_types::failure::Fault;
use cofferdam_types::plan::{Condition, Plan};
use serde_json::Value;

use super::reference::Reference;
use super::template::{EXPANDED_DEPTH_MAX, Form};

/// Deepest nesting of conditions: far beyond what people write, far below what a stack holds.
const CONDITION_DEPTH_MAX: usize = 32;
/// Most broken places that are told of at once: enough to mend a plan, short enough to read.
const FAULTS_MAX: usize = 100;

/// Every broken place of a plan, at most [`FAULTS_MAX`], as pointers into the plan.
pub(crate) fn faults(plan: &Plan) -> Vec<Fault> {
    let mut check = Check {
        earlier: HashSet::new(),
        all: plan.steps.iter().map(|step| step.name.as_str()).collect(),
        faults: plan.faults(),
    };
    for (index, step) in plan.steps.iter().enumerate() {
        let place = format!("/steps/{index}");
        if let Some(condition) = &step.when {
            check.condition(condition, format!("{place}/when"), 0);
        }
        check.template(step.arguments.as_value(), format!("{place}/arguments"), 0);
        check.earlier.insert(step.name.as_str());
    }
    if let Some(result) = &plan.result {
        check.template(result.as_value(), "/result".to_owned(), 0);
    }
    check.faults.truncate(FAULTS_MAX);
    check.faults
}

struct Check<'a> {
    /// The steps whose end is known where the check stands.
    earlier: HashSet<&'a str>,
    all: HashSet<&'a str>,
    faults: Vec<Fault>,
}

impl Check<'_> {
    fn template(&mut self, template: &Value, place: String, depth: usize) {
        if depth > EXPANDED_DEPTH_MAX {
            return self.fault(place, "nested deeper than 64");
        }
        let items: &[Value] = match template {
            Value::Array(items) => items,
            Value::Object(object) => match Form::of(object) {
                Form::From(pointer) => return self.reference(pointer, format!("{place}/$from")),
                Form::Text(parts) => {
                    return self.items(parts, &format!("{place}/$text"), depth + 1);
                }
                Form::Literal(_) => return,
                Form::Broken(reason) => return self.fault(place, reason),
                Form::Plain => {
                    for (key, value) in object {
                        let key = key.replace('~', "~0").replace('/', "~1");
                        self.template(value, format!("{place}/{key}"), depth + 1);
                    }
                    return;
                }
            },
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => return,
        };
        self.items(items, &place, depth + 1);
    }

    fn items(&mut self, items: &[Value], place: &str, depth: usize) {
        for (index, item) in items.iter().enumerate() {
            self.template(item, format!("{place}/{index}"), depth);
        }
    }

    fn condition(&mut self, condition: &Condition, place: String, depth: usize) {
        if depth > CONDITION_DEPTH_MAX {
            return self.fault(place, "conditions are nested deeper than 32");
        }
        match condition {
            Condition::Equals(left, right) => {
                self.template(left.as_value(), format!("{place}/equals/0"), 0);
                self.template(right.as_value(), format!("{place}/equals/1"), 0);
            }
            Condition::Greater(left, right) => {
                self.template(left.as_value(), format!("{place}/greater/0"), 0);
                self.template(right.as_value(), format!("{place}/greater/1"), 0);
            }
            Condition::Exists(pointer) => self.reference(pointer, format!("{place}/exists")),
            Condition::Not(inner) => self.condition(inner, format!("{place}/not"), depth + 1),
            Condition::All(inner) => {
                for (index, condition) in inner.iter().enumerate() {
                    self.condition(condition, format!("{place}/all/{index}"), depth + 1);
                }
            }
            Condition::Any(inner) => {
                for (index, condition) in inner.iter().enumerate() {
                    self.condition(condition, format!("{place}/any/{index}"), depth + 1);
                }
            }
        }
    }

    fn reference(&mut self, pointer: &str, place: String) {
        match Reference::parse(pointer) {
            Ok(Reference::Step { name, .. }) if !self.earlier.contains(name) => {
                let reason = if self.all.contains(name) {
                    format!("step `{name}` has not ended by then; refer to earlier steps only")
                } else {
                    format!("there is no step `{name}`")
                };
                self.fault(place, reason);
            }
            Ok(Reference::Step { .. } | Reference::Parameters { .. }) => {}
            Err(reason) => self.fault(place, reason),
        }
    }

    fn fault(&mut self, pointer: String, reason: impl Into<String>) {
        if self.faults.len() < FAULTS_MAX {
            self.faults.push(Fault {
                pointer,
                reason: reason.into(),
            });
        }
    }
}
