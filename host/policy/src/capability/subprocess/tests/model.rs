//! The grammar of arguments against a model that reads them by another algorithm: it tries every
//! reading of every argument, where the grammar takes the only one it knows.

use std::path::{Component, Path};

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value as Json, json};

use super::*;

/// A value as both sides know it.
#[derive(Debug, Clone)]
enum Kind {
    Exact(&'static str),
    OneOf(Vec<&'static str>),
    Integer(i64, i64),
    Name,
    Any,
    Under(&'static str),
}

#[derive(Debug, Clone)]
enum Follows {
    Nothing,
    Joined(Kind),
    Separate(Kind),
    Either(Kind),
}

/// A grammar as the model knows it.
#[derive(Debug, Clone, Default)]
struct Model {
    flags: Vec<(&'static str, Follows)>,
    positions: Vec<Kind>,
    optional: Vec<Kind>,
    rest: Option<Kind>,
    subcommands: Vec<(&'static str, Model)>,
}

impl Kind {
    fn json(&self) -> Json {
        match self {
            Self::Exact(text) => json!({ "exact": text }),
            Self::OneOf(texts) => json!({ "one_of": texts }),
            Self::Integer(min, max) => json!({"integer": {"min": min, "max": max}}),
            Self::Name => json!("name"),
            Self::Any => json!("any"),
            Self::Under(under) => json!({"path": {"mount": "workspace", "under": under}}),
        }
    }

    fn fits(&self, text: &str, alone: bool) -> bool {
        let dash = alone && text.as_bytes().first() == Some(&b'-');
        match self {
            Self::Exact(exact) => text == *exact,
            Self::OneOf(all) => all.contains(&text),
            _ if dash || text.as_bytes().first() == Some(&b'@') => false,
            Self::Integer(min, max) => (*min..=*max).any(|number| format!("{number}") == text),
            Self::Name => {
                let mut chars = text.chars();
                text.len() <= 128
                    && chars.next().is_some_and(|c| c.is_ascii_alphanumeric())
                    && chars.all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
            }
            Self::Any => true,
            Self::Under(under) => is_under(text, under),
        }
    }
}

/// Walks the path as the system would, from the mount's own directory `/m/sub`.
fn is_under(text: &str, under: &str) -> bool {
    if text == "." {
        return under.is_empty() || under == "sub";
    }
    let plain = Path::new(text)
        .components()
        .all(|part| matches!(part, Component::Normal(_)));
    // A spelling that the walk would change is none that is passed on.
    let rebuilt: std::path::PathBuf = Path::new(text).components().collect();
    let special = |c: char| !(c.is_alphanumeric() || "._".contains(c));
    plain
        && !text.is_empty()
        && !text.starts_with(special)
        && !text.contains(':')
        && rebuilt.as_os_str() == text
        && !text.chars().any(char::is_control)
        && Path::new("/m/sub")
            .join(text)
            .starts_with(Path::new("/m").join(under))
}

impl Model {
    fn json(&self) -> Json {
        let all = |kinds: &[Kind]| kinds.iter().map(Kind::json).collect::<Vec<_>>();
        let flags: serde_json::Map<_, _> = self
            .flags
            .iter()
            .map(|(name, follows)| {
                let value = match follows {
                    Follows::Nothing => json!("none"),
                    Follows::Joined(kind) => json!({ "joined": kind.json() }),
                    Follows::Separate(kind) => json!({ "separate": kind.json() }),
                    Follows::Either(kind) => kind.json(),
                };
                ((*name).to_owned(), value)
            })
            .collect();
        let below: serde_json::Map<_, _> = self
            .subcommands
            .iter()
            .map(|(name, model)| ((*name).to_owned(), model.json()))
            .collect();
        json!({
            "flags": flags,
            "positions": all(&self.positions),
            "optional": all(&self.optional),
            "rest": self.rest.as_ref().map(Kind::json),
            "subcommands": below,
        })
    }

    /// True when some reading of all the arguments exists.
    fn reads(&self, arguments: &[&str], taken: usize, ended: bool) -> bool {
        let Some((first, others)) = arguments.split_first() else {
            return taken >= self.positions.len() && self.subcommands.is_empty();
        };
        let go = |rest: &[&str]| self.reads(rest, taken, ended);
        let by_flag = || {
            self.flags.iter().any(|(name, follows)| {
                if *name == "--" {
                    return first == name && self.reads(others, taken, true);
                }
                let letter = name.len() == 2;
                let glued = if letter {
                    first.strip_prefix(name).filter(|rest| !rest.is_empty())
                } else {
                    first
                        .strip_prefix(name)
                        .and_then(|rest| rest.strip_prefix('='))
                };
                let joined =
                    |kind: &Kind| glued.is_some_and(|text| kind.fits(text, false)) && go(others);
                let separate = |kind: &Kind| {
                    first == name
                        && others.first().is_some_and(|value| kind.fits(value, true))
                        && go(&others[1..])
                };
                match follows {
                    Follows::Nothing => first == name && go(others),
                    Follows::Joined(kind) => joined(kind),
                    Follows::Separate(kind) => separate(kind),
                    Follows::Either(kind) => joined(kind) || separate(kind),
                }
            })
        };
        let by_place = || {
            if !self.subcommands.is_empty() {
                let below = self.subcommands.iter().find(|(name, _)| name == first);
                return !ended && below.is_some_and(|(_, model)| model.reads(others, 0, false));
            }
            let places: Vec<&Kind> = self.positions.iter().chain(&self.optional).collect();
            let kind = places.get(taken).copied().or(self.rest.as_ref());
            kind.is_some_and(|kind| kind.fits(first, true))
                && self.reads(others, taken + 1, ended || *first == "--")
        };
        (!ended && by_flag()) || by_place()
    }
}

fn kind() -> impl Strategy<Value = Kind> {
    prop_oneof![
        select(vec!["a", "-x", "--", "1", "sub", "-"]).prop_map(Kind::Exact),
        prop::collection::vec(select(vec!["a", "b", "-q", "--deep"]), 0..3).prop_map(Kind::OneOf),
        (-3_i64..4, 0_i64..6).prop_map(|(min, width)| Kind::Integer(min, min + width)),
        Just(Kind::Name),
        Just(Kind::Any),
        select(vec!["", "sub", "sub/a", "other"]).prop_map(Kind::Under),
    ]
}

fn model() -> impl Strategy<Value = Model> {
    let follows = prop_oneof![
        Just(Follows::Nothing),
        kind().prop_map(Follows::Joined),
        kind().prop_map(Follows::Separate),
        kind().prop_map(Follows::Either),
    ];
    let flag = (
        select(vec!["-q", "-x", "--deep", "--all", "-wide"]),
        follows,
    );
    let flags = (
        prop::collection::btree_map(flag.0, flag.1, 0..4),
        any::<bool>(),
    )
        .prop_map(|(flags, ends)| {
            let mut flags: Vec<_> = flags.into_iter().collect();
            flags.extend(ends.then_some(("--", Follows::Nothing)));
            flags
        });
    let kinds = || prop::collection::vec(kind(), 0..3);
    let leaf = (flags, kinds(), kinds(), prop::option::of(kind())).prop_map(
        |(flags, positions, optional, rest)| Model {
            flags,
            positions,
            optional,
            rest,
            subcommands: Vec::new(),
        },
    );
    leaf.prop_recursive(2, 6, 2, |below| {
        let flags =
            prop::collection::btree_map(select(vec!["-q", "--all"]), Just(Follows::Nothing), 0..2);
        let subcommands = prop::collection::btree_map(select(vec!["a", "sub"]), below, 1..3);
        (flags, subcommands).prop_map(|(flags, subcommands)| Model {
            flags: flags.into_iter().collect(),
            subcommands: subcommands.into_iter().collect(),
            ..Model::default()
        })
    })
}

fn argument() -> impl Strategy<Value = &'static str> {
    select(vec![
        "a",
        "b",
        "sub",
        "1",
        "-1",
        "3",
        "01",
        "+1",
        "",
        ".",
        "..",
        "-",
        "--",
        "-q",
        "-x",
        "-x1",
        "-qa",
        "-q=a",
        "--deep",
        "--deep=a",
        "--deep=-1",
        "--deep=",
        "--all",
        "--alle",
        "--all=a",
        "-wide",
        "-wide=a",
        "a/b",
        "a/../b",
        "/a",
        "a//b",
        "./a",
        "a/",
        "a\nb",
        "@a",
        "a@b",
        "a:b",
        "--deep=@a",
        "--deep=a:b",
        "--other",
        "--=a",
    ])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(crate::testing::cases()))]

    #[test]
    fn agrees_with_the_model(
        model in model(),
        arguments in prop::collection::vec(argument(), 0..6),
    ) {
        let entry = json!({"program": "git", "arguments": model.json()});
        let allow = Subprocess::allow(serde_json::from_value(entry).expect("an entry"));
        let allow = allow.expect("an allow");
        let texts = arguments.iter().map(|text| Argument::Text((*text).to_owned())).collect();
        let ask = Start::new("git".to_owned(), texts, 0, workspace("sub")).expect("well formed");
        let (covers, reads) = (allow.covers(&ask), model.reads(&arguments, 0, false));
        // What is declared as a flag is read as one, also where it could stand for itself.
        let named = |text: &&str| arguments.contains(text);
        let twofold = ["-q", "-x", "--deep", "--", "-qa", "-q=a", "-x1"].iter().any(named);
        if twofold {
            prop_assert!(!covers || reads, "{model:?} {arguments:?}");
        } else {
            prop_assert_eq!(covers, reads, "{:?} {:?}", model, arguments);
        }
    }

    #[test]
    fn the_smallest_entry_allows_that_start_and_no_other(
        arguments in prop::collection::vec(argument(), 0..6),
        other in prop::collection::vec(argument(), 0..6),
        stdin in 0_u64..3,
    ) {
        let texts = |all: &[&str]| all.iter().map(|text| Argument::Text((*text).to_owned())).collect();
        let start = |all: &[&str]| Start::new("git".to_owned(), texts(all), stdin, workspace("sub"));
        let ask = start(&arguments).expect("well formed");
        let entry = serde_saphyr::from_str(&Subprocess::smallest(&ask)).expect("an entry");
        let allow = Subprocess::allow(entry).expect("an allow");
        prop_assert!(allow.covers(&ask));
        let differs = other != arguments;
        prop_assert!(!(differs && allow.covers(&start(&other).expect("well formed"))));
    }
}
