//! JSON Schemas of arguments and results, in the form that models read best: no dialect marker
//! (the manifest is 2020-12 throughout), no `$ref` where there is no recursion, no formats that
//! only Rust knows.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use serde_json::{Map, Value};

use crate::component::Output;

/// The schema of a tool's arguments: always an object with `properties`.
pub fn args_schema<T: JsonSchema>() -> Value {
    let mut schema = schema_of::<T>(SchemaSettings::draft2020_12().for_deserialize());
    if let Value::Object(object) = &mut schema {
        // The name of a generated type.
        object.remove("title");
        object
            .entry("properties")
            .or_insert_with(|| Value::Object(Map::new()));
    }
    schema
}

/// The schema of a tool's result.
pub fn returns_schema<T: Output>() -> Value {
    let mut schema = schema_of::<T>(SchemaSettings::draft2020_12().for_serialize());
    if let Value::Object(object) = &mut schema {
        object.remove("title");
    }
    schema
}

fn schema_of<T: JsonSchema>(mut settings: SchemaSettings) -> Value {
    settings.meta_schema = None;
    settings.inline_subschemas = true;
    let generator = settings.into_generator();
    let mut schema = generator.into_root_schema_for::<T>();
    replace_formats(&mut schema);
    schema.into()
}

/// Says in JSON Schema's own words what the formats of Rust's numbers mean; a validator refuses or
/// ignores the formats themselves. 64-bit bounds are left out: JSON's readers have no such numbers.
fn replace_formats(schema: &mut Schema) {
    if let Some(object) = schema.as_object_mut() {
        replace_format(object);
    }
    schemars::transform::transform_subschemas(&mut replace_formats, schema);
}

fn replace_format(object: &mut Map<String, Value>) {
    let bounds: Option<(i64, i64)> = match object.get("format").and_then(Value::as_str) {
        Some("int32") => Some((i32::MIN.into(), i32::MAX.into())),
        Some("uint32") => Some((0, u32::MAX.into())),
        Some(
            "int8" | "int16" | "int64" | "int128" | "int" | "uint8" | "uint16" | "uint64"
            | "uint128" | "uint" | "float" | "double" | "char",
        ) => None,
        _ => return,
    };
    object.remove("format");
    if let Some((least, most)) = bounds {
        object.entry("minimum").or_insert_with(|| least.into());
        object.entry("maximum").or_insert_with(|| most.into());
    }
}
