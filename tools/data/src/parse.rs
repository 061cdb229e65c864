//! Building values while the text is read, and leaving out what nobody asked for.
//!
//! A document of several megabytes is mostly things that a query never looks at. [`Reader`] goes
//! down to the place that is asked for and keeps, of each row there, only the members that are used;
//! the rest is skipped by the parser and never built.

use std::collections::BTreeSet;
use std::fmt;

use cofferdam_sdk::schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::json::{Json, Name, index};

/// Values that one source may hold. Each takes up to some 60 bytes with its text; that is a third of
/// a guest's 64 MiB and leaves the rest to the text and the steps.
pub(crate) const VALUES_MAX: usize = 400_000;

/// Levels of lists and objects in each other; the host reads results no deeper.
pub(crate) const DEPTH_MAX: usize = 62;

/// Names kept to be shared among rows. More different ones than this are keys of a map rather than
/// names of members, and sharing them saves nothing.
const NAMES_MAX: usize = 4_096;

/// Names of skipped members that are remembered for messages.
const LEFT_OUT_MAX: usize = 64;

/// From so many members on, the names seen are looked up rather than compared one by one.
const MEMBERS_COMPARED: usize = 32;

/// The member as which the `toml` crate gives a date.
const TOML_DATE: &str = "$__toml_private_datetime";

/// What reading has to remember.
#[derive(Default)]
pub(crate) struct Context {
    names: BTreeSet<Name>,
    values: usize,
    /// True when the place that was asked for exists.
    found: bool,
    /// Names of members that were skipped because nobody asked for them; where the place that was
    /// asked for does not exist, what is there instead.
    pub(crate) left_out: BTreeSet<String>,
}

impl Context {
    /// The value that was read, or nothing when the place that was asked for does not exist.
    pub(crate) fn found(&self, value: Json) -> Option<Json> {
        self.found.then_some(value)
    }

    fn name(&mut self, name: &str) -> Name {
        if let Some(known) = self.names.get(name) {
            return Name::clone(known);
        }
        let name = Name::from(name);
        if self.names.len() < NAMES_MAX {
            self.names.insert(Name::clone(&name));
        }
        name
    }

    /// Counts one more value, or says that there are too many.
    pub(crate) fn count<E: Error>(&mut self) -> Result<(), E> {
        self.values += 1;
        if self.is_full() {
            return Err(E::custom(format_args!("more than {VALUES_MAX} values")));
        }
        Ok(())
    }

    /// True when there was more than it may hold.
    pub(crate) fn is_full(&self) -> bool {
        self.values > VALUES_MAX
    }
}

