//! YAML 1.2. Aliases are followed within limits, merge keys and tags that mean a type are refused.

use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_saphyr::options::{DuplicateKeyPolicy, MergeKeyPolicy};
use serde_saphyr::{Error, Location, Options, Spanned};

use super::DEPTH_MAX;
use crate::error::Mistake;
use crate::node::{Key, Node, Place, Value};

/// Events that aliases may repeat: a policy with a handful of anchors needs hundreds.
const REPEATED_MAX: usize = 10_000;

pub(super) fn read(text: &str) -> Result<Node, Vec<Mistake>> {
    let parsed: Result<Spanned<Any>, _> = serde_saphyr::from_str_with_options(text, options());
    let root = parsed.map_err(|error| {
        let place = error.location().as_ref().map_or(Place::START, place);
        vec![Mistake::new(place, reason(error.without_snippet()))]
    })?;
    Ok(root.into())
}

/// What is wrong. The library's own words are for people who call it, not for authors of policies.
fn reason(error: &Error) -> String {
    match error {
        Error::DuplicateMappingKey { key: Some(key), .. } => {
            format!("key `{key}` stands here for the second time")
        }
        Error::DuplicateMappingKey { key: None, .. } => {
            "a key stands here for the second time".to_owned()
        }
        Error::MultipleDocuments { .. } => {
            "it holds several documents: leave out what follows a second `---`".to_owned()
        }
        Error::MergeKeyNotAllowed { .. } => {
            "merge keys (`<<`) are not read: repeat what they would add".to_owned()
        }
        Error::NullIntoString { .. } => "a key is a text, found nothing".to_owned(),
        Error::BinaryNotUtf8 { .. } => "a policy holds no binary data".to_owned(),
        other => other.to_string(),
    }
}

fn options() -> Options {
    let mut options = Options::default();
    options.duplicate_keys = DuplicateKeyPolicy::Error;
    options.merge_keys = MergeKeyPolicy::Error;
    options.strict_booleans = true;
    options.with_snippet = false;
    options.alias_limits.max_total_replayed_events = REPEATED_MAX;
    if let Some(budget) = &mut options.budget {
        budget.max_depth = 2 * DEPTH_MAX;
        budget.flow_nesting_limit = 2 * DEPTH_MAX;
    }
    options
}

fn place(location: &Location) -> Place {
    let number = |value: u64| u32::try_from(value).unwrap_or(u32::MAX).max(1);
    Place {
        line: number(location.line()),
        column: number(location.column()),
    }
}

/// Any value, with the places of what is in it.
enum Any {
    Scalar(Value),
    List(Vec<Spanned<Any>>),
    Map(Vec<(Spanned<String>, Spanned<Any>)>),
}

impl From<Spanned<Any>> for Node {
    fn from(spanned: Spanned<Any>) -> Self {
        let value = match spanned.value {
            Any::Scalar(value) => value,
            Any::List(items) => Value::List(items.into_iter().map(Node::from).collect()),
            Any::Map(fields) => Value::Map(
                fields
                    .into_iter()
                    .map(|(key, node)| {
                        let key = Key {
                            place: place(&key.referenced),
                            text: key.value,
                        };
                        (key, Node::from(node))
                    })
                    .collect(),
            ),
        };
        Node {
            place: place(&spanned.referenced),
            value,
        }
    }
}

impl<'de> Deserialize<'de> for Any {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyVisitor)
    }
}

struct AnyVisitor;

impl<'de> Visitor<'de> for AnyVisitor {
    type Value = Any;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a value of a policy")
    }

    fn visit_unit<E>(self) -> Result<Any, E> {
        Ok(Any::Scalar(Value::Null))
    }

    fn visit_none<E>(self) -> Result<Any, E> {
        Ok(Any::Scalar(Value::Null))
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Any, D::Error> {
        Any::deserialize(deserializer)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Any, E> {
        Ok(Any::Scalar(Value::Bool(value)))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Any, E> {
        Ok(Any::Scalar(Value::Integer(value.into())))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Any, E> {
        Ok(Any::Scalar(Value::Integer(value.into())))
    }

    fn visit_i128<E>(self, value: i128) -> Result<Any, E> {
        Ok(Any::Scalar(Value::Integer(value)))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Any, E> {
        if value.is_finite() {
            Ok(Any::Scalar(Value::Float(value)))
        } else {
            Err(E::custom("a number here is finite"))
        }
    }

    fn visit_str<E>(self, text: &str) -> Result<Any, E> {
        Ok(Any::Scalar(Value::Text(text.to_owned())))
    }

    fn visit_bytes<E: serde::de::Error>(self, _: &[u8]) -> Result<Any, E> {
        Err(E::custom("a policy holds no binary data"))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Any, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Any::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Any, A::Error> {
        let mut map: Vec<(Spanned<String>, Spanned<Any>)> = Vec::new();
        while let Some(key) = fields.next_key::<Spanned<String>>()? {
            map.push((key, fields.next_value()?));
        }
        Ok(Any::Map(map))
    }
}
