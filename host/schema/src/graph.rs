//! A schema as a graph: each place that is a schema, the schemas below it, and where its `$ref` leads.

use std::collections::{BTreeMap, HashMap};

use cofferdam_types::failure::Fault;
use serde_json::{Map, Value};

use crate::keywords::{self, Step};
use crate::references::{Base, Index};

/// The dialect that schemas are written in; one that names another is refused.
const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// A place of a schema that is a schema itself, by its position in the graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Id(pub(crate) usize);

/// All places of one document that are schemas; the first is the document.
#[derive(Debug)]
pub(crate) struct Graph<'a> {
    nodes: Vec<Node<'a>>,
}

/// One of them.
#[derive(Debug)]
pub(crate) struct Node<'a> {
    /// Where it stands in the document.
    pub(crate) pointer: String,
    /// What stands there.
    pub(crate) value: &'a Value,
    /// The schemas below, by keyword.
    pub(crate) below: Vec<(&'a str, Below<'a>)>,
    /// Where `$ref` leads.
    pub(crate) target: Option<Id>,
}

/// What a keyword holds.
#[derive(Debug)]
pub(crate) enum Below<'a> {
    /// A schema.
    One(Id),
    /// A list of schemas.
    List(Vec<Id>),
    /// Schemas by name or pattern.
    Named(BTreeMap<&'a str, Id>),
}

impl Below<'_> {
    /// Its schemas.
    pub(crate) fn ids(&self) -> Vec<Id> {
        match self {
            Self::One(id) => vec![*id],
            Self::List(ids) => ids.clone(),
            Self::Named(ids) => ids.values().copied().collect(),
        }
    }
}

impl<'a> Graph<'a> {
    /// Reads a document whose nesting is bounded.
    ///
    /// **Errors**: a reference that leads nowhere or out of the document, two places of one name, or
    /// another dialect.
    pub(crate) fn read(document: &'a Value) -> Result<Self, Fault> {
        let mut reader = Reader::default();
        reader.node(document, "", &Base::of_document())?;
        let Reader {
            mut nodes,
            index,
            references,
        } = reader;
        for (id, base, reference) in references {
            let target = index.find(&base, reference).map_err(|reason| Fault {
                pointer: format!("{}/$ref", nodes[id.0].pointer),
                reason,
            })?;
            nodes[id.0].target = Some(target);
        }
        Ok(Self { nodes })
    }

    /// The document.
    pub(crate) fn root() -> Id {
        Id(0)
    }

    /// How many places there are.
    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Every place, in the order in which they were found.
    pub(crate) fn ids(&self) -> impl Iterator<Item = Id> + use<> {
        (0..self.nodes.len()).map(Id)
    }

    pub(crate) fn node(&self, id: Id) -> &Node<'a> {
        &self.nodes[id.0]
    }
}

impl<'a> Node<'a> {
    /// Its keywords; a schema that is `true` or `false` has none.
    pub(crate) fn keywords(&self) -> Option<&'a Map<String, Value>> {
        self.value.as_object()
    }

    /// The value of a keyword.
    pub(crate) fn keyword(&self, keyword: &str) -> Option<&'a Value> {
        self.keywords()?.get(keyword)
    }

    fn find(&self, keyword: &str) -> Option<&Below<'a>> {
        let found = self.below.iter().find(|(known, _)| *known == keyword);
        found.map(|(_, below)| below)
    }

    /// The schema that a keyword holds.
    pub(crate) fn one(&self, keyword: &str) -> Option<Id> {
        match self.find(keyword)? {
            Below::One(id) => Some(*id),
            Below::List(_) | Below::Named(_) => None,
        }
    }

    /// The schemas of a keyword that holds a list.
    pub(crate) fn list(&self, keyword: &str) -> &[Id] {
        match self.find(keyword) {
            Some(Below::List(ids)) => ids,
            _ => &[],
        }
    }

    /// The schemas of a keyword that holds them by name.
    pub(crate) fn named(&self, keyword: &str) -> impl Iterator<Item = (&'a str, Id)> {
        let map = match self.find(keyword) {
            Some(Below::Named(map)) => Some(map),
            _ => None,
        };
        map.into_iter()
            .flat_map(|map| map.iter().map(|(name, id)| (*name, *id)))
    }

    /// The schemas that apply with this one, and how far each is from the value that this one sees.
    pub(crate) fn applied(&self) -> impl Iterator<Item = (Id, Step)> {
        let target = self.target.map(|id| (id, Step::Same));
        let below = self.below.iter().flat_map(|(keyword, below)| {
            let step = keywords::step(keyword);
            let ids = if step == Step::Never {
                Vec::new()
            } else {
                below.ids()
            };
            ids.into_iter().map(move |id| (id, step))
        });
        target.into_iter().chain(below)
    }
}

