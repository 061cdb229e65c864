//! Patterns of names and keys: `*` and `?` stop at `/`, `**` doesn't; `[ab]` and `{a,b}` choose; `\`
//! takes the next character as it is. Case counts.
//!
//! Paths of files have a matcher of their own, `capability::filesystem::Glob`, and neither could do
//! the other's work. A path's glob has to say of a directory whether it means all, or anything, that
//! could be below it, which a compiled pattern doesn't tell. A key may hold any character, so its
//! patterns need an escape, where a path's refuse what would need one; and `a/**` is all that begins
//! with `a/` among keys, but the directory `a` as well among paths.

use std::fmt;

use globset::{GlobBuilder, GlobMatcher};

use crate::capability::Fault;

/// Longest pattern in bytes: the longest key with every character escaped.
const PATTERN_BYTES_MAX: usize = 1_024;
/// Most patterns of one list: a decision tries each.
const PATTERNS_MAX: usize = 256;

/// A list of patterns, of which one has to match. Empty matches nothing.
///
/// Each is matched on its own against all of the text. The library's sets take short cuts over file
/// names, which miss some that end in a dot.
#[derive(Clone)]
pub(crate) struct Globs(Vec<GlobMatcher>);

impl fmt::Debug for Globs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let patterns = self.0.iter().map(|glob| glob.glob().glob());
        f.debug_list().entries(patterns).finish()
    }
}

impl Globs {
    /// Reads the list that stands at `pointer`.
    pub(crate) fn parse(pointer: &str, patterns: &[String]) -> Result<Self, Fault> {
        if patterns.len() > PATTERNS_MAX {
            let reason = format!("at most {PATTERNS_MAX} patterns; put more into another entry");
            return Err(Fault::at(pointer, reason));
        }
        let matchers = patterns.iter().enumerate().map(|(index, pattern)| {
            matcher(pattern).map_err(|reason| Fault::at(format!("{pointer}/{index}"), reason))
        });
        matchers.collect::<Result<_, _>>().map(Self)
    }

    pub(crate) fn is_match(&self, text: &str) -> bool {
        self.0.iter().any(|glob| glob.is_match(text))
    }
}

/// The pattern that matches this text alone.
pub(crate) fn literal(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '*' | '?' | '[' | ']' | '{' | '}' | ',' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern
}

fn matcher(pattern: &str) -> Result<GlobMatcher, String> {
    if pattern.is_empty() {
        return Err("an empty pattern matches nothing".to_owned());
    }
    if pattern.len() > PATTERN_BYTES_MAX {
        return Err(format!("a pattern has at most {PATTERN_BYTES_MAX} bytes"));
    }
    GlobBuilder::new(pattern)
        .literal_separator(true)
        .backslash_escape(true)
        .build()
        .map(|glob| glob.compile_matcher())
        .map_err(|error| error.kind().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        let check = |pattern: &str, text: &str| {
            Globs::parse("/keys", &[pattern.to_owned()])
                .expect(pattern)
                .is_match(text)
        };
        for (pattern, text) in [
            ("**", "a/b"),
            ("**", ""),
            ("a/*", "a/b"),
            ("a/**", "a/b/c"),
            ("a/**", "a/"),
            ("**/x.", "a/x."),
            ("**.", "a."),
            (r"\*", "*"),
        ] {
            assert!(check(pattern, text), "{pattern} matches {text}");
        }
        for (pattern, text) in [
            ("*", "a/b"),
            ("a/*", "a/b/c"),
            ("a", "A"),
            ("a", "ab"),
            ("a/**", "ab"),
            (r"\*", "a"),
        ] {
            assert!(!check(pattern, text), "{pattern} does not match {text}");
        }
    }

    #[test]
    fn a_fault_names_its_place() {
        for (bad, reason) in [
            ("[".to_owned(), "unclosed"),
            (String::new(), "empty"),
            ("a".repeat(1_025), "bytes"),
        ] {
            let fault = Globs::parse("/keys", &["a".to_owned(), bad]).expect_err("no pattern");
            assert_eq!(fault.pointer, "/keys/1");
            assert!(fault.reason.contains(reason), "{fault}");
        }
    }
}
