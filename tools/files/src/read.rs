//! The contents of one file, a page at a time.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cofferdam_sdk::{ToolError, data, tool};

use crate::budget::{Budget, RESULT_BYTES, escaped};
use crate::workspace::{Place, Workspace};

/// Lines of one page unless the caller says otherwise: as many as a model reads with profit.
const PAGE_LINES: u64 = 2_000;

/// Bytes of one page unless the caller says otherwise, for the same reason.
const PAGE_BYTES: u64 = 64 * 1024;

/// Lines are found by reading from the start; a larger file is read by `unit: "bytes"`, which
/// jumps.
const SCANNED_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// Bytes read at once.
const CHUNK_BYTES: usize = 64 * 1024;

/// What `offset` and `limit` count.
#[data]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Unit {
    /// Whole lines.
    Lines,
    /// Bytes of the file.
    Bytes,
}

/// How contents become text.
#[data]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Encoding {
    /// The file is text in UTF-8.
    Utf8,
    /// Any bytes, as base64 with padding.
    Base64,
}

/// A page of a file.
#[data(output)]
#[derive(Debug)]
pub(crate) struct Page {
    /// Path relative to the workspace, cleaned.
    pub(crate) path: String,
    /// The contents, in the asked encoding; line ends as they stand in the file.
    pub(crate) text: String,
    /// Number of the page's first line, counted from 1. Only when reading lines.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) first_line: Option<u64>,
    /// Lines on this page. Only when reading lines.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) lines: Option<u64>,
    /// Lines of the whole file. Only when reading lines.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) total_lines: Option<u64>,
    /// Bytes of the file that this page holds.
    pub(crate) bytes: u64,
    /// Bytes of the whole file.
    pub(crate) total_bytes: u64,
    /// True when the file goes on after this page.
    pub(crate) truncated: bool,
    /// The `offset` of the next page, when there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next_offset: Option<u64>,
}

/// Reads a text file of the workspace, a page of lines at a time; on request any file as bytes.
///
/// Without `offset` it starts at the beginning. When `truncated` is true, call again with `offset`
/// set to `next_offset`. A page never holds more than about 700 KB. Use `unit: "bytes"` for files
/// with very long lines, and `encoding: "base64"` for files that are not text. Errors:
/// `file_not_found`, `not_a_file`, `not_text` (use base64), `too_large` (use bytes),
/// `invalid_path`, `invalid_argument`.
#[tool(
    read_only,
    idempotent,
    tags("file"),
    capabilities(workspace(read_only)),
    example(
        title = "A whole file",
        arguments = r#"{"path": "src/lib.rs"}"#,
        result = r#"{"path": "src/lib.rs", "text": "pub fn one() -> u8 {\n    1 // TODO: two\n}\n",
                     "first_line": 1, "lines": 3, "total_lines": 3, "bytes": 42, "total_bytes": 42,
                     "truncated": false}"#
    ),
    example(
        title = "One line from the second on",
        arguments = r#"{"path": "docs/guide.md", "offset": 2, "limit": 1}"#,
        result = r#"{"path": "docs/guide.md", "text": "First, look around.\n", "first_line": 3,
                     "lines": 1, "total_lines": 4, "bytes": 20, "total_bytes": 33,
                     "truncated": true, "next_offset": 3}"#
    ),
    example(
        title = "The first bytes of a picture",
        arguments = r#"{"path": "logo.png", "encoding": "base64", "limit": 8}"#,
        result = r#"{"path": "logo.png", "text": "iVBORw0KGgo=", "bytes": 8, "total_bytes": 12,
                     "truncated": true, "next_offset": 8}"#
    )
)]
pub(crate) fn read(
    /// File to read, relative to the workspace.
    path: String,
    /// Lines (or bytes) to skip.
    #[default(0)]
    offset: u64,
    /// Lines (or bytes) at most on this page. Default: 2000 lines or 65536 bytes.
    limit: Option<u64>,
    /// What `offset` and `limit` count. Default: `lines`; with base64 always `bytes`.
    unit: Option<Unit>,
    /// How the contents are given back.
    #[default(Encoding::Utf8)]
    encoding: Encoding,
) -> Result<Page, ToolError> {
    let place = Workspace::open()?.place(&path)?;
    match (unit, encoding) {
        (None | Some(Unit::Lines), Encoding::Utf8) => {
            lines(&place, offset, limit.unwrap_or(PAGE_LINES))
        }
        (Some(Unit::Lines), Encoding::Base64) => Err(ToolError::new(
            "invalid_argument",
            "base64 is read by bytes; leave `unit` out or set it to \"bytes\"",
        )),
        (None | Some(Unit::Bytes), _) => {
            bytes(&place, offset, limit.unwrap_or(PAGE_BYTES), encoding)
        }
    }
}

fn open(place: &Place) -> Result<(File, u64), ToolError> {
    let refused = |error: std::io::Error| place.refused(&error);
    let file = File::open(&place.full).map_err(refused)?;
    let meta = file.metadata().map_err(refused)?;
    if meta.is_file() {
        return Ok((file, meta.len()));
    }
    let message = format!("{} is not a file; list it with files-list", place.shown());
    Err(ToolError::new("not_a_file", message))
}

fn not_text(place: &Place) -> ToolError {
    let message = format!(
        "{} is not UTF-8 text; read it with encoding \"base64\"",
        place.shown()
    );
    ToolError::new("not_text", message)
}

