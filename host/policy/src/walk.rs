//! Going through a document and keeping all that is wrong with it.

use std::path::PathBuf;
use std::sync::Arc;

use serde::de::DeserializeOwned;

use crate::capability::Fault;
use crate::error::Mistake;
use crate::node::{Node, Place, Value};
use crate::origin::Origin;

/// What was found wrong so far.
#[derive(Debug, Default)]
pub(crate) struct Walk {
    mistakes: Vec<Mistake>,
}

/// Where the parts of one rule or profile come from.
#[derive(Debug, Clone)]
pub(crate) struct Site {
    pub(crate) rule: Arc<str>,
    pub(crate) file: Option<Arc<PathBuf>>,
}

impl Site {
    pub(crate) fn origin(&self, place: Place) -> Origin {
        Origin {
            rule: self.rule.clone(),
            file: self.file.clone(),
            line: if self.file.is_some() { place.line } else { 0 },
        }
    }
}

impl Walk {
    pub(crate) fn mistake(&mut self, place: Place, reason: impl Into<String>) {
        self.mistakes.push(Mistake::new(place, reason));
    }

    /// A fault inside a node, at the place its pointer names.
    pub(crate) fn fault(&mut self, node: &Node, fault: Fault) {
        self.mistake(node.at(&fault.pointer).place, fault.reason);
    }

    pub(crate) fn read<T: DeserializeOwned>(&mut self, node: &Node) -> Option<T> {
        node.read()
            .map_err(|(place, reason)| self.mistake(place, reason))
            .ok()
    }

    pub(crate) fn list<'n>(&mut self, node: &'n Node) -> &'n [Node] {
        if let Value::List(items) = &node.value {
            return items;
        }
        let kind = node.kind();
        self.mistake(node.place, format!("expected a list, found {kind}"));
        &[]
    }

    pub(crate) fn finish(self) -> Vec<Mistake> {
        self.mistakes
    }

    pub(crate) fn is_clean(&self) -> bool {
        self.mistakes.is_empty()
    }
}

impl Node {
    /// The value of a key, when this is a map that has it.
    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        match &self.value {
            Value::Map(fields) => fields
                .iter()
                .find(|(own, _)| own.text == key)
                .map(|(_, node)| node),
            _ => None,
        }
    }

    /// Keys and values, when this is a map.
    pub(crate) fn fields(&self) -> &[(crate::node::Key, Node)] {
        match &self.value {
            Value::Map(fields) => fields,
            _ => &[],
        }
    }
}
