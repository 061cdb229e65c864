//! The left side of a comparison: a schema as a list of conjunctions without alternatives.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{At, Checker};

/// Most shapes that one schema is written out to; alternatives past it are left out.
const SHAPES_MAX: usize = 128;

/// Schemas that all hold, and ones that don't.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Conjunction {
    /// What it may be.
    pub(super) types: Types,
    /// Schemas among `nodes` one of whose alternatives is among them too.
    decided: Vec<At>,
    /// They hold.
    pub(super) nodes: Vec<At>,
    /// They don't.
    pub(super) nots: Vec<At>,
    /// Members that are there.
    pub(super) present: BTreeSet<String>,
}

impl Conjunction {
    pub(super) fn of(nodes: impl IntoIterator<Item = At>) -> Self {
        let mut all = Self {
            types: Types::ALL,
            decided: Vec::new(),
            nodes: Vec::new(),
            nots: Vec::new(),
            present: BTreeSet::new(),
        };
        for node in nodes {
            all.add(node);
        }
        all
    }

    pub(super) fn add(&mut self, node: At) {
        if !self.nodes.contains(&node) {
            self.nodes.push(node);
        }
    }

    fn exclude(&mut self, node: At) {
        if !self.nots.contains(&node) {
            self.nots.push(node);
        }
    }

    pub(super) fn with(&self, node: At) -> Self {
        let mut more = self.clone();
        more.add(node);
        more
    }

    pub(super) fn without(&self, node: At) -> Self {
        let mut more = self.clone();
        more.exclude(node);
        more
    }

    pub(super) fn having(&self, member: &str) -> Self {
        let mut more = self.clone();
        more.present.insert(member.to_owned());
        more
    }
}

/// A type of values; whole numbers and others are two, because a schema can tell them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Type {
    Null = 1,
    Boolean = 2,
    Whole = 4,
    Fraction = 8,
    Text = 16,
    Array = 32,
    Object = 64,
}

impl Type {
    pub(super) const ALL: [Self; 7] = [
        Self::Null,
        Self::Boolean,
        Self::Whole,
        Self::Fraction,
        Self::Text,
        Self::Array,
        Self::Object,
    ];

    /// The set of it alone.
    pub(super) fn alone(self) -> Types {
        Types(self as u8)
    }

    fn of(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(_) => Self::Boolean,
            Value::Number(number) if number.as_f64().is_some_and(|float| float.fract() != 0.0) => {
                Self::Fraction
            }
            Value::Number(_) => Self::Whole,
            Value::String(_) => Self::Text,
            Value::Array(_) => Self::Array,
            Value::Object(_) => Self::Object,
        }
    }

    /// Its name in a schema.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean => "boolean",
            Self::Whole => "integer",
            Self::Fraction => "number",
            Self::Text => "string",
            Self::Array => "array",
            Self::Object => "object",
        }
    }
}

/// A set of types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Types(u8);

impl Types {
    pub(super) const ALL: Self = Self(127);

    pub(super) fn has(self, one: Type) -> bool {
        self.0 & one as u8 != 0
    }

    /// True when `value` is of one of them.
    pub(super) fn has_value(self, value: &Value) -> bool {
        self.has(Type::of(value))
    }

    /// What the keyword `type` allows.
    pub(super) fn of(keyword: &Value) -> Self {
        let names: Vec<&str> = match keyword {
            Value::String(name) => vec![name],
            Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
            _ => return Self::ALL,
        };
        let bits = names.into_iter().map(|name| match name {
            "number" => Type::Whole as u8 | Type::Fraction as u8,
            name => Type::ALL
                .iter()
                .find(|one| one.word() == name)
                .map_or(0, |one| *one as u8),
        });
        Self(bits.fold(0, |all, bits| all | bits))
    }

    fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

/// A conjunction whose alternatives are decided.
#[derive(Debug, Clone)]
pub(super) struct Shape<'a> {
    /// Every schema that holds. References, `allOf` and what was chosen of alternatives are among them,
    /// so that only their other keywords count.
    pub(super) all: Conjunction,
    /// Every value it may have, and perhaps others, where they are listed.
    pub(super) values: Option<Vec<&'a Value>>,
}

static TRUE: Value = Value::Bool(true);
static FALSE: Value = Value::Bool(false);
static NULL: Value = Value::Null;

