//! Secrets, by name, and what may be done with each.
//!
//! The usual way is that the host puts a secret into a request or a program's input at a place
//! that the entry names, and the tool holds a placeholder at most. `expose: true` is the exception
//! for a tool that has to see the value. A name says nothing about whose secret it is: that is the
//! tenant of the call, so no entry and no tool can reach another's.

mod entry;
mod site;

use std::sync::Arc;

use cofferdam_types::SecretName;

pub use entry::Entry;
use site::Sites;

use super::network::{Origin, Scheme};
use super::{Capability, Fault};
use crate::grant::Grant;
use crate::slice::{Pattern, Slice};

/// An entry: which uses of which secret it covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Secret {
    /// Absent covers every secret.
    name: Option<SecretName>,
    /// Whether it covers that the tool knows of the secret and holds a placeholder.
    hold: bool,
    /// Whether it covers that the tool sees the value.
    expose: bool,
    /// Where it covers that the host puts the value in.
    inject: Places,
}

/// Where an entry covers that the host puts a value in.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Places {
    Nowhere,
    Everywhere,
    /// In a request. `sites` absent covers every site, `part` absent every part of the request.
    Request {
        sites: Option<Arc<[Sites]>>,
        part: Option<Part>,
    },
    /// In the input of a program; absent covers every program.
    Stdin {
        program: Option<Arc<str>>,
    },
}

/// Into which part of a request a value goes, and in what form.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// A header.
    Header {
        /// Its name, lower case.
        name: Arc<str>,
        /// Its value, with `{}` where the secret goes.
        format: Arc<str>,
    },
    /// A parameter of the query.
    Query {
        /// Its name, not encoded.
        name: Arc<str>,
    },
}

/// One use of a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    /// The name as it was asked for. One that breaks the grammar of names equals no entry's, so
    /// it takes the same way to the same answer as one that nobody granted.
    pub name: String,
    /// What is to be done with it.
    pub way: Way,
}

/// What is to be done with a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    /// The tool holds a placeholder.
    Hold,
    /// The tool sees the value.
    Expose,
    /// The host puts it into a header of a request.
    Header {
        /// Where the request goes.
        site: Origin,
        /// The header's name, lower case.
        name: String,
    },
    /// The host puts it into the query of a request.
    Query {
        /// Where the request goes.
        site: Origin,
        /// The parameter's name, not encoded.
        name: String,
    },
    /// The host gives it to a program as input.
    Stdin {
        /// The registered program's name.
        program: String,
    },
}

/// A value that the host puts into a request without being asked.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Injection {
    /// Into which part of the request, and in what form.
    pub part: Part,
    /// Which secret.
    pub name: SecretName,
}

impl Places {
    fn cover(&self, way: &Way) -> bool {
        match (self, way) {
            (Self::Everywhere, way) => !matches!(way, Way::Hold | Way::Expose),
            (Self::Request { sites, part }, Way::Header { site, name }) => {
                let here =
                    |part: &Part| matches!(part, Part::Header { name: n, .. } if **n == **name);
                covers_site(sites.as_deref(), site) && part.as_ref().is_none_or(here)
            }
            (Self::Request { sites, part }, Way::Query { site, name }) => {
                let here = |part: &Part| matches!(part, Part::Query { name: n } if **n == **name);
                covers_site(sites.as_deref(), site) && part.as_ref().is_none_or(here)
            }
            (Self::Stdin { program }, Way::Stdin { program: asked }) => {
                program.as_ref().is_none_or(|program| **program == **asked)
            }
            // To be held or seen is not to be sent anywhere; and each place takes its own way alone.
            (Self::Nowhere | Self::Request { .. } | Self::Stdin { .. }, _) => false,
        }
    }
}

fn covers_site(sites: Option<&[Sites]>, site: &Origin) -> bool {
    sites.is_none_or(|sites| sites.iter().any(|sites| sites.covers(site)))
}

impl Pattern for Secret {
    type Ask = Use;
    type Caps = ();

    fn covers(&self, ask: &Use) -> bool {
        let named = match &self.name {
            Some(name) => name.as_str() == ask.name,
            None => true,
        };
        named
            && match &ask.way {
                Way::Hold => self.hold,
                Way::Expose => self.expose,
                way @ (Way::Header { .. } | Way::Query { .. } | Way::Stdin { .. }) => {
                    self.inject.cover(way)
                }
            }
    }

    fn caps(&self) {}
}

impl Capability for Secret {
    const NAME: &'static str = "secrets";

    type Entry = Entry;

    fn slice(grant: &Grant) -> &Slice<Self> {
        grant.secrets()
    }

    fn allow(entry: Entry) -> Result<Self, Fault> {
        entry.allow()
    }

    fn deny(entry: Entry) -> Result<Self, Fault> {
        entry.deny()
    }

    fn bound(&self, _: &serde_json::Value) -> Option<Self> {
        Some(self.clone())
    }

    fn is_bound_by_arguments(&self) -> bool {
        false
    }

