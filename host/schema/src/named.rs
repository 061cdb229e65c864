//! Schemas that the host keeps under names, and references into them.
//!
//! `{"$ref": "cofferdam:schema/address"}` means the schema that is kept as `address`, and
//! `cofferdam:schema/address#/properties/street` a place in it. They are resolved once, when a tool is
//! added: what they lead to is copied into `$defs`, so that the stored schema is whole, stays as it
//! was approved, and is understood by whoever reads it.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use cofferdam_types::Payload;
use cofferdam_types::failure::Fault;
use serde_json::{Map, Value, json};

use crate::graph::escape;
use crate::keywords::{Holds, holds};
use crate::schema::cut;

/// What references to named schemas begin with.
pub const PREFIX: &str = "cofferdam:schema/";
/// Most named schemas that one schema may need, by itself and through others.
const NAMES_MAX: usize = 64;
/// Longest name in bytes, that of any name in the catalogue.
const NAME_BYTES_MAX: usize = 64;

/// The name of a schema that the host keeps.
///
/// **Shape**: words of small letters and digits, joined by `-`; at most 64 bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SchemaName(String);

impl SchemaName {
    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SchemaName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for SchemaName {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_word = |word: &str| {
            !word.is_empty()
                && word
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        };
        let starts = text.starts_with(|c: char| c.is_ascii_lowercase());
        if starts && text.len() <= NAME_BYTES_MAX && text.split('-').all(is_word) {
            Ok(Self(text.to_owned()))
        } else {
            Err("a schema's name is words of small letters and digits, joined by `-`")
        }
    }
}

/// The schema with all named schemas that it refers to, each as one of its `$defs`.
///
/// **Errors**: the reference that can't be resolved: to a name that `find` doesn't know, or to a
/// schema that is named by other means than pointers.
pub fn bundle(
    schema: &Payload,
    find: impl Fn(&SchemaName) -> Option<Payload>,
) -> Result<Payload, Fault> {
    let mut whole = schema.as_value().clone();
    let taken = match whole.get("$defs") {
        None => Map::new(),
        Some(Value::Object(defs)) => defs.clone(),
        Some(_) => {
            return Err(Fault {
                pointer: "/$defs".to_owned(),
                reason: "schemas by name are expected".to_owned(),
            });
        }
    };
    let mut bundle = Bundle {
        taken,
        keys: BTreeMap::new(),
        pending: Vec::new(),
    };
    bundle.rewrite(&mut whole, String::new(), &Home::Root)?;
    while let Some((name, origin)) = bundle.pending.pop() {
        let fault = |reason: String| Fault {
            pointer: origin.clone(),
            reason,
        };
        if bundle.keys.len() > NAMES_MAX {
            return Err(fault(format!(
                "more than {NAMES_MAX} named schemas are needed"
            )));
        }
        let Some(found) = find(&name) else {
            return Err(fault(format!("there is no schema `{name}`")));
        };
        let mut found = found.into_value();
        if let Some(keywords) = found.as_object_mut() {
            keywords.remove("$schema");
        }
        let key = bundle.keys[&name].clone();
        let home = Home::Named {
            key: &key,
            name: &name,
        };
        bundle.rewrite(&mut found, origin, &home)?;
        whole["$defs"][key] = found;
    }
    Ok(Payload::from(whole))
}

/// Where a schema comes from that is being rewritten.
enum Home<'a> {
    /// It is the schema itself.
    Root,
    /// It is a named one, which will stand at `key`.
    Named { key: &'a str, name: &'a SchemaName },
}

struct Bundle {
    /// What stands in `$defs` already.
    taken: Map<String, Value>,
    keys: BTreeMap<SchemaName, String>,
    /// Names whose schemas are to be fetched, and the reference that led to each.
    pending: Vec<(SchemaName, String)>,
}

