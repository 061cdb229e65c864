//! What checking one value against a schema may cost, and how deep the values are that it describes.

use std::collections::BTreeSet;

use cofferdam_types::failure::Fault;
use serde_json::Value;

use crate::bounds::Bounds;
use crate::graph::{Graph, Id};
use crate::keywords::{Step, holds};

/// Most places of a schema once every reference is written out: what checking one value against it
/// may cost. Without this bound a chain of definitions that each name the next one twice is a few
/// kilobytes long and takes years.
const EXPANDED_MAX: u64 = 50_000;
/// Longest way through schemas, references written out: each step is a level of recursion when a
/// value is checked.
const PATH_MAX: usize = 256;
/// Longest way through schemas that see the same value. A schema that names itself is entered again
/// at each level of a value, of which there may be 64: together they have to fit on a thread's stack.
const SAME_MAX: usize = 32;

/// The figures of a schema within its bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Measures {
    /// Places with references written out; a reference back to where it stands counts as 1.
    pub(crate) expanded: u64,
    /// Places as they are written.
    pub(crate) written: u64,
    /// True when it names itself.
    pub(crate) is_recursive: bool,
}

/// Measures a schema against its bounds.
pub(crate) fn check(graph: &Graph<'_>, bounds: &Bounds) -> Result<Measures, Fault> {
    Chains::check(graph)?;
    let mut walk = Walk::new(graph);
    let whole = walk.of(Graph::root(), 0)?;
    let fault = |reason: String| Fault {
        pointer: String::new(),
        reason,
    };
    if whole.expanded > EXPANDED_MAX {
        return Err(fault(format!(
            "the schema has more than {EXPANDED_MAX} places with its references written out"
        )));
    }
    if let Some(max) = bounds.depth_max
        && (walk.is_recursive || whole.depth > max)
    {
        let why = if walk.is_recursive {
            "; it names itself, so its values have no greatest depth"
        } else {
            ""
        };
        return Err(fault(format!(
            "the schema describes values deeper than {max}{why}"
        )));
    }
    if let Some(max) = bounds.parameters_max {
        let count = parameters(graph).len();
        if count > max {
            return Err(Fault {
                pointer: "/properties".to_owned(),
                reason: format!("{count} parameters, at most {max}"),
            });
        }
    }
    let written = graph.ids().map(|id| own(graph, id)).sum();
    Ok(Measures {
        expanded: whole.expanded,
        written,
        is_recursive: walk.is_recursive,
    })
}

/// The places that a schema has itself: 1 and what its other keywords hold, such as the values of `enum`.
pub(crate) fn own(graph: &Graph<'_>, id: Id) -> u64 {
    let keywords = graph.node(id).keywords().into_iter().flatten();
    let others = keywords.filter(|(keyword, _)| holds(keyword).is_none());
    1 + others.map(|(_, value)| places(value)).sum::<u64>()
}

fn places(value: &Value) -> u64 {
    1 + match value {
        Value::Array(items) => items.iter().map(places).sum(),
        Value::Object(fields) => fields.values().map(places).sum(),
        _ => 0,
    }
}

/// The names of the parameters, wherever a schema of the whole value says them.
fn parameters<'a>(graph: &Graph<'a>) -> BTreeSet<&'a str> {
    let mut names = BTreeSet::new();
    let mut seen = BTreeSet::new();
    let mut pending = vec![Graph::root()];
    while let Some(id) = pending.pop() {
        if !seen.insert(id) {
            continue;
        }
        let node = graph.node(id);
        names.extend(node.named("properties").map(|(name, _)| name));
        let same = node.applied().filter(|(_, step)| *step == Step::Same);
        pending.extend(same.map(|(id, _)| id));
    }
    names
}

/// What is below a place, references written out.
#[derive(Debug, Clone, Copy)]
struct Whole {
    expanded: u64,
    /// Levels of the values it describes; 1 for one without a schema of what is inside.
    depth: usize,
    /// Longest way down.
    path: usize,
}

/// Measures everything below a place. A place that is met again below itself counts as 1.
struct Walk<'g, 'a> {
    graph: &'g Graph<'a>,
    known: Vec<Option<Whole>>,
    open: Vec<bool>,
    is_recursive: bool,
}

impl<'g, 'a> Walk<'g, 'a> {
    fn new(graph: &'g Graph<'a>) -> Self {
        Self {
            graph,
            known: vec![None; graph.len()],
            open: vec![false; graph.len()],
            is_recursive: false,
        }
    }

    /// Measures the place `id`, which is `path` schemas below the root.
    fn of(&mut self, id: Id, path: usize) -> Result<Whole, Fault> {
        if self.open[id.0] {
            self.is_recursive = true;
            return Ok(Whole {
                expanded: 1,
                depth: 1,
                path: 1,
            });
        }
        let whole = match self.known[id.0] {
            Some(known) => known,
            None if path >= PATH_MAX => return Err(too_long(self.graph, id, PATH_MAX)),
            None => {
                self.open[id.0] = true;
                let whole = self.sum(id, path)?;
                self.open[id.0] = false;
                self.known[id.0] = Some(whole);
                whole
            }
        };
        if path + whole.path > PATH_MAX {
            return Err(too_long(self.graph, id, PATH_MAX));
        }
        Ok(whole)
    }

