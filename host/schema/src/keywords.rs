//! table: the keywords that hold schemas, and which values those schemas see.

/// What stands under a keyword.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Holds {
    One,
    List,
    Named,
}

/// From the value that a schema sees to the one that a schema below it sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// The same value.
    Same,
    /// The members whose name stands before the schema.
    Member,
    /// Members, whatever their names: more than the keyword applies to, and never less.
    Members,
    /// Names of members.
    Names,
    /// The item at the schema's own position.
    Position,
    /// Items at any position.
    Items,
    /// None: a place to keep schemas at, or one that says what text means.
    Never,
}

const TABLE: [(&str, Holds, Step); 22] = [
    ("$defs", Holds::Named, Step::Never),
    ("additionalProperties", Holds::One, Step::Members),
    ("allOf", Holds::List, Step::Same),
    ("anyOf", Holds::List, Step::Same),
    ("contains", Holds::One, Step::Items),
    ("contentSchema", Holds::One, Step::Never),
    ("definitions", Holds::Named, Step::Never),
    // Of earlier dialects; the validator still asserts it.
    ("dependencies", Holds::Named, Step::Same),
    ("dependentSchemas", Holds::Named, Step::Same),
    ("else", Holds::One, Step::Same),
    ("if", Holds::One, Step::Same),
    ("items", Holds::One, Step::Items),
    ("not", Holds::One, Step::Same),
    ("oneOf", Holds::List, Step::Same),
    ("patternProperties", Holds::Named, Step::Members),
    ("prefixItems", Holds::List, Step::Position),
    ("properties", Holds::Named, Step::Member),
    ("propertyNames", Holds::One, Step::Names),
    ("then", Holds::One, Step::Same),
    ("unevaluatedItems", Holds::One, Step::Items),
    ("unevaluatedProperties", Holds::One, Step::Members),
    // Of earlier dialects; the validator asserts it beside a list of `items` only.
    ("additionalItems", Holds::One, Step::Items),
];

/// What stands under `keyword`; nothing for one that holds no schemas.
pub(crate) fn holds(keyword: &str) -> Option<Holds> {
    let found = TABLE.iter().find(|(known, ..)| *known == keyword);
    found.map(|(_, holds, _)| *holds)
}

/// Which values a schema under `keyword` sees.
pub(crate) fn step(keyword: &str) -> Step {
    let found = TABLE.iter().find(|(known, ..)| *known == keyword);
    found.map_or(Step::Never, |(.., step)| *step)
}
