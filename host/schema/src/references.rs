//! Where references lead: to places of the same document alone, by pointer, anchor or `$id`.

use std::collections::HashMap;

use jsonschema::{Uri, uri};

use crate::graph::{Id, Pointers};

/// Longest reference that a reason repeats, in characters.
const SHOWN_CHARS_MAX: usize = 100;

/// What relative names at a place are relative to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Base(String);

impl Base {
    /// The base of a document without a name.
    pub(crate) fn of_document() -> Self {
        Self("json-schema:///".to_owned())
    }

    /// The base of a place that is called `name`.
    pub(crate) fn join(&self, name: &str) -> Result<Self, String> {
        let refused = || format!("`{}` is not a URI", shown(name));
        let base: Uri<String> = uri::from_str(&self.0).map_err(|_| refused())?;
        let joined = uri::resolve_against(&base.borrow(), name).map_err(|_| refused())?;
        let (resource, _) = split(joined.as_str());
        Ok(Self(resource.to_owned()))
    }
}

/// The names of a document's places.
#[derive(Debug, Default)]
pub(crate) struct Index {
    places: Pointers,
    /// The pointers of the places with an `$id`.
    resources: HashMap<Base, String>,
    anchors: HashMap<(Base, String), Id>,
}

impl Index {
    /// Notes a place.
    pub(crate) fn place(&mut self, pointer: &str, id: Id) {
        self.places.insert(pointer.to_owned(), id);
    }

    /// Notes that what `base` names stands at `pointer`.
    pub(crate) fn resource(&mut self, base: &Base, pointer: &str) -> Result<(), String> {
        match self.resources.insert(base.clone(), pointer.to_owned()) {
            None => Ok(()),
            Some(_) => Err("another place has this name".to_owned()),
        }
    }

    /// Notes an anchor.
    pub(crate) fn anchor(&mut self, base: &Base, name: &str, id: Id) -> Result<(), String> {
        match self.anchors.insert((base.clone(), name.to_owned()), id) {
            None => Ok(()),
            Some(other) if other == id => Ok(()),
            Some(_) => Err("another place has this name".to_owned()),
        }
    }

    /// The place that `reference` names where the base is `base`.
    pub(crate) fn find(&self, base: &Base, reference: &str) -> Result<Id, String> {
        let (name, fragment) = split(reference);
        let base = match name {
            "" => base.clone(),
            name => base.join(name)?,
        };
        let root = self.resources.get(&base).ok_or_else(|| {
            format!(
                "`{}` leads out of the schema; nothing is fetched",
                shown(reference)
            )
        })?;
        let nowhere = || format!("`{}` leads to no schema", shown(reference));
        let fragment = decoded(fragment).ok_or_else(nowhere)?;
        let found = if fragment.is_empty() || fragment.starts_with('/') {
            self.places.get(&format!("{root}{fragment}"))
        } else {
            self.anchors.get(&(base, fragment))
        };
        found.copied().ok_or_else(nowhere)
    }
}

/// What stands before the `#` and what behind it.
fn split(reference: &str) -> (&str, &str) {
    reference.split_once('#').unwrap_or((reference, ""))
}

/// A fragment without its percent-encoding.
fn decoded(fragment: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(fragment.len());
    let mut rest = fragment.as_bytes();
    while let Some((first, more)) = rest.split_first() {
        rest = more;
        if *first == b'%' {
            let digits = std::str::from_utf8(rest.get(..2)?).ok()?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = &rest[2..];
        } else {
            bytes.push(*first);
        }
    }
    String::from_utf8(bytes).ok()
}

fn shown(reference: &str) -> String {
    reference.chars().take(SHOWN_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::graph::Graph;

    /// The pointer that the first `$ref` under `properties/a` leads to.
    fn led(schema: &Value) -> Result<String, String> {
        let graph = Graph::read(schema).map_err(|fault| fault.reason)?;
        let (_, from) = graph
            .node(Graph::root())
            .named("properties")
            .next()
            .expect("`a`");
        let target = graph.node(from).target.expect("a reference");
        Ok(graph.node(target).pointer.clone())
    }

    fn check(reference: &str, target: Option<&str>) {
        let schema = json!({
            "$id": "https://example.org/root",
            "properties": {"a": {"$ref": reference}},
            "$defs": {
                "x/y%": {"$anchor": "here"},
                "inner": {"$id": "inner", "$defs": {"z": {"$anchor": "here"}}},
                "urn": {"$id": "urn:example:1"},
            },
            "enum": [{"no": "schema"}],
        });
        assert_eq!(led(&schema).ok().as_deref(), target, "{reference}");
    }

    #[test]
    fn references_lead_to_schemas_of_the_same_document() {
        check("#", Some(""));
        check("root", Some(""));
        check(
            "https://example.org/root#/$defs/inner",
            Some("/$defs/inner"),
        );
        check("#/$defs/x~1y%25", Some("/$defs/x~1y%"));
        check("#here", Some("/$defs/x~1y%"));
        check("inner", Some("/$defs/inner"));
        check("inner#here", Some("/$defs/inner/$defs/z"));
        check(
            "https://EXAMPLE.org/inner#/$defs/z",
            Some("/$defs/inner/$defs/z"),
        );
        check("urn:example:1", Some("/$defs/urn"));
        for nowhere in [
            "#/enum/0",
            "#/$defs",
            "#there",
            "#%",
            "#%zz",
            "%zz",
            "other",
            "http://example.org/root",
            "file:///root",
        ] {
            check(nowhere, None);
        }
    }

    #[test]
    fn a_name_stands_once() {
        for twice in [
            json!({"$defs": {"a": {"$id": "x"}, "b": {"$id": "x"}}}),
            json!({"$defs": {"a": {"$anchor": "x"}, "b": {"$anchor": "x"}}}),
            json!({"$defs": {"a": {"$anchor": "x"}, "b": {"$dynamicAnchor": "x"}}}),
        ] {
            assert!(Graph::read(&twice).is_err(), "{twice}");
        }
    }
}