fn lines(place: &Place, offset: u64, limit: u64) -> Result<Page, ToolError> {
    let (file, total_bytes) = open(place)?;
    if total_bytes > SCANNED_BYTES_MAX {
        return Err(ToolError::new(
            "too_large",
            format!(
                "{} has {total_bytes} bytes, more than the {SCANNED_BYTES_MAX} in which lines are \
                 counted; read it with unit \"bytes\"",
                place.shown()
            ),
        ));
    }
    let mut window = Window::new(offset, limit);
    let mut reader = BufReader::with_capacity(CHUNK_BYTES, file);
    loop {
        let chunk = reader.fill_buf().map_err(|error| place.refused(&error))?;
        let length = chunk.len();
        if length == 0 {
            break;
        }
        window.feed(chunk);
        reader.consume(length);
    }
    window.finish();
    if window.overflowed && window.taken == 0 {
        return Err(ToolError::new(
            "too_large",
            format!(
                "line {} of {} alone is larger than a page; read the file with unit \"bytes\"",
                offset + 1,
                place.shown()
            ),
        ));
    }
    let bytes = window.text.len() as u64;
    let next = offset.saturating_add(window.taken);
    Ok(Page {
        path: place.name.clone(),
        text: String::from_utf8(window.text).map_err(|_| not_text(place))?,
        first_line: Some(offset.saturating_add(1)),
        lines: Some(window.taken),
        total_lines: Some(window.seen),
        bytes,
        total_bytes,
        truncated: next < window.seen,
        next_offset: (next < window.seen).then_some(next),
    })
}

/// The lines from `first` to before `end`, as far as they fit, picked from chunks as they come.
struct Window {
    first: u64,
    end: u64,
    /// Complete lines gone by.
    seen: u64,
    /// The page's lines, all complete.
    text: Vec<u8>,
    taken: u64,
    /// The beginning of a line whose end has not come yet.
    line: Vec<u8>,
    /// True when some bytes came after the last newline.
    open: bool,
    budget: Budget,
    /// True when a line did not fit any more.
    overflowed: bool,
}

impl Window {
    fn new(first: u64, limit: u64) -> Self {
        Self {
            first,
            end: first.saturating_add(limit),
            seen: 0,
            text: Vec::new(),
            taken: 0,
            line: Vec::new(),
            open: false,
            budget: Budget::new(RESULT_BYTES),
            overflowed: false,
        }
    }

    fn feed(&mut self, mut chunk: &[u8]) {
        while !chunk.is_empty() {
            if self.seen >= self.end || self.overflowed {
                self.seen += memchr::memchr_iter(b'\n', chunk).count() as u64;
                self.open = chunk.last() != Some(&b'\n');
                return;
            }
            let newline = memchr::memchr(b'\n', chunk);
            let (piece, rest) = chunk.split_at(newline.map_or(chunk.len(), |at| at + 1));
            chunk = rest;
            self.open = newline.is_none();
            if self.seen >= self.first {
                if self.budget.take(escaped(piece)) {
                    self.line.extend_from_slice(piece);
                } else {
                    self.overflowed = true;
                }
            }
            if newline.is_some() {
                self.end_line();
            }
        }
    }

    fn finish(&mut self) {
        if self.open {
            self.end_line();
        }
    }

    fn end_line(&mut self) {
        if self.seen >= self.first && self.seen < self.end && !self.overflowed {
            self.text.append(&mut self.line);
            self.taken += 1;
        }
        self.seen += 1;
    }
}

fn bytes(place: &Place, offset: u64, limit: u64, encoding: Encoding) -> Result<Page, ToolError> {
    let refused = |error: std::io::Error| place.refused(&error);
    let (mut file, total_bytes) = open(place)?;
    // Four characters of base64 stand for three bytes.
    let most = match encoding {
        Encoding::Utf8 => RESULT_BYTES,
        Encoding::Base64 => RESULT_BYTES / 4 * 3,
    };
    file.seek(SeekFrom::Start(offset)).map_err(refused)?;
    let mut contents = Vec::new();
    file.take(limit.min(most as u64))
        .read_to_end(&mut contents)
        .map_err(refused)?;
    let text = match encoding {
        Encoding::Base64 => STANDARD.encode(&contents),
        Encoding::Utf8 => {
            let at_end = offset.saturating_add(contents.len() as u64) >= total_bytes;
            let length = whole_characters(&contents, at_end).ok_or_else(|| not_text(place))?;
            contents.truncate(length);
            String::from_utf8(contents.clone()).map_err(|_| not_text(place))?
        }
    };
    let bytes = contents.len() as u64;
    let next = offset.saturating_add(bytes);
    Ok(Page {
        path: place.name.clone(),
        text,
        first_line: None,
        lines: None,
        total_lines: None,
        bytes,
        total_bytes,
        truncated: next < total_bytes,
        next_offset: (next < total_bytes).then_some(next),
    })
}

/// How many of the first bytes are whole characters and fit into a result; nothing when they are
/// not text. A character that the end of the page cuts is left for the next page.
fn whole_characters(contents: &[u8], at_end: bool) -> Option<usize> {
    let text = match std::str::from_utf8(contents) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() && !at_end && error.valid_up_to() > 0 => {
            std::str::from_utf8(&contents[..error.valid_up_to()]).ok()?
        }
        Err(_) => return None,
    };
    let mut budget = Budget::new(RESULT_BYTES);
    let mut buffer = [0; 4];
    let cut = text.char_indices().find(|(_, character)| {
        !budget.take(escaped(character.encode_utf8(&mut buffer).as_bytes()))
    });
    Some(cut.map_or(text.len(), |(at, _)| at))
}
