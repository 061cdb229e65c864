//! Where something is in a request, as an RFC 6901 JSON pointer.

use serde_path_to_error::{Path, Segment as Step};

/// One step from a container to what it holds.
pub(super) enum Segment {
    Index(usize),
    Key(String),
}

/// The way to a place, innermost step first, as it is found while an error travels outwards.
pub(super) type Trail = Vec<Segment>;

/// The pointer of a trail.
pub(super) fn from_inside(trail: &Trail) -> String {
    let mut pointer = String::new();
    for segment in trail.iter().rev() {
        match segment {
            Segment::Index(index) => push(&mut pointer, &index.to_string()),
            Segment::Key(key) => push(&mut pointer, key),
        }
    }
    pointer
}

/// The pointer of a path that decoding noted.
pub(super) fn from_path(path: &Path) -> String {
    let mut pointer = String::new();
    for step in path {
        match step {
            Step::Seq { index } => push(&mut pointer, &index.to_string()),
            Step::Map { key } => push(&mut pointer, key),
            Step::Enum { variant } => push(&mut pointer, variant),
            Step::Unknown => {}
        }
    }
    pointer
}

fn push(pointer: &mut String, key: &str) {
    pointer.push('/');
    for letter in key.chars() {
        match letter {
            '~' => pointer.push_str("~0"),
            '/' => pointer.push_str("~1"),
            other => pointer.push(other),
        }
    }
}
