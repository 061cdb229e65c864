//! Questions that the validator itself answers: does this value fit that schema, does this name match
//! that pattern.

use std::collections::HashMap;

use jsonschema::Validator;
use serde_json::{Value, json};

use super::At;
use crate::graph::Graph;
use crate::schema::options;

/// What a document is called while a place in it is asked about.
const NAME: &str = "urn:cofferdam:compared";
/// Most validators that one comparison may build: each reads the whole document.
const VALIDATORS_MAX: usize = 256;

/// Validators of single places and patterns, built when they are first asked.
pub(super) struct Exact {
    documents: [Value; 2],
    places: HashMap<At, Option<Validator>>,
    patterns: HashMap<String, Option<Validator>>,
}

impl Exact {
    pub(super) fn new(graphs: &[Graph<'_>; 2]) -> Self {
        Self {
            documents: [0, 1].map(|side: usize| graphs[side].node(Graph::root()).value.clone()),
            places: HashMap::new(),
            patterns: HashMap::new(),
        }
    }

    /// Whether `value` fits the schema at `at`, which stands at `pointer`; nothing when that can't be asked.
    pub(super) fn fits(&mut self, at: At, pointer: &str, value: &Value) -> Option<bool> {
        if !self.places.contains_key(&at) {
            if self.places.len() >= VALIDATORS_MAX {
                return None;
            }
            let built = build(&self.documents[at.side as usize], pointer);
            self.places.insert(at, built);
        }
        let validator = self.places.get(&at)?.as_ref()?;
        Some(validator.is_valid(value))
    }

    /// Whether `name` matches `pattern`.
    pub(super) fn matches(&mut self, pattern: &str, name: &str) -> Option<bool> {
        if !self.patterns.contains_key(pattern) {
            if self.patterns.len() >= VALIDATORS_MAX {
                return None;
            }
            let built = options().build(&json!({"pattern": pattern})).ok();
            self.patterns.insert(pattern.to_owned(), built);
        }
        let validator = self.patterns.get(pattern)?.as_ref()?;
        Some(validator.is_valid(&json!(name)))
    }
}

/// The validator of the place at `pointer`. The document becomes part of another, under a name, so that
/// its own references lead where they led.
fn build(document: &Value, pointer: &str) -> Option<Validator> {
    let mut document = document.clone();
    let name = match document.as_object_mut() {
        Some(keywords) => keywords.entry("$id").or_insert_with(|| json!(NAME)).clone(),
        None => return options().build(&document).ok(),
    };
    let name = name.as_str()?.trim_end_matches('#').to_owned();
    // A relative name could be that of the document around it.
    if !name.contains(':') || name.starts_with("json-schema:") {
        return None;
    }
    let encoded: String = pointer.bytes().map(encode).collect();
    let whole = json!({"$ref": format!("{name}#{encoded}"), "$defs": {"compared": document}});
    options().build(&whole).ok()
}

/// A byte of a pointer as it stands in a fragment.
fn encode(byte: u8) -> String {
    if byte.is_ascii_alphanumeric() || b"/-._~$".contains(&byte) {
        char::from(byte).to_string()
    } else {
        format!("%{byte:02X}")
    }
}
