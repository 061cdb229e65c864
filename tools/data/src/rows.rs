//! The steps that pick, cut and order: explode, select, sort, distinct, limit.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use cofferdam_sdk::data;

use crate::fault::Fault;
use crate::field::Field;
use crate::json::{Json, Name};
use crate::parse::Members;
use crate::step::{Look, Pick, Uses};

/// Rows that a step may make of fewer. With a few fields each they take a third of a guest's memory;
/// rows that a source has are bounded by what a source may hold.
const ROWS_MAX: usize = 200_000;

/// Refuses more rows than [`ROWS_MAX`].
pub(crate) fn fits(rows: usize) -> Result<(), Fault> {
    if rows <= ROWS_MAX {
        return Ok(());
    }
    Err(Fault::new(
        "too_large",
        format!("gives more than {ROWS_MAX} rows; filter before"),
    ))
}

/// The key that two rows must share to belong together.
pub(crate) fn key<'a>(fields: impl IntoIterator<Item = &'a Field>, row: &Json) -> Vec<Json> {
    fields.into_iter().map(|field| field.or_null(row)).collect()
}

/// See [`crate::step::Step::Explode`].
#[data(input)]
#[derive(Debug)]
#[serde(deny_unknown_fields)]
pub(crate) struct Explode {
    /// The list. A missing or empty one gives no row; anything else than a list gives one.
    field: Field,
    /// Fields of the row to keep beside each element, which then stands under `as`. Without it, the
    /// elements themselves are the rows.
    #[serde(default)]
    keep: Vec<Pick>,
    /// Name of the element when `keep` is used. Default: the last word of `field`.
    #[serde(rename = "as")]
    alias: Option<String>,
}

impl Explode {
    pub(crate) fn uses(&self) -> Uses<'_> {
        Uses::closing(std::iter::once(&self.field).chain(self.keep.iter().map(Pick::field)))
    }

    pub(crate) fn run(&self, rows: &[Json]) -> Result<Vec<Json>, Fault> {
        let alias = self
            .alias
            .as_deref()
            .map_or_else(|| self.field.alias(), Name::from);
        let mut exploded = Vec::new();
        for row in rows {
            let elements = match self.field.of(row) {
                None | Some(Json::Null) => &[],
                Some(Json::List(elements)) => &elements[..],
                Some(single) => std::slice::from_ref(single),
            };
            fits(exploded.len() + elements.len())?;
            if self.keep.is_empty() {
                exploded.extend_from_slice(elements);
                continue;
            }
            let kept = pick(&self.keep, row);
            exploded.extend(
                elements
                    .iter()
                    .map(|element| kept.with(&alias, element.clone())),
            );
        }
        Ok(exploded)
    }
}

/// See [`crate::step::Step::Select`].
#[data(input)]
#[derive(Debug)]
#[serde(deny_unknown_fields)]
pub(crate) struct Select {
    /// The fields in the wanted order: each a field, or `{"field", "as"}` to rename it.
    fields: Vec<Pick>,
}

impl Select {
    pub(crate) fn uses(&self) -> Uses<'_> {
        Uses::closing(self.fields.iter().map(Pick::field))
    }

    pub(crate) fn run(&self, rows: &[Json]) -> Vec<Json> {
        rows.iter().map(|row| pick(&self.fields, row)).collect()
    }
}

/// An object of the picked fields; what is missing is null.
pub(crate) fn pick(picks: &[Pick], row: &Json) -> Json {
    let mut members = Members::default();
    for pick in picks {
        members.set(pick.alias(), pick.field().or_null(row));
    }
    members.into()
}

/// See [`crate::step::Step::Sort`].
#[data(input)]
#[derive(Debug)]
#[serde(deny_unknown_fields)]
pub(crate) struct Sort {
    /// The fields to sort by, the most important first: each a field, or `{"field", "desc": true}`.
    /// Values of different kinds stand in the order null or missing, booleans, numbers, texts,
    /// lists, objects.
    by: Vec<Key>,
}

/// A field to sort by, and which way.
#[data(input)]
#[derive(Debug)]
#[serde(untagged)]
enum Key {
    /// The field, upwards.
    Up(Field),
    /// The field, and which way.
    Either(Directed),
}

/// A field to sort by, and which way.
#[data(input)]
#[derive(Debug)]
#[serde(deny_unknown_fields)]
struct Directed {
    /// The field.
    field: Field,
    /// Largest first.
    #[serde(default)]
    desc: bool,
}

impl Key {
    fn field(&self) -> &Field {
        match self {
            Self::Up(field) | Self::Either(Directed { field, .. }) => field,
        }
    }

    fn compare(&self, one: &Json, two: &Json) -> Ordering {
        let null = &Json::Null;
        let field = self.field();
        let order = field
            .of(one)
            .unwrap_or(null)
            .cmp(field.of(two).unwrap_or(null));
        match self {
            Self::Either(Directed { desc: true, .. }) => order.reverse(),
            Self::Up(_) | Self::Either(_) => order,
        }
    }
}

impl Sort {
    pub(crate) fn uses(&self) -> Uses<'_> {
        Uses::open(self.by.iter().map(|key| (key.field(), Look::Expects)))
    }

    pub(crate) fn run(&self, rows: &mut [Json]) {
        rows.sort_by(|one, two| {
            self.by.iter().fold(Ordering::Equal, |order, key| {
                order.then_with(|| key.compare(one, two))
            })
        });
    }
}

/// See [`crate::step::Step::Distinct`].
#[data(input)]
#[derive(Debug)]
#[serde(deny_unknown_fields)]
pub(crate) struct Distinct {
    /// The fields that are compared. Default: all.
    fields: Option<Vec<Field>>,
}

impl Distinct {
    pub(crate) fn uses(&self) -> Option<Uses<'_>> {
        let fields = self.fields.as_ref()?;
        Some(Uses::open(
            fields.iter().map(|field| (field, Look::Expects)),
        ))
    }

    pub(crate) fn run(&self, mut rows: Vec<Json>) -> Vec<Json> {
        let mut seen = BTreeSet::new();
        rows.retain(|row| match &self.fields {
            Some(fields) => seen.insert(key(fields, row)),
            None => seen.insert(vec![row.clone()]),
        });
        rows
    }
}

/// See [`crate::step::Step::Limit`].
#[data(input)]
#[derive(Debug)]
#[serde(deny_unknown_fields)]
pub(crate) struct Limit {
    /// Rows to keep.
    count: u64,
    /// Rows to skip before.
    #[serde(default)]
    offset: u64,
}

impl Limit {
    pub(crate) fn run(&self, mut rows: Vec<Json>) -> Vec<Json> {
        let size = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        rows.drain(..size(self.offset).min(rows.len()));
        rows.truncate(size(self.count));
        rows
    }
}
