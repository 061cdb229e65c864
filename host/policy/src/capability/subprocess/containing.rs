//! What a deny finds in the arguments of a start, however it is spelt there.
//!
//! An allow takes arguments in one form alone; a deny has to see through all of them, and where it
//! can't tell it holds. How a program reads its arguments is its own affair, so everything counts that
//! some program would take for what is meant: what stands behind `=`, in a list, or right behind
//! the letter of a flag.

use super::start::{Argument, Place};
use super::value::Value;

/// What programs put between a word and a path, or between paths: `--out=a`, `a:b`, `-Wl,a`, `@a`.
const SEPARATORS: [char; 6] = ['=', ':', ',', ';', '@', ' '];
/// Where in an argument a path can begin that is glued to its flag, in bytes: no flag is longer.
const FLAG_BYTES_MAX: usize = 64;

/// True when an argument is or holds one of these. One that no call has bound yet could be anything.
pub(super) fn contains(values: &[Value], argument: &Argument, cwd: &Place) -> bool {
    match argument {
        Argument::Text(text) => values.iter().any(|value| match value {
            Value::Path(within) => names(text, within, cwd),
            Value::Argument(_) => true,
            value => is_text(value, text),
        }),
        Argument::Path { prefix, place } => {
            // How the machine's path begins isn't known here: what a pattern says of its end holds.
            let path = format!("/{}", place.path());
            let joined = format!("{prefix}{path}");
            let flag = prefix.strip_suffix('=').unwrap_or(prefix);
            values.iter().any(|value| match value {
                Value::Path(within) => within.contains(place),
                Value::Argument(_) => true,
                value => [prefix, flag, place.path(), &path, &joined]
                    .into_iter()
                    .any(|text| !text.is_empty() && value.means(text)),
            })
        }
    }
}

/// True when the text, or what follows the `=` in it, is what is meant.
fn is_text(value: &Value, text: &str) -> bool {
    let after = text.split_once('=').map(|(_, after)| after);
    std::iter::once(text)
        .chain(after)
        .any(|text| value.means(text))
}

/// True when a program that stands in `cwd` could take the text, or a part of it, for a path of this
/// place.
fn names(text: &str, within: &Place, cwd: &Place) -> bool {
    let names = |path: &str| match cwd.walk(path) {
        Some(place) => within.contains(&place),
        // Absolute, or above the mount: it may well lead back.
        None => true,
    };
    let after = text.split_once('=').map(|(_, after)| after);
    std::iter::once(text)
        .chain(after)
        .chain(text.split(SEPARATORS))
        .filter(|path| !path.is_empty())
        .any(|path| names(path) || glued(path).any(names))
}

/// What could stand right behind a flag: after `-f` in `-fa/b`, after `-isystem` in `-isystema/b`.
fn glued(text: &str) -> impl Iterator<Item = &str> {
    // A flag of two dashes has its value behind a `=`.
    let is_flag = text.starts_with('-') && !text.starts_with("--");
    text.char_indices()
        .skip(2)
        .map_while(move |(index, _)| (is_flag && index <= FLAG_BYTES_MAX).then_some(&text[index..]))
}
