//! The step that keeps the rows that meet a condition.

use std::cmp::Ordering;

use cofferdam_sdk::data;
use regex::Regex;

use crate::fault::Fault;
use crate::field::Field;
use crate::json::Json;
use crate::pattern;
use crate::step::{Look, Nested, Uses};

/// See [`crate::step::Step::Filter`].
#[data(input)]
#[derive(Debug)]
#[serde(deny_unknown_fields)]
pub(crate) struct Filter {
    /// The condition: a test `{"field", "op", "value"}`, or `{"all": […]}`, `{"any": […]}` and
    /// `{"not": …}` of conditions.
    #[serde(rename = "where")]
    condition: Condition,
}

/// A test of one field, or several conditions together.
#[data(input)]
#[derive(Debug)]
#[serde(untagged)]
enum Condition {
    /// Every one holds.
    All(All),
    /// At least one holds.
    Any(Any),
    /// It does not hold.
    Not(Not),
    /// A test of one field.
    Test(Test),
}

/// Every condition holds.
#[data(input)]
#[derive(Debug)]
#[serde(deny_unknown_fields)]
struct All {
    /// The conditions.
    #[schemars(with = "Vec<Nested>")]
    all: Vec<Condition>,
}

/// At least one condition holds.
#[data(input)]
#[derive(Debug)]
#[serde(deny_unknown_fields)]
struct Any {
    /// The conditions.
    #[schemars(with = "Vec<Nested>")]
    any: Vec<Condition>,
}

/// The condition does not hold.
#[data(input)]
#[derive(Debug)]
#[serde(deny_unknown_fields)]
struct Not {
    /// The condition.
    #[schemars(with = "Nested")]
    not: Box<Condition>,
}

/// A test of one field.
#[data(input)]
#[derive(Debug)]
#[serde(deny_unknown_fields)]
struct Test {
    /// The field. A missing one counts as null.
    field: Field,
    /// How it is tested. `gt` and the like hold only within one kind of value; `contains` is for
    /// texts and lists, `matches` takes a regular expression, `in` a list.
    op: Op,
    /// What it is compared with. `exists` and `null` take true (the default) or false.
    #[serde(default)]
    value: Option<Json>,
}

/// How a field is tested.
// Plain comments on the variants: a schema with a description of each is five times as long, and
// models read it with every tool.
#[data(input)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[serde(rename_all = "snake_case")]
enum Op {
    Eq,
    Ne,
    // Values of different kinds are never greater or less.
    Gt,
    Gte,
    Lt,
    Lte,
    // A text has the value as a part, or a list as an element.
    Contains,
    StartsWith,
    EndsWith,
    // A text matches the regular expression somewhere.
    Matches,
    // Equal to one element of the value, a list.
    In,
    // The field is there, even if it is null.
    Exists,
    // The field is null or missing.
    Null,
}

impl Filter {
    pub(crate) fn uses(&self) -> Uses<'_> {
        let mut fields = Vec::new();
        self.condition.fields(&mut fields);
        Uses::open(fields)
    }

    pub(crate) fn run(&self, mut rows: Vec<Json>) -> Result<Vec<Json>, Fault> {
        let check = self
            .condition
            .check()
            .map_err(|fault| fault.within("where"))?;
        rows.retain(|row| check.holds(row));
        Ok(rows)
    }
}

impl Condition {
    fn fields<'a>(&'a self, fields: &mut Vec<(&'a Field, Look)>) {
        match self {
            Self::All(All { all: several }) | Self::Any(Any { any: several }) => {
                for one in several {
                    one.fields(fields);
                }
            }
            Self::Not(Not { not }) => not.fields(fields),
            Self::Test(Test {
                field,
                op: Op::Exists | Op::Null,
                ..
            }) => {
                fields.push((field, Look::Asks));
            }
            Self::Test(Test { field, .. }) => fields.push((field, Look::Expects)),
        }
    }

    /// Checks the values that tests compare with, once for all rows.
    fn check(&self) -> Result<Check<'_>, Fault> {
        Ok(match self {
            Self::All(All { all }) => Check::All(checks(all, "all")?),
            Self::Any(Any { any }) => Check::Any(checks(any, "any")?),
            Self::Not(Not { not }) => {
                Check::Not(Box::new(not.check().map_err(|fault| fault.within("not"))?))
            }
            Self::Test(test) => {
                let measure = test.measure().map_err(|fault| fault.within("value"))?;
                Check::Test(&test.field, test.op, measure)
            }
        })
    }
}

