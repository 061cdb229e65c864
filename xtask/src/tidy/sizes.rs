//! How long files and functions are, tests left out.

use std::collections::HashSet;
use std::ops::RangeInclusive;

use proc_macro2::Span;
use syn::{Attribute, ImplItem, Item, TraitItem};

use super::Source;

/// Longest file: past it, a reader has lost the thread.
const FILE_LINES_MAX: usize = 600;
/// Longest function: one screen.
const FUNCTION_LINES_MAX: usize = 70;
/// Largest median of all files.
const MEDIAN_LINES_MAX: usize = 200;
/// A file below this many lines is dust, unless it is the root of a module or crate.
const DUST_LINES: usize = 15;
/// Most dust in hundredths of all files: more means that one idea is spread over many files.
const DUST_PERCENT_MAX: usize = 15;
/// In the first lines of a file: this is a table (routes, codes, options) and may be long.
const TABLE: &str = "//! table:";
const TABLE_WITHIN: usize = 5;

/// What is measured in one file.
pub(super) struct Measure {
    /// Lines without tests.
    lines: usize,
    /// Line, name and length of each function outside of tests.
    functions: Vec<(usize, String, usize)>,
    /// The lines of `#[cfg(test)]` items.
    tests: Vec<RangeInclusive<usize>>,
}

impl Measure {
    pub(super) fn of(source: &Source) -> Result<Self, String> {
        let file = syn::parse_file(&source.text).map_err(|error| {
            let line = error.span().start().line;
            format!("{}:{line}: does not parse: {error}", source.path)
        })?;
        let mut measure = Self {
            lines: source.text.lines().count(),
            functions: Vec::new(),
            tests: Vec::new(),
        };
        measure.items(&file.items);
        let tests: usize = measure
            .tests
            .iter()
            .map(|range| range.end() - range.start() + 1)
            .sum();
        measure.lines -= tests;
        Ok(measure)
    }

    pub(super) fn is_test(&self, line: usize) -> bool {
        self.tests.iter().any(|range| range.contains(&line))
    }

    fn items(&mut self, items: &[Item]) {
        for item in items {
            match item {
                Item::Fn(item) => {
                    let end = item.block.brace_token.span.close();
                    if !self.test(&item.attrs, end) {
                        self.function(&item.sig, end);
                    }
                }
                Item::Impl(item) if !self.test(&item.attrs, item.brace_token.span.close()) => {
                    for item in &item.items {
                        if let ImplItem::Fn(item) = item {
                            self.function(&item.sig, item.block.brace_token.span.close());
                        }
                    }
                }
                Item::Trait(item) => {
                    for item in &item.items {
                        if let TraitItem::Fn(item) = item
                            && let Some(block) = &item.default
                        {
                            self.function(&item.sig, block.brace_token.span.close());
                        }
                    }
                }
                Item::Mod(item) => {
                    if let Some((brace, items)) = &item.content
                        && !self.test(&item.attrs, brace.span.close())
                    {
                        self.items(items);
                    }
                }
                _ => {}
            }
        }
    }

    /// Notes the item as a test if its attributes say so.
    fn test(&mut self, attributes: &[Attribute], end: Span) -> bool {
        let is_test = attributes.iter().any(|attribute| {
            attribute.path().is_ident("cfg")
                && attribute
                    .parse_args::<syn::Path>()
                    .is_ok_and(|path| path.is_ident("test"))
        });
        if is_test && let Some(first) = attributes.first() {
            self.tests
                .push(first.pound_token.span.start().line..=end.end().line);
        }
        is_test
    }

    fn function(&mut self, signature: &syn::Signature, end: Span) {
        let start = signature.fn_token.span.start().line;
        let length = end.end().line - start + 1;
        self.functions
            .push((start, signature.ident.to_string(), length));
    }
}

/// Every file and function past its limit, and the figures in one sentence.
pub(super) fn check(sources: &[Source]) -> (Vec<String>, String) {
    let mut faults = Vec::new();
    let mut lengths = Vec::new();
    let mut dust = Vec::new();
    let roots = Roots::of(sources);
    for source in sources
        .iter()
        .filter(|source| source.is_rust() && !source.is_test())
    {
        let measure = match Measure::of(source) {
            Ok(measure) => measure,
            Err(fault) => {
                faults.push(fault);
                continue;
            }
        };
        lengths.push(measure.lines);
        let is_table = source
            .text
            .lines()
            .take(TABLE_WITHIN)
            .any(|line| line.starts_with(TABLE));
        if measure.lines > FILE_LINES_MAX && !is_table {
            faults.push(format!(
                "{}: {} lines, at most {FILE_LINES_MAX}",
                source.path, measure.lines
            ));
        }
        if measure.lines < DUST_LINES && !roots.contains(&source.path) {
            dust.push(source.path.as_str());
        }
        for (line, name, length) in measure.functions {
            if length > FUNCTION_LINES_MAX {
                faults.push(format!(
                    "{}:{line}: `{name}` has {length} lines, at most {FUNCTION_LINES_MAX}",
                    source.path
                ));
            }
        }
    }
    lengths.sort_unstable();
    let Some(longest) = lengths.last() else {
        faults.push("no source file was found to measure".to_owned());
        return (faults, String::new());
    };
    let median = lengths[lengths.len() / 2];
    if median > MEDIAN_LINES_MAX {
        faults.push(format!(
            "the median file has {median} lines, at most {MEDIAN_LINES_MAX}"
        ));
    }
    if dust.len() * 100 > lengths.len() * DUST_PERCENT_MAX {
        faults.push(format!(
            "{} of {} files are shorter than {DUST_LINES} lines, at most {DUST_PERCENT_MAX} %: {}",
            dust.len(),
            lengths.len(),
            dust.join(", ")
        ));
    }
    let files = lengths.len();
    let summary = format!("{files} files of code, median {median} lines, longest {longest}");
    (faults, summary)
}

