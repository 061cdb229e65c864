//! Value to JSON.

use std::sync::Arc;

use serde_json::{Map, Value as Json};

use crate::number::{SAFE_MAX, from_float};
use crate::{Case, Field, Type, Value};

/// Bytes of the text around a name and its value: two quotes and a colon.
const MEMBER_BYTES: usize = 3;

/// A value that has no JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    /// It is of another type than it is said to be: whoever made the value has a bug.
    #[error("the value is not {expected}")]
    Type {
        /// What was expected.
        expected: &'static str,
    },
    /// Its text would be longer than it may be.
    #[error("the value takes more than {bytes_max} bytes as JSON")]
    TooLarge {
        /// The limit.
        bytes_max: usize,
    },
}

impl Type {
    /// The JSON of a value of this type. It satisfies the schema and decodes to the same value.
    ///
    /// **Limits**: refuses a value whose JSON text is certainly longer than `bytes_max`, before the
    /// JSON is built: it repeats the names of fields, and so may take a thousand times the memory
    /// that the value took in its component.
    pub fn encode(&self, value: Value, bytes_max: usize) -> Result<Json, Mismatch> {
        let mut encoder = Encoder {
            left: bytes_max,
            bytes_max,
        };
        encoder.value(self, value)
    }
}

struct Encoder {
    /// Bytes of text left to spend.
    left: usize,
    bytes_max: usize,
}

fn mismatch<T>(expected: &'static str) -> Result<T, Mismatch> {
    Err(Mismatch::Type { expected })
}

impl Encoder {
    fn value(&mut self, ty: &Type, value: Value) -> Result<Json, Mismatch> {
        match (ty, value) {
            (Type::Bool, Value::Bool(it)) => self.scalar(it),
            (Type::S8, Value::S8(it)) => self.scalar(it),
            (Type::U8, Value::U8(it)) => self.scalar(it),
            (Type::S16, Value::S16(it)) => self.scalar(it),
            (Type::U16, Value::U16(it)) => self.scalar(it),
            (Type::S32, Value::S32(it)) => self.scalar(it),
            (Type::U32, Value::U32(it)) => self.scalar(it),
            (Type::S64, Value::S64(it)) if (-SAFE_MAX..=SAFE_MAX).contains(&it) => self.scalar(it),
            (Type::U64, Value::U64(it)) if it <= SAFE_MAX.unsigned_abs() => self.scalar(it),
            (Type::S64, Value::S64(it)) => self.text(it.to_string()),
            (Type::U64, Value::U64(it)) => self.text(it.to_string()),
            (Type::F32, Value::F32(it)) => self.scalar(from_float(it.into())),
            (Type::F64, Value::F64(it)) => self.scalar(from_float(it)),
            (Type::Char, Value::Char(it)) => self.text(it.into()),
            (Type::String, Value::String(it)) => self.text(it),
            (Type::List(item), Value::List(values)) => {
                self.items(values.into_iter().map(|value| (&**item, value)))
            }
            (Type::Tuple(types), Value::Tuple(values)) if types.len() == values.len() => {
                self.items(types.iter().zip(values))
            }
            (Type::Record(fields), Value::Record(values)) if fields.len() == values.len() => {
                self.fields(fields, values)
            }
            (Type::Variant(cases), Value::Variant(position, payload)) => {
                self.variant(cases, position, payload)
            }
            (Type::Enum(names), Value::Enum(position)) => match names.get(position as usize) {
                Some(name) => self.text((**name).to_owned()),
                None => mismatch("one of the enum's names"),
            },
            (Type::Flags(names), Value::Flags(set)) if names.len() == set.len() => {
                self.flags(names, &set)
            }
            (Type::Option(_), Value::Option(None)) => self.scalar(Json::Null),
            (Type::Option(item), Value::Option(Some(value))) if item.is_option() => {
                self.tagged("some", |it| it.value(item, *value))
            }
            (Type::Option(item), Value::Option(Some(value))) => self.value(item, *value),
            (Type::Result { ok, .. }, Value::Result(Ok(value))) => {
                self.tagged("ok", |it| it.payload(ok.as_ref(), value))
            }
            (Type::Result { err, .. }, Value::Result(Err(value))) => {
                self.tagged("err", |it| it.payload(err.as_ref(), value))
            }
            (ty, _) => mismatch(name(ty)),
        }
    }