impl Bundle {
    /// Lets the references of a schema lead to where their targets will stand. `at` is its pointer; for
    /// a named schema that of the reference which led to it.
    fn rewrite(&mut self, value: &mut Value, at: String, home: &Home<'_>) -> Result<(), Fault> {
        let mut pending = vec![(value, at, false)];
        while let Some((value, at, is_inside)) = pending.pop() {
            let Some(keywords) = value.as_object_mut() else {
                continue;
            };
            let is_inside = is_inside || (!at.is_empty() && keywords.contains_key("$id"));
            let names = ["$id", "$anchor", "$dynamicAnchor"];
            if let Home::Named { name, .. } = home
                && let Some(keyword) = names.iter().find(|name| keywords.contains_key(**name))
            {
                return Err(Fault {
                    pointer: at,
                    reason: format!(
                        "`{name}` has `{keyword}`; named schemas refer by pointers alone"
                    ),
                });
            }
            for (keyword, value) in keywords.iter_mut() {
                let below = match home {
                    Home::Root => format!("{at}/{}", escape(keyword)),
                    Home::Named { .. } => at.clone(),
                };
                let inner = |token: &str| match home {
                    Home::Root => format!("{below}/{}", escape(token)),
                    Home::Named { .. } => below.clone(),
                };
                match (holds(keyword), value) {
                    (None, Value::String(reference)) if keyword == "$ref" => {
                        self.follow(reference, &below, home, is_inside)?;
                    }
                    (Some(Holds::One), value) => pending.push((value, below, is_inside)),
                    (Some(Holds::List), Value::Array(items)) => {
                        let items = items.iter_mut().enumerate();
                        pending.extend(items.map(|(n, it)| (it, inner(&n.to_string()), is_inside)));
                    }
                    (Some(Holds::Named), Value::Object(map)) => {
                        let map = map.iter_mut();
                        pending.extend(map.map(|(name, it)| (it, inner(name), is_inside)));
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }

    fn follow(
        &mut self,
        reference: &mut String,
        at: &str,
        home: &Home<'_>,
        is_inside: bool,
    ) -> Result<(), Fault> {
        let fault = |reason: String| {
            Err(Fault {
                pointer: at.to_owned(),
                reason,
            })
        };
        let Some(named) = reference.strip_prefix(PREFIX) else {
            let Home::Named { key, name } = home else {
                return Ok(());
            };
            let Some(fragment) = reference.strip_prefix('#') else {
                return fault(format!(
                    "`{name}` refers to `{}`, which no name is for",
                    cut(reference)
                ));
            };
            if !fragment.is_empty() && !fragment.starts_with('/') {
                return fault(format!(
                    "`{name}` refers to an anchor; named schemas refer by pointers alone"
                ));
            }
            *reference = format!("#/$defs/{key}{fragment}");
            return Ok(());
        };
        if is_inside {
            return fault("a schema with an `$id` of its own can't refer to names".to_owned());
        }
        let (name, fragment) = named.split_once('#').unwrap_or((named, ""));
        let name: SchemaName = match name.parse() {
            Ok(name) => name,
            Err(reason) => return fault(reason.to_owned()),
        };
        if !fragment.is_empty() && !fragment.starts_with('/') {
            return fault("a place in a named schema is said by a pointer".to_owned());
        }
        let key = self.key(name, at);
        *reference = format!("#/$defs/{key}{fragment}");
        Ok(())
    }

    /// The key in `$defs` under which the schema `name` will stand.
    fn key(&mut self, name: SchemaName, origin: &str) -> String {
        if let Some(key) = self.keys.get(&name) {
            return key.clone();
        }
        let mut key = name.to_string();
        let mut number = 2;
        while self.taken.contains_key(&key) {
            key = format!("{name}-{number}");
            number += 1;
        }
        self.taken.insert(key.clone(), json!(true));
        self.keys.insert(name.clone(), key.clone());
        self.pending.push((name, origin.to_owned()));
        key
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Bounds, Schema};

    fn kept(name: &SchemaName) -> Option<Payload> {
        let schema = match name.as_str() {
            "street" => json!({"type": "string", "maxLength": 5}),
            "address" => json!({
                "$schema": "https://json-schema.org/draft/2020-12/schema",
                "type": "object",
                "properties": {"street": {"$ref": "cofferdam:schema/street"}, "code": {"$ref": "#/$defs/code"}},
                "$defs": {"code": {"type": "integer"}},
                "examples": [{"$ref": "cofferdam:schema/street"}],
            }),
            "tree" => json!({"items": {"$ref": "#"}}),
            "lost" => json!({"items": {"$ref": "cofferdam:schema/nowhere"}}),
            "anchored" => json!({"$anchor": "a"}),
            "outside" => json!({"$ref": "http://example.org/"}),
            _ => return None,
        };
        Some(Payload::from(schema))
    }

    fn bundled(schema: Value) -> Result<Value, (String, String)> {
        let bundled = bundle(&Payload::from(schema), kept);
        bundled
            .map(Payload::into_value)
            .map_err(|fault| (fault.pointer, fault.reason))
    }

    #[test]
    fn what_is_named_comes_along_with_what_that_names() {
        let whole = bundled(json!({
            "properties": {"to": {"$ref": "cofferdam:schema/address"}, "from": {"$ref": "cofferdam:schema/address"}},
            "$defs": {"street": false},
        }));
        let whole = whole.expect("known names");
        assert_eq!(
            whole["properties"]["to"],
            json!({"$ref": "#/$defs/address"})
        );
        assert_eq!(
            whole["$defs"]["address"]["properties"],
            json!({"street": {"$ref": "#/$defs/street-2"}, "code": {"$ref": "#/$defs/address/$defs/code"}})
        );
        assert_eq!(whole["$defs"]["street"], json!(false));
        let examples = &whole["$defs"]["address"]["examples"];
        assert_eq!(
            examples[0]["$ref"], "cofferdam:schema/street",
            "data stays as it is"
        );
        let schema = Schema::compile(&Payload::from(whole), &Bounds::DERIVED).expect("whole");
        for (value, fits) in [
            (json!({"to": {"street": "Mall", "code": 1}}), true),
            (json!({"to": {"street": "Long Mall"}}), false),
            (json!({"from": {"code": "1"}}), false),
        ] {
            assert_eq!(schema.is_valid(&Payload::from(value)), fits);
        }
    }

    #[test]
    fn places_in_named_schemas_and_schemas_that_name_themselves_are_found() {
        let whole = bundled(json!({"$ref": "cofferdam:schema/address#/$defs/code"}));
        let schema = Schema::compile(&Payload::from(whole.expect("known")), &Bounds::DERIVED);
        assert!(schema.expect("whole").is_valid(&Payload::from(json!(1))));
        let whole = bundled(json!({"$ref": "cofferdam:schema/tree"})).expect("known");
        assert_eq!(
            whole["$defs"]["tree"],
            json!({"items": {"$ref": "#/$defs/tree"}})
        );
        let plain = json!({"properties": {"$ref": {"type": "string"}}, "const": {"$ref": "cofferdam:schema/x"}});
        assert_eq!(bundled(plain.clone()), Ok(plain));
    }

    #[test]
    fn what_can_not_be_resolved_is_pointed_at() {
        let of = |reference: &str| json!({"properties": {"a/b": {"anyOf": [true, {"$ref": reference}]}}});
        let at = "/properties/a~1b/anyOf/1/$ref";
        for (reference, reason) in [
            ("cofferdam:schema/unknown", "no schema `unknown`"),
            ("cofferdam:schema/lost", "no schema `nowhere`"),
            ("cofferdam:schema/Street", "small letters"),
            ("cofferdam:schema/", "small letters"),
            ("cofferdam:schema/street#here", "by a pointer"),
            ("cofferdam:schema/anchored", "has `$anchor`"),
            ("cofferdam:schema/outside", "which no name is for"),
        ] {
            let (pointer, said) = bundled(of(reference)).expect_err(reference);
            assert_eq!(pointer, at, "{reference}");
            assert!(said.contains(reason), "{said}");
        }
        let inside =
            json!({"items": {"$id": "http://x/", "items": {"$ref": "cofferdam:schema/street"}}});
        let (pointer, _) = bundled(inside).expect_err("another base");
        assert_eq!(pointer, "/items/items/$ref");
        let odd = json!({"$defs": [], "$ref": "cofferdam:schema/street"});
        assert_eq!(bundled(odd).expect_err("no schemas").0, "/$defs");
    }

    #[test]
    fn how_many_names_are_needed_is_bounded() {
        let chain = |name: &SchemaName| {
            let number: usize = name.as_str().strip_prefix('n')?.parse().ok()?;
            let next = format!("cofferdam:schema/n{}", number + 1);
            Some(Payload::from(json!({"items": {"$ref": next}})))
        };
        let start = Payload::from(json!({"$ref": "cofferdam:schema/n0"}));
        let fault = bundle(&start, chain).expect_err("no end");
        assert!(fault.reason.contains("more than 64"), "{}", fault.reason);
    }
}
