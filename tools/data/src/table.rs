//! Rows as a Markdown table.

use cofferdam_sdk::{ToolError, data, tool};

use crate::budget::{Budget, RESULT_BYTES, escaped};
use crate::derive::plain;
use crate::field::Field;
use crate::json::{Json, Name};
use crate::pipeline::{self, Missing};
use crate::source::Source;
use crate::step::Step;

/// Rows that are shown unless the caller says otherwise: as many as people look at.
const ROWS: u64 = 100;

/// Characters of one cell; what is longer belongs under a table.
const CELL_CHARS_MAX: usize = 500;

/// Columns of a table that nobody chose; more are not readable.
const COLUMNS_MAX: usize = 50;

/// A column of the table.
#[data(input)]
#[derive(Debug)]
#[serde(untagged)]
pub(crate) enum Column {
    /// The field; its name is the title.
    Field(Field),
    /// The field and how it is shown.
    Titled(Titled),
}

/// A field and how it is shown.
#[data(input)]
#[derive(Debug)]
#[serde(deny_unknown_fields)]
pub(crate) struct Titled {
    /// The field.
    field: Field,
    /// The column's title. Default: the last word of the field.
    title: Option<String>,
    /// To which side the column is aligned. Default: numbers right, everything else left.
    align: Option<Align>,
}

/// To which side a column is aligned.
#[data(input)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Align {
    Left,
    Right,
    Center,
}

/// A Markdown table.
#[data(output)]
#[derive(Debug)]
pub(crate) struct Table {
    /// The text, ending with a newline.
    pub(crate) markdown: String,
    /// Rows in the table.
    pub(crate) rows: u64,
    /// True when there are more rows than the table shows; a line under it says how many.
    pub(crate) truncated: bool,
}

/// Renders data as a Markdown table, with the columns chosen, titled and aligned.
///
/// Takes the same `source` and `steps` as data-query, so it can show a file, or the rows that
/// another call gave. Cells are escaped: whatever the data holds, the table stays a table. Lists
/// are joined by commas, nulls are empty cells. Errors are those of data-query.
#[tool(
    read_only,
    idempotent,
    tags("data", "markdown"),
    capabilities(workspace(read_only, optional)),
    example(
        title = "A table with a heading",
        arguments = r#"{
            "source": {"rows": [{"name": "syn", "versions": ["1.0.9", "2.0.1"], "count": 2}]},
            "columns": [{"field": "name", "title": "Crate"}, "count", "versions"],
            "title": "Duplicated crates"}"#,
        result = r###"{"markdown": "## Duplicated crates\n\n| Crate | count | versions |\n| :--- | ---: | :--- |\n| syn | 2 | 1.0.9, 2.0.1 |\n",
                       "rows": 1, "truncated": false}"###
    ),
    example(
        title = "The largest two of a CSV file",
        arguments = r#"{
            "source": {"path": "sizes.csv"},
            "steps": [{"op": "sort", "by": [{"field": "bytes", "desc": true}]}],
            "max_rows": 2}"#,
        result = r#"{"markdown": "| file | bytes |\n| :--- | ---: |\n| b | 30 |\n| a | 20 |\n\n1 more row\n",
                     "rows": 2, "truncated": true}"#
    )
)]
pub(crate) fn table(
    /// Where the data comes from.
    source: Source,
    /// What is done with it before, as in data-query.
    #[default(Vec::new())]
    steps: Vec<Step>,
    /// The columns in this order: each a field, or `{"field", "title", "align"}`. Default: all
    /// fields, in the order in which they first appear.
    columns: Option<Vec<Column>>,
    /// A heading above the table.
    title: Option<String>,
    /// Rows at most.
    #[default(ROWS)]
    max_rows: u64,
    /// Take a field that no row has for null instead of failing with `unknown_field`.
    #[default(false)]
    allow_missing: bool,
) -> Result<Table, ToolError> {
    let missing = Missing::from(allow_missing);
    let state = pipeline::run(&source, "source", &steps, missing)?;
    for (at, column) in columns.iter().flatten().enumerate() {
        let known = state.expect_field(column.field(), missing);
        known.map_err(|fault| fault.within(at).within("columns"))?;
    }
    let rows = state.into_rows();
    let columns = columns.unwrap_or_else(|| all(&rows));
    if columns.is_empty() {
        let markdown = heading(title.as_deref()) + "No rows.\n";
        return Ok(Table {
            markdown,
            rows: 0,
            truncated: false,
        });
    }
    Ok(render(
        title.as_deref(),
        &columns,
        &rows,
        usize::try_from(max_rows).unwrap_or(usize::MAX),
    ))
}

impl Column {
    fn field(&self) -> &Field {
        match self {
            Self::Field(field) | Self::Titled(Titled { field, .. }) => field,
        }
    }