/// Files that hold a crate or module together; they are short when all is well.
struct Roots<'a> {
    folders: HashSet<&'a str>,
}

impl<'a> Roots<'a> {
    fn of(sources: &'a [Source]) -> Self {
        let folder = |source: &'a Source| source.path.rsplit_once('/').map(|(folder, _)| folder);
        Self {
            folders: sources
                .iter()
                .filter(|source| source.is_rust())
                .filter_map(folder)
                .collect(),
        }
    }

    fn contains(&self, path: &str) -> bool {
        let file = path.rsplit('/').next().unwrap_or(path);
        let module = path.strip_suffix(".rs").unwrap_or(path);
        ["lib.rs", "main.rs", "mod.rs"].contains(&file) || self.folders.contains(module)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(path: &str, text: impl Into<String>) -> Source {
        Source {
            path: path.to_owned(),
            text: text.into(),
        }
    }

    /// A function of so many lines, from `fn` to its brace.
    fn function(lines: usize) -> String {
        format!("fn long() {{\n{}}}\n", "    work();\n".repeat(lines - 2))
    }

    fn faults(sources: &[Source]) -> Vec<String> {
        check(sources).0
    }

    #[test]
    fn functions_are_measured_wherever_they_stand() {
        let (good, bad) = (
            function(FUNCTION_LINES_MAX),
            function(FUNCTION_LINES_MAX + 1),
        );
        let fault = |line: usize| format!("a.rs:{line}: `long` has 71 lines, at most 70");
        let cases = [
            (good.clone(), None),
            (bad.clone(), Some(1)),
            (format!("mod inner {{\n{bad}}}\n"), Some(2)),
            (
                format!("struct S;\nimpl S {{\n/// Doc.\n#[must_use]\npub {bad}}}\n"),
                Some(5),
            ),
            (format!("trait T {{\n    fn short();\n{bad}}}\n"), Some(3)),
            (format!("#[cfg(test)]\nmod tests {{\n{bad}}}\n"), None),
            (format!("#[cfg(not(test))]\n{bad}"), Some(2)),
        ];
        for (text, line) in cases {
            let text = format!("{text}{}", "// More.\n".repeat(DUST_LINES));
            let found = faults(&[source("a.rs", text.clone())]);
            assert_eq!(found, Vec::from_iter(line.map(fault)), "{text}");
        }
        let test = source("host/x/tests/long.rs", bad);
        let other = source("lib.rs", "//! Doc.\n");
        assert_eq!(faults(&[test, other]), [""; 0]);
    }

    #[test]
    fn a_file_is_measured_without_its_tests() {
        let code = "// Line.\n".repeat(FILE_LINES_MAX - 1);
        let tests = "#[cfg(test)]\nmod tests {\n    fn a() {}\n}\n";
        let rest = |lines: usize| {
            (0..3).map(move |n| source(&format!("{n}.rs"), "// Line.\n".repeat(lines)))
        };
        let with = |text: String| {
            rest(50)
                .chain([source("long.rs", text)])
                .collect::<Vec<_>>()
        };
        assert_eq!(
            faults(&with(format!("{code}fn a() {{}}\n{tests}"))),
            [""; 0]
        );
        let long = format!("{code}fn a() {{}}\nfn b() {{}}\n");
        assert_eq!(
            faults(&with(long.clone())),
            ["long.rs: 601 lines, at most 600"]
        );
        assert_eq!(
            faults(&with(format!("{TABLE} every route.\n{long}"))),
            [""; 0]
        );
        let median: Vec<Source> = rest(MEDIAN_LINES_MAX + 1).collect();
        assert_eq!(
            faults(&median),
            ["the median file has 201 lines, at most 200"]
        );
    }

    #[test]
    fn dust_is_reported_and_roots_are_not_dust() {
        let sources = [
            source("x/src/lib.rs", "//! Doc.\n"),
            source("x/src/task.rs", "mod cancel;\n"),
            source("x/src/task/cancel.rs", "// Line.\n".repeat(DUST_LINES)),
            source("x/src/dust.rs", "fn a() {}\n"),
        ];
        let found = "1 of 4 files are shorter than 15 lines, at most 15 %: x/src/dust.rs";
        assert_eq!(faults(&sources), [found]);
        assert_eq!(faults(&sources[..3]), [""; 0]);
    }

    #[test]
    fn broken_text_and_no_text_are_faults() {
        assert!(faults(&[source("a.rs", "fn {")])[0].starts_with("a.rs:1: does not parse"));
        assert_eq!(faults(&[]), ["no source file was found to measure"]);
    }
}