impl Shape<'_> {
    /// True when values of this type are among its own.
    pub(super) fn is(&self, one: Type) -> bool {
        self.all.types.has(one)
    }

    /// The shapes of its single types.
    pub(super) fn by_type(&self) -> Vec<Self> {
        let types = Type::ALL.iter().filter(|one| self.is(**one));
        types
            .map(|one| Self {
                all: Conjunction {
                    types: Types(*one as u8),
                    ..self.all.clone()
                },
                values: match one {
                    Type::Null => Some(vec![&NULL]),
                    Type::Boolean => Some(vec![&TRUE, &FALSE]),
                    _ => None,
                },
            })
            .collect()
    }
}

impl<'a> Checker<'_, 'a> {
    /// Shapes that together have every value that fits `all`.
    pub(super) fn shapes(&mut self, all: &Conjunction) -> Vec<Shape<'a>> {
        let mut open = vec![(
            Shape {
                all: Conjunction {
                    nodes: Vec::new(),
                    ..all.clone()
                },
                values: None,
            },
            all.nodes.clone(),
        )];
        let mut shapes = Vec::new();
        while let Some((mut shape, mut pending)) = open.pop() {
            let Some(at) = pending.pop() else {
                let is_contrary = |at| shape.all.nots.contains(at);
                if !shape.all.nodes.iter().any(is_contrary) {
                    shapes.push(shape);
                }
                continue;
            };
            if shape.all.nodes.contains(&at) {
                open.push((shape, pending));
                continue;
            }
            let node = self.node(at);
            if node.value == &FALSE {
                continue;
            }
            shape.all.nodes.push(at);
            self.narrow(&mut shape, at);
            if shape.all.types == Types(0) {
                continue;
            }
            let more = node.list("allOf").iter().copied().chain(node.target);
            pending.extend(more.map(|id| at.to(id)));
            if let Some(id) = node.one("not") {
                shape.all.exclude(at.to(id));
            }
            let room = SHAPES_MAX.saturating_sub(open.len() + shapes.len());
            open.extend(self.alternatives(shape, pending, at, room));
        }
        shapes
    }

    /// Takes from a shape what a schema's `type`, `enum` and `const` don't allow.
    fn narrow(&self, shape: &mut Shape<'a>, at: At) {
        let node = self.node(at);
        if let Some(types) = node.keyword("type") {
            shape.all.types = shape.all.types.and(Types::of(types));
        }
        let listed = match (node.keyword("const"), node.keyword("enum")) {
            (Some(value), _) => Some(vec![value]),
            (None, Some(Value::Array(values))) => Some(values.iter().collect()),
            _ => None,
        };
        if let Some(listed) = listed
            && shape
                .values
                .as_ref()
                .is_none_or(|known| known.len() > listed.len())
        {
            shape.values = Some(listed);
        }
    }

    /// The shape once for each choice of the alternatives at `at`. Those for which there is no room
    /// are left out, which makes the shape larger.
    fn alternatives(
        &self,
        shape: Shape<'a>,
        pending: Vec<At>,
        at: At,
        room: usize,
    ) -> Vec<(Shape<'a>, Vec<At>)> {
        let node = self.node(at);
        if shape.all.decided.contains(&at) {
            return vec![(shape, pending)];
        }
        let mut shape = shape;
        shape.all.decided.push(at);
        let mut choices = vec![(shape, pending)];
        for keyword in ["anyOf", "oneOf"] {
            let ids = node.list(keyword);
            if ids.is_empty() || ids.len() * choices.len() > room {
                continue;
            }
            let mut more = Vec::new();
            for (shape, pending) in &choices {
                for id in ids {
                    let (mut shape, mut pending) = (shape.clone(), pending.clone());
                    pending.push(at.to(*id));
                    if keyword == "oneOf" {
                        let others = ids.iter().filter(|other| *other != id);
                        others.for_each(|other| shape.all.exclude(at.to(*other)));
                    }
                    more.push((shape, pending));
                }
            }
            choices = more;
        }
        if let Some(condition) = node.one("if")
            && choices.len() * 2 <= room
        {
            let mut more = Vec::new();
            for (shape, pending) in choices {
                let (mut no, mut otherwise) = (shape.clone(), pending.clone());
                no.all.exclude(at.to(condition));
                otherwise.extend(node.one("else").map(|id| at.to(id)));
                let mut so = pending;
                so.push(at.to(condition));
                so.extend(node.one("then").map(|id| at.to(id)));
                more.push((no, otherwise));
                more.push((shape, so));
            }
            choices = more;
        }
        choices
    }
}
