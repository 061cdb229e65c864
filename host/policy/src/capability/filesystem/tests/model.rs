//! The same questions answered by other means: paths by the rules of POSIX.1-2017, section 4.13, read
//! from their end, globs by trying every way of matching. Bugs on purpose show that the two can
//! differ.

use proptest::prelude::*;
use proptest::sample::select;

use super::super::{COMPONENT_BYTES_MAX, Glob, MountName, MountPath, PATH_BYTES_MAX};
use crate::testing::{cases, disagreement};

type Path = Option<String>;
/// A reader with its fault.
type Planted = (&'static str, fn(&str) -> Path);

/// The names that are left of a path when `..` takes out the one before, or nothing when it goes
/// above its start. Read from the end, so that each `..` waits for the name that it takes out.
fn names_model(text: &str) -> Option<Vec<&str>> {
    if text.len() > PATH_BYTES_MAX || text.bytes().any(|byte| byte == 0) {
        return None;
    }
    let (mut names, mut taken_out) = (Vec::new(), 0_usize);
    for name in text.rsplit('/') {
        match name.len() {
            0 => {}
            1 if name == "." => {}
            2 if name == ".." => taken_out += 1,
            length if length > COMPONENT_BYTES_MAX => return None,
            _ if taken_out > 0 => taken_out -= 1,
            _ => names.push(name),
        }
    }
    names.reverse();
    (taken_out == 0).then_some(names)
}

fn path_model(text: &str) -> Path {
    let is_relative = !text.is_empty() && text.as_bytes()[0] != b'/';
    is_relative
        .then(|| names_model(text))?
        .map(|names| names.join("/"))
}

/// What an argument names in the mount `workspace`: the guest sees the mount below its root.
fn guest_model(text: &str) -> Path {
    match text.strip_prefix('/') {
        None => path_model(text),
        Some(rest) => match names_model(rest)?.split_first()? {
            (&"workspace", below) => Some(below.join("/")),
            _ => None,
        },
    }
}

fn path_ours(text: &str) -> Path {
    let path = MountPath::parse(text).ok()?;
    Some(path.as_str().to_owned())
}

fn guest_ours(text: &str) -> Path {
    let path = MountPath::from_guest(Some(&MountName::WORKSPACE), text)?;
    Some(path.as_str().to_owned())
}

/// Paths of pieces, the dangerous ones as often as the others.
fn paths() -> impl Strategy<Value = String> {
    let long = |length: usize| "n".repeat(length);
    let piece = prop_oneof![
        8 => Just("/".to_owned()),
        6 => select(vec!["a", "A", "b.c", "...", ".", "..", "..", "workspace"]).prop_map(str::to_owned),
        1 => select(vec!["\0", "\u{e9}", "e\u{301}", " ", "\\", "*", "~"]).prop_map(str::to_owned),
        1 => select(vec![255, 256, 4_090]).prop_map(long),
    ];
    prop::collection::vec(piece, 0..10).prop_map(|pieces| pieces.concat())
}

/// Whether a glob means a path, by trying every way of matching.
fn glob_model(glob: &[&str], path: &[&str]) -> bool {
    fn name(pattern: &[u8], text: &[u8]) -> bool {
        match pattern.split_first() {
            None => text.is_empty(),
            Some((b'*', rest)) => (0..=text.len()).any(|skip| name(rest, &text[skip..])),
            Some((byte, rest)) => text.first() == Some(byte) && name(rest, &text[1..]),
        }
    }
    match glob.split_first() {
        None => path.is_empty(),
        Some((&"**", rest)) => (0..=path.len()).any(|skip| glob_model(rest, &path[skip..])),
        Some((first, rest)) => path.split_first().is_some_and(|(head, tail)| {
            name(first.as_bytes(), head.as_bytes()) && glob_model(rest, tail)
        }),
    }
}

fn glob_ours(glob: &[&str], path: &[&str]) -> bool {
    let glob: Glob = glob.join("/").parse().expect("a glob");
    glob.matches(&place(path))
}

fn place(names: &[&str]) -> MountPath {
    MountPath::root().joined(&names.join("/")).expect("a path")
}

fn glob_names() -> impl Strategy<Value = Vec<&'static str>> {
    let name = select(vec!["**", "*", "a", "b", "a*", "*b", "a*b", "*a*", "*a*b*"]);
    prop::collection::vec(name, 1..5)
}

fn path_names() -> impl Strategy<Value = Vec<&'static str>> {
    let name = select(vec!["a", "b", "ab", "ba", "aab", "aba", ".a", "A"]);
    prop::collection::vec(name, 0..5)
}

/// What is wrong, and a reader that does it.
const PATHS: [Planted; 10] = [
    ("`..` above the mount stays in it", |text| {
        let inside = text.trim_start_matches("../");
        path_ours(if inside.is_empty() { "." } else { inside })
    }),
    ("`..` takes nothing away", |text| {
        path_ours(&text.replace("/..", "/."))
    }),
    ("`..` at the end is a name", |text| {
        let path = path_ours(text.strip_suffix("/..").unwrap_or(text))?;
        Some(if text.ends_with("/..") {
            format!("{path}/..")
        } else {
            path
        })
    }),
    ("`.` is a name", |text| {
        let path = path_ours(&text.replace("/./", "/~/"))?;
        Some(path.replace('~', "."))
    }),
    ("`...` is two levels up", |text| {
        path_ours(&text.replace("...", "../.."))
    }),
    ("a doubled slash stays", |text| {
        path_ours(text).map(|path| {
            if text.contains("a//a") {
                text.to_owned()
            } else {
                path
            }
        })
    }),
    ("a slash at the end stays", |text| {
        path_ours(text).map(|path| {
            if text.ends_with("a/") {
                path + "/"
            } else {
                path
            }
        })
    }),
    ("an absolute path starts at the mount", |text| {
        path_ours(text.trim_start_matches('/'))
    }),
    ("a NUL ends the path", |text| {
        path_ours(text.split('\0').next()?)
    }),
    ("case is folded", |text| path_ours(&text.to_lowercase())),
];

