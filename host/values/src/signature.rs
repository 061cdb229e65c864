//! A function: its arguments come as one JSON object, its result goes as JSON or as an error.

use std::sync::Arc;

use cofferdam_types::failure::Fault;
use serde_json::{Value as Json, json};

use crate::{Field, Mismatch, Type, Value, decode, schema};

/// The parameters and the result of a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// In the order of the call.
    pub params: Vec<Field>,
    /// What it gives back.
    pub result: Option<Type>,
}

/// What a function answered.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// Its result; null when it has none.
    Ok(Json),
    /// Its own error; null when that has no payload.
    Err(Json),
}

impl Signature {
    /// The schema of the arguments: an object by parameter name.
    pub fn args_schema(&self) -> Json {
        schema::object(&self.params)
    }

    /// The schema of [`Answer::Ok`].
    pub fn returns_schema(&self) -> Json {
        match &self.result {
            None => json!({"type": "null"}),
            Some(Type::Result { ok, .. }) => schema::payload(ok.as_ref()),
            Some(ty) => ty.schema(),
        }
    }

    /// The arguments in the order of the call, or what is wrong with them.
    pub fn arguments(&self, json: &Json) -> Result<Vec<Value>, Vec<Fault>> {
        decode::fields(&self.params, json)
    }

    /// The answer that a returned value is. A `result` is taken apart here; elsewhere it is a value
    /// like any other.
    ///
    /// **Limits**: those of [`Type::encode`].
    pub fn answer(&self, value: Option<Value>, bytes_max: usize) -> Result<Answer, Mismatch> {
        let payload = |ty: Option<&Arc<Type>>, value: Option<Box<Value>>| match (ty, value) {
            (Some(ty), Some(value)) => ty.encode(*value, bytes_max),
            (None, None) => Ok(Json::Null),
            _ => Err(Mismatch::Type {
                expected: "a result with the payload of its type",
            }),
        };
        match (&self.result, value) {
            (None, None) => Ok(Answer::Ok(Json::Null)),
            (Some(Type::Result { ok, .. }), Some(Value::Result(Ok(value)))) => {
                payload(ok.as_ref(), value).map(Answer::Ok)
            }
            (Some(Type::Result { err, .. }), Some(Value::Result(Err(value)))) => {
                payload(err.as_ref(), value).map(Answer::Err)
            }
            (Some(ty), Some(value)) => ty.encode(value, bytes_max).map(Answer::Ok),
            (None, Some(_)) => Err(Mismatch::Type {
                expected: "absent: the function has no result",
            }),
            (Some(_), None) => Err(Mismatch::Type {
                expected: "there: the function has a result",
            }),
        }
    }
}
