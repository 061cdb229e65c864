//! The engine's types and values as those of `cofferdam-values`, which know JSON.

use std::sync::Arc;

use cofferdam_values::{Case, DEPTH_MAX, Field, NODES_MAX, TooLarge, Type, Value};
use wasmtime::component::{Val, types};

/// Most cases of a variant, enum or flags: each value looks its case up by name.
const CASES_MAX: usize = 512;

/// Reads the engine's types as far as a signature may be large: the engine's are shared, so that a
/// chain of types which each name the next one twice takes years to write out.
pub(crate) struct Reader {
    nodes: usize,
    depth: usize,
}

impl Reader {
    pub(crate) fn new() -> Self {
        Self { nodes: 0, depth: 0 }
    }

    /// The type, or why no tool can have it.
    pub(crate) fn read(&mut self, ty: &types::Type) -> Result<Type, String> {
        use types::Type as T;
        self.nodes += 1;
        if self.nodes > NODES_MAX {
            return Err(TooLarge::Nodes.to_string());
        }
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(TooLarge::Depth.to_string());
        }
        let read = match ty {
            T::Bool => Type::Bool,
            T::S8 => Type::S8,
            T::U8 => Type::U8,
            T::S16 => Type::S16,
            T::U16 => Type::U16,
            T::S32 => Type::S32,
            T::U32 => Type::U32,
            T::S64 => Type::S64,
            T::U64 => Type::U64,
            T::Float32 => Type::F32,
            T::Float64 => Type::F64,
            T::Char => Type::Char,
            T::String => Type::String,
            T::List(list) => Type::List(Arc::new(self.read(&list.ty())?)),
            T::Record(record) => {
                let fields = record
                    .fields()
                    .map(|field| self.field(field.name, &field.ty));
                Type::Record(fields.collect::<Result<_, _>>()?)
            }
            T::Tuple(tuple) => {
                let types = tuple.types().map(|ty| self.read(&ty));
                Type::Tuple(types.collect::<Result<_, _>>()?)
            }
            T::Variant(variant) => {
                let cases = variant.cases().map(|case| {
                    let ty = case.ty.map(|ty| self.read(&ty)).transpose()?;
                    Ok(Case {
                        name: case.name.into(),
                        ty,
                    })
                });
                Type::Variant(counted(cases.collect::<Result<_, String>>()?)?)
            }
            T::Enum(cases) => Type::Enum(names(cases.names())?),
            T::Flags(flags) => Type::Flags(names(flags.names())?),
            T::Option(option) => Type::Option(Arc::new(self.read(&option.ty())?)),
            T::Result(result) => Type::Result {
                ok: self.optional(result.ok())?,
                err: self.optional(result.err())?,
            },
            T::Own(_) | T::Borrow(_) => {
                return Err(unsupported("a resource", "its data, as a record"));
            }
            T::Future(_) => return Err(unsupported("a future", "the value itself")),
            T::Stream(_) => return Err(unsupported("a stream", "a list")),
            T::ErrorContext => return Err(unsupported("an error-context", "a record or a string")),
            T::Map(_) => return Err(unsupported("a map", "a list of tuples")),
            T::FixedLengthList(_) => {
                return Err(unsupported("a list of fixed length", "a list or a tuple"));
            }
        };
        self.depth -= 1;
        Ok(read)
    }

    /// A parameter or a field of a record.
    pub(crate) fn field(&mut self, name: &str, ty: &types::Type) -> Result<Field, String> {
        let ty = self.read(ty)?;
        Ok(Field {
            name: name.into(),
            ty,
        })
    }

    fn optional(&mut self, ty: Option<types::Type>) -> Result<Option<Arc<Type>>, String> {
        ty.map(|ty| self.read(&ty).map(Arc::new)).transpose()
    }
}

fn names<'a>(names: impl Iterator<Item = &'a str>) -> Result<Arc<[Arc<str>]>, String> {
    counted(names.map(Arc::from).collect())
}