const PATH_MODELS: [Planted; 3] = [
    ("names may have any length", |text| {
        path_model(&text.replace(&"n".repeat(256), "n"))
    }),
    ("a backslash is a slash", |text| {
        path_model(&text.replace('\\', "/"))
    }),
    ("letters are composed", |text| {
        path_model(&text.replace("e\u{301}", "\u{e9}"))
    }),
];

const GUESTS: [Planted; 2] = [
    ("the mount is a prefix of the text", |text| {
        match text.strip_prefix("/workspace") {
            Some(rest) => path_ours(&format!("./{rest}")),
            None => guest_ours(text),
        }
    }),
    ("every root is the mount", |text| {
        guest_ours(text.trim_start_matches('/'))
    }),
];

type Matches = fn(&[&str], &[&str]) -> bool;

const GLOBS: [(&str, Matches); 5] = [
    ("`*` crosses slashes", |glob, path| {
        let wide: Vec<&str> = glob
            .iter()
            .map(|name| if *name == "*" { "**" } else { name })
            .collect();
        glob_ours(&wide, path)
    }),
    ("`**` is one name at least", |glob, path| {
        let long = glob.iter().flat_map(|name| match *name {
            "**" => vec!["*", "**"],
            name => vec![name],
        });
        glob_ours(&long.collect::<Vec<_>>(), path)
    }),
    ("`*` leaves hidden names out", |glob, path| {
        glob_ours(glob, path) && !path.contains(&".a")
    }),
    ("a glob means all that is below", |glob, path| {
        (0..=path.len()).any(|length| glob_ours(glob, &path[..length]))
    }),
    ("case is folded", |glob, path| {
        let lower: Vec<String> = path.iter().map(|name| name.to_lowercase()).collect();
        glob_ours(glob, &lower.iter().map(String::as_str).collect::<Vec<_>>())
    }),
];

#[test]
fn bugs_in_paths_are_found() {
    let same = |ours: fn(&str) -> Path, model: fn(&str) -> Path| {
        disagreement(&paths(), |text| ours(text) == model(text))
    };
    assert_eq!(same(path_ours, path_model), None);
    assert_eq!(same(guest_ours, guest_model), None);
    for (bug, broken) in PATHS {
        assert_ne!(same(broken, path_model), None, "{bug}");
    }
    for (bug, broken) in PATH_MODELS {
        assert_ne!(same(path_ours, broken), None, "in the model: {bug}");
    }
    for (bug, broken) in GUESTS {
        assert_ne!(same(broken, guest_model), None, "{bug}");
    }
}

#[test]
fn bugs_in_globs_are_found() {
    let same = |ours: Matches, model: Matches| {
        disagreement(&(glob_names(), path_names()), |(glob, path)| {
            ours(glob, path) == model(glob, path)
        })
    };
    assert_eq!(same(glob_ours, glob_model), None);
    for (bug, broken) in GLOBS {
        assert_ne!(same(broken, glob_model), None, "{bug}");
    }
    let first: Matches = |glob, path| glob.first() != Some(&"a*") && glob_model(glob, path);
    assert_ne!(same(glob_ours, first), None, "in the model");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases()))]

    #[test]
    fn paths_agree(text in paths()) {
        prop_assert_eq!(path_ours(&text), path_model(&text));
        prop_assert_eq!(guest_ours(&text), guest_model(&text));
    }

    #[test]
    fn paths_have_one_spelling(text in paths()) {
        if let Ok(path) = MountPath::root().joined(&text) {
            prop_assert_eq!(MountPath::root().joined(path.as_str()), Ok(path.clone()));
            prop_assert!(path.components().all(|name| !matches!(name, "" | "." | "..")));
        }
    }

    #[test]
    fn a_path_below_another_is_both_in_turn(below in paths(), text in paths()) {
        let Ok(base) = MountPath::root().joined(&below) else { return Ok(()) };
        let whole = format!("{}/{text}", base.as_str());
        if whole.len() > PATH_BYTES_MAX {
            return Ok(());
        }
        let joined = base.joined(&text).ok().map(|path| path.as_str().to_owned());
        prop_assert_eq!(joined, names_model(&whole).map(|names| names.join("/")));
    }

    #[test]
    fn globs_agree(glob in glob_names(), path in path_names()) {
        prop_assert_eq!(glob_ours(&glob, &path), glob_model(&glob, &path));
    }

    #[test]
    fn what_is_said_of_all_below_holds_of_each(
        glob in glob_names(),
        path in path_names(),
        rest in path_names(),
    ) {
        let read: Glob = glob.join("/").parse().expect("a glob");
        let place = place(&path);
        let deeper = place.joined(&rest.join("/")).expect("a path");
        if read.matches_all_below(&place) {
            prop_assert!(read.matches(&deeper));
        }
        if read.matches(&deeper) {
            prop_assert!(read.matches_any_below(&place));
        }
    }
}