#[derive(Default)]
struct Reader<'a> {
    nodes: Vec<Node<'a>>,
    index: Index,
    references: Vec<(Id, Base, &'a str)>,
}

impl<'a> Reader<'a> {
    fn node(&mut self, value: &'a Value, pointer: &str, base: &Base) -> Result<Id, Fault> {
        let id = Id(self.nodes.len());
        self.index.place(pointer, id);
        self.nodes.push(Node {
            pointer: pointer.to_owned(),
            value,
            below: Vec::new(),
            target: None,
        });
        let Some(keywords) = value.as_object() else {
            return Ok(id);
        };
        let base = self.identify(id, keywords, pointer, base)?;
        let mut below = Vec::new();
        for (keyword, value) in keywords {
            let at = format!("{pointer}/{}", escape(keyword));
            match (keywords::holds(keyword), value) {
                (Some(keywords::Holds::One), _) => {
                    below.push((keyword.as_str(), Below::One(self.node(value, &at, &base)?)));
                }
                (Some(keywords::Holds::List), Value::Array(items)) => {
                    let items = items.iter().enumerate();
                    let ids =
                        items.map(|(index, item)| self.node(item, &format!("{at}/{index}"), &base));
                    below.push((keyword, Below::List(ids.collect::<Result<_, _>>()?)));
                }
                (Some(keywords::Holds::Named), Value::Object(map)) => {
                    // `dependencies` may hold names in place of a schema.
                    let map = map.iter().filter(|(_, value)| !value.is_array());
                    let ids = map.map(|(name, value)| {
                        let at = format!("{at}/{}", escape(name));
                        Ok((name.as_str(), self.node(value, &at, &base)?))
                    });
                    below.push((keyword, Below::Named(ids.collect::<Result<_, Fault>>()?)));
                }
                _ => {}
            }
        }
        self.nodes[id.0].below = below;
        Ok(id)
    }

    /// Notes the names of a place and its reference. Gives the base of what is below.
    fn identify(
        &mut self,
        id: Id,
        keywords: &'a Map<String, Value>,
        pointer: &str,
        base: &Base,
    ) -> Result<Base, Fault> {
        let fault = |keyword: &str, reason: String| Fault {
            pointer: format!("{pointer}/{keyword}"),
            reason,
        };
        let text = |keyword: &str| keywords.get(keyword).and_then(Value::as_str);
        for keyword in ["$dynamicRef", "$recursiveRef"] {
            if keywords.contains_key(keyword) {
                let reason = format!("`{keyword}` is not supported; use `$ref`");
                return Err(fault(keyword, reason));
            }
        }
        if let Some(dialect) = text("$schema")
            && dialect.trim_end_matches('#') != DIALECT
        {
            return Err(fault(
                "$schema",
                format!("schemas are written in {DIALECT}"),
            ));
        }
        let base = match text("$id") {
            Some(name) => base.join(name).map_err(|reason| fault("$id", reason))?,
            None => base.clone(),
        };
        if pointer.is_empty() || text("$id").is_some() {
            let added = self.index.resource(&base, pointer);
            added.map_err(|reason| fault("$id", reason))?;
        }
        for keyword in ["$anchor", "$dynamicAnchor"] {
            if let Some(name) = text(keyword) {
                let added = self.index.anchor(&base, name, id);
                added.map_err(|reason| fault(keyword, reason))?;
            }
        }
        if let Some(reference) = text("$ref") {
            self.references.push((id, base.clone(), reference));
        }
        Ok(base)
    }
}

/// A name as a token of a JSON pointer, RFC 6901.
pub(crate) fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// The number of a document's places by pointer.
pub(crate) type Pointers = HashMap<String, Id>;
