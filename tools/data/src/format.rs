//! The formats that are read.

use std::collections::BTreeMap;

use cofferdam_sdk::data;
use serde::de::DeserializeSeed;

use crate::fault::Fault;
use crate::json::{Json, Name};
use crate::parse::{Context, DEPTH_MAX, Reader, VALUES_MAX, Want};
use crate::source::{Loaded, Part};

/// Reading YAML takes up to some 8,000 units of fuel a byte; more than this would not fit into a
/// call's fuel.
const YAML_BYTES_MAX: usize = 512 * 1024;

/// TOML is parsed as a whole before anything is built, which takes up to some 60 times the text;
/// more than this would not fit into a guest's memory.
const TOML_BYTES_MAX: usize = 768 * 1024;

/// How data is written.
#[data(input)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Format {
    /// One JSON value.
    Json,
    /// A JSON value on each line.
    Jsonl,
    /// YAML 1.2; several documents become a list.
    Yaml,
    /// TOML 1.1; dates become texts.
    Toml,
    /// Comma-separated values, the first line holding the names of the columns.
    Csv,
}

impl Format {
    pub(crate) fn of_ending(ending: &str) -> Option<Self> {
        match ending.to_ascii_lowercase().as_str() {
            "json" => Some(Self::Json),
            "jsonl" | "ndjson" => Some(Self::Jsonl),
            "yaml" | "yml" => Some(Self::Yaml),
            "toml" | "lock" => Some(Self::Toml),
            "csv" | "tsv" => Some(Self::Csv),
            _ => None,
        }
    }
}

/// All that says how a text is to be read.
pub(crate) struct Layout<'a> {
    pub(crate) format: Format,
    pub(crate) delimiter: u8,
    pub(crate) columns: Option<&'a [String]>,
    pub(crate) text_only: bool,
}

/// Reads a part of `text`.
pub(crate) fn parse(text: &[u8], layout: &Layout<'_>, part: &Part<'_>) -> Result<Loaded, Fault> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let mut context = Context::default();
    match read(text, layout, part, &mut context) {
        Ok(value) => Ok(Loaded {
            value,
            left_out: context.left_out,
        }),
        Err(_) if context.is_full() => Err(Fault::new(
            "too_large",
            format!(
                "holds more than {VALUES_MAX} values; start the steps with a \"get\" of the part \
                 that is needed, and go on with steps that name the fields"
            ),
        )),
        Err(fault) => Err(fault),
    }
}

fn read(
    text: &[u8],
    layout: &Layout<'_>,
    part: &Part<'_>,
    context: &mut Context,
) -> Result<Option<Json>, Fault> {
    let value = match layout.format {
        Format::Json => {
            let want = Want::At(part.tokens, part.members.as_ref());
            let value = json(text, Reader::new(context, want)).map_err(|fault| fault.fault(0))?;
            return Ok(context.found(value));
        }
        Format::Jsonl if part.tokens.is_empty() => {
            let want = part.members.as_ref().map_or(Want::All, Want::Row);
            return lines(text, context, want).map(Some);
        }
        Format::Jsonl => lines(text, context, Want::All)?,
        Format::Yaml => yaml(short(text, YAML_BYTES_MAX)?)?,
        Format::Toml => toml(short(text, TOML_BYTES_MAX)?)?,
        Format::Csv => csv(text, layout, context)?,
    };
    let found = value.at(part.tokens).cloned();
    if let (None, Json::Object(members)) = (&found, &value) {
        context.left_out = members.iter().map(|(name, _)| name.to_string()).collect();
    }
    Ok(found)
}

fn failed(line: usize, column: usize, message: &str) -> Fault {
    Fault::new(
        "parse_failed",
        format!("line {line}, column {column}: {message}"),
    )
    .with_fact("line", line)
    .with_fact("column", column)
}

/// An error of the JSON parser, whose place counts from the line that it was given.
struct JsonFault(serde_json::Error);

impl JsonFault {
    fn fault(self, lines_before: usize) -> Fault {
        let Self(error) = self;
        let message = error.to_string();
        failed(
            error.line() + lines_before,
            error.column(),
            before_place(&message),
        )
    }
}

/// A parser's message without the place at its end, which is given apart.
fn before_place(message: &str) -> &str {
    message
        .rsplit_once(" at line ")
        .map_or(message, |(message, _)| message)
}

fn json(text: &[u8], reader: Reader<'_>) -> Result<Json, JsonFault> {
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let value = reader.deserialize(&mut deserializer).map_err(JsonFault)?;
    deserializer.end().map_err(JsonFault)?;
    Ok(value)
}

fn lines(text: &[u8], context: &mut Context, want: Want<'_>) -> Result<Json, Fault> {
    let mut rows = Vec::new();
    for (before, line) in text.split(|byte| *byte == b'\n').enumerate() {
        if !line.trim_ascii().is_empty() {
            let row =
                json(line, Reader::new(context, want)).map_err(|fault| fault.fault(before))?;
            rows.push(row);
        }
    }
    Ok(Json::List(rows.into()))
}

