//! A parsed document whatever its format: values that know where they stand.

use std::fmt;

use serde::de::value::{MapAccessDeserializer, StrDeserializer};
use serde::de::{
    self, DeserializeSeed, Deserializer, Expected, IntoDeserializer, MapAccess, SeqAccess,
    Unexpected, Visitor,
};

/// Where something stands in a file, both counted from 1, the column in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The line.
    pub line: u32,
    /// The column.
    pub column: u32,
}

impl Place {
    /// The first character of a file.
    pub const START: Self = Self { line: 1, column: 1 };

    /// Of the byte at `offset` of `text`.
    pub(crate) fn at(text: &str, offset: usize) -> Self {
        let before = text.get(..offset.min(text.len())).unwrap_or(text);
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
        Self {
            line: u32::try_from(line).unwrap_or(u32::MAX),
            column: u32::try_from(column).unwrap_or(u32::MAX),
        }
    }
}

/// One value of a document.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node {
    pub(crate) place: Place,
    pub(crate) value: Value,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    Integer(i128),
    Float(f64),
    Text(String),
    List(Vec<Node>),
    Map(Vec<(Key, Node)>),
}

/// A key of a map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) place: Place,
    pub(crate) text: String,
}

/// What doesn't fit, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Misfit {
    pub(crate) place: Option<Place>,
    pub(crate) reason: String,
}

impl Node {
    /// The node that a JSON pointer names, or the deepest that exists on the way there.
    pub(crate) fn at(&self, pointer: &str) -> &Node {
        let mut node = self;
        for step in pointer.split('/').skip(1) {
            let step = step.replace("~1", "/").replace("~0", "~");
            let next = match &node.value {
                Value::List(items) => step.parse().ok().and_then(|at: usize| items.get(at)),
                Value::Map(fields) => fields
                    .iter()
                    .find(|(key, _)| key.text == step)
                    .map(|(_, node)| node),
                _ => None,
            };
            let Some(next) = next else { break };
            node = next;
        }
        node
    }

    /// The same as plain JSON, without places, keys in order.
    pub(crate) fn to_json(&self) -> serde_json::Value {
        use serde_json::Value as Json;
        match &self.value {
            Value::Null => Json::Null,
            Value::Bool(value) => Json::Bool(*value),
            Value::Integer(value) => u64::try_from(*value)
                .map(Json::from)
                .or_else(|_| i64::try_from(*value).map(Json::from))
                .unwrap_or_else(|_| Json::String(value.to_string())),
            Value::Float(value) => Json::from(*value),
            Value::Text(text) => Json::String(text.clone()),
            Value::List(items) => items.iter().map(Node::to_json).collect(),
            Value::Map(fields) => fields
                .iter()
                .map(|(key, node)| (key.text.clone(), node.to_json()))
                .collect(),
        }
    }

    /// What kind of value it is, for people.
    pub(crate) fn kind(&self) -> &'static str {
        match &self.value {
            Value::Null => "nothing",
            Value::Bool(_) => "true or false",
            Value::Integer(_) | Value::Float(_) => "a number",
            Value::Text(_) => "a text",
            Value::List(_) => "a list",
            Value::Map(_) => "a map",
        }
    }

    /// As a value of another type. **Errors**: with the innermost place that is known.
    pub(crate) fn read<T: de::DeserializeOwned>(&self) -> Result<T, (Place, String)> {
        T::deserialize(self).map_err(|misfit| (misfit.place.unwrap_or(self.place), misfit.reason))
    }
}

impl Misfit {
    fn at(mut self, place: Place) -> Self {
        self.place.get_or_insert(place);
        self
    }
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl std::error::Error for Misfit {}

impl de::Error for Misfit {
    fn custom<T: fmt::Display>(reason: T) -> Self {
        Self {
            place: None,
            reason: reason.to_string(),
        }
    }

    fn invalid_type(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let (found, wanted) = (found(unexpected), wanted(expected));
        Self::custom(format_args!("invalid type: {found}, expected {wanted}"))
    }

    fn invalid_value(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let (found, wanted) = (found(unexpected), wanted(expected));
        Self::custom(format_args!("invalid value: {found}, expected {wanted}"))
    }

    fn invalid_length(length: usize, expected: &dyn Expected) -> Self {
        let wanted = wanted(expected);
        Self::custom(format_args!("invalid length {length}, expected {wanted}"))
    }