fn counted<T>(cases: Arc<[T]>) -> Result<Arc<[T]>, String> {
    if cases.len() > CASES_MAX {
        return Err(format!("one of its types has more than {CASES_MAX} cases"));
    }
    Ok(cases)
}

fn unsupported(what: &str, instead: &str) -> String {
    format!("it takes or returns {what}, which JSON can't carry; offer {instead}")
}

/// True when a value of the type may have sets in it.
pub(crate) fn has_flags(ty: &Type) -> bool {
    match ty {
        Type::Flags(_) => true,
        Type::List(item) | Type::Option(item) => has_flags(item),
        Type::Tuple(types) => types.iter().any(has_flags),
        Type::Record(fields) => fields.iter().any(|field| has_flags(&field.ty)),
        Type::Variant(cases) => cases
            .iter()
            .filter_map(|case| case.ty.as_ref())
            .any(has_flags),
        Type::Result { ok, err } => ok.iter().chain(err).any(|ty| has_flags(ty)),
        Type::Bool
        | Type::S8
        | Type::U8
        | Type::S16
        | Type::U16
        | Type::S32
        | Type::U32
        | Type::S64
        | Type::U64
        | Type::F32
        | Type::F64
        | Type::Char
        | Type::String
        | Type::Enum(_) => false,
    }
}

/// A value that is not of its type: whoever made it has a bug.
#[derive(Debug)]
pub(crate) struct Misfit;

/// A value as the engine takes it.
pub(crate) fn lower(ty: &Type, value: Value) -> Result<Val, Misfit> {
    Ok(match (ty, value) {
        (Type::Bool, Value::Bool(value)) => Val::Bool(value),
        (Type::S8, Value::S8(value)) => Val::S8(value),
        (Type::U8, Value::U8(value)) => Val::U8(value),
        (Type::S16, Value::S16(value)) => Val::S16(value),
        (Type::U16, Value::U16(value)) => Val::U16(value),
        (Type::S32, Value::S32(value)) => Val::S32(value),
        (Type::U32, Value::U32(value)) => Val::U32(value),
        (Type::S64, Value::S64(value)) => Val::S64(value),
        (Type::U64, Value::U64(value)) => Val::U64(value),
        (Type::F32, Value::F32(value)) => Val::Float32(value),
        (Type::F64, Value::F64(value)) => Val::Float64(value),
        (Type::Char, Value::Char(value)) => Val::Char(value),
        (Type::String, Value::String(value)) => Val::String(value),
        (Type::List(ty), Value::List(items)) => Val::List(
            items
                .into_iter()
                .map(|item| lower(ty, item))
                .collect::<Result<_, _>>()?,
        ),
        (Type::Tuple(types), Value::Tuple(items)) => {
            let items = types.iter().zip(items).map(|(ty, item)| lower(ty, item));
            Val::Tuple(items.collect::<Result<_, _>>()?)
        }
        (Type::Record(fields), Value::Record(values)) => {
            let fields = fields.iter().zip(values);
            let fields =
                fields.map(|(field, value)| Ok((field.name.to_string(), lower(&field.ty, value)?)));
            Val::Record(fields.collect::<Result<_, _>>()?)
        }
        (Type::Variant(cases), Value::Variant(index, payload)) => {
            let case = cases.get(index as usize).ok_or(Misfit)?;
            Val::Variant(
                case.name.to_string(),
                lower_payload(case.ty.as_ref(), payload)?,
            )
        }
        (Type::Enum(names), Value::Enum(index)) => {
            Val::Enum(names.get(index as usize).ok_or(Misfit)?.to_string())
        }
        (Type::Flags(names), Value::Flags(set)) => {
            let set = names.iter().zip(set).filter(|(_, set)| *set);
            Val::Flags(set.map(|(name, _)| name.to_string()).collect())
        }
        (Type::Option(ty), Value::Option(payload)) => {
            Val::Option(lower_payload(Some(ty), payload)?)
        }
        (Type::Result { ok, .. }, Value::Result(Ok(payload))) => {
            Val::Result(Ok(lower_payload(ok.as_deref(), payload)?))
        }
        (Type::Result { err, .. }, Value::Result(Err(payload))) => {
            Val::Result(Err(lower_payload(err.as_deref(), payload)?))
        }
        _ => return Err(Misfit),
    })
}

