//! Numbers: their ranges, and which JSON stands for them.

use std::fmt::Write;

use serde_json::{Number, Value as Json};

use crate::Type;

/// Largest whole number that every JSON reader keeps exactly; many keep numbers as `f64`, and from
/// 2⁵³ on two whole numbers share one `f64`.
pub(crate) const SAFE_MAX: i64 = (1 << 53) - 1;
/// How a float that is no JSON number is written.
pub(crate) const NON_FINITE: [&str; 3] = ["NaN", "Infinity", "-Infinity"];

/// The range of a whole number's JSON number.
pub(crate) fn range(ty: &Type) -> Option<(i64, i64)> {
    Some(match ty {
        Type::S8 => (i8::MIN.into(), i8::MAX.into()),
        Type::U8 => (u8::MIN.into(), u8::MAX.into()),
        Type::S16 => (i16::MIN.into(), i16::MAX.into()),
        Type::U16 => (u16::MIN.into(), u16::MAX.into()),
        Type::S32 => (i32::MIN.into(), i32::MAX.into()),
        Type::U32 => (u32::MIN.into(), u32::MAX.into()),
        Type::S64 => (-SAFE_MAX, SAFE_MAX),
        Type::U64 => (0, SAFE_MAX),
        _ => return None,
    })
}

/// The whole number within a range that a JSON value is. As in JSON Schema, `1.0`, `1e0` and `1`
/// are the same number, and `-0.0` is 0.
pub(crate) fn whole(json: &Json, (min, max): (i64, i64)) -> Option<i64> {
    let Json::Number(number) = json else {
        return None;
    };
    let whole = match number.as_i64() {
        Some(whole) => whole,
        // Past `i64` and so out of every range.
        None if number.is_u64() => return None,
        None => exact(number.as_f64()?)?,
    };
    (min..=max).contains(&whole).then_some(whole)
}

fn exact(float: f64) -> Option<i64> {
    // Past 2⁵³ it is out of every range, and not known exactly.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        reason = "whole and below 2⁵³"
    )]
    (float.fract() == 0.0 && float.abs() <= SAFE_MAX as f64).then_some(float as i64)
}

/// Whether a text is a whole number as this crate writes them: one text for each number.
pub(crate) fn is_canonical(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text).as_bytes();
    text == "0" || matches!(digits, [b'1'..=b'9', rest @ ..] if rest.iter().all(u8::is_ascii_digit))
}

/// The float that a JSON value is, rounded to nearest where `f64` has not that number.
pub(crate) fn double(json: &Json) -> Option<f64> {
    match json {
        Json::Number(number) => number.as_f64(),
        Json::String(text) => non_finite(text),
        _ => None,
    }
}

/// The same for `f32`. A number past the largest `f32` is refused, also one so near that it would
/// round to it: its schema has no other way to say it.
pub(crate) fn single(json: &Json) -> Option<f32> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        reason = "rounding to nearest is what an f32 is for"
    )]
    match json {
        // Rounded once: by way of `f64` a large whole number would be rounded twice.
        Json::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(whole), _) => Some(whole as f32),
            (None, Some(whole)) => Some(whole as f32),
            (None, None) => number
                .as_f64()
                .filter(|float| float.abs() <= f64::from(f32::MAX))
                .map(|float| float as f32),
        },
        Json::String(text) => non_finite(text).map(|float| {
            if float.is_nan() {
                f32::NAN
            } else {
                float as f32
            }
        }),
        _ => None,
    }
}

fn non_finite(text: &str) -> Option<f64> {
    match text {
        "NaN" => Some(f64::NAN),
        "Infinity" => Some(f64::INFINITY),
        "-Infinity" => Some(f64::NEG_INFINITY),
        _ => None,
    }
}

/// The JSON of a float. An `f32` arrives here widened: that is exact, while the shortest text of
/// the largest `f32` stands for a larger number.
pub(crate) fn from_float(float: f64) -> Json {
    match Number::from_f64(float) {
        Some(number) => Json::Number(number),
        None if float.is_nan() => "NaN".into(),
        None if float > 0.0 => "Infinity".into(),
        None => "-Infinity".into(),
    }
}

/// A pattern for the decimal texts from 0 to `max`, without anchors. `max` has two digits or more,
/// and its first is not 0.
pub(crate) fn pattern_to(max: &str) -> String {
    let digits = max.as_bytes();
    let mut pattern = format!("0|[1-9][0-9]{{0,{}}}", digits.len() - 2);
    let mut open = 0;
    pattern.push('|');
    for (at, digit) in digits.iter().enumerate() {
        let rest = digits.len() - 1 - at;
        let least = if at == 0 { b'1' } else { b'0' };
        if *digit > least {
            // A smaller digit here, and then anything.
            let smaller = digit - 1;
            let class = if smaller == least {
                char::from(least).to_string()
            } else {
                format!("[{}-{}]", char::from(least), char::from(smaller))
            };
            let any = match rest {
                0 => String::new(),
                1 => "[0-9]".to_owned(),
                _ => format!("[0-9]{{{rest}}}"),
            };
            // Writing to a string can't fail.
            _ = write!(pattern, "{class}{any}|");
        }
        pattern.push(char::from(*digit));
        if rest > 0 && digits[at + 1] > b'0' {
            pattern.push('(');
            open += 1;
        }
    }
    pattern.push_str(&")".repeat(open));
    pattern
}
