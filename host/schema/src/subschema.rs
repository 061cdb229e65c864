//! Whether every value that fits one schema fits another.
//!
//! An answer of "yes" is a proof; "no" means that no proof was found, and names where it was missed.
//! The question is taken apart: the schema on the left becomes a list of `Shape`s, each a
//! conjunction without alternatives, and each keyword on the right has to hold for each of them.
//! Whatever is too hard on the left is left out there, which makes the left side larger and the
//! answer more careful; whatever is too hard on the right is a "no".
//!
//! Schemas that name themselves are compared by assuming, inside a member or an item, what is being
//! proved of the whole: values are finite, so that this is induction on their size. All work is counted.

mod empty;
mod exact;
mod groups;
mod items;
mod members;
mod numbers;
mod rules;
mod shape;

use cofferdam_types::Payload;

use crate::bounds::Bounds;
use crate::graph::{Graph, Id, Node};
use crate::measure;
use exact::Exact;
use shape::{Conjunction, Shape};

/// Most questions that one comparison may ask. Real schemas take some hundred.
const WORK_MAX: usize = 50_000;
/// Deepest level of values that is looked into, that of any JSON the host takes.
const LEVELS_MAX: usize = 64;
/// Most questions that may stand in each other: each is some kilobytes of a thread's stack.
const DEPTH_MAX: usize = 256;
/// Most reasons of one answer.
const REASONS_MAX: usize = 32;

/// What a value that fits the left schema may break on the right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// A member is required that need not be there.
    Required,
    /// A type is not allowed.
    Type,
    /// A value is not among those that are listed.
    Values,
    /// A bound of a number, a length or a count is tighter.
    Bound,
    /// A member is not allowed.
    Property,
    /// A pattern, a format or another rule is not known to hold.
    Rule,
    /// None of the alternatives is known to hold.
    Alternatives,
    /// It could not be decided.
    Undecided,
}

/// Why one schema is not known to be part of another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// What may be broken.
    pub kind: Kind,
    /// Where in the value: a pointer in which `*` stands for any member or item.
    pub value: String,
    /// The pointer to the place in the left schema.
    pub sub: String,
    /// The pointer to the keyword in the right schema that may be broken.
    pub sup: String,
    /// What the right schema asks for.
    pub asks: String,
}

/// Decides whether every value that fits `sub` fits `sup`, as [`crate::Schema`] decides what fits. Both are
/// schemas that it compiles.
///
/// **Errors**: each place for which that could not be shown.
pub fn is_subschema(sub: &Payload, sup: &Payload) -> Result<(), Vec<Reason>> {
    if sub == sup {
        return Ok(());
    }
    let graphs = [read(sub)?, read(sup)?];
    let mut checker = Checker {
        exact: Exact::new(&graphs),
        graphs: &graphs,
        assumed: Vec::new(),
        path: Vec::new(),
        reasons: Vec::new(),
        work: WORK_MAX,
        depth: 0,
        is_excluding: false,
    };
    let left = Conjunction::of([At::root(Side::Sub)]);
    if checker.is_within(&left, At::root(Side::Sup)) {
        return Ok(());
    }
    let mut reasons = checker.reasons;
    reasons.dedup();
    Err(reasons)
}

/// A schema whose figures are within bounds, so that reading it ends.
fn read(schema: &Payload) -> Result<Graph<'_>, Vec<Reason>> {
    let graph = Graph::read(schema.as_value());
    let checked = graph.and_then(|graph| measure::check(&graph, &Bounds::DERIVED).map(|_| graph));
    checked.map_err(|fault| {
        vec![Reason {
            kind: Kind::Undecided,
            value: String::new(),
            sub: fault.pointer.clone(),
            sup: fault.pointer,
            asks: fault.reason,
        }]
    })
}

/// Which of the two documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Side {
    Sub,
    Sup,
}

/// A schema in one of the two documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct At {
    side: Side,
    id: Id,
}

impl At {
    fn root(side: Side) -> Self {
        Self {
            side,
            id: Graph::root(),
        }
    }

    /// Another schema of the same document.
    fn to(self, id: Id) -> Self {
        Self { id, ..self }
    }
}

/// What is being proved, or was proved under what is being proved.
struct Assumed {
    left: Conjunction,
    right: At,
    /// How deep inside the value it was asked.
    level: usize,
    is_proved: bool,
}

struct Checker<'g, 'a> {
    graphs: &'g [Graph<'a>; 2],
    exact: Exact,
    assumed: Vec<Assumed>,
    path: Vec<String>,
    reasons: Vec<Reason>,
    work: usize,
    /// Questions that stand in each other.
    depth: usize,
    /// True while it is asked whether a shape lies in what it mustn't fit: within that question it isn't
    /// asked again, for each order of several such schemas would be another way to ask.
    is_excluding: bool,
}

