//! Sizes and spans of time as people write them, always with their unit.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

/// Why a text is not a quantity.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{text}` is not {kind}: {reason}")]
pub struct QuantityError {
    kind: &'static str,
    text: String,
    reason: &'static str,
}

/// A number of bytes.
///
/// **Shape**: a whole number and its unit, as in `64MiB`, `1 GB`, `512B`; or a bare integer, which
/// counts bytes. `kB`, `MB`, `GB`, `TB` are powers of 1000; `KiB`, `MiB`, `GiB`, `TiB` of 1024. A
/// text without a unit, another spelling of one (`mb`) and a fraction are refused.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bytes(pub u64);

/// A span of time, to the millisecond.
///
/// **Shape**: a whole number and its unit, as in `500ms`, `30s`, `5m`, `2h`, `7d`. A bare number is
/// refused: nobody could say of what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    millis: u64,
}

/// Larger units first: a quantity prints in the largest that leaves no remainder.
const SIZES: [(&str, u64); 9] = [
    ("TiB", 1 << 40),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("TB", 1_000_000_000_000),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("kB", 1_000),
    ("B", 1),
];
const TIMES: [(&str, u64); 5] = [
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];
const A_SIZE: &str = "a size";
const A_SPAN: &str = "a span of time";
const SIZE_RULE: &str =
    "expected a whole number and B, kB, MB, GB, TB, KiB, MiB, GiB or TiB, as in `64MiB`";
const SPAN_RULE: &str = "expected a whole number and ms, s, m, h or d, as in `30s`";
const TOO_LARGE: &str = "it is larger than any limit can be";

impl Span {
    /// Of so many milliseconds.
    pub const fn from_millis(millis: u64) -> Self {
        Self { millis }
    }

    /// Milliseconds.
    pub fn as_millis(self) -> u64 {
        self.millis
    }
}

impl From<Span> for Duration {
    fn from(span: Span) -> Self {
        Self::from_millis(span.millis)
    }
}

impl FromStr for Bytes {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, QuantityError> {
        quantity(text, A_SIZE, SIZE_RULE, &SIZES).map(Self)
    }
}

impl FromStr for Span {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, QuantityError> {
        quantity(text, A_SPAN, SPAN_RULE, &TIMES).map(Self::from_millis)
    }
}

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        print(f, self.0, &SIZES, "B")
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        print(f, self.millis, &TIMES, "s")
    }
}

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Size;
        impl Visitor<'_> for Size {
            type Value = Bytes;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a size, as in `64MiB`, or a whole number of bytes")
            }

            fn visit_u64<E: de::Error>(self, bytes: u64) -> Result<Bytes, E> {
                Ok(Bytes(bytes))
            }

            fn visit_i64<E: de::Error>(self, bytes: i64) -> Result<Bytes, E> {
                u64::try_from(bytes)
                    .map(Bytes)
                    .map_err(|_| E::invalid_value(de::Unexpected::Signed(bytes), &self))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Bytes, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_any(Size)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Time;
        impl Visitor<'_> for Time {
            type Value = Span;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a span of time with its unit, as in `30s`")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Span, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_any(Time)
    }
}

impl JsonSchema for Bytes {
    fn schema_name() -> Cow<'static, str> {
        "Bytes".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A size: a whole number with its unit, as in `64MiB`, or of bytes.",
            "anyOf": [
                { "type": "string", "pattern": "^[0-9]+ ?([kMGT]?B|[KMGT]iB)$" },
                { "type": "integer", "minimum": 0 },
            ],
        })
    }
}

impl JsonSchema for Span {
    fn schema_name() -> Cow<'static, str> {
        "Span".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A span of time: a whole number with its unit, as in `30s` or `500ms`.",
            "type": "string",
            "pattern": "^[0-9]+ ?(ms|s|m|h|d)$",
        })
    }
}

fn quantity(
    text: &str,
    kind: &'static str,
    rule: &'static str,
    units: &[(&str, u64)],
) -> Result<u64, QuantityError> {
    let fail = |reason| QuantityError {
        kind,
        text: text.chars().take(80).collect(),
        reason,
    };
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let unit = unit.strip_prefix(' ').unwrap_or(unit);
    let (_, factor) = units
        .iter()
        .find(|(name, _)| *name == unit)
        .ok_or_else(|| fail(rule))?;
    if digits == 0 {
        return Err(fail(rule));
    }
    let number: u64 = number.parse().map_err(|_| fail(TOO_LARGE))?;
    number.checked_mul(*factor).ok_or_else(|| fail(TOO_LARGE))
}

fn print(f: &mut fmt::Formatter<'_>, value: u64, units: &[(&str, u64)], zero: &str) -> fmt::Result {
    if value == 0 {
        return write!(f, "0{zero}");
    }
    let fits = |(_, factor): &&(&str, u64)| value.is_multiple_of(*factor);
    let (unit, factor) = units.iter().find(fits).unwrap_or(&("", 1));
    write!(f, "{}{unit}", value / factor)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sizes() {
        let size = |text: &str| text.parse::<Bytes>().ok().map(|bytes| bytes.0);
        assert_eq!(size("64MiB"), Some(64 << 20));
        assert_eq!(size("1 GB"), Some(1_000_000_000));
        assert_eq!(size("7B"), Some(7));
        for bad in [
            "",
            "64",
            "64 mib",
            "MiB",
            "-1B",
            "1.5MiB",
            "1  kB",
            " 1B",
            "1B ",
            "1KB",
            "99999999TiB",
        ] {
            assert_eq!(size(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn spans() {
        let span = |text: &str| text.parse::<Span>().ok().map(Span::as_millis);
        assert_eq!(span("500ms"), Some(500));
        assert_eq!(span("5m"), Some(300_000));
        for bad in ["", "30", "1M", "30 sec", "1h30m", "s", "-1s", "1.5s"] {
            assert_eq!(span(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn only_a_size_has_a_unit_of_its_own() {
        assert_eq!(serde_json::from_str::<Bytes>("7").ok(), Some(Bytes(7)));
        assert!(serde_json::from_str::<Bytes>("-7").is_err());
        assert!(serde_json::from_str::<Bytes>("7.0").is_err());
        let error = serde_json::from_str::<Span>("30").expect_err("no unit");
        assert!(error.to_string().contains("with its unit"), "{error}");
    }

    proptest! {
        #[test]
        fn reads_back_what_it_prints(value in any::<u64>(), shift in 0_u32..64) {
            let value = value >> shift;
            prop_assert_eq!(Bytes(value).to_string().parse(), Ok(Bytes(value)));
            let span = Span::from_millis(value);
            prop_assert_eq!(span.to_string().parse(), Ok(span));
        }
    }
}
