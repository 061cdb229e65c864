use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error, Visitor};

/// How much fuel one call of a tool by a tool may have: a share of what the caller has left, and no
/// more than an amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FuelShare {
    percent: u8,
    units_max: u64,
}

impl FuelShare {
    /// All that is left.
    pub const ALL: Self = Self {
        percent: 100,
        units_max: u64::MAX,
    };
    pub(super) const NONE: Self = Self {
        percent: 0,
        units_max: 0,
    };

    /// Of what a caller has left. Never more than that.
    pub fn of(self, left: u64) -> u64 {
        let share = u128::from(left) * u128::from(self.percent) / 100;
        u64::try_from(share).unwrap_or(u64::MAX).min(self.units_max)
    }

    pub(super) fn widest(self, other: Self) -> Self {
        Self {
            percent: self.percent.max(other.percent),
            units_max: self.units_max.max(other.units_max),
        }
    }

    pub(super) fn narrowest(self, other: Self) -> Self {
        Self {
            percent: self.percent.min(other.percent),
            units_max: self.units_max.min(other.units_max),
        }
    }
}

/// Fuel as people write it.
///
/// **Shape**: `"50%"`, 1 to 100, or a whole number of units above 0: `1000000000`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FuelEntry(pub FuelShare);

const RULE: &str = "expected a share such as `50%`, or a number of units above 0";

impl FuelEntry {
    fn percent(text: &str) -> Option<Self> {
        let digits = text.strip_suffix('%')?;
        let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
        let percent = digits.parse().ok().filter(|_| is_number)?;
        (1..=100).contains(&percent).then_some(Self(FuelShare {
            percent,
            ..FuelShare::ALL
        }))
    }

    fn units(units_max: u64) -> Option<Self> {
        (units_max > 0).then_some(Self(FuelShare {
            units_max,
            ..FuelShare::ALL
        }))
    }
}

impl<'de> Deserialize<'de> for FuelEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl Visitor<'_> for Either {
            type Value = FuelEntry;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a share such as `50%`, or a number of units")
            }

            fn visit_u64<E: Error>(self, units: u64) -> Result<FuelEntry, E> {
                FuelEntry::units(units).ok_or_else(|| E::custom(RULE))
            }

            fn visit_i64<E: Error>(self, units: i64) -> Result<FuelEntry, E> {
                let units = u64::try_from(units).ok();
                units
                    .and_then(FuelEntry::units)
                    .ok_or_else(|| E::custom(RULE))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<FuelEntry, E> {
                FuelEntry::percent(text).ok_or_else(|| E::custom(RULE))
            }
        }

        deserializer.deserialize_any(Either)
    }
}

impl JsonSchema for FuelEntry {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "FuelShare".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A share of what is left, such as `50%`, or a number of units.",
            "anyOf": [
                {"type": "integer", "minimum": 1},
                {"type": "string", "pattern": "^(100|[1-9][0-9]?)%$"}
            ]
        })
    }
}