    fn title(&self) -> Name {
        match self {
            Self::Titled(Titled {
                title: Some(title), ..
            }) => title.as_str().into(),
            Self::Field(field) | Self::Titled(Titled { field, .. }) => field.alias(),
        }
    }

    fn align(&self, rows: &[Json]) -> Align {
        if let Self::Titled(Titled {
            align: Some(align), ..
        }) = self
        {
            return *align;
        }
        let mut values = rows.iter().filter_map(|row| self.field().of(row));
        let numbers = values.clone().any(Json::is_number)
            && values.all(|value| value.is_number() || value.is_null());
        if numbers { Align::Right } else { Align::Left }
    }
}

/// Every field of the rows, in the order of appearance; for rows that are no objects, the row.
fn all(rows: &[Json]) -> Vec<Column> {
    names(rows)
        .into_iter()
        .take(COLUMNS_MAX)
        .map(|name| Column::Field(Field::member(&name)))
        .collect()
}

/// The names of the rows' members in the order of appearance; `.` where a row is no object.
pub(crate) fn names(rows: &[Json]) -> Vec<Name> {
    let mut seen = std::collections::BTreeSet::new();
    let mut names = Vec::new();
    let mut add = |name: Name| {
        if seen.insert(Name::clone(&name)) {
            names.push(name);
        }
    };
    for row in rows {
        match row {
            Json::Object(members) => members.iter().for_each(|(name, _)| add(Name::clone(name))),
            _ => add(".".into()),
        }
    }
    names
}

fn heading(title: Option<&str>) -> String {
    title.map_or_else(String::new, |title| format!("## {}\n\n", cell(title)))
}

fn render(title: Option<&str>, columns: &[Column], rows: &[Json], max_rows: usize) -> Table {
    let shown = &rows[..max_rows.min(rows.len())];
    let mut markdown = heading(title);
    line(
        &mut markdown,
        columns.iter().map(|column| cell(&column.title())),
    );
    line(
        &mut markdown,
        columns
            .iter()
            .map(|column| rule(column.align(shown)).to_owned()),
    );
    let mut budget = Budget::new(RESULT_BYTES.saturating_sub(escaped(markdown.as_bytes())));
    let mut count = 0;
    for row in shown {
        let mut text = String::new();
        line(
            &mut text,
            columns
                .iter()
                .map(|column| cell(&content(column.field().of(row)))),
        );
        if !budget.take(escaped(text.as_bytes())) {
            break;
        }
        markdown.push_str(&text);
        count += 1;
    }
    let more = rows.len() - count;
    if more > 0 {
        let noun = if more == 1 { "row" } else { "rows" };
        markdown.extend(["\n", &more.to_string(), " more ", noun, "\n"]);
    }
    Table {
        markdown,
        rows: count as u64,
        truncated: more > 0,
    }
}

fn line(markdown: &mut String, cells: impl Iterator<Item = String>) {
    for cell in cells {
        markdown.push_str("| ");
        markdown.push_str(&cell);
        if !cell.is_empty() {
            markdown.push(' ');
        }
    }
    markdown.push_str("|\n");
}

fn rule(align: Align) -> &'static str {
    match align {
        Align::Left => ":---",
        Align::Right => "---:",
        Align::Center => ":---:",
    }
}

fn content(value: Option<&Json>) -> String {
    match value {
        None | Some(Json::Null) => String::new(),
        Some(Json::List(list)) => list.iter().map(plain).collect::<Vec<_>>().join(", "),
        Some(value) => plain(value),
    }
}

/// A text that is shown as it is, whatever Markdown or HTML it looks like.
///
/// Line ends become `<br>`, which is the only way to have them in a cell. Underscores inside words
/// mean nothing in Markdown and stay readable.
fn cell(text: &str) -> String {
    let mut cell = String::with_capacity(text.len());
    let mut before = ' ';
    let mut characters = text.trim().chars().peekable();
    let mut count = 0;
    while let Some(character) = characters.next() {
        count += 1;
        if count > CELL_CHARS_MAX {
            cell.push('…');
            break;
        }
        let after = characters.peek().copied().unwrap_or(' ');
        match character {
            '\r' if after == '\n' => {}
            '\n' | '\r' => cell.push_str("<br>"),
            '_' if before.is_alphanumeric() && after.is_alphanumeric() => cell.push('_'),
            '\\' | '|' | '`' | '*' | '_' | '~' | '[' | ']' | '<' | '>' | '&' | '!' | '#' => {
                cell.push('\\');
                cell.push(character);
            }
            character if character.is_control() => cell.push(' '),
            character => cell.push(character),
        }
        before = character;
    }
    cell
}
