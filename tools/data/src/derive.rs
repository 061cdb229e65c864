//! The step that computes a field.

use std::borrow::Cow;

use cofferdam_sdk::data;
use cofferdam_sdk::schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use regex::Regex;
use serde::Deserialize;
use serde_json::Number;

use crate::fault::Fault;
use crate::field::Field;
use crate::json::{Json, Name};
use crate::pattern;
use crate::step::{Look, Uses};

/// Decimal places that rounding knows; a float has no more.
const DIGITS_MAX: u8 = 15;

/// See [`crate::step::Step::Derive`].
#[data(input)]
#[derive(Debug)]
#[serde(deny_unknown_fields)]
pub(crate) struct Derive {
    /// Name of the field that is added or replaced.
    #[serde(rename = "as")]
    alias: String,
    /// How it is computed; `fn` says which function. What it works on is a field when it is a
    /// string, a number as it stands, or any value as `{"literal": …}`. The result is null where
    /// something that is needed is null.
    value: Function,
}

/// What is computed with.
#[derive(Deserialize, Debug)]
#[serde(untagged)]
enum Operand {
    Field(Field),
    Literal(Literal),
    Number(Number),
}

/// Short because it stands in the schema a dozen times; [`Derive::value`] describes it.
impl JsonSchema for Operand {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Operand".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["string", "number", "object"] })
    }
}

/// A value that is the same for every row.
#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
struct Literal {
    literal: Json,
}

/// A function of a row.
#[data(input)]
#[derive(Debug)]
#[serde(tag = "fn", rename_all = "snake_case", deny_unknown_fields)]
enum Function {
    /// Characters of a text, elements of a list, members of an object.
    Length {
        /// What is measured.
        of: Operand,
    },
    /// The values as texts, one after the other; nulls are left out.
    Concat {
        /// What is joined.
        of: Vec<Operand>,
        /// What stands between. Default: nothing.
        #[serde(default)]
        separator: String,
    },
    /// The first that is not null.
    Coalesce {
        /// What is tried.
        of: Vec<Operand>,
    },
    /// The part of a text that a regular expression finds first; null when it finds none.
    Extract {
        /// The text.
        from: Operand,
        /// The expression. With a group in parentheses, the first group is taken.
        pattern: String,
    },
    /// Left plus right.
    Add(Two),
    /// Left minus right.
    Subtract(Two),
    /// Left times right.
    Multiply(Two),
    /// Left divided by right; null when right is 0.
    Divide(Two),
    /// The number with so many decimal places.
    Round {
        /// The number.
        of: Operand,
        /// Decimal places, 0 to 15. Default: 0.
        #[serde(default)]
        digits: u8,
    },
}

/// Two numbers.
#[data(input)]
#[derive(Debug)]
#[serde(deny_unknown_fields)]
struct Two {
    /// The first.
    left: Operand,
    /// The second.
    right: Operand,
}

impl Derive {
    pub(crate) fn uses(&self) -> Uses<'_> {
        let look = match &self.value {
            Function::Coalesce { .. } => Look::Asks,
            _ => Look::Expects,
        };
        let fields = self
            .value
            .operands()
            .into_iter()
            .filter_map(|operand| match operand {
                Operand::Field(field) => Some((field, look)),
                Operand::Literal(_) | Operand::Number(_) => None,
            });
        Uses::open(fields)
    }

    pub(crate) fn run(&self, rows: Vec<Json>) -> Result<Vec<Json>, Fault> {
        let name = Name::from(self.alias.as_str());
        let pattern = self.value.pattern()?;
        let derived = rows.into_iter().enumerate().map(|(at, row)| {
            let value = self.value.of(&row, pattern.as_ref());
            let value = value.map_err(|fault| fault.within("value").with_fact("row", at))?;
            Ok(row.with(&name, value))
        });
        derived.collect()
    }
}

impl Operand {
    fn of(&self, row: &Json) -> Json {
        match self {
            Self::Field(field) => field.or_null(row),
            Self::Literal(Literal { literal }) => literal.clone(),
            Self::Number(number) => match (number.as_i128(), number.as_f64()) {
                (Some(whole), _) => whole.into(),
                (None, float) => float.map_or(Json::Null, Json::from),
            },
        }
    }
}

impl Function {
    fn operands(&self) -> Vec<&Operand> {
        match self {
            Self::Length { of } | Self::Round { of, .. } => vec![of],
            Self::Extract { from, .. } => vec![from],
            Self::Concat { of, .. } | Self::Coalesce { of } => of.iter().collect(),
            Self::Add(two) | Self::Subtract(two) | Self::Multiply(two) | Self::Divide(two) => {
                vec![&two.left, &two.right]
            }
        }
    }

