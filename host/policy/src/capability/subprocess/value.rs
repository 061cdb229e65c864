use globset::{GlobBuilder, GlobMatcher};
use schemars::JsonSchema;
use serde::Deserialize;

use super::start::{Argument, Place};
use crate::capability::Fault;

/// Longest name that `name` fits.
const NAME_CHARS_MAX: usize = 128;

/// What one argument of a program may be, as people write it.
///
/// A value that begins with `-` fits `exact` and `one_of` alone, unless it stands behind the `=`
/// of its flag: a program could take it for a flag that nobody declared. One that begins with `@`
/// fits these alone wherever it stands: many programs read more arguments from such a file.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ValueEntry {
    /// This text.
    Exact(String),
    /// One of these texts.
    OneOf(Vec<String>),
    /// A text of this form: `*` and `?` stand for anything but `/`, `**` for that too.
    Glob(String),
    /// A whole number, written without a plus or leading zeros.
    Integer {
        /// Smallest.
        #[serde(default)]
        min: Option<i64>,
        /// Largest.
        #[serde(default)]
        max: Option<i64>,
    },
    /// Letters, digits, `.`, `_` and `-`, a letter or digit first, at most 128 characters.
    Name,
    /// A path inside a mount. As a text it is relative, begins with a letter, a digit, `.` or `_`,
    /// and holds no `:`, so that no program takes it for anything else.
    Path(PathEntry),
    /// The value of this argument of the call: a text, a number or a boolean of its JSON object.
    Argument(String),
    /// Any text that does not begin with `-` or `@`.
    Any,
}

/// A place inside a mount, as people write it.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PathEntry {
    /// The mount's name.
    pub mount: String,
    /// The directory below which, relative to the mount: `src/generated`. Left out: all of it.
    #[serde(default)]
    pub under: String,
}

/// What one argument may be, checked.
#[derive(Debug, Clone)]
pub(super) enum Value {
    Exact(String),
    OneOf(Vec<String>),
    Glob(GlobMatcher),
    Integer(i64, i64),
    Name,
    Path(Place),
    /// Narrowed by the call's argument of this name; fits nothing until it is bound.
    Argument(String),
    /// What the call's argument said. It came with the call, so a leading `-` or `@` doesn't fit.
    Bound(String),
    Any,
}

/// Where a value stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Position {
    /// As an argument of its own.
    Alone,
    /// Behind its flag, in the same argument.
    Joined,
}

impl Value {
    pub(super) fn new(entry: ValueEntry, pointer: &str) -> Result<Self, Fault> {
        Ok(match entry {
            ValueEntry::Exact(text) => Self::Exact(text),
            ValueEntry::OneOf(texts) => Self::OneOf(texts),
            ValueEntry::Glob(pattern) => GlobBuilder::new(&pattern)
                .literal_separator(true)
                .backslash_escape(true)
                .build()
                .map(|glob| Self::Glob(glob.compile_matcher()))
                .map_err(|error| Fault::at(format!("{pointer}/glob"), error.to_string()))?,
            ValueEntry::Integer { min, max } => {
                let (min, max) = (min.unwrap_or(i64::MIN), max.unwrap_or(i64::MAX));
                if min > max {
                    return Err(Fault::at(
                        format!("{pointer}/integer"),
                        format!("no number is at least {min} and at most {max}"),
                    ));
                }
                Self::Integer(min, max)
            }
            ValueEntry::Name => Self::Name,
            ValueEntry::Path(path) => Self::Path(place(path, &format!("{pointer}/path"))?),
            ValueEntry::Argument(name) => Self::Argument(name),
            ValueEntry::Any => Self::Any,
        })
    }

    /// True when the argument is one of those that are meant. `cwd` is where a relative path
    /// starts.
    pub(super) fn fits(&self, argument: &Argument, position: Position, cwd: &Place) -> bool {
        let text = match argument {
            Argument::Path { prefix, place } => {
                return prefix.is_empty()
                    && matches!(self, Self::Path(within) if within.contains(place));
            }
            Argument::Text(text) => text.as_str(),
        };
        if matches!(self, Self::Exact(_) | Self::OneOf(_)) {
            return self.means(text);
        }
        if text.starts_with('@') || position == Position::Alone && text.starts_with('-') {
            return false;
        }
        match self {
            Self::Path(within) => {
                is_plain_path(text) && cwd.join(text).is_ok_and(|place| within.contains(&place))
            }
            // Nothing, until the call has said what.
            Self::Argument(_) => false,
            _ => self.means(text),
        }
    }

    /// True when this very text is meant, whatever a program would make of it. Of a path no text is:
    /// it depends on where it starts.
    pub(super) fn means(&self, text: &str) -> bool {
        match self {
            Self::Exact(exact) | Self::Bound(exact) => exact == text,
            Self::OneOf(texts) => texts.iter().any(|one| one == text),
            Self::Glob(glob) => glob.is_match(text),
            Self::Integer(min, max) => text
                .parse::<i64>()
                .is_ok_and(|number| (*min..=*max).contains(&number) && number.to_string() == text),
            Self::Name => is_name(text),
            Self::Any => true,
            Self::Path(_) | Self::Argument(_) => false,
        }
    }

    /// This value for one call.
    pub(super) fn bound(&self, arguments: &serde_json::Value) -> Self {
        let Self::Argument(name) = self else {
            return self.clone();
        };
        match arguments.get(name) {
            Some(serde_json::Value::String(text)) => Self::Bound(text.clone()),
            Some(serde_json::Value::Number(number)) => Self::Bound(number.to_string()),
            Some(serde_json::Value::Bool(value)) => Self::Bound(value.to_string()),
            // Without a scalar there is nothing that the program's argument could equal.
            _ => Self::OneOf(Vec::new()),
        }
    }

    pub(super) fn is_bound_by_arguments(&self) -> bool {
        matches!(self, Self::Argument(_))
    }

    /// True when nothing fits.
    pub(super) fn is_nothing(&self) -> bool {
        matches!(self, Self::OneOf(texts) if texts.is_empty())
    }

    /// True when it leaves the choice to whoever calls.
    pub(super) fn is_open(&self) -> bool {
        match self {
            Self::Any => true,
            Self::Glob(glob) => matches!(glob.glob().glob(), "*" | "**" | "**/*"),
            _ => false,
        }
    }
}

pub(super) fn place(entry: PathEntry, pointer: &str) -> Result<Place, Fault> {
    Place::new(entry.mount, &entry.under)
        .map_err(|malformed| Fault::at(pointer, malformed.to_string()))
}

fn is_name(text: &str) -> bool {
    text.len() <= NAME_CHARS_MAX
        && text.starts_with(|first: char| first.is_ascii_alphanumeric())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
}

/// True for what programs take for a relative path and nothing else: no response file (`@a`), no
/// address (`host:path`, `ext::a`, `file:/a`), no pattern or magic (`:(top)`, `~/a`).
fn is_plain_path(text: &str) -> bool {
    let is_first = |first: char| first.is_alphanumeric() || matches!(first, '.' | '_');
    text.starts_with(is_first) && !text.contains(':')
}
