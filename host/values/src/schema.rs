//! The JSON Schema (2020-12) of a type.
//!
//! Everything is written out in place: many clients do not follow references.

use std::sync::{Arc, LazyLock};

use serde_json::{Map, Value as Json, json};

use crate::number::{NON_FINITE, SAFE_MAX, pattern_to, range};
use crate::{Case, Field, Type};

static S64_PATTERN: LazyLock<String> = LazyLock::new(|| {
    // The least number has no positive twin.
    let max = pattern_to(&i64::MAX.to_string());
    let positive = max.trim_start_matches("0|");
    format!("^(0|-?({positive})|{})$", i64::MIN)
});
static U64_PATTERN: LazyLock<String> =
    LazyLock::new(|| format!("^({})$", pattern_to(&u64::MAX.to_string())));

impl Type {
    /// The schema of this type's JSON. A value satisfies it exactly if [`Type::decode`] takes it.
    pub fn schema(&self) -> Json {
        match self {
            Self::Bool => json!({"type": "boolean"}),
            Self::S8 | Self::U8 | Self::S16 | Self::U16 | Self::S32 | Self::U32 => whole(self),
            Self::S64 => wide(self, &S64_PATTERN),
            Self::U64 => wide(self, &U64_PATTERN),
            Self::F32 => {
                let max = f64::from(f32::MAX);
                float(&json!({"type": "number", "minimum": -max, "maximum": max}))
            }
            Self::F64 => float(&json!({"type": "number"})),
            Self::Char => json!({
                "type": "string", "minLength": 1, "maxLength": 1, "description": "one character",
            }),
            Self::String => json!({"type": "string"}),
            Self::List(item) => json!({"type": "array", "items": item.schema()}),
            Self::Tuple(items) => tuple(items),
            Self::Record(fields) => object(fields),
            Self::Variant(cases) => variant(cases),
            Self::Enum(names) => one_of(names),
            Self::Flags(names) if names.is_empty() => json!({"type": "array", "maxItems": 0}),
            Self::Flags(names) => json!({
                "type": "array",
                "items": one_of(names),
                "uniqueItems": true,
                "maxItems": names.len(),
            }),
            Self::Option(item) if item.is_option() => any_of(vec![
                json!({"type": "null"}),
                tagged("some", &item.schema()),
            ]),
            Self::Option(item) => any_of(vec![item.schema(), json!({"type": "null"})]),
            Self::Result { ok, err } => any_of(vec![
                tagged("ok", &payload(ok.as_ref())),
                tagged("err", &payload(err.as_ref())),
            ]),
        }
    }
}

fn whole(ty: &Type) -> Json {
    let (min, max) = range(ty).unwrap_or((-SAFE_MAX, SAFE_MAX));
    json!({"type": "integer", "minimum": min, "maximum": max})
}

fn wide(ty: &Type, pattern: &str) -> Json {
    let text = json!({"type": "string", "pattern": pattern});
    let mut schema = any_of(vec![whole(ty), text]);
    schema["description"] =
        format!("whole number of 64 bits; past {SAFE_MAX} as a decimal string").into();
    schema
}

fn float(number: &Json) -> Json {
    any_of(vec![number.clone(), json!({"enum": NON_FINITE})])
}

fn tuple(items: &[Type]) -> Json {
    if items.is_empty() {
        // `prefixItems` may not be empty.
        return json!({"type": "array", "maxItems": 0});
    }
    json!({
        "type": "array",
        "prefixItems": items.iter().map(Type::schema).collect::<Vec<_>>(),
        "items": false,
        "minItems": items.len(),
        "maxItems": items.len(),
    })
}

/// The schema of an object by field name.
pub(crate) fn object(fields: &[Field]) -> Json {
    let properties: Map<String, Json> = fields
        .iter()
        .map(|field| (field.name.to_string(), field.ty.schema()))
        .collect();
    let required: Vec<&str> = fields
        .iter()
        .filter(|field| !field.ty.is_option())
        .map(|field| &*field.name)
        .collect();
    json!({
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

fn variant(cases: &[Case]) -> Json {
    let plain: Vec<Arc<str>> = cases
        .iter()
        .filter(|case| case.ty.is_none())
        .map(|case| Arc::clone(&case.name))
        .collect();
    let mut options = Vec::new();
    if !plain.is_empty() {
        options.push(one_of(&plain));
    }
    options.extend(cases.iter().filter_map(|case| {
        let payload = case.ty.as_ref()?.schema();
        Some(tagged(&case.name, &payload))
    }));
    any_of(options)
}

fn one_of(names: &[Arc<str>]) -> Json {
    if names.is_empty() {
        // WIT has no empty enum or variant; if it had, nothing would be its value.
        return json!({"not": {}});
    }
    let names: Vec<&str> = names.iter().map(|name| &**name).collect();
    json!({"type": "string", "enum": names})
}

fn any_of(mut options: Vec<Json>) -> Json {
    match options.len() {
        0 => one_of(&[]),
        1 => options.swap_remove(0),
        _ => json!({"anyOf": options}),
    }
}

/// An object with one member.
fn tagged(name: &str, payload: &Json) -> Json {
    json!({
        "type": "object",
        "properties": {name: payload},
        "required": [name],
        "additionalProperties": false,
    })
}

/// The schema of a payload of a result, or of a function's result.
pub(crate) fn payload(ty: Option<&Arc<Type>>) -> Json {
    ty.map_or_else(|| json!({"type": "null"}), |ty| ty.schema())
}