fn lower_payload(
    ty: Option<&Type>,
    payload: Option<Box<Value>>,
) -> Result<Option<Box<Val>>, Misfit> {
    match (ty, payload) {
        (_, None) => Ok(None),
        (Some(ty), Some(value)) => lower(ty, *value).map(|value| Some(Box::new(value))),
        (None, Some(_)) => Err(Misfit),
    }
}

/// A value as the engine gives it.
pub(crate) fn lift(ty: &Type, value: Val) -> Result<Value, Misfit> {
    Ok(match (ty, value) {
        (Type::Bool, Val::Bool(value)) => Value::Bool(value),
        (Type::S8, Val::S8(value)) => Value::S8(value),
        (Type::U8, Val::U8(value)) => Value::U8(value),
        (Type::S16, Val::S16(value)) => Value::S16(value),
        (Type::U16, Val::U16(value)) => Value::U16(value),
        (Type::S32, Val::S32(value)) => Value::S32(value),
        (Type::U32, Val::U32(value)) => Value::U32(value),
        (Type::S64, Val::S64(value)) => Value::S64(value),
        (Type::U64, Val::U64(value)) => Value::U64(value),
        (Type::F32, Val::Float32(value)) => Value::F32(value),
        (Type::F64, Val::Float64(value)) => Value::F64(value),
        (Type::Char, Val::Char(value)) => Value::Char(value),
        (Type::String, Val::String(value)) => Value::String(value),
        (Type::List(ty), Val::List(items)) => Value::List(
            items
                .into_iter()
                .map(|item| lift(ty, item))
                .collect::<Result<_, _>>()?,
        ),
        (Type::Tuple(types), Val::Tuple(items)) => {
            let items = types.iter().zip(items).map(|(ty, item)| lift(ty, item));
            Value::Tuple(items.collect::<Result<_, _>>()?)
        }
        (Type::Record(fields), Val::Record(values)) => {
            // The engine keeps the order of the declaration.
            let values = fields.iter().zip(values);
            let values = values.map(|(field, (_, value))| lift(&field.ty, value));
            Value::Record(values.collect::<Result<_, _>>()?)
        }
        (Type::Variant(cases), Val::Variant(name, payload)) => {
            let index = cases
                .iter()
                .position(|case| *case.name == name)
                .ok_or(Misfit)?;
            let payload = lift_payload(cases[index].ty.as_ref(), payload)?;
            Value::Variant(u32::try_from(index).map_err(|_| Misfit)?, payload)
        }
        (Type::Enum(names), Val::Enum(name)) => Value::Enum(index_of(names, &name)?),
        (Type::Flags(names), Val::Flags(set)) => {
            let mut flags = vec![false; names.len()];
            for name in set {
                flags[index_of(names, &name)? as usize] = true;
            }
            Value::Flags(flags)
        }
        (Type::Option(ty), Val::Option(payload)) => Value::Option(lift_payload(Some(ty), payload)?),
        (Type::Result { ok, .. }, Val::Result(Ok(payload))) => {
            Value::Result(Ok(lift_payload(ok.as_deref(), payload)?))
        }
        (Type::Result { err, .. }, Val::Result(Err(payload))) => {
            Value::Result(Err(lift_payload(err.as_deref(), payload)?))
        }
        _ => return Err(Misfit),
    })
}

fn lift_payload(
    ty: Option<&Type>,
    payload: Option<Box<Val>>,
) -> Result<Option<Box<Value>>, Misfit> {
    match (ty, payload) {
        (_, None) => Ok(None),
        (Some(ty), Some(value)) => lift(ty, *value).map(|value| Some(Box::new(value))),
        (None, Some(_)) => Err(Misfit),
    }
}

fn index_of(names: &[Arc<str>], name: &str) -> Result<u32, Misfit> {
    let index = names
        .iter()
        .position(|known| **known == *name)
        .ok_or(Misfit)?;
    u32::try_from(index).map_err(|_| Misfit)
}
