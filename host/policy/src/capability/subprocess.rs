//! Programs of the machine: which registered one may be started, with which arguments.
//!
//! A program is registered in the policy's `programs`, with its file and its confinement; a rule
//! says who may start it and how. Arguments are a grammar of typed values and never a command
//! line, and a path is always inside a mount.

mod containing;
mod grammar;
mod limits;
mod program;
mod start;
#[cfg(test)]
mod tests;
mod value;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::capability::{Capability, Fault};
use crate::grant::Grant;
use crate::quantity::Bytes;
use crate::slice::{Caps, Pattern, Slice};

use grammar::Grammar;
use value::Value;

pub use grammar::{FlagEntry, GrammarEntry};
pub use limits::{Limits, LimitsEntry};
pub use program::{Confinement, Program, ProgramEntry};
pub use start::{
    ARGUMENT_BYTES_MAX, ARGUMENTS_BYTES_MAX, ARGUMENTS_MAX, Argument, Malformed, Place, Start,
};
pub use value::{PathEntry, ValueEntry};

/// The mount in which a program starts when nobody said otherwise.
const WORKSPACE: &str = "workspace";

/// One entry below `subprocess`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "SubprocessEntry")]
pub struct Entry {
    /// The registered program's name.
    pub program: String,
    /// Below `allow`: the arguments it may be started with. Left out: none at all.
    #[serde(default)]
    pub arguments: Option<GrammarEntry>,
    /// Below `deny`: a start is denied when one of its arguments, or what follows the `=` in one,
    /// is one of these; for a `path`, when any part of an argument could lead there, as every
    /// absolute one could. Left out, or with an `argument` that the call doesn't have: every start.
    #[serde(default)]
    pub containing: Option<Vec<ValueEntry>>,
    /// Below `allow`: what it may be given to read. Left out: nothing.
    #[serde(default)]
    pub stdin: Option<StdinEntry>,
    /// Below `allow`: where it may start. Left out: in the workspace and below it.
    #[serde(default)]
    pub cwd: Option<PathEntry>,
    /// Below `allow`: the mounts it may use, as far as the call may. Left out: none.
    #[serde(default)]
    pub mounts: Option<BTreeMap<String, MountAccess>>,
    /// Below `allow`: narrower limits than the program's own.
    #[serde(default)]
    pub limits: Option<LimitsEntry>,
}

/// What a program may be given to read.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum StdinEntry {
    /// Nothing.
    None,
    /// At most so much: `1MiB`.
    Bytes(Bytes),
}

/// What a program may do in a mount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MountAccess {
    /// List and read.
    Read,
    /// Also create, change and delete.
    Write,
}

impl MountAccess {
    /// The word in policy files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
        }
    }
}

/// Which starts of a program are meant.
#[derive(Debug, Clone)]
pub struct Subprocess {
    program: String,
    starts: Starts,
    caps: StartCaps,
}

#[derive(Debug, Clone)]
enum Starts {
    /// Those that the grammar describes.
    Of {
        grammar: Box<Grammar>,
        stdin_bytes_max: u64,
        cwd: Place,
    },
    /// All of which an argument is one of these.
    Containing(Vec<Value>),
    All,
}

/// How much an allow gives of a start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StartCaps {
    /// Narrower than the program's own where they are smaller.
    pub limits: Limits,
    /// The mounts it may use.
    pub mounts: BTreeMap<String, MountAccess>,
}

impl Caps for StartCaps {
    fn widest(mut self, other: Self) -> Self {
        for (mount, access) in other.mounts {
            let own = self.mounts.entry(mount).or_insert(access);
            *own = access.max(*own);
        }
        Self {
            limits: self.limits.widest(other.limits),
            mounts: self.mounts,
        }
    }

    fn narrowest(self, other: Self) -> Self {
        let both = |(mount, own): (String, MountAccess)| {
            let access = own.min(*other.mounts.get(&mount)?);
            Some((mount, access))
        };
        Self {
            limits: self.limits.narrowest(other.limits),
            mounts: self.mounts.into_iter().filter_map(both).collect(),
        }
    }
}

impl Subprocess {
    /// The registered program's name.
    pub fn program(&self) -> &str {
        &self.program
    }
}

impl Pattern for Subprocess {
    type Ask = Start;
    type Caps = StartCaps;

    fn covers(&self, ask: &Start) -> bool {
        if self.program != ask.program() {
            return false;
        }
        match &self.starts {
            Starts::All => true,
            Starts::Containing(values) => ask
                .arguments()
                .iter()
                .any(|argument| containing::contains(values, argument, ask.cwd())),
            Starts::Of {
                grammar,
                stdin_bytes_max,
                cwd,
            } => {
                ask.stdin_bytes() <= *stdin_bytes_max
                    && cwd.contains(ask.cwd())
                    && grammar.fits(ask.arguments(), ask.cwd())
            }
        }
    }

    fn caps(&self) -> StartCaps {
        self.caps.clone()
    }
}

impl Capability for Subprocess {
    const NAME: &'static str = "subprocess";
    type Entry = Entry;

    fn slice(grant: &Grant) -> &Slice<Self> {
        grant.subprocess()
    }

