//! The step that makes one row of many.

use std::collections::{BTreeMap, BTreeSet};

use cofferdam_sdk::data;

use crate::fault::Fault;
use crate::field::Field;
use crate::json::{Json, Name};
use crate::parse::Members;
use crate::rows::{key, pick};
use crate::step::{Pick, Uses};

/// See [`crate::step::Step::Group`].
#[data(input)]
#[derive(Debug)]
#[serde(deny_unknown_fields)]
pub(crate) struct Group {
    /// The fields in which the rows of a group agree. Without any, all rows are one group. Groups
    /// stand in the order of their first rows.
    #[serde(default)]
    by: Vec<Pick>,
    /// What is said about each group.
    #[serde(default)]
    aggregates: Vec<Aggregate>,
}

/// Something that is said about a group.
#[data(input)]
#[derive(Debug)]
#[serde(deny_unknown_fields)]
struct Aggregate {
    /// What it is. All leave out nulls and missing fields; `count` without a field counts rows, the
    /// lists of `collect_distinct` are sorted.
    #[serde(rename = "fn")]
    function: Function,
    /// The field that it is said of; only `count` can do without.
    field: Option<Field>,
    /// Its name. Default: the function and the field, like `sum_lines`; `count` for rows.
    #[serde(rename = "as")]
    alias: Option<String>,
}

/// What can be said about a group.
// Plain comments on the variants: see `filter::Op`.
#[data(input)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[serde(rename_all = "snake_case")]
enum Function {
    Count,
    // Exact for whole numbers; 0 without any.
    Sum,
    Min,
    Max,
    // Null without any.
    Mean,
    First,
    // In the order of the rows.
    Collect,
    CountDistinct,
    CollectDistinct,
}

impl Function {
    fn as_str(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::Sum => "sum",
            Self::Min => "min",
            Self::Max => "max",
            Self::Mean => "mean",
            Self::First => "first",
            Self::Collect => "collect",
            Self::CountDistinct => "count_distinct",
            Self::CollectDistinct => "collect_distinct",
        }
    }
}

impl Group {
    pub(crate) fn uses(&self) -> Uses<'_> {
        let aggregated = self
            .aggregates
            .iter()
            .filter_map(|aggregate| aggregate.field.as_ref());
        Uses::closing(self.by.iter().map(Pick::field).chain(aggregated))
    }

    pub(crate) fn run(&self, rows: &[Json]) -> Result<Vec<Json>, Fault> {
        let mut groups: Vec<Vec<&Json>> = Vec::new();
        let mut places = BTreeMap::new();
        for row in rows {
            let place = *places
                .entry(key(self.by.iter().map(Pick::field), row))
                .or_insert_with(|| {
                    groups.push(Vec::new());
                    groups.len() - 1
                });
            groups[place].push(row);
        }
        if self.by.is_empty() && groups.is_empty() {
            groups.push(Vec::new());
        }
        groups.iter().map(|group| self.summary(group)).collect()
    }

    fn summary(&self, group: &[&Json]) -> Result<Json, Fault> {
        let mut members = Members::default();
        if let Some(first) = group.first()
            && let Json::Object(by) = pick(&self.by, first)
        {
            by.iter()
                .for_each(|(name, value)| members.set(Name::clone(name), value.clone()));
        }
        for (at, aggregate) in self.aggregates.iter().enumerate() {
            let value = aggregate.of(group);
            let value = value.map_err(|fault| fault.within(at).within("aggregates"))?;
            members.set(aggregate.alias(), value);
        }
        Ok(members.into())
    }
}

impl Aggregate {
    fn alias(&self) -> Name {
        match (&self.alias, &self.field) {
            (Some(alias), _) => alias.as_str().into(),
            (None, Some(field)) => format!("{}_{}", self.function.as_str(), field.alias()).into(),
            (None, None) => self.function.as_str().into(),
        }
    }

    fn of(&self, group: &[&Json]) -> Result<Json, Fault> {
        let Some(field) = &self.field else {
            return match self.function {
                Function::Count => Ok(Json::count(group.len())),
                function => Err(Fault::step(format!("{} needs a field", function.as_str()))),
            };
        };
        let mut values = group
            .iter()
            .filter_map(|row| field.of(row))
            .filter(|value| !value.is_null());
        Ok(match self.function {
            Function::Count => Json::count(values.count()),
            Function::Sum => sum(values)?.0,
            Function::Mean => match sum(values)? {
                (_, 0) => Json::Null,
                #[expect(clippy::cast_precision_loss, reason = "there are fewer than 2^52 rows")]
                (sum, count) => (sum.float().unwrap_or(0.0) / count as f64).into(),
            },
            Function::Min => values.min().cloned().unwrap_or(Json::Null),
            Function::Max => values.max().cloned().unwrap_or(Json::Null),
            Function::First => values.next().cloned().unwrap_or(Json::Null),
            Function::Collect => Json::List(values.cloned().collect()),
            Function::CountDistinct => Json::count(values.collect::<BTreeSet<_>>().len()),
            Function::CollectDistinct => Json::List(
                values
                    .collect::<BTreeSet<_>>()
                    .into_iter()
                    .cloned()
                    .collect(),
            ),
        })
    }
}

/// The sum and how many numbers it has. Whole numbers are added exactly and apart from the others.
fn sum<'a>(values: impl Iterator<Item = &'a Json>) -> Result<(Json, usize), Fault> {
    let (mut whole, mut float, mut floats, mut count) = (0_i128, 0.0, false, 0);
    for value in values {
        count += 1;
        // A hundred thousand numbers of 64 bits stay far below 128.
        match (value.whole(), value) {
            (Some(number), _) => whole += number,
            (None, Json::Float(number)) => {
                float += number;
                floats = true;
            }
            (None, other) => {
                let message = format!("needs numbers, but one row has {}", other.kind());
                return Err(Fault::value(message).within("field"));
            }
        }
    }
    let whole = Json::from(whole);
    if !floats {
        return Ok((whole, count));
    }
    Ok(((whole.float().unwrap_or(0.0) + float).into(), count))
}
