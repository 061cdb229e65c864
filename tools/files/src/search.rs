//! Finding text in files.

use std::collections::VecDeque;
use std::fs;

use cofferdam_sdk::{ToolError, data, tool};
use regex::{Regex, RegexBuilder};

use crate::budget::{Budget, RESULT_BYTES, escaped};
use crate::glob::Globs;
use crate::list::RECORD_BYTES;
use crate::walk::{Found, Kind, walk};
use crate::workspace::{Place, Workspace};

/// Matches given back unless the caller says otherwise: as many as a model reads with profit.
const MATCHES: u64 = 100;

/// A larger file is skipped and counted: it is held in memory as a whole, and it is data rather
/// than something that people wrote.
const FILE_BYTES_MAX: u64 = 8 * 1024 * 1024;

/// Lines around a match that a caller may ask for.
const CONTEXT_MAX: u64 = 20;

/// Characters of a line that are given back; what people write is shorter.
const LINE_CHARS_MAX: usize = 500;

/// A longer pattern is a mistake.
const PATTERN_BYTES_MAX: usize = 4 * 1024;

/// Memory that a compiled pattern may take. `\w{100}` needs about 200 KiB.
const COMPILED_BYTES_MAX: usize = 2 * 1024 * 1024;

/// Nested groups of a pattern.
const NESTING_MAX: u32 = 50;

/// One line that matches.
#[data(output)]
#[derive(Debug)]
pub(crate) struct Match {
    /// Path relative to the workspace.
    pub(crate) path: String,
    /// Number of the line, counted from 1.
    pub(crate) line: u64,
    /// The character of the line at which the first match begins, counted from 1.
    pub(crate) column: u64,
    /// The line without its end, cut after 500 characters.
    pub(crate) text: String,
    /// Lines before it, when `context` was asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) before: Vec<String>,
    /// Lines after it, when `context` was asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) after: Vec<String>,
}

/// What a search found.
#[data(output)]
#[derive(Debug)]
pub(crate) struct Matches {
    /// The matching lines by path and line; one per line even if it matches several times.
    pub(crate) matches: Vec<Match>,
    /// Text files that were searched.
    pub(crate) files_searched: u64,
    /// Files that were not: larger than 8 MiB, not UTF-8 text, or not readable.
    pub(crate) files_skipped: u64,
    /// True when there was more than `limit` or one result allows; the rest was not searched.
    pub(crate) truncated: bool,
}

/// Finds the lines that match a pattern in the text files of the workspace.
///
/// The pattern is a regular expression of the linear-time kind (no look-around, no
/// back-references) that is tried on each line by itself, or with `literal` plain text. Narrow the
/// search with `path` and `glob`. When `truncated` is true, narrow it further. Errors:
/// `invalid_pattern`, `invalid_glob`, `file_not_found`, `invalid_path`, `too_large`.
#[tool(
    read_only,
    idempotent,
    tags("file", "search"),
    capabilities(workspace(read_only)),
    example(
        title = "Where is something left to do",
        arguments = r#"{"pattern": "TODO|FIXME", "glob": "*.rs"}"#,
        result = r#"{"matches": [{"path": "src/lib.rs", "line": 2, "column": 10,
                                  "text": "    1 // TODO: two"}],
                     "files_searched": 1, "files_skipped": 0, "truncated": false}"#
    ),
    example(
        title = "Plain text in any case, with a line around",
        arguments = r#"{"pattern": "LOOK", "literal": true, "ignore_case": true,
                        "path": "docs", "context": 1}"#,
        result = r#"{"matches": [{"path": "docs/guide.md", "line": 3, "column": 8,
                                  "text": "First, look around.", "before": [""],
                                  "after": ["Then"]}],
                     "files_searched": 1, "files_skipped": 0, "truncated": false}"#
    )
)]
#[expect(
    clippy::too_many_arguments,
    reason = "each is one member of the arguments"
)]
pub(crate) fn search(
    /// What to look for: a regular expression, or plain text when `literal` is true.
    pattern: String,
    /// Take the pattern as plain text.
    #[default(false)]
    literal: bool,
    /// Find upper and lower case alike.
    #[default(false)]
    ignore_case: bool,
    /// Directory or file to search, relative to the workspace; empty for all of it.
    #[default(String::new())]
    path: String,
    /// Search only files that match, e.g. `*.md` (by name, at every depth) or `src/**/*.rs` (by
    /// path relative to `path`).
    glob: Option<String>,
    /// Globs to leave out; a directory that matches is not entered. Default: `[".git"]`.
    exclude: Option<Vec<String>>,
    /// Lines to show before and after each match, at most 20.
    #[default(0)]
    context: u64,
    /// Matching lines at most.
    #[default(MATCHES)]
    limit: u64,
) -> Result<Matches, ToolError> {
    let start = Workspace::open()?.place(&path)?;
    let regex = compile(&pattern, literal, ignore_case)?;
    let globs = Globs::new(glob.as_deref(), exclude.as_deref())?;
    let files = if start.full.is_file() {
        vec![Found {
            place: start,
            kind: Kind::File,
        }]
    } else {
        walk(&start, true, &globs)?.found
    };
    let mut search = Search {
        regex,
        context: usize::try_from(context.min(CONTEXT_MAX)).unwrap_or(0),
        limit: usize::try_from(limit).unwrap_or(usize::MAX),
        budget: Budget::new(RESULT_BYTES),
        out: Matches {
            matches: Vec::new(),
            files_searched: 0,
            files_skipped: 0,
            truncated: false,
        },
    };
    for Found { place, .. } in files.into_iter().filter(|found| found.kind == Kind::File) {
        if search.out.truncated {
            break;
        }
        match text(&place) {
            Some(text) => {
                search.out.files_searched += 1;
                search.file(&place.name, &text);
            }
            None => search.out.files_skipped += 1,
        }
    }
    Ok(search.out)
}

