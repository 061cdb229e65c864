//! The step that adds fields of another source.

use std::collections::BTreeMap;

use cofferdam_sdk::data;

use crate::fault::Fault;
use crate::field::Field;
use crate::json::{Json, Name};
use crate::pipeline;
use crate::rows::{fits, key};
use crate::source::Source;
use crate::step::{Look, Nested, Step, Uses};

/// See [`crate::step::Step::Join`].
#[data(input)]
#[derive(Debug)]
#[serde(deny_unknown_fields)]
pub(crate) struct Join {
    /// Where the other rows come from, written like the `source` of the tool.
    #[schemars(with = "Nested")]
    with: Source,
    /// Steps for the other rows before they are joined, written like these.
    #[serde(default)]
    #[schemars(with = "Vec<Nested>")]
    steps: Vec<Step>,
    /// Field of the rows here.
    left: Field,
    /// Field of the other rows that equals it. Default: the same as `left`.
    right: Option<Field>,
    /// What happens to rows without a match: `inner` drops them, `left` keeps them. Default:
    /// `inner`.
    #[serde(default)]
    kind: Kind,
    /// Put the other row under this name. By default its fields are added; where both have a
    /// field, the one here stays.
    #[serde(rename = "as")]
    alias: Option<String>,
}

/// What happens to rows without a match.
#[data(input)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[serde(rename_all = "snake_case")]
enum Kind {
    #[default]
    Inner,
    Left,
}

impl Join {
    pub(crate) fn uses(&self) -> Uses<'_> {
        Uses::open([(&self.left, Look::Expects)])
    }

    /// Joins `rows`. A row with several matches gives several rows; null matches nothing.
    pub(crate) fn run(
        &self,
        rows: &[Json],
        missing: pipeline::Missing,
    ) -> Result<Vec<Json>, Fault> {
        let right = self.right.as_ref().unwrap_or(&self.left);
        let others = pipeline::run(&self.with, "with", &self.steps, missing)?;
        others
            .expect_field(right, missing)
            .map_err(|fault| fault.within("right"))?;
        let others = others.into_rows();
        let mut matching: BTreeMap<Vec<Json>, Vec<&Json>> = BTreeMap::new();
        for other in &others {
            if right.of(other).is_some_and(|value| !value.is_null()) {
                matching.entry(key([right], other)).or_default().push(other);
            }
        }
        let alias = self.alias.as_deref().map(Name::from);
        let mut joined = Vec::new();
        for row in rows {
            match matching.get(&key([&self.left], row)) {
                Some(others) => {
                    fits(joined.len() + others.len())?;
                    joined.extend(others.iter().map(|other| merge(row, other, alias.as_ref())));
                }
                None if self.kind == Kind::Left => joined.push(row.clone()),
                None => {}
            }
        }
        fits(joined.len())?;
        Ok(joined)
    }
}

fn merge(row: &Json, other: &Json, alias: Option<&Name>) -> Json {
    match (alias, other) {
        (Some(alias), other) => row.with(alias, other.clone()),
        (None, Json::Object(added)) => match row {
            Json::Object(own) => {
                let added = added.iter().filter(|(name, _)| row.member(name).is_none());
                Json::Object(own.iter().chain(added).cloned().collect())
            }
            row => row.clone(),
        },
        (None, _) => row.clone(),
    }
}
