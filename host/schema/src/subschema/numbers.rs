//! Bounds of numbers, lengths and counts.

use std::cmp::Ordering;

use serde_json::{Number, Value};

/// Past it, neighbouring floats are more than 1 apart, and bounds are compared by their text alone.
const WHOLE_MAX: f64 = 1e30;

/// Which end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Least,
    Most,
}

/// How far values go towards one end.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Limit<'a> {
    number: &'a Number,
    is_exclusive: bool,
}

impl<'a> Limit<'a> {
    pub(super) fn of(value: &'a Value, is_exclusive: bool) -> Option<Self> {
        let number = value.as_number()?;
        Some(Self {
            number,
            is_exclusive,
        })
    }

    /// True when this limit allows no more than `other`.
    pub(super) fn is_within(self, other: Self, end: End) -> bool {
        match towards(compare(self.number, other.number), end) {
            Ordering::Less => false,
            Ordering::Greater => true,
            Ordering::Equal => self.is_exclusive || !other.is_exclusive,
        }
    }

    /// The outermost whole number that it allows.
    pub(super) fn whole(self, end: End) -> Option<i128> {
        let (whole, is_exact) = truncated(self.number)?;
        let (floor, ceiling) = match (is_exact, is_negative(self.number)) {
            (true, _) => (whole, whole),
            (false, false) => (whole, whole + 1),
            (false, true) => (whole - 1, whole),
        };
        let step = i128::from(self.is_exclusive && is_exact);
        Some(match end {
            End::Least => ceiling + step,
            End::Most => floor - step,
        })
    }

    /// True when no number is at least `self` and at most `most`.
    pub(super) fn excludes(self, most: Self) -> bool {
        match compare(self.number, most.number) {
            Ordering::Less => false,
            Ordering::Greater => true,
            Ordering::Equal => self.is_exclusive || most.is_exclusive,
        }
    }
}

/// Which of two is the narrower, as `Greater`, at an end.
fn towards(order: Ordering, end: End) -> Ordering {
    match end {
        End::Least => order,
        End::Most => order.reverse(),
    }
}

/// A length or a count; nothing for one past any.
pub(super) fn count(value: &Value) -> Option<u64> {
    if let Some(count) = value.as_u64() {
        return Some(count);
    }
    let whole = truncated(value.as_number()?)?;
    u64::try_from(whole.0).ok().filter(|_| whole.1)
}

/// The number without its fraction, and whether it had none; nothing for one too large.
fn truncated(number: &Number) -> Option<(i128, bool)> {
    if let Some(whole) = number.as_i64() {
        return Some((i128::from(whole), true));
    }
    if let Some(whole) = number.as_u64() {
        return Some((i128::from(whole), true));
    }
    let float = number.as_f64()?;
    if float.abs() >= WHOLE_MAX {
        return None;
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "smaller than the largest, and cut on purpose"
    )]
    let whole = float.trunc() as i128;
    Some((whole, float.fract() == 0.0))
}

fn is_negative(number: &Number) -> bool {
    number.as_f64().is_some_and(|float| float < 0.0)
}

/// The order of two numbers, exactly.
fn compare(one: &Number, other: &Number) -> Ordering {
    match (truncated(one), truncated(other)) {
        (Some((a, a_exact)), Some((b, b_exact))) if a_exact || b_exact || a != b => {
            if a != b || (a_exact && b_exact) {
                return a.cmp(&b);
            }
            // One of them is whole, and the other between it and the next away from zero.
            let away = if is_negative(if a_exact { other } else { one }) {
                Ordering::Less
            } else {
                Ordering::Greater
            };
            if a_exact { away.reverse() } else { away }
        }
        _ => {
            let float = |number: &Number| number.as_f64().unwrap_or(f64::NAN);
            float(one).total_cmp(&float(other))
        }
    }
}

/// True when every multiple of `factor` is one of `other`. Only of whole numbers: the validator's own
/// arithmetic of fractions is not exact.
pub(super) fn is_multiple(factor: &Value, other: &Value) -> bool {
    if factor == other {
        return true;
    }
    let whole = |value: &Value| {
        let (whole, is_exact) = truncated(value.as_number()?)?;
        (is_exact && whole > 0 && whole < (1 << 53)).then_some(whole)
    };
    match (whole(factor), whole(other)) {
        (Some(factor), Some(other)) => factor % other == 0,
        _ => false,
    }
}

/// True for a factor whose multiples are all whole.
pub(super) fn truncates(factor: &Value) -> bool {
    is_multiple(factor, &Value::from(1))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check_order(smaller: &Value, larger: &Value) {
        let number = |value: &Value| value.as_number().cloned().expect("a number");
        let order = compare(&number(smaller), &number(larger));
        assert_eq!(order, Ordering::Less, "{smaller} {larger}");
        let order = compare(&number(larger), &number(smaller));
        assert_eq!(order, Ordering::Greater, "{smaller} {larger}");
    }

    #[test]
    fn numbers_are_ordered_exactly() {
        let ascending = [
            json!(-1e300),
            json!(-1e31),
            json!(i64::MIN),
            json!(-2.5),
            json!(-2),
            json!(-1.5),
            json!(-1),
            json!(-0.5),
            json!(0),
            json!(0.25),
            json!(0.5),
            json!(1),
            json!(1.5),
            json!(2),
            json!((1_u64 << 53) + 1),
            json!(i64::MAX),
            json!(9_223_372_036_854_775_808_u64),
            json!(u64::MAX),
            json!(1e31),
            json!(1e300),
        ];
        for (at, smaller) in ascending.iter().enumerate() {
            for larger in &ascending[at + 1..] {
                check_order(smaller, larger);
            }
        }
    }

    #[test]
    fn whole_numbers_within_a_limit() {
        for (value, is_exclusive, least, most) in [
            (json!(4), false, Some(4), Some(4)),
            (json!(4), true, Some(5), Some(3)),
            (json!(4.5), true, Some(5), Some(4)),
            (json!(-4.5), false, Some(-4), Some(-5)),
            (json!(-4.0), true, Some(-3), Some(-5)),
            (json!(1e40), false, None, None),
        ] {
            let limit = Limit::of(&value, is_exclusive).expect("a number");
            assert_eq!(limit.whole(End::Least), least, "{value}");
            assert_eq!(limit.whole(End::Most), most, "{value}");
        }
    }

    #[test]
    fn multiples_and_counts() {
        assert!(is_multiple(&json!(6), &json!(3)));
        assert!(is_multiple(&json!(0.1), &json!(0.1)));
        assert!(!is_multiple(&json!(3), &json!(6)));
        assert!(!is_multiple(&json!(0.3), &json!(0.1)));
        assert_eq!(count(&json!(3.0)), Some(3));
        assert_eq!(count(&json!(3.5)), None);
        assert_eq!(count(&json!(1e300)), None);
    }
}