fn compile(pattern: &str, literal: bool, ignore_case: bool) -> Result<Regex, ToolError> {
    let invalid = |why: String| ToolError::new("invalid_pattern", why);
    if pattern.is_empty() || pattern.len() > PATTERN_BYTES_MAX {
        return Err(invalid(format!(
            "a pattern has 1 to {PATTERN_BYTES_MAX} bytes"
        )));
    }
    let escaped = if literal {
        regex::escape(pattern)
    } else {
        pattern.to_owned()
    };
    RegexBuilder::new(&escaped)
        .case_insensitive(ignore_case)
        .size_limit(COMPILED_BYTES_MAX)
        .dfa_size_limit(COMPILED_BYTES_MAX)
        .nest_limit(NESTING_MAX)
        .build()
        .map_err(|error| invalid(format!("{error}; to find plain text set `literal`")))
}

/// The file's text, or nothing when it is not searched.
fn text(place: &Place) -> Option<String> {
    let size = fs::metadata(&place.full).ok()?.len();
    if size > FILE_BYTES_MAX {
        return None;
    }
    // `read_to_string` refuses what is not UTF-8.
    fs::read_to_string(&place.full)
        .ok()
        .filter(|text| !text.contains('\0'))
}

struct Search {
    regex: Regex,
    context: usize,
    limit: usize,
    budget: Budget,
    out: Matches,
}

impl Search {
    fn file(&mut self, path: &str, text: &str) {
        let mut before = VecDeque::with_capacity(self.context);
        let mut lines = text.lines();
        let mut number = 0;
        while let Some(line) = lines.next() {
            number += 1;
            if let Some(at) = self.regex.find(line) {
                let column = line[..at.start()].chars().count() as u64 + 1;
                let found = Match {
                    path: path.to_owned(),
                    line: number,
                    column,
                    text: cut(line),
                    before: before.iter().copied().map(cut).collect(),
                    after: lines.clone().take(self.context).map(cut).collect(),
                };
                if !self.keep(found) {
                    return;
                }
            }
            if self.context > 0 {
                if before.len() == self.context {
                    before.pop_front();
                }
                before.push_back(line);
            }
        }
    }

    /// Adds a match, or ends the search when there is no room.
    fn keep(&mut self, found: Match) -> bool {
        let around = found.before.iter().chain(&found.after);
        let cost: usize = RECORD_BYTES
            + escaped(found.path.as_bytes())
            + escaped(found.text.as_bytes())
            + around
                .map(|line| escaped(line.as_bytes()) + 3)
                .sum::<usize>();
        let fits = self.out.matches.len() < self.limit && self.budget.take(cost);
        if fits {
            self.out.matches.push(found);
        } else {
            self.out.truncated = true;
        }
        fits
    }
}

fn cut(line: &str) -> String {
    match line.char_indices().nth(LINE_CHARS_MAX) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.to_owned(),
    }
}