/// What to build of the value that comes next.
#[derive(Clone, Copy)]
pub(crate) enum Want<'a> {
    /// All of it.
    All,
    /// What the tokens lead to, and of that the rows with these members.
    At(&'a [String], Option<&'a BTreeSet<String>>),
    /// Lists element by element; of an object these members.
    Rows(&'a BTreeSet<String>),
    /// Of an object these members.
    Row(&'a BTreeSet<String>),
}

/// Reads the next value.
pub(crate) struct Reader<'a> {
    pub(crate) context: &'a mut Context,
    pub(crate) want: Want<'a>,
    pub(crate) depth: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(context: &'a mut Context, want: Want<'a>) -> Self {
        let want = match want {
            Want::At([], members) => {
                context.found = true;
                members.map_or(Want::All, Want::Rows)
            }
            want => want,
        };
        Self {
            context,
            want,
            depth: 0,
        }
    }

    /// The reader of what lies one level deeper.
    fn below<E: Error>(&mut self, want: Want<'a>) -> Result<Reader<'_>, E> {
        if self.depth == DEPTH_MAX {
            return Err(E::custom(format_args!("more than {DEPTH_MAX} levels deep")));
        }
        let mut reader = Reader::new(self.context, want);
        reader.depth = self.depth + 1;
        Ok(reader)
    }

    fn scalar<E: Error>(self, value: Json) -> Result<Json, E> {
        if let Want::At(..) = self.want {
            return Ok(Json::Null);
        }
        self.context.count()?;
        Ok(value)
    }
}

impl<'de> DeserializeSeed<'de> for Reader<'_> {
    type Value = Json;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Json, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reader<'_> {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: Error>(self) -> Result<Json, E> {
        self.scalar(Json::Null)
    }

    fn visit_none<E: Error>(self) -> Result<Json, E> {
        self.scalar(Json::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Json, D::Error> {
        self.deserialize(deserializer)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Json, E> {
        self.scalar(Json::Bool(value))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Json, E> {
        self.scalar(number.into())
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Json, E> {
        self.scalar(number.into())
    }

    fn visit_i128<E: Error>(self, number: i128) -> Result<Json, E> {
        self.scalar(number.into())
    }

    fn visit_u128<E: Error>(self, number: u128) -> Result<Json, E> {
        self.scalar(i128::try_from(number).unwrap_or(i128::MAX).into())
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Json, E> {
        self.scalar(number.into())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Json, E> {
        self.scalar(Json::text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<Json, A::Error> {
        if let Want::At([first, rest @ ..], members) = self.want {
            let mut before = index(first).unwrap_or(usize::MAX);
            while before > 0 && list.next_element::<IgnoredAny>()?.is_some() {
                before -= 1;
            }
            if before > 0 {
                return Ok(Json::Null);
            }
            let found = list.next_element_seed(self.below(Want::At(rest, members))?)?;
            self.context.found &= found.is_some();
            while list.next_element::<IgnoredAny>()?.is_some() {}
            return Ok(found.unwrap_or(Json::Null));
        }
        let want = match self.want {
            Want::Rows(members) => Want::Row(members),
            Want::All | Want::At(..) | Want::Row(_) => Want::All,
        };
        self.context.count()?;
        let mut elements = Vec::new();
        while let Some(element) = list.next_element_seed(self.below(want)?)? {
            elements.push(element);
        }
        Ok(Json::List(elements.into()))
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<Json, A::Error> {
        if let Want::At([first, rest @ ..], members) = self.want {
            let (mut found, mut others) = (None, BTreeSet::new());
            while let Some(name) = map.next_key_seed(Named(self.context))? {
                if *name == **first {
                    found = Some(map.next_value_seed(self.below(Want::At(rest, members))?)?);
                } else {
                    map.next_value::<IgnoredAny>()?;
                    if others.len() < LEFT_OUT_MAX {
                        others.insert(name.to_string());
                    }
                }
            }
            if found.is_none() {
                self.context.left_out = others;
            }
            return Ok(found.unwrap_or(Json::Null));
        }
        self.context.count()?;
        let mut members = Members::default();
        while let Some(name) = map.next_key_seed(Named(self.context))? {
            if let Want::Row(wanted) | Want::Rows(wanted) = self.want
                && !wanted.contains(&*name)
            {
                map.next_value::<IgnoredAny>()?;
                if self.context.left_out.len() < LEFT_OUT_MAX {
                    self.context.left_out.insert(name.to_string());
                }
                continue;
            }
            let value = map.next_value_seed(self.below(Want::All)?)?;
            members.set(name, value);
        }
        Ok(members.into())
    }
}

/// Members as they come; of two with one name the later stays, at the place of the earlier.
#[derive(Default)]
pub(crate) struct Members {
    list: Vec<(Name, Json)>,
    /// The names of `list` once it is long.
    seen: std::collections::BTreeMap<Name, usize>,
}

impl Members {
    pub(crate) fn set(&mut self, name: Name, value: Json) {
        let known = if self.list.len() < MEMBERS_COMPARED {
            self.list.iter().position(|(other, _)| *other == name)
        } else {
            if self.seen.is_empty() {
                let names = self.list.iter().map(|(name, _)| Name::clone(name));
                self.seen = names.zip(0..).collect();
            }
            self.seen.get(&name).copied()
        };
        if let Some(at) = known {
            self.list[at].1 = value;
            return;
        }
        if !self.seen.is_empty() {
            self.seen.insert(Name::clone(&name), self.list.len());
        }
        self.list.push((name, value));
    }
}

impl From<Members> for Json {
    fn from(members: Members) -> Self {
        match members.list.as_slice() {
            [(name, Json::Text(date))] if **name == *TOML_DATE => Json::Text(date.clone()),
            _ => Json::Object(members.list.into()),
        }
    }
}

/// Reads the name of a member. YAML has numbers and booleans as names; their text is taken.
struct Named<'a>(&'a mut Context);

impl<'de> DeserializeSeed<'de> for Named<'_> {
    type Value = Name;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Name, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Visitor<'_> for Named<'_> {
    type Value = Name;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a member")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Name, E> {
        Ok(self.0.name(name))
    }

    fn visit_bool<E: Error>(self, name: bool) -> Result<Name, E> {
        Ok(self.0.name(&name.to_string()))
    }

    fn visit_i64<E: Error>(self, name: i64) -> Result<Name, E> {
        Ok(self.0.name(&name.to_string()))
    }

    fn visit_u64<E: Error>(self, name: u64) -> Result<Name, E> {
        Ok(self.0.name(&name.to_string()))
    }

    fn visit_f64<E: Error>(self, name: f64) -> Result<Name, E> {
        Ok(self.0.name(&name.to_string()))
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Reader::new(&mut Context::default(), Want::All).deserialize(deserializer)
    }
}

/// Any value: the tools say themselves what they cannot use.
impl JsonSchema for Json {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Json".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        true.into()
    }
}
