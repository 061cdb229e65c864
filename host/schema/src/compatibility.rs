//! Whether a later version of a tool can take the place of an earlier one.

use std::fmt;

use cofferdam_types::Payload;

use crate::subschema::{Kind, Reason, is_subschema};

/// Which of a tool's two schemas.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Side {
    /// What it takes: it may only widen, for callers go on sending what they send.
    Arguments,
    /// What it gives: it may only narrow, for callers go on reading what they read.
    Result,
}

/// One way in which the later version breaks those who know the earlier one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Break {
    /// In which schema.
    pub side: Side,
    /// What kind of rule.
    pub kind: Kind,
    /// The pointer to the place in the earlier schema.
    pub old: String,
    /// The pointer to the place in the later schema.
    pub new: String,
    /// Where in the arguments or the result; `*` stands for any member or item, `""` for the whole.
    pub value: String,
    /// What the narrower schema asks for there and the wider one doesn't.
    pub asks: String,
}

impl Break {
    /// What it is in a word or two, such as `required added`.
    pub fn word(&self) -> &'static str {
        match (self.side, self.kind) {
            (Side::Arguments, Kind::Required) => "required added",
            (Side::Arguments, Kind::Type) => "type narrowed",
            (Side::Arguments, Kind::Values) => "values removed",
            (Side::Arguments, Kind::Bound) => "bound tightened",
            (Side::Arguments, Kind::Property) => "member removed",
            (Side::Arguments, Kind::Rule) => "rule added",
            (Side::Arguments, Kind::Alternatives) => "alternatives narrowed",
            (Side::Result, Kind::Required) => "required dropped",
            (Side::Result, Kind::Type) => "type widened",
            (Side::Result, Kind::Values) => "values added",
            (Side::Result, Kind::Bound) => "bound loosened",
            (Side::Result, Kind::Property) => "member added",
            (Side::Result, Kind::Rule) => "rule dropped",
            (Side::Result, Kind::Alternatives) => "alternatives widened",
            (_, Kind::Undecided) => "undecided",
        }
    }
}

/// A sentence for people.
impl fmt::Display for Break {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = match self.side {
            Side::Arguments => "the arguments",
            Side::Result => "the result",
        };
        let (word, value, asks) = (self.word(), &self.value, &self.asks);
        match value.as_str() {
            "" => write!(f, "{word}: {whole}: ")?,
            value => write!(f, "{word}: `{value}` of {whole}: ")?,
        }
        match (self.kind, self.side) {
            (Kind::Undecided, _) => write!(f, "could not be compared; it takes {asks}"),
            (_, Side::Arguments) => write!(f, "the later version asks for this: {asks}"),
            (_, Side::Result) => write!(f, "the later version no longer promises this: {asks}"),
        }
    }
}

/// The schemas of one version of a tool.
#[derive(Debug, Clone, Copy)]
pub struct Version<'a> {
    /// What its arguments fit.
    pub arguments: &'a Payload,
    /// What its result fits.
    pub result: &'a Payload,
}

/// Every way in which `new` may break those who know `old`: empty when every value that `old` takes is
/// taken, and every result that is given is one that `old` could have given.
pub fn compatibility(old: Version<'_>, new: Version<'_>) -> Vec<Break> {
    let arguments = is_subschema(old.arguments, new.arguments).err();
    let result = is_subschema(new.result, old.result).err();
    let arguments = arguments.into_iter().flatten().map(|reason| {
        let Reason {
            kind,
            value,
            sub,
            sup,
            asks,
        } = reason;
        Break {
            side: Side::Arguments,
            kind,
            old: sub,
            new: sup,
            value,
            asks,
        }
    });
    let result = result.into_iter().flatten().map(|reason| {
        let Reason {
            kind,
            value,
            sub,
            sup,
            asks,
        } = reason;
        Break {
            side: Side::Result,
            kind,
            old: sup,
            new: sub,
            value,
            asks,
        }
    });
    arguments.chain(result).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn check(old: &Value, new: &Value, arguments: &[&str], result: &[&str]) {
        let (old, new) = (Payload::from(old.clone()), Payload::from(new.clone()));
        let of = |schema| Version {
            arguments: schema,
            result: schema,
        };
        let breaks = compatibility(of(&old), of(&new));
        let words = |side| {
            let breaks = breaks.iter().filter(move |it| it.side == side);
            breaks
                .map(|it| format!("{} {}", it.word(), it.value))
                .collect::<Vec<_>>()
        };
        assert_eq!(words(Side::Arguments), arguments, "{old} {new}");
        assert_eq!(words(Side::Result), result, "{old} {new}");
    }

    fn closed(properties: &Value, required: &Value) -> Value {
        json!({
            "type": "object", "properties": properties, "required": required,
            "additionalProperties": false,
        })
    }

    #[test]
    fn what_is_a_break_of_the_arguments_is_none_of_the_result_and_the_reverse() {
        let one = closed(&json!({"a": {"type": "integer", "minimum": 0}}), &json!([]));
        let more = closed(
            &json!({"a": {"type": "integer", "minimum": 0}, "b": {}}),
            &json!([]),
        );
        check(&one, &more, &[], &["member added /b"]);
        check(&more, &one, &["member removed /b"], &[]);
        let needed = closed(
            &json!({"a": {"type": "integer", "minimum": 0}}),
            &json!(["a"]),
        );
        check(&one, &needed, &["required added "], &[]);
        check(&needed, &one, &[], &["required dropped "]);
        let text = closed(
            &json!({"a": {"type": ["integer", "string"], "minimum": 0}}),
            &json!([]),
        );
        check(&one, &text, &[], &["type widened /a"]);
        check(&text, &one, &["type narrowed /a"], &[]);
        let higher = closed(&json!({"a": {"type": "integer", "minimum": 1}}), &json!([]));
        check(&one, &higher, &["bound tightened /a"], &[]);
        check(&higher, &one, &[], &["bound loosened /a"]);
        check(
            &json!({"enum": ["a", "b"]}),
            &json!({"enum": ["b", "c"]}),
            &["values removed "],
            &["values added "],
        );
    }

    #[test]
    fn a_break_says_where_it_is() {
        let old = Payload::from(json!({"items": {"type": "string"}}));
        let new = Payload::from(json!({"items": {"type": "string", "maxLength": 3}}));
        let any = Payload::from(json!(true));
        let breaks = compatibility(
            Version {
                arguments: &old,
                result: &any,
            },
            Version {
                arguments: &new,
                result: &any,
            },
        );
        assert_eq!(breaks.len(), 1);
        assert_eq!(
            (breaks[0].old.as_str(), breaks[0].new.as_str()),
            ("/items", "/items/maxLength")
        );
        assert_eq!(
            breaks[0].to_string(),
            "bound tightened: `/*` of the arguments: the later version asks for this: at most 3 characters"
        );
    }
}