    fn dangers(&self) -> Vec<String> {
        let name = self.name.as_ref().map_or("any secret", SecretName::as_str);
        let mut dangers = Vec::new();
        if self.expose {
            dangers.push(format!(
                "the tool sees the value of {name} and can send it wherever else it may write"
            ));
        }
        match &self.inject {
            Places::Nowhere if !self.expose => dangers.push(format!(
                "the tool gets a placeholder for {name} that is put in nowhere: say where with \
                 `inject`"
            )),
            Places::Request { sites, part } => {
                let sites = sites.as_deref().unwrap_or_default();
                if let Some(host) = sites.iter().find_map(Sites::unencrypted) {
                    dangers.push(format!(
                        "{name} goes to {host} unencrypted: whoever is on the way can read it"
                    ));
                }
                if matches!(part, Some(Part::Query { .. })) {
                    dangers.push(format!(
                        "{name} stands in the query, which servers and proxies write to their \
                         logs: a header is safer where the service takes one"
                    ));
                }
            }
            Places::Nowhere | Places::Everywhere | Places::Stdin { .. } => {}
        }
        dangers
    }

    fn operation(ask: &Use) -> String {
        let word = match &ask.way {
            Way::Hold => "hold",
            Way::Expose => "see",
            Way::Header { .. } | Way::Query { .. } | Way::Stdin { .. } => "inject",
        };
        word.to_owned()
    }

    fn resource(ask: &Use) -> String {
        let name = shown(&ask.name);
        match &ask.way {
            Way::Hold | Way::Expose => name,
            Way::Header { site, name: header } => format!("{name} as header {header} at {site}"),
            Way::Query { site, name: query } => {
                format!("{name} as parameter {} at {site}", shown(query))
            }
            Way::Stdin { program } => format!("{name} as input of {}", shown(program)),
        }
    }

    fn smallest(ask: &Use) -> String {
        let name = quoted(&ask.name);
        let place = |site: &Origin, part: &str, value: &str| {
            let scheme = match site.scheme {
                Scheme::Https => "",
                Scheme::Http => "scheme: http, ",
            };
            let (site, value) = (quoted(&site.authority()), quoted(value));
            format!("{{name: {name}, inject: {{{scheme}hosts: [{site}], {part}: {value}}}}}")
        };
        match &ask.way {
            Way::Hold => format!("{{name: {name}}}"),
            Way::Expose => format!("{{name: {name}, expose: true}}"),
            Way::Header { site, name } => place(site, "header", name),
            Way::Query { site, name } => place(site, "query", name),
            Way::Stdin { program } => {
                let program = quoted(program);
                format!("{{name: {name}, inject: {{program: {program}, stdin: true}}}}")
            }
        }
    }
}

/// Longest part of an asked name that a denial repeats, in characters.
const SHOWN_CHARS_MAX: usize = 80;

/// As YAML, of which JSON's strings are a part.
fn quoted(text: &str) -> String {
    let text: String = text.chars().take(SHOWN_CHARS_MAX).collect();
    serde_json::Value::from(text).to_string()
}

/// In a sentence: a name as it is, anything else as a JSON string.
fn shown(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_/".contains(&b);
    if !text.is_empty() && text.len() <= SHOWN_CHARS_MAX && text.bytes().all(plain) {
        text.to_owned()
    } else {
        quoted(text)
    }
}

/// Which values the host puts into a request to `site`, at most one for each header and parameter.
///
/// Where several secrets or forms are allowed for one place, the first by the alphabet is taken;
/// a tool that wants another says so with that secret's placeholder.
pub fn injections(slice: &Slice<Secret>, site: &Origin) -> Vec<Injection> {
    let entries = slice.layers().iter().take(1).flat_map(|l| l.allows.iter());
    let mut all: Vec<Injection> = entries
        .filter_map(|entry| match &entry.value {
            Secret {
                name: Some(name),
                inject: Places::Request {
                    part: Some(part), ..
                },
                ..
            } => Some(Injection {
                part: part.clone(),
                name: name.clone(),
            }),
            _ => None,
        })
        .filter(|injection| slice.decide(&injection.ask(site)).is_ok())
        .collect();
    all.sort_by(|a, b| (a.part.place(), &a.name, &a.part).cmp(&(b.part.place(), &b.name, &b.part)));
    all.dedup_by(|a, b| a.part.place() == b.part.place());
    all
}

/// Names of the secrets that a slice lets a call use in any way, in order, each once. What it may
/// print has to be searched for these.
pub fn names(slice: &Slice<Secret>) -> Vec<SecretName> {
    let entries = slice.layers().iter().take(1).flat_map(|l| l.allows.iter());
    let mut names: Vec<_> = entries
        .filter_map(|entry| entry.value.name.clone())
        .collect();
    names.sort();
    names.dedup();
    names
}

impl Injection {
    /// As a use to be decided.
    pub fn ask(&self, site: &Origin) -> Use {
        let site = site.clone();
        let way = match &self.part {
            Part::Header { name, .. } => Way::Header {
                site,
                name: name.to_string(),
            },
            Part::Query { name } => Way::Query {
                site,
                name: name.to_string(),
            },
        };
        Use {
            name: self.name.to_string(),
            way,
        }
    }
}

impl Part {
    /// Which header or parameter, whatever its form.
    fn place(&self) -> (bool, &str) {
        match self {
            Self::Header { name, .. } => (false, name),
            Self::Query { name } => (true, name),
        }
    }
}

#[cfg(test)]
mod tests;