fn checks<'a>(conditions: &'a [Condition], name: &str) -> Result<Vec<Check<'a>>, Fault> {
    let checks = conditions.iter().enumerate().map(|(at, condition)| {
        condition
            .check()
            .map_err(|fault| fault.within(at).within(name))
    });
    checks.collect()
}

impl Test {
    fn measure(&self) -> Result<Measure<'_>, Fault> {
        let wrong = |wanted: &str| {
            let given = self.value.as_ref().map_or("nothing", Json::kind);
            Err(Fault::step(format!(
                "this test needs {wanted} as its value, not {given}"
            )))
        };
        match (self.op, &self.value) {
            (Op::Exists | Op::Null, None) => Ok(Measure::Truth(true)),
            (Op::Exists | Op::Null, Some(Json::Bool(truth))) => Ok(Measure::Truth(*truth)),
            (Op::Exists | Op::Null, Some(_)) => wrong("true or false"),
            (Op::Matches, Some(Json::Text(text))) => Ok(Measure::Pattern(pattern::compile(text)?)),
            (Op::StartsWith | Op::EndsWith, Some(Json::Text(text))) => Ok(Measure::Text(text)),
            (Op::Matches | Op::StartsWith | Op::EndsWith, _) => wrong("a text"),
            (Op::In, Some(Json::List(list))) => Ok(Measure::List(list)),
            (Op::In, _) => wrong("a list"),
            // A null that is compared with may be left out by who writes the arguments.
            (Op::Eq | Op::Ne, None) => Ok(Measure::Value(&Json::Null)),
            (Op::Gt | Op::Gte | Op::Lt | Op::Lte | Op::Contains, None) => wrong("something"),
            (_, Some(value)) => Ok(Measure::Value(value)),
        }
    }
}

/// A condition that is ready for rows.
enum Check<'a> {
    All(Vec<Check<'a>>),
    Any(Vec<Check<'a>>),
    Not(Box<Check<'a>>),
    Test(&'a Field, Op, Measure<'a>),
}

/// What a test compares with.
enum Measure<'a> {
    Truth(bool),
    Text(&'a str),
    Pattern(Regex),
    List(&'a [Json]),
    Value(&'a Json),
}

impl Check<'_> {
    fn holds(&self, row: &Json) -> bool {
        match self {
            Self::All(checks) => checks.iter().all(|check| check.holds(row)),
            Self::Any(checks) => checks.iter().any(|check| check.holds(row)),
            Self::Not(check) => !check.holds(row),
            Self::Test(field, op, measure) => measure.fits(*op, field.of(row)),
        }
    }
}

impl Measure<'_> {
    fn fits(&self, op: Op, found: Option<&Json>) -> bool {
        let value = found.unwrap_or(&Json::Null);
        match self {
            Self::Truth(truth) if op == Op::Exists => found.is_some() == *truth,
            Self::Truth(truth) => value.is_null() == *truth,
            Self::List(list) => list.contains(value),
            Self::Value(wanted) => compared(op, value, wanted),
            Self::Text(_) | Self::Pattern(_) => match (self, value) {
                (Self::Pattern(pattern), Json::Text(text)) => pattern.is_match(text),
                (Self::Text(wanted), Json::Text(text)) if op == Op::StartsWith => {
                    text.starts_with(wanted)
                }
                (Self::Text(wanted), Json::Text(text)) => text.ends_with(wanted),
                _ => false,
            },
        }
    }
}

fn compared(op: Op, value: &Json, wanted: &Json) -> bool {
    let order = value.cmp(wanted);
    let comparable = value.rank() == wanted.rank() && !value.is_null();
    match op {
        Op::Eq => order == Ordering::Equal,
        Op::Ne => order != Ordering::Equal,
        Op::Gt => comparable && order == Ordering::Greater,
        Op::Gte => comparable && order != Ordering::Less,
        Op::Lt => comparable && order == Ordering::Less,
        Op::Lte => comparable && order != Ordering::Greater,
        Op::Contains => match (value, wanted) {
            (Json::Text(text), Json::Text(part)) => text.contains(&**part),
            (Json::List(list), wanted) => list.contains(wanted),
            _ => false,
        },
        // These have measures of their own.
        Op::StartsWith | Op::EndsWith | Op::Matches | Op::In | Op::Exists | Op::Null => false,
    }
}
