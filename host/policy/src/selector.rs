//! Which tools a rule is about.

use std::fmt;
use std::str::FromStr;

use cofferdam_types::{Digest, Version, VersionReq};
use thiserror::Error;

use crate::subject::Subject;

/// One item of a rule's `tools`.
///
/// **Shape**: `files-*`, `acme/*`, `http-fetch@^1`, `sha256:<64 digits>`, `owner:acme`, `tag:net`,
/// `import:wasi:http/*`; a bare `*` is any tool. A star stands for any run of characters but `/`. A
/// full version after `@` is exactly that one. Everything is compared character by character.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Selector {
    /// Any tool.
    Any,
    /// By name, and by version when there is one.
    Name(Glob, Option<VersionReq>),
    /// These very bytes.
    Digest(Digest),
    /// Whoever published it.
    Owner(String),
    /// One of its tags.
    Tag(String),
    /// One of its component's imports.
    Import(Glob),
}

/// A text in which `*` stands for any run of characters but `/`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Glob(String);

/// Why a text selects no tools.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{text}` selects no tool: {reason}")]
pub struct SelectorError {
    text: String,
    reason: &'static str,
}

/// Longest selector in bytes; the longest name is 64, a range a few more.
const BYTES_MAX: usize = 256;
const NAME_RULE: &str = "names of tools are lower-case words of letters and digits joined by single hyphens, after at most one `/`, with `*` for any part";

impl Selector {
    /// True when this tool is one of those.
    pub fn matches(&self, subject: &Subject<'_>) -> bool {
        match self {
            Self::Any => true,
            Self::Name(glob, range) => {
                glob.matches(subject.spec.name.as_str())
                    && range
                        .as_ref()
                        .is_none_or(|range| range.matches(&subject.spec.version))
            }
            Self::Digest(digest) => *digest == subject.digest,
            Self::Owner(owner) => subject.owner == Some(owner.as_str()),
            Self::Tag(tag) => subject.spec.tags.iter().any(|own| own == tag),
            Self::Import(glob) => subject.imports.iter().any(|import| glob.matches(import)),
        }
    }

    /// True when it may match tools that nobody has looked at yet: other names, or other versions
    /// of a name.
    pub fn is_open(&self) -> bool {
        match self {
            Self::Any | Self::Owner(_) | Self::Tag(_) | Self::Import(_) => true,
            Self::Name(glob, range) => range.is_none() || glob.exact().is_none(),
            Self::Digest(_) => false,
        }
    }
}

impl Glob {
    /// The text itself when no star is in it.
    pub fn exact(&self) -> Option<&str> {
        (!self.0.contains('*')).then_some(&self.0)
    }

    /// What stands before the first star.
    pub fn prefix(&self) -> &str {
        self.0.split('*').next().unwrap_or_default()
    }

    /// True when the text is of this form. Takes a time of at most both lengths multiplied.
    pub fn matches(&self, text: &str) -> bool {
        let (glob, text) = (self.0.as_bytes(), text.as_bytes());
        let (mut at, mut seen) = (0, 0);
        let mut star: Option<(usize, usize)> = None;
        while seen < text.len() {
            if glob.get(at) == Some(&b'*') {
                star = Some((at + 1, seen));
                at += 1;
            } else if glob.get(at) == text.get(seen) {
                (at, seen) = (at + 1, seen + 1);
            } else if let Some((after, from)) = star
                && text.get(from) != Some(&b'/')
            {
                star = Some((after, from + 1));
                (at, seen) = (after, from + 1);
            } else {
                return false;
            }
        }
        glob.get(at..)
            .is_some_and(|rest| rest.iter().all(|byte| *byte == b'*'))
    }
}

impl FromStr for Selector {
    type Err = SelectorError;

    fn from_str(text: &str) -> Result<Self, SelectorError> {
        let fail = |reason| SelectorError {
            text: text.chars().take(80).collect(),
            reason,
        };
        if text.len() > BYTES_MAX {
            return Err(fail("it is longer than 256 characters"));
        }
        if text == "*" {
            return Ok(Self::Any);
        }
        match text.split_once(':') {
            Some(("sha256", _)) => text
                .parse()
                .map(Self::Digest)
                .map_err(|_| fail("expected 64 lower-case hexadecimal digits after `sha256:`")),
            Some(("owner", owner)) if is_word(owner) => Ok(Self::Owner(owner.to_owned())),
            Some(("tag", tag)) if is_word(tag) => Ok(Self::Tag(tag.to_owned())),
            Some(("import", import)) if is_word(import) => {
                Ok(Self::Import(Glob(import.to_owned())))
            }
            Some(("owner" | "tag" | "import", _)) => Err(fail(
                "expected a word of printable characters without blanks after the colon",
            )),
            Some(("tool", name)) => named(name).map_err(fail),
            Some(_) => Err(fail(
                "before a colon stands `tool`, `sha256`, `owner`, `tag` or `import`",
            )),
            None => named(text).map_err(fail),
        }
    }
}

/// A name, perhaps with a range.
fn named(text: &str) -> Result<Selector, &'static str> {
    let (name, range) = match text.split_once('@') {
        Some((name, range)) => (name, Some(range)),
        None => (text, None),
    };
    if !is_name(name) {
        return Err(NAME_RULE);
    }
    // A full version means exactly that one, as where a tool is called.
    let range = range.map(|range| match range.parse::<Version>() {
        Ok(_) => format!("={range}").parse::<VersionReq>(),
        Err(_) => range.parse(),
    });
    let range = range.transpose();
    let range = range.map_err(|_| "expected a range of versions after `@`, as in `@^1.2`")?;
    Ok(Selector::Name(Glob(name.to_owned()), range))
}

fn is_name(text: &str) -> bool {
    let is_part = |part: &str| {
        !part.is_empty()
            && !part.contains("--")
            && !part.starts_with('-')
            && !part.ends_with('-')
            && part
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'*'))
    };
    match text.split_once('/') {
        Some((namespace, name)) => is_part(namespace) && is_part(name),
        None => is_part(text),
    }
}

/// What can stand after a colon: visible, and of one spelling only.
fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("*"),
            Self::Name(glob, None) => f.write_str(&glob.0),
            Self::Name(glob, Some(range)) => write!(f, "{}@{range}", glob.0),
            Self::Digest(digest) => fmt::Display::fmt(digest, f),
            Self::Owner(owner) => write!(f, "owner:{owner}"),
            Self::Tag(tag) => write!(f, "tag:{tag}"),
            Self::Import(glob) => write!(f, "import:{}", glob.0),
        }
    }
}

#[cfg(test)]
mod tests;
