//! Where data comes from.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;

use cofferdam_sdk::data;

use crate::fault::Fault;
use crate::format::{self, Format, Layout};
use crate::json::Json;
use crate::workspace::Workspace;

/// A larger file is refused. JSON of this size fits into a guest when the first step goes down to
/// the part that is needed.
const FILE_BYTES_MAX: u64 = 8 * 1024 * 1024;

/// Where data comes from: exactly one of `path`, `text` and `rows`.
#[data(input)]
#[derive(Debug, Default)]
#[serde(deny_unknown_fields)]
pub(crate) struct Source {
    /// A file of the workspace, at most 8 MiB.
    path: Option<String>,
    /// The data itself as text; needs `format`.
    text: Option<String>,
    /// The rows themselves, for instance from the result of another call.
    rows: Option<Vec<Json>>,
    /// How the file or text is written. Default for a file: by its ending (`.json`, `.jsonl`,
    /// `.yaml`, `.toml`, `.lock`, `.csv`, `.tsv`).
    format: Option<Format>,
    /// CSV only: the character between cells. Default: `,`, for `.tsv` a tab.
    delimiter: Option<char>,
    /// CSV only: names of the columns when the first line holds data rather than names.
    columns: Option<Vec<String>>,
    /// CSV only: keep every cell a text. By default a column whose filled cells are all numbers
    /// becomes numbers, its empty cells null.
    text_only: Option<bool>,
}

/// What is wanted of a source.
pub(crate) struct Part<'a> {
    /// What leads to it.
    pub(crate) tokens: &'a [String],
    /// The members of its rows that are needed, if not all.
    pub(crate) members: Option<BTreeSet<String>>,
}

/// What was read.
pub(crate) struct Loaded {
    /// The part that was asked for, if it exists.
    pub(crate) value: Option<Json>,
    /// Names that were not read, or what is there instead of the part.
    pub(crate) left_out: BTreeSet<String>,
}

impl Source {
    /// Reads the part of the data.
    ///
    /// **Errors**: `invalid_source`, `parse_failed`, `too_large`, and those of files.
    pub(crate) fn load(&self, part: &Part<'_>) -> Result<Loaded, Fault> {
        match (&self.path, &self.text, &self.rows) {
            (Some(path), None, None) => {
                let layout = self.layout(Some(path))?;
                let contents = read(path).map_err(|fault| fault.within("path"))?;
                format::parse(&contents, &layout, part).map_err(|fault| fault.within("path"))
            }
            (None, Some(text), None) => {
                let layout = self.layout(None)?;
                format::parse(text.as_bytes(), &layout, part).map_err(|fault| fault.within("text"))
            }
            (None, None, Some(rows)) => {
                self.refuse_csv_words()?;
                let rows = Json::List(rows.as_slice().into());
                Ok(Loaded {
                    value: rows.at(part.tokens).cloned(),
                    left_out: BTreeSet::new(),
                })
            }
            _ => Err(Fault::new(
                "invalid_source",
                "give exactly one of `path` (a file of the workspace), `text` (with `format`) and \
                 `rows`",
            )),
        }
    }

    fn layout(&self, path: Option<&str>) -> Result<Layout<'_>, Fault> {
        let ending = path
            .and_then(|path| path.rsplit_once('.'))
            .map(|(_, ending)| ending);
        let by_name = ending.and_then(Format::of_ending);
        let Some(format) = self.format.or(by_name) else {
            return Err(Fault::new(
                "invalid_source",
                "say the format: json, jsonl, yaml, toml or csv",
            )
            .within("format"));
        };
        if format != Format::Csv {
            self.refuse_csv_words()?;
        }
        let delimiter = match self.delimiter {
            Some(delimiter) => u8::try_from(delimiter)
                .ok()
                .filter(u8::is_ascii)
                .ok_or_else(|| {
                    let message = "the delimiter is one ASCII character";
                    Fault::new("invalid_source", message).within("delimiter")
                })?,
            None if ending == Some("tsv") => b'\t',
            None => b',',
        };
        Ok(Layout {
            format,
            delimiter,
            columns: self.columns.as_deref(),
            text_only: self.text_only.unwrap_or(false),
        })
    }

    fn refuse_csv_words(&self) -> Result<(), Fault> {
        if self.delimiter.is_none() && self.columns.is_none() && self.text_only.is_none() {
            return Ok(());
        }
        let message = "delimiter, columns and text_only are for CSV only";
        Err(Fault::new("invalid_source", message))
    }
}

fn read(path: &str) -> Result<Vec<u8>, Fault> {
    let place = Workspace::open()?.place(path)?;
    let refused = |error: std::io::Error| place.refused(&error);
    let file = File::open(&place.full).map_err(refused)?;
    let meta = file.metadata().map_err(refused)?;
    if !meta.is_file() {
        return Err(Fault::new(
            "not_a_file",
            format!("{} is not a file", place.shown()),
        ));
    }
    if meta.len() > FILE_BYTES_MAX {
        let message = format!(
            "{} has {} bytes; at most {FILE_BYTES_MAX} are read",
            place.shown(),
            meta.len()
        );
        return Err(Fault::new("too_large", message));
    }
    let mut contents = Vec::with_capacity(usize::try_from(meta.len()).unwrap_or(0));
    // A file that grows meanwhile is cut, which its parser then reports.
    file.take(FILE_BYTES_MAX)
        .read_to_end(&mut contents)
        .map_err(refused)?;
    Ok(contents)
}
