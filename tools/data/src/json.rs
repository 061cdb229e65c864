//! The values that the tools work on.
//!
//! `serde_json::Value` would do, but not in the 64 MiB of a guest: here a value takes 16 bytes, the
//! names of members are shared among all rows, and copying a value copies a pointer. Members keep
//! the order in which they were written, which becomes the order of a table's columns.

use std::cmp::Ordering;
use std::fmt;
use std::io;
use std::rc::Rc;

use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};

/// The name of a member.
pub(crate) type Name = Rc<str>;

/// Any JSON value.
///
/// Whole numbers are exact from -2⁶³ to 2⁶⁴-1. All values stand in one total order: null, false,
/// true, numbers by size, texts by their characters' codes, lists element by element, objects by
/// their members sorted by name. `1` and `1.0` are the same number.
#[derive(Clone, Debug)]
pub(crate) enum Json {
    Null,
    Bool(bool),
    Int(i64),
    /// Only for what does not fit into [`Json::Int`].
    UInt(u64),
    /// Always finite.
    Float(f64),
    Text(Rc<str>),
    List(Rc<[Json]>),
    Object(Rc<[(Name, Json)]>),
}

impl Json {
    pub(crate) fn text(text: &str) -> Self {
        Self::Text(text.into())
    }

    pub(crate) fn count(count: usize) -> Self {
        Self::from(count as u64)
    }

    /// The member `name` of an object.
    pub(crate) fn member(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Object(members) => members
                .iter()
                .find(|(other, _)| **other == *name)
                .map(|(_, value)| value),
            _ => None,
        }
    }

    /// What `tokens` lead to: names of members and numbers of elements, as in a JSON pointer.
    pub(crate) fn at<T: AsRef<str>>(&self, tokens: &[T]) -> Option<&Self> {
        tokens.iter().try_fold(self, |value, token| match value {
            Self::List(elements) => elements.get(index(token.as_ref())?),
            value => value.member(token.as_ref()),
        })
    }

    /// The value with the member `name` set. What is no object becomes the member `value` of one.
    pub(crate) fn with(&self, name: &Name, member: Self) -> Self {
        let mut members = match self {
            Self::Object(members) => members.to_vec(),
            value => vec![("value".into(), value.clone())],
        };
        match members.iter_mut().find(|(other, _)| other == name) {
            Some(found) => found.1 = member,
            None => members.push((Name::clone(name), member)),
        }
        Self::Object(members.into())
    }

    pub(crate) fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    pub(crate) fn is_number(&self) -> bool {
        matches!(self, Self::Int(_) | Self::UInt(_) | Self::Float(_))
    }

    /// What it is, for messages.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Int(_) | Self::UInt(_) | Self::Float(_) => "a number",
            Self::Text(_) => "a text",
            Self::List(_) => "a list",
            Self::Object(_) => "an object",
        }
    }

    /// Length of the JSON form in bytes.
    pub(crate) fn written(&self) -> usize {
        struct Length(usize);
        impl io::Write for Length {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                self.0 += bytes.len();
                Ok(bytes.len())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let mut length = Length(0);
        serde_json::to_writer(&mut length, self).expect("names are texts and counting cannot fail");
        length.0
    }
}

/// The place in a list that `token` names: digits without a leading zero.
pub(crate) fn index(token: &str) -> Option<usize> {
    let canonical = token == "0" || !token.starts_with(['0', '+']);
    if canonical { token.parse().ok() } else { None }
}

impl From<i64> for Json {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<u64> for Json {
    fn from(number: u64) -> Self {
        i64::try_from(number).map_or(Self::UInt(number), Self::Int)
    }
}

impl From<i128> for Json {
    /// Numbers that no 64 bits hold become the nearest float.
    fn from(number: i128) -> Self {
        match (i64::try_from(number), u64::try_from(number)) {
            (Ok(number), _) => Self::Int(number),
            (_, Ok(number)) => Self::UInt(number),
            #[expect(
                clippy::cast_precision_loss,
                reason = "the nearest float is what is wanted"
            )]
            _ => Self::Float(number as f64),
        }
    }
}

