//! Globs of paths. Why they are not those of keys is told in `crate::glob`.

use std::str::FromStr;

use thiserror::Error;

use super::{Extent, MountPath};

/// Most names of a glob: its states fit one machine word, and no path that a person writes has more.
const NAMES_MAX: usize = 32;

/// Which paths of a mount are meant.
///
/// **Shape**: names joined by `/`, relative to the mount; `.` is the mount itself. `*` stands for
/// any part of one name, the empty one and a leading dot included; `**` stands alone in its place
/// for any number of names, none included, so that `src/**` is `src` and all below it. Every other
/// character stands for itself; those that mean something in other globs (`?`, `[`, `]`, `{`, `}`,
/// `\` and a leading `!`) are refused, since a deny that silently means less is a hole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glob {
    names: Vec<Name>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Name {
    /// `**`.
    Any,
    /// What stands between the asterisks: one piece when there is none.
    Pieces(Vec<String>),
}

/// Why a text is no glob.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum GlobFault {
    /// It is empty.
    #[error("a glob is empty; the mount itself is `.`, everything is `**`")]
    Empty,
    /// It starts with `/`.
    #[error("`{0}` starts with `/`; globs are relative to the mount")]
    Absolute(String),
    /// It has an empty name, `.` or `..`.
    #[error("`{0}` has an empty name, `.` or `..` in it; write the path without them")]
    Dots(String),
    /// It has a character that other globs give a meaning.
    #[error("`{0}` has `{1}` in it, which has no meaning here; `*` and `**` are all there is")]
    Special(String, char),
    /// `**` does not stand alone.
    #[error("`{0}` has `**` as part of a name; it stands alone, as in `src/**/*.rs`")]
    Glued(String),
    /// It is too long.
    #[error("a glob has at most {NAMES_MAX} names and 4,095 bytes")]
    TooLong,
}

impl FromStr for Glob {
    type Err = GlobFault;

    fn from_str(text: &str) -> Result<Self, GlobFault> {
        let own = || text.to_owned();
        if text.is_empty() {
            return Err(GlobFault::Empty);
        }
        if text == "." {
            return Ok(Self { names: Vec::new() });
        }
        if text.starts_with('/') {
            return Err(GlobFault::Absolute(own()));
        }
        let special = |c: &char| matches!(c, '?' | '[' | ']' | '{' | '}' | '\\' | '\0');
        let special = text
            .chars()
            .find(special)
            .or_else(|| text.starts_with('!').then_some('!'));
        if let Some(special) = special {
            return Err(GlobFault::Special(own(), special));
        }
        if text.len() > super::PATH_BYTES_MAX {
            return Err(GlobFault::TooLong);
        }
        let names = text.split('/').map(|name| match name {
            "" | "." | ".." => Err(GlobFault::Dots(own())),
            "**" => Ok(Name::Any),
            name if name.contains("**") => Err(GlobFault::Glued(own())),
            name => Ok(Name::Pieces(name.split('*').map(str::to_owned).collect())),
        });
        let names: Vec<Name> = names.collect::<Result<_, _>>()?;
        if names.len() > NAMES_MAX {
            return Err(GlobFault::TooLong);
        }
        Ok(Self { names })
    }
}

impl Glob {
    /// `**`.
    pub fn everything() -> Self {
        Self {
            names: vec![Name::Any],
        }
    }

    /// True when nothing narrows it.
    pub fn is_everything(&self) -> bool {
        !self.names.is_empty() && self.names.iter().all(|name| *name == Name::Any)
    }

    /// The text of the narrowest glob for a path. A character that a glob can't have is matched by
    /// `*`, which is wider than needed but the narrowest there is.
    pub(super) fn of(path: &MountPath, extent: Extent) -> String {
        let mut text: String = path
            .as_str()
            .chars()
            .map(|c| match c {
                '?' | '[' | ']' | '{' | '}' | '\\' | '!' => '*',
                c => c,
            })
            .collect();
        while text.contains("**") {
            text = text.replace("**", "*");
        }
        match (extent, text.is_empty()) {
            (Extent::Exact, true) => ".".to_owned(),
            (Extent::Exact, false) => text,
            (Extent::Below, true) => "**".to_owned(),
            (Extent::Below, false) => format!("{text}/**"),
        }
    }

    /// True when the path is meant.
    pub fn matches(&self, path: &MountPath) -> bool {
        self.after(path) & self.end() != 0
    }

    /// True when the path and all that could be below it are meant.
    pub fn matches_all_below(&self, path: &MountPath) -> bool {
        self.names.last() == Some(&Name::Any) && self.matches(path)
    }

    /// True when the path or anything that could be below it is meant: every name of a glob is
    /// matched by some text, so whatever is not ruled out so far can still be reached.
    pub fn matches_any_below(&self, path: &MountPath) -> bool {
        self.after(path) != 0
    }

    fn end(&self) -> u64 {
        1 << self.names.len()
    }

    /// The places in the glob that can be reached after all names of the path, as a set: bit `n` is
    /// before the name `n`.
    fn after(&self, path: &MountPath) -> u64 {
        let skip = |mut places: u64| {
            for (index, name) in self.names.iter().enumerate() {
                if *name == Name::Any && places & (1 << index) != 0 {
                    places |= 1 << (index + 1);
                }
            }
            places
        };
        let mut places = skip(1);
        for component in path.components() {
            let mut next = 0;
            for (index, name) in self.names.iter().enumerate() {
                if places & (1 << index) == 0 {
                    continue;
                }
                match name {
                    Name::Any => next |= 1 << index,
                    Name::Pieces(pieces) if fits(pieces, component) => next |= 1 << (index + 1),
                    Name::Pieces(_) => {}
                }
            }
            places = skip(next);
        }
        places
    }
}

/// Whether a name is these pieces with anything between them.
fn fits(pieces: &[String], name: &str) -> bool {
    let [first, middle @ .., last] = pieces else {
        return pieces.first().is_some_and(|only| only == name);
    };
    let Some(mut rest) = name.strip_prefix(first.as_str()) else {
        return false;
    };
    for piece in middle {
        match rest.find(piece.as_str()) {
            Some(at) => rest = &rest[at + piece.len()..],
            None => return false,
        }
    }
    rest.ends_with(last.as_str())
}
