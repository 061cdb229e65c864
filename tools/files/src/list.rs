//! What lies in a directory.

use std::fs::File;
use std::io::Read;

use cofferdam_sdk::{ToolError, data, tool};

use crate::budget::{Budget, RESULT_BYTES, escaped};
use crate::glob::Globs;
use crate::walk::{Found, Kind, walk};
use crate::workspace::{Place, Workspace};

/// Entries of one page unless the caller says otherwise: as many as a model reads with profit.
const PAGE: u64 = 1_000;

/// What a JSON string costs around its text: the quotes, the member's name and the separators of a
/// small record.
pub(crate) const RECORD_BYTES: usize = 96;

/// Bytes that counting the lines of one page may read. More would run into the deadline.
const COUNTED_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// A file with a NUL in so many first bytes is not text; `grep` and `git` decide alike.
const SNIFF_BYTES: usize = 8 * 1024;

/// Bytes read at once.
const CHUNK_BYTES: usize = 64 * 1024;

/// One file or directory.
#[data(output)]
#[derive(Debug)]
pub(crate) struct Entry {
    /// Path relative to the workspace, usable as `path` of the other tools.
    pub(crate) path: String,
    /// What it is.
    pub(crate) kind: Kind,
    /// Size of a file in bytes; 0 for anything else.
    pub(crate) bytes: u64,
    /// Number of lines, when `count_lines` was asked for and it is a text file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) lines: Option<u64>,
}

/// A page of a directory listing.
#[data(output)]
#[derive(Debug)]
pub(crate) struct Listing {
    /// The entries, each directory's sorted by name, what a directory holds right after it.
    pub(crate) entries: Vec<Entry>,
    /// How many entries there are in all, on this page and elsewhere.
    pub(crate) total: u64,
    /// True when there are entries after this page.
    pub(crate) truncated: bool,
    /// The `offset` of the next page, when there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next_offset: Option<u64>,
    /// Directories that could not be read and whose contents are missing here.
    pub(crate) unreadable: u64,
}

/// Lists the files and directories of the workspace, with sizes and, on request, line counts.
///
/// Use it first, to learn what there is. Entries are sorted and come in pages: when `truncated` is
/// true, call again with `offset` set to `next_offset`. Symbolic links are listed and never
/// followed. Errors: `file_not_found`, `not_a_directory`, `invalid_path`, `invalid_glob`,
/// `too_large` (too many entries: narrow `path`, or use `exclude`).
#[tool(
    read_only,
    idempotent,
    tags("file", "directory"),
    capabilities(workspace(read_only)),
    example(title = "What is in the workspace", arguments = r#"{}"#),
    example(
        title = "All Rust sources with their sizes in lines",
        arguments = r#"{"glob": "**/*.rs", "kind": "file", "count_lines": true}"#,
        result = r#"{"entries": [{"path": "src/lib.rs", "kind": "file", "bytes": 42, "lines": 3}],
                     "total": 1, "truncated": false, "unreadable": 0}"#
    ),
    example(
        title = "One directory",
        arguments = r#"{"path": "docs"}"#,
        result = r#"{"entries": [{"path": "docs/guide.md", "kind": "file", "bytes": 33}],
                     "total": 1, "truncated": false, "unreadable": 0}"#
    )
)]
#[expect(
    clippy::too_many_arguments,
    reason = "each is one optional member of the arguments"
)]
pub(crate) fn list(
    /// Directory to list, relative to the workspace; empty for the workspace itself.
    #[default(String::new())]
    path: String,
    /// Also list what lies below subdirectories. Default: true when `glob` contains a `/`.
    recursive: Option<bool>,
    /// Keep only paths that match, e.g. `*.md` (by name, at every depth) or `src/**/*.rs` (by path
    /// relative to `path`). `*` and `?` stop at `/`, `**` doesn't; `[ab]` and `{a,b}` work.
    glob: Option<String>,
    /// Globs to leave out; a directory that matches is not entered. Default: `[".git"]`.
    exclude: Option<Vec<String>>,
    /// Keep only entries of this kind.
    kind: Option<Kind>,
    /// Also count the lines of each text file on the page.
    #[default(false)]
    count_lines: bool,
    /// Entries to skip.
    #[default(0)]
    offset: u64,
    /// Entries at most on this page.
    #[default(PAGE)]
    limit: u64,
) -> Result<Listing, ToolError> {
    let start = Workspace::open()?.place(&path)?;
    let globs = Globs::new(glob.as_deref(), exclude.as_deref())?;
    let recursive = recursive.unwrap_or_else(|| glob.is_some_and(|glob| glob.contains('/')));
    let mut walked = walk(&start, recursive, &globs)?;
    if let Some(kind) = kind {
        walked.found.retain(|found| found.kind == kind);
    }
    let total = walked.found.len() as u64;
    let mut page = Page::new(count_lines);
    let wanted = walked
        .found
        .into_iter()
        .skip(usize::try_from(offset).unwrap_or(usize::MAX));
    for found in wanted.take(usize::try_from(limit).unwrap_or(usize::MAX)) {
        if !page.add(found)? {
            break;
        }
    }
    let next = offset.saturating_add(page.entries.len() as u64);
    Ok(Listing {
        entries: page.entries,
        total,
        truncated: next < total,
        next_offset: (next < total).then_some(next),
        unreadable: walked.unreadable,
    })
}

struct Page {
    entries: Vec<Entry>,
    budget: Budget,
    count_lines: bool,
    counted: u64,
}

impl Page {
    fn new(count_lines: bool) -> Self {
        Self {
            entries: Vec::new(),
            budget: Budget::new(RESULT_BYTES),
            count_lines,
            counted: 0,
        }
    }

    /// Adds an entry, or says that the page is full.
    fn add(&mut self, Found { place, kind }: Found) -> Result<bool, ToolError> {
        if !self
            .budget
            .take(RECORD_BYTES + escaped(place.name.as_bytes()))
        {
            return Ok(false);
        }
        let mut entry = Entry {
            path: place.name.clone(),
            kind,
            bytes: 0,
            lines: None,
        };
        if kind == Kind::File {
            // A file that vanished meanwhile is listed as empty rather than failing the rest.
            entry.bytes = place.full.symlink_metadata().map_or(0, |meta| meta.len());
            if self.count_lines {
                self.counted = self.counted.saturating_add(entry.bytes);
                if self.counted > COUNTED_BYTES_MAX {
                    return Err(ToolError::new(
                        "too_large",
                        format!(
                            "counting lines would read more than {COUNTED_BYTES_MAX} bytes; use a \
                             narrower `glob` or a smaller `limit`"
                        ),
                    ));
                }
                entry.lines = count(&place)?;
            }
        }
        self.entries.push(entry);
        Ok(true)
    }
}

/// The number of lines of a text file. A last line without a newline counts.
fn count(place: &Place) -> Result<Option<u64>, ToolError> {
    let refused = |error: std::io::Error| place.refused(&error);
    let mut file = File::open(&place.full).map_err(refused)?;
    let mut chunk = vec![0; CHUNK_BYTES];
    let (mut lines, mut last, mut first) = (0, b'\n', true);
    loop {
        let length = file.read(&mut chunk).map_err(refused)?;
        let read = &chunk[..length];
        let Some(end) = read.last() else {
            break;
        };
        if first && memchr::memchr(0, &read[..length.min(SNIFF_BYTES)]).is_some() {
            return Ok(None);
        }
        first = false;
        last = *end;
        lines += memchr::memchr_iter(b'\n', read).count() as u64;
    }
    Ok(Some(lines + u64::from(last != b'\n')))
}