    fn unknown_variant(word: &str, known: &'static [&'static str]) -> Self {
        let known = known.join("`, `");
        Self::custom(format_args!(
            "unknown word `{word}`, expected one of `{known}`"
        ))
    }
}

/// What stands there, in the words of a document rather than of this program.
fn found(unexpected: Unexpected<'_>) -> String {
    match unexpected {
        Unexpected::UnitVariant => "a word alone".to_owned(),
        Unexpected::NewtypeVariant | Unexpected::TupleVariant | Unexpected::StructVariant => {
            "a word with something after it".to_owned()
        }
        Unexpected::Unit | Unexpected::Option => "nothing".to_owned(),
        other => other.to_string(),
    }
}

/// What should, likewise.
fn wanted(expected: &dyn Expected) -> String {
    let text = expected.to_string();
    let word = match text.as_str() {
        "unit" => "nothing after it",
        "unit variant" => "the word alone",
        "newtype variant" | "tuple variant" | "struct variant" => {
            "the word as a key, with a value after it"
        }
        text if text.starts_with("struct ") => "a map",
        text if text.starts_with("enum ") || text.starts_with("variant ") => "a word",
        text if text.starts_with("tuple ") || text.starts_with("unit ") => "a value",
        _ => return text,
    };
    word.to_owned()
}

impl<'de> Deserializer<'de> for &'de Node {
    type Error = Misfit;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        let visited = match &self.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Integer(value) => integer(*value, visitor),
            Value::Float(value) => visitor.visit_f64(*value),
            Value::Text(text) => visitor.visit_borrowed_str(text),
            Value::List(items) => visitor.visit_seq(Items(items.iter())),
            Value::Map(fields) => visitor.visit_map(Fields {
                rest: fields.iter(),
                value: None,
            }),
        };
        visited.map_err(|misfit| misfit.at(self.place))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        // What is derived would take a list for its fields in order, and an empty one for none.
        if let Value::List(_) = &self.value {
            let misfit: Misfit = de::Error::invalid_type(Unexpected::Seq, &visitor);
            return Err(misfit.at(self.place));
        }
        self.deserialize_any(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        // A key with nothing after it is a slip: whoever means nothing leaves the key out.
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        let visited = match &self.value {
            Value::Text(text) => {
                let word: StrDeserializer<'de, Misfit> = text.as_str().into_deserializer();
                visitor.visit_enum(word)
            }
            Value::Map(fields) if fields.len() == 1 => {
                visitor.visit_enum(MapAccessDeserializer::new(Fields {
                    rest: fields.iter(),
                    value: None,
                }))
            }
            _ => Err(de::Error::custom(format_args!(
                "expected a word, or a map of one key, found {}",
                self.kind()
            ))),
        };
        visited.map_err(|misfit| misfit.at(self.place))
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        unit unit_struct seq tuple tuple_struct map identifier ignored_any
    }
}

fn integer<'de, V: Visitor<'de>>(value: i128, visitor: V) -> Result<V::Value, Misfit> {
    if let Ok(value) = u64::try_from(value) {
        return visitor.visit_u64(value);
    }
    match i64::try_from(value) {
        Ok(value) => visitor.visit_i64(value),
        Err(_) => Err(de::Error::custom("no number here can be so large")),
    }
}

struct Items<'de>(std::slice::Iter<'de, Node>);

impl<'de> SeqAccess<'de> for Items<'de> {
    type Error = Misfit;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Misfit> {
        let read = |node: &'de Node| seed.deserialize(node).map_err(|it| it.at(node.place));
        self.0.next().map(read).transpose()
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.0.len())
    }
}

struct Fields<'de> {
    rest: std::slice::Iter<'de, (Key, Node)>,
    value: Option<&'de Node>,
}

impl<'de> MapAccess<'de> for Fields<'de> {
    type Error = Misfit;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Misfit> {
        let Some((key, node)) = self.rest.next() else {
            return Ok(None);
        };
        self.value = Some(node);
        let text: StrDeserializer<'de, Misfit> = key.text.as_str().into_deserializer();
        let key = seed
            .deserialize(text)
            .map_err(|misfit| misfit.at(key.place))?;
        Ok(Some(key))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Misfit> {
        match self.value.take() {
            Some(node) => seed.deserialize(node).map_err(|it| it.at(node.place)),
            None => Err(de::Error::custom("a value was asked for before its key")),
        }
    }
}
