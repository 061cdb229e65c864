//! Finds the rules that may be about a tool without looking at all of them.

use std::collections::{BTreeMap, HashMap};

use cofferdam_types::{Digest, Timestamp};

use crate::rule::Rule;
use crate::selector::{Glob, Selector};
use crate::subject::Subject;

/// Rules by what their selectors name.
#[derive(Debug, Clone, Default)]
pub(crate) struct Index {
    any: Vec<usize>,
    names: Texts,
    imports: Texts,
    digests: HashMap<Digest, Vec<usize>>,
    owners: HashMap<String, Vec<usize>>,
    tags: HashMap<String, Vec<usize>>,
    /// When rules end, in order.
    ends: Vec<Timestamp>,
}

/// Globs, by themselves when they have no star and by what stands before it when they have.
#[derive(Debug, Clone, Default)]
struct Texts {
    exact: HashMap<String, Vec<usize>>,
    prefixes: BTreeMap<usize, HashMap<String, Vec<usize>>>,
}

impl Texts {
    fn add(&mut self, glob: &Glob, rule: usize) {
        let list = if let Some(text) = glob.exact() {
            self.exact.entry(text.to_owned()).or_default()
        } else {
            let prefix = glob.prefix();
            let of_length = self.prefixes.entry(prefix.len()).or_default();
            of_length.entry(prefix.to_owned()).or_default()
        };
        list.push(rule);
    }

    fn find(&self, text: &str, found: &mut Vec<usize>) {
        found.extend(self.exact.get(text).into_iter().flatten());
        for (length, prefixes) in &self.prefixes {
            let Some(prefix) = text.get(..*length) else {
                continue;
            };
            found.extend(prefixes.get(prefix).into_iter().flatten());
        }
    }
}

impl Index {
    pub(crate) fn of(rules: &[Rule]) -> Self {
        let mut index = Self::default();
        for (at, rule) in rules.iter().enumerate() {
            for selector in &rule.tools {
                match selector {
                    Selector::Any => index.any.push(at),
                    Selector::Name(glob, _) => index.names.add(glob, at),
                    Selector::Import(glob) => index.imports.add(glob, at),
                    Selector::Digest(digest) => index.digests.entry(*digest).or_default().push(at),
                    Selector::Owner(owner) => {
                        index.owners.entry(owner.clone()).or_default().push(at);
                    }
                    Selector::Tag(tag) => index.tags.entry(tag.clone()).or_default().push(at),
                }
            }
        }
        index.ends = rules.iter().filter_map(|rule| rule.until).collect();
        index.ends.sort_unstable();
        index
    }

    /// From when and until when the same rules hold as `now`.
    pub(crate) fn holds(&self, now: Timestamp) -> (Timestamp, Timestamp) {
        let (over, to_come) = self
            .ends
            .split_at(self.ends.partition_point(|end| *end <= now));
        let begin = over.last().copied();
        let end = to_come.first().copied();
        (
            begin.unwrap_or(Timestamp::from_millis(0)),
            end.unwrap_or(Timestamp::from_millis(u64::MAX)),
        )
    }

    /// The places of all rules that can match the tool, and of some that don't, in the order of
    /// the file.
    pub(crate) fn candidates(&self, subject: &Subject<'_>) -> Vec<usize> {
        let mut found = self.any.clone();
        self.names.find(subject.spec.name.as_str(), &mut found);
        for import in subject.imports {
            self.imports.find(import, &mut found);
        }
        found.extend(self.digests.get(&subject.digest).into_iter().flatten());
        if let Some(owner) = subject.owner {
            found.extend(self.owners.get(owner).into_iter().flatten());
        }
        for tag in &subject.spec.tags {
            found.extend(self.tags.get(tag).into_iter().flatten());
        }
        found.sort_unstable();
        found.dedup();
        found
    }
}
