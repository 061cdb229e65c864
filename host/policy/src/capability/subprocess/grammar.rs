use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::start::{Argument, Place};
use super::value::{Position, Value, ValueEntry};
use crate::capability::Fault;

/// Subcommands within subcommands.
const DEPTH_MAX: usize = 8;

/// Which arguments a program may be started with, as people write it. What is not declared is not
/// allowed.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GrammarEntry {
    /// Flags by their full name with its dashes. They may stand before, between and after the
    /// other arguments, any number of times. `"--": none` lets the guest end the flags.
    #[serde(default)]
    pub flags: BTreeMap<String, FlagEntry>,
    /// The other arguments in their order; all have to be there.
    #[serde(default)]
    pub positions: Vec<ValueEntry>,
    /// What may follow them, in this order, as far as the guest likes.
    #[serde(default)]
    pub optional: Vec<ValueEntry>,
    /// What any further ones have to be.
    #[serde(default)]
    pub rest: Option<ValueEntry>,
    /// The first argument that is no flag has to be one of these, and what follows it fits below.
    #[serde(default)]
    pub subcommands: BTreeMap<String, GrammarEntry>,
}

/// What follows a flag, as people write it.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(
    rename_all = "snake_case",
    deny_unknown_fields,
    expecting = "expected `none`, `joined` or `separate` with the form of the value, or that form alone"
)]
pub enum FlagEntry {
    /// Nothing.
    None,
    /// A value in the same argument: `--depth=5`, or `-n5` for a flag of one letter.
    Joined(ValueEntry),
    /// A value as the next argument: `--depth 5`.
    Separate(ValueEntry),
    /// A value, in either way. Right only for programs that always expect one.
    #[serde(untagged)]
    Either(ValueEntry),
}

/// The same, checked.
#[derive(Debug, Clone, Default)]
pub(super) struct Grammar {
    flags: BTreeMap<String, Flag>,
    positions: Vec<Value>,
    optional: Vec<Value>,
    rest: Option<Value>,
    subcommands: BTreeMap<String, Grammar>,
}

#[derive(Debug, Clone)]
struct Flag {
    joined: Option<Value>,
    separate: Option<Value>,
}

