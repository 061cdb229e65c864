//! Running steps over a source.

use std::collections::BTreeSet;

use crate::fault::Fault;
use crate::field::Field;
use crate::json::{Json, Name};
use crate::source::{Loaded, Part, Source};
use crate::step::{Get, Look, Step};

/// Fields named in a message; more would hide what is said.
const NAMED_MAX: usize = 20;

/// What a field means that no row has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Missing {
    /// A mistake of the caller.
    Refused,
    /// Null, like one that only some rows lack.
    Null,
}

/// What there is between two steps.
pub(crate) struct State {
    data: Data,
    /// Members that were not read because no step asks for them.
    left_out: BTreeSet<String>,
}

enum Data {
    /// A document that no step has made rows of.
    Document(Json),
    Rows(Vec<Json>),
}

/// Reads `source`, which stands at `name` in the arguments, and runs `steps`.
pub(crate) fn run(
    source: &Source,
    name: &str,
    steps: &[Step],
    missing: Missing,
) -> Result<State, Fault> {
    // The first `get` is done while reading, so that the rest of the document is never built.
    let (part, rest) = match steps {
        [Step::Get(Get { pointer, entries }), rest @ ..] => {
            let members = if *entries { None } else { needed(rest) };
            (
                Part {
                    tokens: pointer.tokens(),
                    members,
                },
                rest,
            )
        }
        rest => (
            Part {
                tokens: &[],
                members: needed(rest),
            },
            rest,
        ),
    };
    let Loaded { value, left_out } = source.load(&part).map_err(|fault| fault.within(name))?;
    let mut state = match steps {
        [Step::Get(get), ..] => {
            let value = value.ok_or_else(|| nowhere(&get.pointer, &left_out));
            let value = value.and_then(|value| get.open(value));
            let value = value.map_err(|fault| fault.within(0).within("steps"))?;
            State {
                data: Data::Document(value),
                left_out,
            }
        }
        _ => State {
            data: Data::Document(value.unwrap_or(Json::Null)),
            left_out,
        },
    };
    let first = steps.len() - rest.len();
    for (at, step) in rest.iter().enumerate() {
        let next = state.step(step, missing);
        state = next.map_err(|fault| fault.within(first + at).within("steps"))?;
    }
    Ok(state)
}

/// The members of the rows that `steps` look at; nothing when they may need all.
fn needed(steps: &[Step]) -> Option<BTreeSet<String>> {
    let mut needed = BTreeSet::new();
    for step in steps {
        let uses = step.uses()?;
        for (field, _) in &uses.fields {
            needed.extend(field.members()?.map(str::to_owned));
        }
        if uses.closes {
            return Some(needed);
        }
    }
    None
}

fn nowhere(pointer: &Field, there: &BTreeSet<String>) -> Fault {
    let message = format!(
        "{:?} leads nowhere{}",
        pointer.as_str(),
        named(there.iter())
    );
    Fault::new("unknown_field", message).within("pointer")
}

fn named<'a>(names: impl ExactSizeIterator<Item = &'a String>) -> String {
    if names.len() == 0 {
        return String::new();
    }
    let more = names.len().saturating_sub(NAMED_MAX);
    let names: Vec<_> = names.take(NAMED_MAX).map(String::as_str).collect();
    let more = if more == 0 {
        String::new()
    } else {
        format!(" and {more} more")
    };
    format!("; there are: {}{more}", names.join(", "))
}

impl Get {
    /// What the document that was found stands for.
    fn open(&self, value: Json) -> Result<Json, Fault> {
        match (self.entries, value) {
            (false, value) => Ok(value),
            (true, Json::Object(members)) => {
                let [key, content] = ["key", "value"].map(Name::from);
                let entry = |(name, value): &(Name, Json)| {
                    let members = [
                        (key.clone(), Json::Text(name.clone())),
                        (content.clone(), value.clone()),
                    ];
                    Json::Object(members.into())
                };
                Ok(Json::List(members.iter().map(entry).collect()))
            }
            (true, value) => {
                let message = format!("entries needs an object, not {}", value.kind());
                Err(Fault::value(message).within("entries"))
            }
        }
    }
}

impl State {
    fn step(self, step: &Step, missing: Missing) -> Result<Self, Fault> {
        let uses = step.uses();
        for (field, look) in uses.iter().flat_map(|uses| &uses.fields) {
            if *look == Look::Expects {
                self.expect_field(field, missing)?;
            }
        }
        let closes = uses.is_none_or(|uses| uses.closes);
        let left_out = if closes {
            BTreeSet::new()
        } else {
            self.left_out.clone()
        };
        if let Step::Get(get) = step {
            let document = self.into_document();
            let found = document.at(get.pointer.tokens()).cloned();
            let found = found.ok_or_else(|| nowhere(&get.pointer, &BTreeSet::new()))?;
            return Ok(Self {
                data: Data::Document(get.open(found)?),
                left_out,
            });
        }
        let mut rows = self.into_rows();
        let rows = match step {
            // Done above, where there is still a document.
            Step::Get(_) => rows,
            Step::Explode(step) => step.run(&rows)?,
            Step::Filter(step) => step.run(rows)?,
            Step::Select(step) => step.run(&rows),
            Step::Derive(step) => step.run(rows)?,
            Step::Group(step) => step.run(&rows)?,
            Step::Sort(step) => {
                step.run(&mut rows);
                rows
            }
            Step::Distinct(step) => step.run(rows),
            Step::Limit(step) => step.run(rows),
            Step::Join(step) => step.run(&rows, missing)?,
            Step::Count(_) => {
                vec![Json::Object(
                    [("count".into(), Json::count(rows.len()))].into(),
                )]
            }
        };
        Ok(Self {
            data: Data::Rows(rows),
            left_out,
        })
    }

    /// Refuses a field that no row has: it is misspelt more often than absent.
    pub(crate) fn expect_field(&self, field: &Field, missing: Missing) -> Result<(), Fault> {
        let rows = self.peek();
        let known = rows.is_empty() || rows.iter().any(|row| field.of(row).is_some());
        if known || missing == Missing::Null {
            return Ok(());
        }
        let mut names = self.left_out.clone();
        for row in rows {
            if let Json::Object(members) = row {
                names.extend(members.iter().map(|(name, _)| name.to_string()));
            }
        }
        let message = format!(
            "no row has the field {:?}{}",
            field.as_str(),
            named(names.iter())
        );
        Err(Fault::new("unknown_field", message))
    }

    fn peek(&self) -> &[Json] {
        match &self.data {
            Data::Rows(rows) => rows,
            Data::Document(Json::List(elements)) => elements,
            Data::Document(Json::Null) => &[],
            Data::Document(single) => std::slice::from_ref(single),
        }
    }

    /// The rows: the elements of a list, or the one thing that there is.
    pub(crate) fn into_rows(self) -> Vec<Json> {
        match self.data {
            Data::Rows(rows) => rows,
            data @ Data::Document(_) => Self {
                data,
                left_out: self.left_out,
            }
            .peek()
            .to_vec(),
        }
    }

    /// The document, or a list of the rows.
    pub(crate) fn into_document(self) -> Json {
        match self.data {
            Data::Document(document) => document,
            Data::Rows(rows) => Json::List(rows.into()),
        }
    }
}
