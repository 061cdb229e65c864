//! The types of WIT values, and the values.

use std::sync::Arc;

/// The type of a value.
///
/// Parts are shared, so that a clone is cheap and a type that names another one a thousand times
/// holds it once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Type {
    /// True or false.
    Bool,
    /// Whole number of 8 bits with sign.
    S8,
    /// Whole number of 8 bits.
    U8,
    /// Whole number of 16 bits with sign.
    S16,
    /// Whole number of 16 bits.
    U16,
    /// Whole number of 32 bits with sign.
    S32,
    /// Whole number of 32 bits.
    U32,
    /// Whole number of 64 bits with sign.
    S64,
    /// Whole number of 64 bits.
    U64,
    /// Floating point number of 32 bits.
    F32,
    /// Floating point number of 64 bits.
    F64,
    /// One Unicode scalar value.
    Char,
    /// Text.
    String,
    /// Any number of one type.
    List(Arc<Type>),
    /// One of each type, by position.
    Tuple(Arc<[Type]>),
    /// One of each type, by name.
    Record(Arc<[Field]>),
    /// One of several cases, some with a payload.
    Variant(Arc<[Case]>),
    /// One of several names.
    Enum(Arc<[Arc<str>]>),
    /// Any set of several names.
    Flags(Arc<[Arc<str>]>),
    /// A value or none.
    Option(Arc<Type>),
    /// Success or failure, each with a payload or without.
    Result {
        /// Payload of success.
        ok: Option<Arc<Type>>,
        /// Payload of failure.
        err: Option<Arc<Type>>,
    },
}

/// A field of a record, or a parameter of a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Its name in WIT, distinct within its record.
    pub name: Arc<str>,
    /// Its type.
    pub ty: Type,
}

/// A case of a variant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// Its name in WIT, distinct within its variant.
    pub name: Arc<str>,
    /// Its payload.
    pub ty: Option<Type>,
}

/// A value of some [`Type`]. Names are not repeated here: they are the type's.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Of [`Type::Bool`].
    Bool(bool),
    /// Of [`Type::S8`].
    S8(i8),
    /// Of [`Type::U8`].
    U8(u8),
    /// Of [`Type::S16`].
    S16(i16),
    /// Of [`Type::U16`].
    U16(u16),
    /// Of [`Type::S32`].
    S32(i32),
    /// Of [`Type::U32`].
    U32(u32),
    /// Of [`Type::S64`].
    S64(i64),
    /// Of [`Type::U64`].
    U64(u64),
    /// Of [`Type::F32`]. JSON knows one NaN only; its bits are those of [`f32::NAN`].
    F32(f32),
    /// Of [`Type::F64`]. JSON knows one NaN only; its bits are those of [`f64::NAN`].
    F64(f64),
    /// Of [`Type::Char`].
    Char(char),
    /// Of [`Type::String`].
    String(String),
    /// Of [`Type::List`].
    List(Vec<Value>),
    /// Of [`Type::Tuple`].
    Tuple(Vec<Value>),
    /// Of [`Type::Record`], in the order of its fields.
    Record(Vec<Value>),
    /// Of [`Type::Variant`]: the case by position, and its payload.
    Variant(u32, Option<Box<Value>>),
    /// Of [`Type::Enum`]: the name by position.
    Enum(u32),
    /// Of [`Type::Flags`]: for each name, whether it is in the set.
    Flags(Vec<bool>),
    /// Of [`Type::Option`].
    Option(Option<Box<Value>>),
    /// Of [`Type::Result`].
    Result(Result<Option<Box<Value>>, Option<Box<Value>>>),
}

impl Type {
    /// Whether `null` is the JSON of one of its values. Only then does an option of it need a
    /// wrapper to tell none from some.
    pub(crate) fn is_option(&self) -> bool {
        matches!(self, Self::Option(_))
    }
}