    fn sum(&mut self, id: Id, path: usize) -> Result<Whole, Fault> {
        let mut sum = Whole {
            expanded: own(self.graph, id),
            depth: 1,
            path: 1,
        };
        for (id, step) in self.graph.node(id).applied() {
            let whole = self.of(id, path + 1)?;
            sum.expanded = sum.expanded.saturating_add(whole.expanded);
            sum.path = sum.path.max(whole.path + 1);
            match step {
                Step::Same => sum.depth = sum.depth.max(whole.depth),
                // A name is no level of the value.
                Step::Names => {}
                _ => sum.depth = sum.depth.max(whole.depth + 1),
            }
        }
        Ok(sum)
    }
}

/// Longest way from each place through schemas that see the same value. It must not lead back: such
/// a schema says nothing, and to check a value against it doesn't end.
struct Chains<'g, 'a> {
    graph: &'g Graph<'a>,
    known: Vec<Option<usize>>,
    open: Vec<bool>,
}

impl<'g, 'a> Chains<'g, 'a> {
    fn check(graph: &'g Graph<'a>) -> Result<(), Fault> {
        let mut chains = Self {
            graph,
            known: vec![None; graph.len()],
            open: vec![false; graph.len()],
        };
        graph.ids().try_for_each(|id| chains.of(id, 0).map(drop))
    }

    fn of(&mut self, id: Id, above: usize) -> Result<usize, Fault> {
        if self.open[id.0] {
            return Err(Fault {
                pointer: self.graph.node(id).pointer.clone(),
                reason: "it leads back to itself without a step into the value".to_owned(),
            });
        }
        let length = match self.known[id.0] {
            Some(known) => known,
            None if above > SAME_MAX => {
                return Err(too_long(self.graph, id, SAME_MAX));
            }
            None => {
                self.open[id.0] = true;
                let mut length = 1;
                for (below, step) in self.graph.node(id).applied() {
                    if step == Step::Same {
                        length = length.max(1 + self.of(below, above + 1)?);
                    }
                }
                self.open[id.0] = false;
                self.known[id.0] = Some(length);
                length
            }
        };
        if length > SAME_MAX {
            return Err(too_long(self.graph, id, SAME_MAX));
        }
        Ok(length)
    }
}

fn too_long(graph: &Graph<'_>, id: Id, max: usize) -> Fault {
    Fault {
        pointer: graph.node(id).pointer.clone(),
        reason: format!("more than {max} schemas stand in each other"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check_written(schema: &Value, reason: Option<&str>) {
        let graph = Graph::read(schema).expect("a schema");
        let fault = check(&graph, &Bounds::WRITTEN_ARGUMENTS).err();
        let found = fault.map(|fault| fault.reason);
        let is_expected = match (reason, &found) {
            (None, found) => found.is_none(),
            (Some(reason), found) => found.as_ref().is_some_and(|it| it.contains(reason)),
        };
        assert!(is_expected, "{schema}: {found:?}");
        assert!(check(&graph, &Bounds::DERIVED).is_ok(), "{schema}");
    }

    fn nested(levels: usize, wrap: impl Fn(Value) -> Value) -> Value {
        (0..levels).fold(json!({"type": "string"}), |inner, _| wrap(inner))
    }

    #[test]
    fn levels_are_counted_through_references_and_alternatives() {
        let too_deep = Some("deeper than 5");
        let member = |inner| json!({"properties": {"a": inner}});
        check_written(&nested(4, member), None);
        check_written(&nested(5, member), too_deep);
        check_written(&nested(4, |inner| json!({"items": inner})), None);
        check_written(
            &nested(5, |inner| json!({"prefixItems": [true, inner]})),
            too_deep,
        );
        check_written(
            &nested(4, |inner| json!({"anyOf": [{"allOf": [{"items": inner}]}]})),
            None,
        );
        check_written(
            &nested(5, |inner| json!({"anyOf": [{"allOf": [{"items": inner}]}]})),
            too_deep,
        );
        let defs = json!({
            "a": {"items": {"$ref": "#/$defs/b"}}, "b": {"items": {"$ref": "#/$defs/c"}},
            "c": {"items": {"items": true}},
        });
        check_written(&json!({"$defs": defs, "$ref": "#/$defs/a"}), None);
        check_written(
            &json!({"$defs": defs, "items": {"$ref": "#/$defs/a"}}),
            too_deep,
        );
        check_written(
            &json!({"$defs": defs, "propertyNames": {"$ref": "#/$defs/a"}}),
            None,
        );
        check_written(&json!({"items": {"$ref": "#"}}), Some("names itself"));
    }

    #[test]
    fn parameters_are_counted_wherever_they_are_named() {
        let named = |names: std::ops::Range<usize>| {
            let names = names.map(|n| (format!("p{n}"), json!({"properties": {"inner": {}}})));
            Value::Object(names.collect())
        };
        let too_many = Some("17 parameters, at most 16");
        check_written(&json!({"properties": named(0..16)}), None);
        check_written(&json!({"properties": named(0..17)}), too_many);
        check_written(
            &json!({"properties": named(0..9), "allOf": [{"properties": named(8..17)}]}),
            too_many,
        );
        check_written(
            &json!({"properties": named(0..9), "anyOf": [{"properties": named(0..9)}]}),
            None,
        );
        let defs = json!({"a": {"properties": named(0..17)}});
        check_written(&json!({"$defs": defs}), None);
        check_written(&json!({"$defs": defs, "$ref": "#/$defs/a"}), too_many);
        let graph = json!({"properties": named(0..17)});
        let graph = Graph::read(&graph).expect("a schema");
        assert!(check(&graph, &Bounds::WRITTEN_RESULT).is_ok());
    }
}