    fn payload(
        &mut self,
        ty: Option<&Arc<Type>>,
        value: Option<Box<Value>>,
    ) -> Result<Json, Mismatch> {
        match (ty, value) {
            (Some(ty), Some(value)) => self.value(ty, *value),
            (None, None) => self.scalar(Json::Null),
            _ => mismatch("a result with the payload of its type"),
        }
    }

    fn items<'t>(
        &mut self,
        pairs: impl ExactSizeIterator<Item = (&'t Type, Value)>,
    ) -> Result<Json, Mismatch> {
        // The brackets, and a comma between two items.
        self.spend(2 + pairs.len().saturating_sub(1))?;
        let items = pairs.map(|(ty, value)| self.value(ty, value));
        items.collect::<Result<_, _>>().map(Json::Array)
    }

    fn fields(&mut self, fields: &[Field], values: Vec<Value>) -> Result<Json, Mismatch> {
        self.spend(2 + fields.len().saturating_sub(1))?;
        let mut object = Map::new();
        for (field, value) in fields.iter().zip(values) {
            self.spend(field.name.len() + MEMBER_BYTES)?;
            object.insert(field.name.to_string(), self.value(&field.ty, value)?);
        }
        Ok(Json::Object(object))
    }

    fn variant(
        &mut self,
        cases: &[Case],
        position: u32,
        payload: Option<Box<Value>>,
    ) -> Result<Json, Mismatch> {
        let Some(case) = cases.get(position as usize) else {
            return mismatch("one of the variant's cases");
        };
        match (&case.ty, payload) {
            (None, None) => self.text(case.name.to_string()),
            (Some(ty), Some(value)) => self.tagged(&case.name, |it| it.value(ty, *value)),
            _ => mismatch("a case with the payload of its type"),
        }
    }

    fn flags(&mut self, names: &[Arc<str>], set: &[bool]) -> Result<Json, Mismatch> {
        let chosen = names.iter().zip(set).filter(|(_, is_set)| **is_set);
        self.spend(2)?;
        let items = chosen.map(|(name, _)| self.text(name.to_string()));
        items.collect::<Result<_, _>>().map(Json::Array)
    }

    fn tagged(
        &mut self,
        name: &str,
        payload: impl FnOnce(&mut Self) -> Result<Json, Mismatch>,
    ) -> Result<Json, Mismatch> {
        self.spend(2 + name.len() + MEMBER_BYTES)?;
        let payload = payload(self)?;
        Ok(Json::Object(Map::from_iter([(name.to_owned(), payload)])))
    }

    fn text(&mut self, text: String) -> Result<Json, Mismatch> {
        self.spend(text.len() + 2)?;
        Ok(Json::String(text))
    }

    /// A number, a boolean or null: one byte at least.
    fn scalar(&mut self, it: impl Into<Json>) -> Result<Json, Mismatch> {
        self.spend(1)?;
        Ok(it.into())
    }

    fn spend(&mut self, bytes: usize) -> Result<(), Mismatch> {
        let bytes_max = self.bytes_max;
        let left = self.left.checked_sub(bytes);
        self.left = left.ok_or(Mismatch::TooLarge { bytes_max })?;
        Ok(())
    }
}

/// What a type is called in a mismatch.
fn name(ty: &Type) -> &'static str {
    match ty {
        Type::Bool => "a bool",
        Type::S8 => "an s8",
        Type::U8 => "a u8",
        Type::S16 => "an s16",
        Type::U16 => "a u16",
        Type::S32 => "an s32",
        Type::U32 => "a u32",
        Type::S64 => "an s64",
        Type::U64 => "a u64",
        Type::F32 => "an f32",
        Type::F64 => "an f64",
        Type::Char => "a char",
        Type::String => "a string",
        Type::List(_) => "a list",
        Type::Tuple(_) => "a tuple of its length",
        Type::Record(_) => "a record of its fields",
        Type::Variant(_) => "a variant",
        Type::Enum(_) => "an enum",
        Type::Flags(_) => "flags of its names",
        Type::Option(_) => "an option",
        Type::Result { .. } => "a result",
    }
}