fn short(text: &[u8], most: usize) -> Result<&str, Fault> {
    if text.len() > most {
        let message = format!("this format is read up to {most} bytes, not {}", text.len());
        return Err(Fault::new("too_large", message));
    }
    utf8(text)
}

fn utf8(text: &[u8]) -> Result<&str, Fault> {
    std::str::from_utf8(text).map_err(|error| {
        let before = &text[..error.valid_up_to()];
        let (line, column) = place(before);
        failed(line, column, "this is not UTF-8 text")
    })
}

/// Line and column, both from 1, of what follows `before`.
fn place(before: &[u8]) -> (usize, usize) {
    let line = before.split(|byte| *byte == b'\n').count();
    let start = before
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |at| at + 1);
    (
        line,
        String::from_utf8_lossy(&before[start..]).chars().count() + 1,
    )
}

fn yaml(text: &str) -> Result<Json, Fault> {
    let options = serde_saphyr::options! {
        with_snippet: false,
        strict_booleans: true,
        budget: serde_saphyr::budget! { max_depth: DEPTH_MAX, max_nodes: VALUES_MAX },
    };
    let documents = serde_saphyr::from_multiple_with_options::<Json>(text, options);
    let mut documents = documents.map_err(|error| {
        let (line, column) = error
            .location()
            .map_or((1, 1), |place| (place.line(), place.column()));
        let size = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        failed(size(line), size(column), before_place(&error.to_string()))
    })?;
    Ok(match documents.len() {
        0 => Json::Null,
        1 => documents.swap_remove(0),
        _ => Json::List(documents.into()),
    })
}

fn toml(text: &str) -> Result<Json, Fault> {
    toml::from_str(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        let (line, column) = place(text.as_bytes().get(..at).unwrap_or_default());
        failed(line, column, error.message())
    })
}

fn csv(text: &[u8], layout: &Layout<'_>, context: &mut Context) -> Result<Json, Fault> {
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(layout.delimiter)
        .has_headers(layout.columns.is_none())
        .from_reader(utf8(text)?.as_bytes());
    let columns = match layout.columns {
        Some(columns) => columns.to_vec(),
        None => reader
            .headers()
            .map_err(|error| csv_failed(&error))?
            .iter()
            .map(Into::into)
            .collect(),
    };
    let columns = distinct(columns);
    let mut rows: Vec<Vec<Json>> = Vec::new();
    let mut record = csv::StringRecord::new();
    while reader
        .read_record(&mut record)
        .map_err(|error| csv_failed(&error))?
    {
        let line = usize::try_from(reader.position().line()).unwrap_or(usize::MAX);
        if record.len() != columns.len() {
            let message = format!("{} cells in {} columns", record.len(), columns.len());
            return Err(failed(line.saturating_sub(1), 1, &message));
        }
        for _ in &record {
            context
                .count::<serde_json::Error>()
                .map_err(|error| failed(line, 1, &error.to_string()))?;
        }
        rows.push(record.iter().map(Json::text).collect());
    }
    if !layout.text_only {
        (0..columns.len()).for_each(|column| infer(&mut rows, column));
    }
    let row = |cells: Vec<Json>| Json::Object(columns.iter().cloned().zip(cells).collect());
    Ok(Json::List(rows.into_iter().map(row).collect()))
}

fn csv_failed(error: &csv::Error) -> Fault {
    let line = error.position().map_or(1, csv::Position::line);
    failed(
        usize::try_from(line).unwrap_or(usize::MAX),
        1,
        &error.to_string(),
    )
}

/// Names of columns; a name that stands twice gets a number, so that no cell is lost.
fn distinct(columns: Vec<String>) -> Vec<Name> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut names = Vec::new();
    for column in columns {
        let mut name = column.clone();
        while seen.contains_key(&name) {
            let times = seen.entry(column.clone()).or_default();
            *times += 1;
            name = format!("{column}_{}", *times + 1);
        }
        names.push(Name::from(name.as_str()));
        seen.insert(name, 0);
    }
    names
}

/// Makes numbers of a column in which every filled cell is one.
fn infer(rows: &mut [Vec<Json>], column: usize) {
    let mut numbers = Vec::with_capacity(rows.len());
    for row in &*rows {
        match &row[column] {
            Json::Text(text) if text.is_empty() => numbers.push(Json::Null),
            Json::Text(text) => match number(text) {
                Some(number) => numbers.push(number),
                None => return,
            },
            _ => return,
        }
    }
    if numbers.iter().any(Json::is_number) {
        rows.iter_mut()
            .zip(numbers)
            .for_each(|(row, number)| row[column] = number);
    }
}

/// A number whose only way to be written is `text`, so that nothing is lost: `1.5` and `-3`, but
/// not `007` or `1.50`.
fn number(text: &str) -> Option<Json> {
    if let Ok(number) = text.parse::<i128>() {
        let number = Json::from(number);
        return (number.whole()?.to_string() == text).then_some(number);
    }
    let number: f64 = text.parse().ok()?;
    (text.contains('.') && number.is_finite() && number.to_string() == text)
        .then_some(Json::Float(number))
}