impl From<f64> for Json {
    /// Numbers that JSON does not have become the texts `NaN`, `inf` and `-inf`.
    fn from(number: f64) -> Self {
        if number.is_finite() {
            Self::Float(number)
        } else {
            Self::text(&number.to_string())
        }
    }
}

/// The JSON form.
impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(self).map_err(|_| fmt::Error)?)
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Int(number) => serializer.serialize_i64(*number),
            Self::UInt(number) => serializer.serialize_u64(*number),
            Self::Float(number) => serializer.serialize_f64(*number),
            Self::Text(text) => serializer.serialize_str(text),
            Self::List(elements) => {
                let mut list = serializer.serialize_seq(Some(elements.len()))?;
                for element in elements.iter() {
                    list.serialize_element(element)?;
                }
                list.end()
            }
            Self::Object(members) => {
                let mut object = serializer.serialize_map(Some(members.len()))?;
                for (name, value) in members.iter() {
                    object.serialize_entry(&**name, value)?;
                }
                object.end()
            }
        }
    }
}

impl Ord for Json {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Bool(one), Self::Bool(two)) => one.cmp(two),
            (Self::Text(one), Self::Text(two)) => one.cmp(two),
            (Self::List(one), Self::List(two)) => one.cmp(two),
            (Self::Object(one), Self::Object(two)) => {
                // The same list needs no sorting, and rows share their parts.
                if Rc::ptr_eq(one, two) {
                    Ordering::Equal
                } else {
                    sorted(one).cmp(&sorted(two))
                }
            }
            (one, two) if one.is_number() && two.is_number() => numbers(one, two),
            (one, two) => one.rank().cmp(&two.rank()),
        }
    }
}

impl PartialOrd for Json {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Json {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Json {}

impl Json {
    /// The place of its kind in the order of all values.
    pub(crate) fn rank(&self) -> u8 {
        match self {
            Self::Null => 0,
            Self::Bool(_) => 1,
            Self::Int(_) | Self::UInt(_) | Self::Float(_) => 2,
            Self::Text(_) => 3,
            Self::List(_) => 4,
            Self::Object(_) => 5,
        }
    }

    /// The exact value of a whole number.
    pub(crate) fn whole(&self) -> Option<i128> {
        match self {
            Self::Int(number) => Some((*number).into()),
            Self::UInt(number) => Some((*number).into()),
            _ => None,
        }
    }

    /// The nearest float of a number.
    pub(crate) fn float(&self) -> Option<f64> {
        match self {
            #[expect(
                clippy::cast_precision_loss,
                reason = "the nearest float is what is wanted"
            )]
            Self::Int(number) => Some(*number as f64),
            #[expect(
                clippy::cast_precision_loss,
                reason = "the nearest float is what is wanted"
            )]
            Self::UInt(number) => Some(*number as f64),
            Self::Float(number) => Some(*number),
            _ => None,
        }
    }
}

fn sorted(members: &[(Name, Json)]) -> Vec<(&str, &Json)> {
    let mut sorted: Vec<_> = members
        .iter()
        .map(|(name, value)| (&**name, value))
        .collect();
    sorted.sort_unstable_by_key(|(name, _)| *name);
    sorted
}

/// Compares two numbers exactly, whatever holds them.
fn numbers(one: &Json, two: &Json) -> Ordering {
    match (one.whole(), two.whole()) {
        (Some(one), Some(two)) => one.cmp(&two),
        (Some(one), None) => against_float(one, two.float().unwrap_or(0.0)),
        (None, Some(two)) => against_float(two, one.float().unwrap_or(0.0)).reverse(),
        // Both are finite, so there is an order.
        (None, None) => one
            .float()
            .partial_cmp(&two.float())
            .unwrap_or(Ordering::Equal),
    }
}

fn against_float(whole: i128, float: f64) -> Ordering {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "beyond i128 it is clamped, which compares"
    )]
    let truncated = float.trunc() as i128;
    // When the whole parts agree, the fraction decides.
    whole
        .cmp(&truncated)
        .then_with(|| 0.0.partial_cmp(&float.fract()).unwrap_or(Ordering::Equal))
}