impl<'g, 'a> Checker<'g, 'a> {
    fn node(&self, at: At) -> &'g Node<'a> {
        self.graphs[at.side as usize].node(at.id)
    }

    /// Takes a step of work; false when none is left.
    fn spend(&mut self) -> bool {
        self.work = self.work.saturating_sub(1);
        self.work > 0
    }

    /// True when every value that fits `left` fits the schema at `right`.
    fn is_within(&mut self, left: &Conjunction, right: At) -> bool {
        if self.is_anything(right) || left.nodes.contains(&right) {
            return true;
        }
        let level = self.path.len();
        let known = self.assumed.iter();
        let mut known = known.filter(|it| it.right == right && it.left == *left);
        // What is still being proved may be assumed of a part of the value alone. What was proved may
        // rest on such an assumption, and is not used further out than where it was proved.
        if known.any(|it| it.level < level || (it.is_proved && it.level == level)) {
            return true;
        }
        if !self.spend() || level > LEVELS_MAX {
            let asks = "a schema that is simpler to compare".to_owned();
            return self.fail(left, right, "", Kind::Undecided, asks);
        }
        if self.node(right).value == &serde_json::Value::Bool(false) {
            let asks = "nothing here".to_owned();
            return self.has_none(left) || self.fail(left, right, "", Kind::Property, asks);
        }
        let mark = self.assumed.len();
        let mut known = self.assumed.iter();
        let is_circular = known.any(|it| !it.is_proved && it.right == right && it.left == *left);
        if is_circular {
            return self.fail(left, right, "", Kind::Undecided, "itself".to_owned());
        }
        self.assumed.push(Assumed {
            left: left.clone(),
            right,
            level,
            is_proved: false,
        });
        let shapes = self.shapes(left);
        let holds = self.deeper(|it| {
            let within = shapes.iter().map(|shape| it.is_shape_within(shape, right));
            within.fold(true, |all, one| all & one)
        });
        let holds = holds.unwrap_or_else(|| {
            let asks = "a schema that nests less to compare".to_owned();
            self.fail(left, right, "", Kind::Undecided, asks)
        });
        if holds {
            self.assumed[mark].is_proved = true;
        } else {
            // What was proved meanwhile may rest on what turned out not to hold.
            self.assumed.truncate(mark);
        }
        holds
    }

    /// The same about a shape, taken apart by types where its values are not listed.
    fn is_shape_within(&mut self, shape: &Shape<'a>, right: At) -> bool {
        if shape.values.is_some() {
            return self.are_values_within(shape, right);
        }
        let mut holds = true;
        for one in shape.by_type() {
            if one.values.is_some() {
                holds &= self.are_values_within(&one, right);
            } else if !self.is_empty(&one) {
                holds &= self.keeps(&one, right);
            }
        }
        holds
    }

    /// The answer to a question inside another; nothing when too many stand in each other.
    fn deeper(&mut self, question: impl FnOnce(&mut Self) -> bool) -> Option<bool> {
        if self.depth >= DEPTH_MAX {
            return None;
        }
        self.depth += 1;
        let answer = question(self);
        self.depth -= 1;
        Some(answer)
    }

    /// Whether it is, without leaving reasons.
    fn probe(&mut self, question: impl FnOnce(&mut Self) -> bool) -> bool {
        let mark = self.reasons.len();
        let holds = question(self);
        self.reasons.truncate(mark);
        holds
    }

    /// Goes into a member or an item.
    fn inside(&mut self, token: &str, question: impl FnOnce(&mut Self) -> bool) -> bool {
        self.path.push(crate::graph::escape(token));
        let holds = question(self);
        self.path.pop();
        holds
    }

    /// Notes that a keyword on the right is not known to hold. Always false.
    fn fail(
        &mut self,
        left: &Conjunction,
        right: At,
        keyword: &str,
        kind: Kind,
        asks: String,
    ) -> bool {
        if self.reasons.len() < REASONS_MAX {
            let place = |at: &At| self.node(*at).pointer.clone();
            let slash = if keyword.is_empty() { "" } else { "/" };
            let right = format!("{}{slash}{keyword}", place(&right));
            let left = left.nodes.first().map(place).unwrap_or_default();
            let mut value = String::new();
            for token in &self.path {
                value.push('/');
                value.push_str(token);
            }
            self.reasons.push(Reason {
                kind,
                value,
                sub: left,
                sup: right,
                asks,
            });
        }
        false
    }

    /// True for a schema that says nothing.
    fn is_anything(&self, at: At) -> bool {
        let node = self.node(at);
        match node.value {
            serde_json::Value::Bool(value) => *value,
            serde_json::Value::Object(keywords) => {
                keywords.keys().all(|keyword| rules::is_silent(keyword))
            }
            _ => false,
        }
    }
}
