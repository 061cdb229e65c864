//! Parts of a document that serde passes over and the walk reads.

use std::borrow::Cow;
use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};

use crate::permissions;
use crate::rule::CALL;

/// Stands for a `T` that is read elsewhere, item by item and with places. It has the schema of `T`.
#[derive(Debug)]
pub(crate) struct Opaque<T>(PhantomData<T>);

/// The schema of what stands below `allow`.
#[derive(Debug)]
pub(crate) struct AllowMap;

/// The schema of what stands below `deny`.
#[derive(Debug)]
pub(crate) struct DenyMap;

impl<'de, T> Deserialize<'de> for Opaque<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| Self(PhantomData))
    }
}

impl<T: JsonSchema> JsonSchema for Opaque<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn schema_id() -> Cow<'static, str> {
        T::schema_id()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

impl JsonSchema for AllowMap {
    fn schema_name() -> Cow<'static, str> {
        "Allow".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        permissions::schema(generator)
    }
}

impl JsonSchema for DenyMap {
    fn schema_name() -> Cow<'static, str> {
        "Deny".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = permissions::schema(generator);
        let properties = schema
            .get_mut("properties")
            .and_then(|value| value.as_object_mut());
        if let Some(properties) = properties {
            let call = serde_json::json!({
                "description": "Refuses the call itself.",
                "const": true,
            });
            properties.insert(CALL.to_owned(), call);
        }
        schema
    }
}