    fn allow(entry: Entry) -> Result<Self, Fault> {
        named(&entry)?;
        if entry.containing.is_some() {
            return Err(Fault::at(
                "/containing",
                "an allow says all of its `arguments`; `containing` is for denies",
            ));
        }
        let stdin_bytes_max = match entry.stdin {
            None | Some(StdinEntry::None) => 0,
            Some(StdinEntry::Bytes(max)) => max.0,
        };
        let cwd = entry.cwd.unwrap_or_else(|| PathEntry {
            mount: WORKSPACE.to_owned(),
            under: String::new(),
        });
        let limits = Limits::new(&entry.limits.unwrap_or_default(), Limits::NONE)?;
        Ok(Self {
            program: entry.program,
            starts: Starts::Of {
                grammar: Box::new(Grammar::new(
                    entry.arguments.unwrap_or_default(),
                    "/arguments",
                )?),
                stdin_bytes_max,
                cwd: value::place(cwd, "/cwd")?,
            },
            caps: StartCaps {
                limits,
                mounts: entry.mounts.unwrap_or_default(),
            },
        })
    }

    fn deny(entry: Entry) -> Result<Self, Fault> {
        named(&entry)?;
        let only_allows = [
            ("/arguments", entry.arguments.is_some()),
            ("/stdin", entry.stdin.is_some()),
            ("/cwd", entry.cwd.is_some()),
            ("/mounts", entry.mounts.is_some()),
            ("/limits", entry.limits.is_some()),
        ];
        if let Some((pointer, _)) = only_allows.iter().find(|(_, given)| *given) {
            return Err(Fault::at(
                *pointer,
                "a deny names a program, and what its starts are `containing`",
            ));
        }
        let starts = match entry.containing {
            None => Starts::All,
            Some(entries) => Starts::Containing(grammar::values(entries, "/containing")?),
        };
        Ok(Self {
            program: entry.program,
            starts,
            caps: StartCaps {
                limits: Limits::NONE,
                mounts: BTreeMap::new(),
            },
        })
    }

    fn bound(&self, arguments: &serde_json::Value) -> Option<Self> {
        let starts = match &self.starts {
            Starts::All => Starts::All,
            Starts::Containing(values) => {
                let is_missing = |value: &Value| {
                    value.is_bound_by_arguments() && value.bound(arguments).is_nothing()
                };
                if values.iter().any(is_missing) {
                    // What isn't known can't be looked for, and leaving it out lifts no deny.
                    Starts::All
                } else {
                    Starts::Containing(values.iter().map(|value| value.bound(arguments)).collect())
                }
            }
            Starts::Of {
                grammar,
                stdin_bytes_max,
                cwd,
            } => {
                let grammar = grammar.bound(arguments);
                if grammar.is_nothing() {
                    return None;
                }
                Starts::Of {
                    grammar: Box::new(grammar),
                    stdin_bytes_max: *stdin_bytes_max,
                    cwd: cwd.clone(),
                }
            }
        };
        Some(Self {
            starts,
            ..self.clone()
        })
    }

    fn is_bound_by_arguments(&self) -> bool {
        self.values()
            .iter()
            .any(|value| value.is_bound_by_arguments())
    }

    fn dangers(&self) -> Vec<String> {
        let mut dangers: Vec<String> = program::danger(&self.program).into_iter().collect();
        if self.values().iter().any(|value| value.is_open()) {
            dangers.push(format!(
                "an argument of `{}` can be any text: say which it may be",
                self.program
            ));
        }
        for (mount, access) in &self.caps.mounts {
            if *access == MountAccess::Write {
                dangers.push(format!(
                    "`{}` can change everything in `{mount}`, whatever the rules about its files",
                    self.program
                ));
            }
        }
        dangers
    }

    fn operation(_: &Start) -> String {
        "start".to_owned()
    }

    fn resource(ask: &Start) -> String {
        let name: String = ask.program().chars().take(64).collect();
        name.escape_debug().to_string()
    }

    fn smallest(ask: &Start) -> String {
        smallest(ask)
    }
}

impl Subprocess {
    fn values(&self) -> Vec<&Value> {
        match &self.starts {
            Starts::All => Vec::new(),
            Starts::Containing(values) => values.iter().collect(),
            Starts::Of { grammar, .. } => grammar.values(),
        }
    }
}

fn named(entry: &Entry) -> Result<(), Fault> {
    if entry.program.is_empty() {
        return Err(Fault::at("/program", "the name of a registered program"));
    }
    Ok(())
}

/// The entry that allows this start and no other.
fn smallest(ask: &Start) -> String {
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let path = |place: &Place| {
        let (mount, under) = (quoted(place.mount()), quoted(place.path()));
        format!("{{mount: {mount}, under: {under}}}")
    };
    let (mut flags, mut positions) = (BTreeMap::new(), Vec::new());
    for argument in ask.arguments() {
        match argument {
            Argument::Text(text) => positions.push(format!("{{exact: {}}}", quoted(text))),
            Argument::Path { prefix, place } if prefix.is_empty() => {
                positions.push(format!("{{path: {}}}", path(place)));
            }
            Argument::Path { prefix, place } => {
                let name = prefix.strip_suffix('=').unwrap_or(prefix);
                flags.insert(name, format!("{{joined: {{path: {}}}}}", path(place)));
            }
        }
    }
    let flags: Vec<String> = flags
        .into_iter()
        .map(|(name, value)| format!("{}: {value}", quoted(name)))
        .collect();
    let arguments: Vec<String> = [("flags: {", flags, "}"), ("positions: [", positions, "]")]
        .into_iter()
        .filter(|(_, parts, _)| !parts.is_empty())
        .map(|(open, parts, close)| format!("{open}{}{close}", parts.join(", ")))
        .collect();
    let mut parts = vec![format!("program: {}", quoted(ask.program()))];
    if !arguments.is_empty() {
        parts.push(format!("arguments: {{{}}}", arguments.join(", ")));
    }
    if ask.stdin_bytes() > 0 {
        parts.push(format!("stdin: {{bytes: {}B}}", ask.stdin_bytes()));
    }
    parts.push(format!("cwd: {}", path(ask.cwd())));
    format!("{{{}}}", parts.join(", "))
}