/// How an argument that begins with `-` is read.
enum Token<'a> {
    /// A flag that stands alone.
    Bare(&'a Flag),
    /// One with its value.
    Valued(&'a Flag, Argument),
}

impl Grammar {
    pub(super) fn new(entry: GrammarEntry, pointer: &str) -> Result<Self, Fault> {
        Self::at_depth(entry, pointer, 0)
    }

    fn at_depth(entry: GrammarEntry, pointer: &str, depth: usize) -> Result<Self, Fault> {
        let others =
            !entry.positions.is_empty() || !entry.optional.is_empty() || entry.rest.is_some();
        if others && !entry.subcommands.is_empty() {
            return Err(Fault::at(
                format!("{pointer}/subcommands"),
                "what follows a subcommand stands below it, not beside it",
            ));
        }
        if depth > DEPTH_MAX {
            return Err(Fault::at(pointer, "subcommands nest too deeply"));
        }
        let mut flags = BTreeMap::new();
        for (name, flag) in entry.flags {
            let pointer = format!("{pointer}/flags/{}", escaped(&name));
            flags.insert(name.clone(), Flag::new(&name, flag, &pointer)?);
        }
        let mut subcommands = BTreeMap::new();
        for (name, grammar) in entry.subcommands {
            let pointer = format!("{pointer}/subcommands/{}", escaped(&name));
            if name.is_empty() || name.starts_with('-') {
                return Err(Fault::at(pointer, "a subcommand doesn't begin with `-`"));
            }
            subcommands.insert(name, Self::at_depth(grammar, &pointer, depth + 1)?);
        }
        let rest = entry
            .rest
            .map(|value| Value::new(value, &format!("{pointer}/rest")));
        Ok(Self {
            flags,
            positions: values(entry.positions, &format!("{pointer}/positions"))?,
            optional: values(entry.optional, &format!("{pointer}/optional"))?,
            rest: rest.transpose()?,
            subcommands,
        })
    }

    /// True when these are arguments that are meant, all of them.
    pub(super) fn fits(&self, arguments: &[Argument], cwd: &Place) -> bool {
        let mut arguments = arguments.iter();
        let mut taken = 0;
        let mut flags_ended = false;
        while let Some(argument) = arguments.next() {
            let is_end = matches!(argument, Argument::Text(text) if text == "--");
            if !flags_ended && is_end && self.flags.contains_key("--") {
                flags_ended = true;
            } else if let Some(token) = (!flags_ended).then(|| self.token(argument)).flatten() {
                let fits = match token {
                    Token::Valued(flag, value) => {
                        fits(flag.joined.as_ref(), &value, Position::Joined, cwd)
                    }
                    Token::Bare(flag) if flag.is_bare() => true,
                    Token::Bare(flag) => arguments.next().is_some_and(|value| {
                        fits(flag.separate.as_ref(), value, Position::Alone, cwd)
                    }),
                };
                if !fits {
                    return false;
                }
            } else if !self.subcommands.is_empty() {
                let Argument::Text(name) = argument else {
                    return false;
                };
                return self
                    .subcommands
                    .get(name)
                    .is_some_and(|below| !flags_ended && below.fits(arguments.as_slice(), cwd));
            } else {
                if !fits(self.position(taken), argument, Position::Alone, cwd) {
                    return false;
                }
                taken += 1;
                // Where a position says so, it stands for itself and ends the flags all the same.
                flags_ended |= is_end;
            }
        }
        taken >= self.positions.len() && self.subcommands.is_empty()
    }

    /// The declared flag that an argument is or begins with.
    fn token(&self, argument: &Argument) -> Option<Token<'_>> {
        let text = argument.text();
        if let (Argument::Text(_), Some(flag)) = (argument, self.flags.get(text)) {
            return Some(Token::Bare(flag));
        }
        let value = |rest: &str| match argument {
            Argument::Text(_) => Some(Argument::Text(rest.to_owned())),
            Argument::Path { place, .. } => rest.is_empty().then(|| Argument::Path {
                prefix: String::new(),
                place: place.clone(),
            }),
        };
        let (name, rest) = if let Some((name, rest)) = text.split_once('=')
            && self.flags.contains_key(name)
            && !is_letter(name)
        {
            (name, rest)
        } else {
            let letter = text.strip_prefix('-')?.chars().next()?;
            text.split_at(1 + letter.len_utf8())
        };
        let flag = self.flags.get(name)?;
        value(rest).map(|value| Token::Valued(flag, value))
    }

    fn position(&self, index: usize) -> Option<&Value> {
        self.positions
            .iter()
            .chain(&self.optional)
            .nth(index)
            .or(self.rest.as_ref())
    }

    /// This grammar for one call.
    pub(super) fn bound(&self, arguments: &serde_json::Value) -> Self {
        let bound = |value: &Value| value.bound(arguments);
        Self {
            flags: self
                .flags
                .iter()
                .map(|(name, flag)| {
                    let flag = Flag {
                        joined: flag.joined.as_ref().map(bound),
                        separate: flag.separate.as_ref().map(bound),
                    };
                    (name.clone(), flag)
                })
                .collect(),
            positions: self.positions.iter().map(bound).collect(),
            optional: self.optional.iter().map(bound).collect(),
            rest: self.rest.as_ref().map(bound),
            subcommands: self
                .subcommands
                .iter()
                .map(|(name, below)| (name.clone(), below.bound(arguments)))
                .collect(),
        }
    }

    /// True when no arguments fit, whatever they are.
    pub(super) fn is_nothing(&self) -> bool {
        self.positions.iter().any(Value::is_nothing)
            || (!self.subcommands.is_empty() && self.subcommands.values().all(Self::is_nothing))
    }

    /// Every value that it speaks of.
    pub(super) fn values(&self) -> Vec<&Value> {
        let flags = self
            .flags
            .values()
            .flat_map(|flag| flag.joined.iter().chain(&flag.separate));
        let own = self
            .positions
            .iter()
            .chain(&self.optional)
            .chain(&self.rest);
        let below = self.subcommands.values().flat_map(Self::values);
        flags.chain(own).chain(below).collect()
    }
}

impl Flag {
    fn new(name: &str, entry: FlagEntry, pointer: &str) -> Result<Self, Fault> {
        if !name.starts_with('-') || name == "-" || name.contains(['=', '\0']) {
            return Err(Fault::at(
                pointer,
                "a flag is written with its dashes and without `=`, as in `--depth` or `-n`",
            ));
        }
        if name == "--" && !matches!(entry, FlagEntry::None) {
            return Err(Fault::at(pointer, "`--` ends the flags and takes no value"));
        }
        let (joined, separate) = match entry {
            FlagEntry::None => (None, None),
            FlagEntry::Joined(value) => {
                (Some(Value::new(value, &format!("{pointer}/joined"))?), None)
            }
            FlagEntry::Separate(value) => (
                None,
                Some(Value::new(value, &format!("{pointer}/separate"))?),
            ),
            FlagEntry::Either(value) => {
                let value = Value::new(value, pointer)?;
                (Some(value.clone()), Some(value))
            }
        };
        Ok(Self { joined, separate })
    }

    fn is_bare(&self) -> bool {
        self.joined.is_none() && self.separate.is_none()
    }
}

/// `-n`: a dash and one character, whose value needs no `=`.
fn is_letter(name: &str) -> bool {
    name.strip_prefix('-')
        .is_some_and(|rest| rest != "-" && rest.chars().count() == 1)
}

fn fits(value: Option<&Value>, argument: &Argument, position: Position, cwd: &Place) -> bool {
    value.is_some_and(|value| value.fits(argument, position, cwd))
}

pub(super) fn values(entries: Vec<ValueEntry>, pointer: &str) -> Result<Vec<Value>, Fault> {
    entries
        .into_iter()
        .enumerate()
        .map(|(index, entry)| Value::new(entry, &format!("{pointer}/{index}")))
        .collect()
}

/// A key as one part of a JSON pointer.
fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}
