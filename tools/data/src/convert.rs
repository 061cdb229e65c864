//! Data in another format.

use cofferdam_sdk::{ToolError, data, tool};

use crate::budget::{RESULT_BYTES, escaped};
use crate::derive::plain;
use crate::fault::Fault;
use crate::json::Json;
use crate::pipeline::{self, Missing};
use crate::source::Source;
use crate::step::Step;
use crate::table::names;

/// How data is to be written.
#[data]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Target {
    /// JSON, indented.
    Json,
    /// A JSON value on each line.
    Jsonl,
    /// YAML.
    Yaml,
    /// TOML. A list is written under the name `rows`.
    Toml,
    /// Comma-separated values with the names of the fields in the first line. Lists and objects are
    /// written as JSON.
    Csv,
}

/// The data as text.
#[data(output)]
#[derive(Debug)]
pub(crate) struct Converted {
    /// The text, ending with a newline.
    pub(crate) text: String,
    /// How it is written.
    pub(crate) format: Target,
}

/// Converts data between JSON, JSON Lines, YAML, TOML and CSV.
///
/// Takes the same `source` and `steps` as data-query; without steps the whole document is
/// converted. Comments and layout are not kept. Errors are those of data-query and
/// `not_representable`, when the target format has no way to write a value, for instance null in
/// TOML.
#[tool(
    read_only,
    idempotent,
    tags("data", "json", "yaml", "toml", "csv"),
    capabilities(workspace(read_only, optional)),
    example(
        title = "TOML to JSON",
        arguments = r#"{"source": {"text": "[package]\nname = \"files\"\n", "format": "toml"},
                        "to": "json"}"#,
        result = r#"{"text": "{\n  \"package\": {\n    \"name\": \"files\"\n  }\n}\n",
                     "format": "json"}"#
    ),
    example(
        title = "A part of a document as CSV",
        arguments = r#"{"source": {"text": "{\"users\": [{\"name\": \"Ada\", \"age\": 36}]}",
                                   "format": "json"},
                        "steps": [{"op": "get", "pointer": "/users"}],
                        "to": "csv"}"#,
        result = r#"{"text": "name,age\nAda,36\n", "format": "csv"}"#
    )
)]
pub(crate) fn convert(
    /// Where the data comes from.
    source: Source,
    /// What is done with it before, as in data-query.
    #[default(Vec::new())]
    steps: Vec<Step>,
    /// The format to write.
    to: Target,
    /// Take a field that no row has for null instead of failing with `unknown_field`.
    #[default(false)]
    allow_missing: bool,
) -> Result<Converted, ToolError> {
    let state = pipeline::run(&source, "source", &steps, Missing::from(allow_missing))?;
    let text = match to {
        Target::Json => json(&state.into_document())?,
        Target::Jsonl => lines(&state.into_rows()),
        Target::Yaml => yaml(&state.into_document())?,
        Target::Toml => toml(state.into_document())?,
        Target::Csv => csv(&state.into_rows())?,
    };
    if escaped(text.as_bytes()) > RESULT_BYTES {
        return Err(Fault::new(
            "too_large",
            format!("the text is larger than {RESULT_BYTES} bytes; convert it in parts"),
        )
        .into());
    }
    Ok(Converted { text, format: to })
}

fn unwritable(error: impl std::fmt::Display) -> Fault {
    Fault::new("not_representable", error.to_string()).within("to")
}

fn json(document: &Json) -> Result<String, Fault> {
    let text = serde_json::to_string_pretty(document).map_err(unwritable)?;
    Ok(text + "\n")
}

fn lines(rows: &[Json]) -> String {
    let mut text = String::new();
    for row in rows {
        text.push_str(&row.to_string());
        text.push('\n');
    }
    text
}

fn yaml(document: &Json) -> Result<String, Fault> {
    serde_saphyr::to_string(document).map_err(unwritable)
}

fn toml(document: Json) -> Result<String, Fault> {
    let document = match document {
        Json::List(_) => Json::Object([("rows".into(), document)].into()),
        Json::Object(_) => document,
        other => {
            return Err(unwritable(format_args!(
                "TOML has no file of {}",
                other.kind()
            )));
        }
    };
    toml::to_string(&document).map_err(unwritable)
}

fn csv(rows: &[Json]) -> Result<String, Fault> {
    let names = names(rows);
    let mut writer = csv::Writer::from_writer(Vec::new());
    let titles = names
        .iter()
        .map(|name| if **name == *"." { "value" } else { name });
    if !names.is_empty() {
        writer.write_record(titles).map_err(unwritable)?;
    }
    for row in rows {
        let cells = names.iter().map(|name| {
            let whole = **name == *"." && !matches!(row, Json::Object(_));
            row.member(name)
                .or(whole.then_some(row))
                .filter(|value| !value.is_null())
                .map_or_else(String::new, plain)
        });
        writer.write_record(cells).map_err(unwritable)?;
    }
    let bytes = writer.into_inner().map_err(unwritable)?;
    String::from_utf8(bytes).map_err(unwritable)
}
