//! Whether a step's condition holds.

use std::cmp::Ordering;

use cofferdam_types::Code;
use cofferdam_types::failure::Failure;
use cofferdam_types::plan::Condition;
use serde_json::{Number, Value};

use super::reference::Scope;
use super::template::expand;

/// Whether `condition` holds. `all` and `any` stop at the first operand that decides.
///
/// **Errors**: as those of templates; `invalid_input` when things are compared that have no order.
pub(crate) fn holds(condition: &Condition, scope: Scope<'_>) -> Result<bool, Failure> {
    match condition {
        Condition::Equals(left, right) => {
            let (left, right) = (expand(left, scope)?, expand(right, scope)?);
            Ok(is_same(left.as_value(), right.as_value()))
        }
        Condition::Greater(left, right) => {
            let (left, right) = (expand(left, scope)?, expand(right, scope)?);
            match (left.as_value(), right.as_value()) {
                (Value::Number(left), Value::Number(right)) => {
                    Ok(compare(left, right) == Some(Ordering::Greater))
                }
                (Value::String(left), Value::String(right)) => Ok(left > right),
                _ => Err(Failure::new(
                    Code::InvalidInput,
                    "`greater` compares two numbers or two texts",
                )),
            }
        }
        Condition::Exists(pointer) => Ok(scope.at(pointer).is_some_and(|value| !value.is_null())),
        Condition::Not(inner) => Ok(!holds(inner, scope)?),
        Condition::All(inner) => {
            for condition in inner {
                if !holds(condition, scope)? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        Condition::Any(inner) => {
            for condition in inner {
                if holds(condition, scope)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
    }
}

/// The same JSON: `1` and `1.0` are one number, as in JSON Schema.
fn is_same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => {
            compare(left, right) == Some(Ordering::Equal)
        }
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(a, b)| is_same(a, b))
        }
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left
                    .iter()
                    .all(|(key, a)| right.get(key).is_some_and(|b| is_same(a, b)))
        }
        _ => left == right,
    }
}

/// Integers compare exactly, which floats can't above 2⁵³.
fn compare(left: &Number, right: &Number) -> Option<Ordering> {
    match (left.as_i128(), right.as_i128()) {
        (Some(left), Some(right)) => Some(left.cmp(&right)),
        _ => left.as_f64()?.partial_cmp(&right.as_f64()?),
    }
}
