//! How a call ended, as far as doors and hosts have to agree.

use anyhow::{Result, bail};
use serde_json::Value;

/// The end of a call.
#[derive(Debug, Clone)]
pub(crate) enum Ended {
    /// With a result.
    Ok(Value),
    /// With the error of the function itself.
    Err(Value),
    /// Otherwise, with this code.
    Failed(String),
}

impl Ended {
    /// `{"ok": …}`, `{"err": …}` or `{"trap": …}`, as in the list of cases and from the
    /// independent host.
    pub(crate) fn read(said: &Value) -> Result<Self> {
        if let Some(value) = said.get("ok") {
            return Ok(Self::Ok(value.clone()));
        }
        if let Some(value) = said.get("err") {
            return Ok(Self::Err(value.clone()));
        }
        if said.get("trap").is_some() {
            return Ok(Self::Failed("trap".to_owned()));
        }
        bail!("no answer: {said}")
    }

    /// The `error` of a body. An error without a value has no details of the tool.
    pub(crate) fn of_error(error: &Value) -> Result<Self> {
        match error["code"].as_str() {
            Some("tool_error") => Ok(Self::Err(error["details"]["tool_details"].clone())),
            Some(code) => Ok(Self::Failed(code.to_owned())),
            None => bail!("no error: {error}"),
        }
    }
}

impl PartialEq for Ended {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Ok(a), Self::Ok(b)) | (Self::Err(a), Self::Err(b)) => is_same(a, b),
            (Self::Failed(a), Self::Failed(b)) => a == b,
            _ => false,
        }
    }
}

/// Whether two values are the same to whoever reads JSON: `6` is `6.0`, but zeros have signs, and
/// 64-bit integers all of their digits.
fn is_same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(x), Value::Number(y)) if x.is_f64() || y.is_f64() => {
            let bits = |number: &serde_json::Number| number.as_f64().map(f64::to_bits);
            bits(x) == bits(y)
        }
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_same(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            let same = |(key, value): (&String, &Value)| {
                b.get(key).is_some_and(|other| is_same(value, other))
            };
            a.len() == b.len() && a.iter().all(same)
        }
        _ => a == b,
    }
}

#[test]
fn what_is_the_same() {
    for (a, b, same) in [
        ("6", "6.0", true),
        ("0.0", "-0.0", false),
        ("9007199254740992", "9007199254740993", false),
        (r#"{"a": [1, null]}"#, r#"{"a": [1.0, null]}"#, true),
        (r#"{"a": null}"#, "{}", false),
        ("[1]", "[1, 1]", false),
        ("1", r#""1""#, false),
    ] {
        let read = |text| serde_json::from_str(text).expect("JSON");
        assert_eq!(is_same(&read(a), &read(b)), same, "{a} and {b}");
    }
}
