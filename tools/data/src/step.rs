//! The steps that a caller may write. What each does stands beside its name in the module of the
//! same name.

use cofferdam_sdk::data;

use crate::derive::Derive;
use crate::field::Field;
use crate::filter::Filter;
use crate::group::Group;
use crate::join::Join;
use crate::json::Name;
use crate::rows::{Distinct, Explode, Limit, Select, Sort};

/// One change of the rows; `op` says which.
#[data(input)]
#[derive(Debug)]
#[serde(tag = "op", rename_all = "snake_case")]
pub(crate) enum Step {
    /// Goes down into the document. A list there gives its elements as rows, an object is one row,
    /// null no rows.
    Get(Get),
    /// Makes a row of each element of a list field.
    Explode(Explode),
    /// Keeps the rows that meet a condition.
    Filter(Filter),
    /// Keeps, renames and orders fields.
    Select(Select),
    /// Adds a field that is computed from others, or replaces one.
    Derive(Derive),
    /// Makes one row of all rows that agree in some fields.
    Group(Group),
    /// Sorts the rows. Rows that are equal keep their order.
    Sort(Sort),
    /// Keeps the first of rows that agree in some fields, or in all.
    Distinct(Distinct),
    /// Keeps some rows from the beginning, or after an offset.
    Limit(Limit),
    /// Adds the fields of matching rows of another source.
    Join(Join),
    /// Makes one row with the number of rows as `count`.
    Count(Count),
}

/// See [`Step::Get`].
#[data(input)]
#[derive(Debug)]
#[serde(deny_unknown_fields)]
pub(crate) struct Get {
    /// JSON pointer like `/packages/0/name`, or dotted path like `packages.0.name`.
    pub(crate) pointer: Field,
    /// Make a row `{"key", "value"}` of each member of the object there.
    #[serde(default)]
    pub(crate) entries: bool,
}

/// See [`Step::Count`].
#[data(input)]
#[derive(Debug)]
#[serde(deny_unknown_fields)]
pub(crate) struct Count {}

/// A part of the arguments that is described where it stands first. Without this the schema of a
/// recursive type stands in that of the tool twice, and models read it with every tool.
pub(crate) type Nested = serde_json::Map<String, serde_json::Value>;

/// A field, under its own last name or another.
#[data(input)]
#[derive(Debug)]
#[serde(untagged)]
pub(crate) enum Pick {
    /// The field.
    Field(Field),
    /// The field and its new name.
    Renamed(Renamed),
}

/// A field and its new name.
#[data(input)]
#[derive(Debug)]
#[serde(deny_unknown_fields)]
pub(crate) struct Renamed {
    /// The field.
    field: Field,
    /// Its new name.
    #[serde(rename = "as")]
    alias: String,
}

impl Pick {
    pub(crate) fn field(&self) -> &Field {
        match self {
            Self::Field(field) | Self::Renamed(Renamed { field, .. }) => field,
        }
    }

    pub(crate) fn alias(&self) -> Name {
        match self {
            Self::Field(field) => field.alias(),
            Self::Renamed(Renamed { alias, .. }) => alias.as_str().into(),
        }
    }
}

/// How a step looks at a field.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Look {
    /// Some row is expected to have it.
    Expects,
    /// It may be missing everywhere.
    Asks,
}

/// What a step looks at, and what it leaves.
pub(crate) struct Uses<'a> {
    pub(crate) fields: Vec<(&'a Field, Look)>,
    /// True when the rows after the step hold nothing but what comes from these fields.
    pub(crate) closes: bool,
}

impl<'a> Uses<'a> {
    /// A step that passes on whole rows.
    pub(crate) fn open(fields: impl IntoIterator<Item = (&'a Field, Look)>) -> Self {
        Self {
            fields: fields.into_iter().collect(),
            closes: false,
        }
    }

    /// A step that passes on only what it looks at.
    pub(crate) fn closing(fields: impl IntoIterator<Item = &'a Field>) -> Self {
        let fields = fields
            .into_iter()
            .map(|field| (field, Look::Expects))
            .collect();
        Self {
            fields,
            closes: true,
        }
    }
}

impl Step {
    /// What the step looks at; nothing when it is all of the rows.
    pub(crate) fn uses(&self) -> Option<Uses<'_>> {
        match self {
            Self::Get(_) => None,
            Self::Explode(step) => Some(step.uses()),
            Self::Filter(step) => Some(step.uses()),
            Self::Select(step) => Some(step.uses()),
            Self::Derive(step) => Some(step.uses()),
            Self::Group(step) => Some(step.uses()),
            Self::Sort(step) => Some(step.uses()),
            Self::Distinct(step) => step.uses(),
            Self::Limit(_) => Some(Uses::open([])),
            Self::Join(step) => Some(step.uses()),
            Self::Count(_) => Some(Uses::closing([])),
        }
    }
}
