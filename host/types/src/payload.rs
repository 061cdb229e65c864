use std::fmt;
use std::sync::Arc;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Number, Value};

/// JSON that passes through the host without being looked into: arguments, results, schemas.
///
/// Cheap to clone. Its size and depth were checked where it entered.
#[derive(Clone, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Payload(Arc<Value>);

impl Payload {
    /// `null`.
    pub fn null() -> Self {
        Self::from(Value::Null)
    }

    /// `{}`.
    pub fn empty_object() -> Self {
        Self::from(Value::Object(serde_json::Map::new()))
    }

    /// The JSON value.
    pub fn as_value(&self) -> &Value {
        &self.0
    }

    /// The JSON value, without a copy when nobody else holds it.
    pub fn into_value(self) -> Value {
        Arc::unwrap_or_clone(self.0)
    }

    /// True for `null`.
    pub fn is_null(&self) -> bool {
        self.0.is_null()
    }
}

/// Reads a field that is left out when there is no payload: one that is there and `null` is a
/// result, not the absence of one.
pub(crate) fn present<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Payload>, D::Error> {
    Payload::deserialize(from).map(Some)
}

impl From<Value> for Payload {
    fn from(value: Value) -> Self {
        Self(Arc::new(value))
    }
}

impl Default for Payload {
    fn default() -> Self {
        Self::null()
    }
}

impl fmt::Display for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&*self.0, f)
    }
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&*self.0, f)
    }
}

impl<'de> Deserialize<'de> for Payload {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Plain.deserialize(deserializer).map(Self::from)
    }
}

/// Builds a [`Value`] in which every key is an ordinary key.
///
/// The value's own reading gives `$serde_json::private::RawValue` a meaning as soon as any crate
/// of the build turns that feature on: the text under it would be parsed as JSON, past every check
/// that was made of the payload.
struct Plain;

impl<'de> DeserializeSeed<'de> for Plain {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Plain {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value)
            .map(Value::Number)
            .ok_or_else(|| E::custom("JSON has no such number"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        Self.deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element_seed(Self)? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(key) = access.next_key::<String>()? {
            map.insert(key, access.next_value_seed(Self)?);
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_key_is_an_ordinary_key() {
        for key in [
            "$serde_json::private::RawValue",
            "$serde_json::private::Number",
            "__proto__",
        ] {
            let text = json!({ key: "[1, 2]" }).to_string();
            let payload: Payload = serde_json::from_str(&text).expect("well-formed");
            assert_eq!(payload.as_value()[key], "[1, 2]");
            let again: Payload = serde_json::from_value(payload.into_value()).expect("a value");
            assert_eq!(again.to_string(), json!({ key: "[1, 2]" }).to_string());
        }
    }

    #[test]
    fn keeps_every_kind_of_value() {
        let value = json!([null, true, -1, u64::MAX, 0.5, "a", [], {"a": {"b": [1]}}]);
        let payload: Payload = serde_json::from_str(&value.to_string()).expect("well-formed");
        assert_eq!(payload.as_value(), &value);
        let optional: Option<Payload> = serde_json::from_str("null").expect("null");
        assert_eq!(optional, None);
    }
}
