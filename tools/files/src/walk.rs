//! Going through a directory in an order that never changes.

use std::fs;
use std::vec::IntoIter;

use cofferdam_sdk::{ToolError, data};

use crate::glob::Globs;
use crate::workspace::Place;

/// Entries that one walk may look at. A walk asks the host about each; a directory with more than
/// this many below it would run into the deadline first and answer nothing.
const VISITED_MAX: u64 = 100_000;

/// What lies at a path.
#[data]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link. Walks don't follow it.
    Symlink,
    /// Anything else, a socket for instance.
    Other,
}

impl From<fs::FileType> for Kind {
    fn from(kind: fs::FileType) -> Self {
        if kind.is_file() {
            Self::File
        } else if kind.is_dir() {
            Self::Directory
        } else if kind.is_symlink() {
            Self::Symlink
        } else {
            Self::Other
        }
    }
}

/// Something that a walk found and the globs keep.
pub(crate) struct Found {
    pub(crate) place: Place,
    pub(crate) kind: Kind,
}

/// What a walk found: what the globs keep, each directory's entries by name and right after the
/// directory itself.
pub(crate) struct Walked {
    pub(crate) found: Vec<Found>,
    /// Directories below the first that could not be read.
    pub(crate) unreadable: u64,
}

/// Lists what lies in `start`, and below it when `recursive`.
///
/// Symbolic links are found but never followed, so the walk ends and stays below `start`.
///
/// **Errors**: `file_not_found` and the like when `start` cannot be read, `too_large` when there is
/// too much to look at.
pub(crate) fn walk(start: &Place, recursive: bool, globs: &Globs) -> Result<Walked, ToolError> {
    let mut walked = Walked {
        found: Vec::new(),
        unreadable: 0,
    };
    let mut visited = 0;
    let mut open = vec![entries(start)?];
    while let Some(level) = open.last_mut() {
        let Some(Found { place, kind }) = level.next() else {
            open.pop();
            continue;
        };
        visited += 1;
        if visited > VISITED_MAX {
            return Err(ToolError::new(
                "too_large",
                format!(
                    "{} holds more than {VISITED_MAX} entries; name a smaller `path` or leave \
                     directories out with `exclude`",
                    start.shown()
                ),
            ));
        }
        let relative = if start.name.is_empty() {
            place.name.as_str()
        } else {
            &place.name[start.name.len() + 1..]
        };
        if globs.excludes(relative) {
            continue;
        }
        if recursive && kind == Kind::Directory {
            match entries(&place) {
                Ok(below) => open.push(below),
                Err(_) => walked.unreadable += 1,
            }
        }
        if globs.keeps(relative) {
            walked.found.push(Found { place, kind });
        }
    }
    Ok(walked)
}

fn entries(directory: &Place) -> Result<IntoIter<Found>, ToolError> {
    let refused = |error: std::io::Error| directory.refused(&error);
    let mut found = Vec::new();
    for entry in fs::read_dir(&directory.full).map_err(refused)? {
        let entry = entry.map_err(refused)?;
        let kind = entry.file_type().map_err(refused)?.into();
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let name = if directory.name.is_empty() {
            name.into_owned()
        } else {
            format!("{}/{name}", directory.name)
        };
        found.push(Found {
            place: Place {
                name,
                full: entry.path(),
            },
            kind,
        });
    }
    found.sort_unstable_by(|a, b| a.place.name.cmp(&b.place.name));
    Ok(found.into_iter())
}