    fn pattern(&self) -> Result<Option<Regex>, Fault> {
        match self {
            Self::Extract { pattern, .. } => match pattern::compile(pattern) {
                Ok(pattern) => Ok(Some(pattern)),
                Err(fault) => Err(fault.within("pattern").within("value")),
            },
            Self::Round { digits, .. } if *digits > DIGITS_MAX => {
                let message = format!("there are at most {DIGITS_MAX} decimal places");
                Err(Fault::step(message).within("digits").within("value"))
            }
            _ => Ok(None),
        }
    }

    fn of(&self, row: &Json, pattern: Option<&Regex>) -> Result<Json, Fault> {
        match self {
            Self::Length { of } => Ok(match of.of(row) {
                Json::Text(text) => Json::count(text.chars().count()),
                Json::List(list) => Json::count(list.len()),
                Json::Object(members) => Json::count(members.len()),
                Json::Null | Json::Bool(_) | Json::Int(_) | Json::UInt(_) | Json::Float(_) => {
                    Json::Null
                }
            }),
            Self::Concat { of, separator } => {
                let values = of.iter().map(|operand| operand.of(row));
                let texts: Vec<_> = values
                    .filter(|value| !value.is_null())
                    .map(|value| plain(&value))
                    .collect();
                Ok(Json::text(&texts.join(separator)))
            }
            Self::Coalesce { of } => {
                let mut values = of.iter().map(|operand| operand.of(row));
                Ok(values.find(|value| !value.is_null()).unwrap_or(Json::Null))
            }
            Self::Extract { from, .. } => Ok(match (from.of(row), pattern) {
                (Json::Text(text), Some(pattern)) => extract(&text, pattern),
                _ => Json::Null,
            }),
            Self::Add(two) => two.compute(row, i128::checked_add, |left, right| left + right),
            Self::Subtract(two) => two.compute(row, i128::checked_sub, |left, right| left - right),
            Self::Multiply(two) => two.compute(row, i128::checked_mul, |left, right| left * right),
            Self::Divide(two) => {
                let whole = |left: i128, right: i128| match left.checked_rem(right) {
                    Some(0) => left.checked_div(right),
                    _ => None,
                };
                two.compute(row, whole, |left, right| left / right)
            }
            Self::Round { of, digits } => Ok(match number(&of.of(row))? {
                Some(Json::Float(float)) => round(float, *digits),
                whole => whole.unwrap_or(Json::Null),
            }),
        }
    }
}

impl Two {
    /// Exact where both are whole and `exact` has an answer, else with floats.
    fn compute(
        &self,
        row: &Json,
        exact: impl Fn(i128, i128) -> Option<i128>,
        float: impl Fn(f64, f64) -> f64,
    ) -> Result<Json, Fault> {
        let (Some(left), Some(right)) = (number(&self.left.of(row))?, number(&self.right.of(row))?)
        else {
            return Ok(Json::Null);
        };
        if let (Some(left), Some(right)) = (left.whole(), right.whole())
            && let Some(result) = exact(left, right)
        {
            return Ok(result.into());
        }
        let (left, right) = (left.float().unwrap_or(0.0), right.float().unwrap_or(0.0));
        Ok(Some(float(left, right))
            .filter(|result| result.is_finite())
            .map_or(Json::Null, Json::from))
    }
}

/// The number, or nothing for null.
fn number(value: &Json) -> Result<Option<Json>, Fault> {
    match value {
        Json::Null => Ok(None),
        value if value.is_number() => Ok(Some(value.clone())),
        value => Err(Fault::value(format!(
            "needs numbers, but one row has {}",
            value.kind()
        ))),
    }
}

fn extract(text: &str, pattern: &Regex) -> Json {
    let Some(found) = pattern.captures(text) else {
        return Json::Null;
    };
    let part = if pattern.captures_len() > 1 {
        found.get(1)
    } else {
        found.get(0)
    };
    part.map_or(Json::Null, |part| Json::text(part.as_str()))
}

/// Rounds half away from zero, as it is done by hand.
fn round(float: f64, digits: u8) -> Json {
    let scale = 10_f64.powi(digits.into());
    let rounded = (float * scale).round() / scale;
    let rounded = if rounded.is_finite() { rounded } else { float };
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a float below 2^63 has a whole part in i64"
    )]
    if digits == 0 && rounded.abs() < 9e18 {
        Json::Int(rounded as i64)
    } else {
        rounded.into()
    }
}

/// A text as it is, anything else in its JSON form.
pub(crate) fn plain(value: &Json) -> String {
    match value {
        Json::Text(text) => text.to_string(),
        value => value.to_string(),
    }
}
