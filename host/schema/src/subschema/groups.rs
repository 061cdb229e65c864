//! Which schemas apply to a member by its name and to an item by its position.

use std::collections::{BTreeMap, BTreeSet};

use super::shape::{Conjunction, Shape};
use super::{At, Checker};

/// Keywords whose schemas apply to some values only, so that what they evaluate isn't known beforehand.
const CONDITIONAL: [&str; 7] = [
    "anyOf",
    "dependencies",
    "dependentSchemas",
    "else",
    "if",
    "oneOf",
    "then",
];

/// The members that schemas apply to: by name, by pattern, and all others.
#[derive(Debug, Default)]
pub(super) struct Members<'a> {
    pub(super) named: BTreeMap<&'a str, At>,
    pub(super) patterns: Vec<(&'a str, At)>,
    /// Names and patterns that are no others, and have no schema here.
    pub(super) known: BTreeSet<&'a str>,
    known_patterns: Vec<&'a str>,
    pub(super) others: Option<At>,
}

impl<'a> Members<'a> {
    /// Every pattern that takes a name from the others.
    pub(super) fn all_patterns(&self) -> Vec<&'a str> {
        let own = self.patterns.iter().map(|(pattern, _)| *pattern);
        own.chain(self.known_patterns.iter().copied()).collect()
    }

    /// Every name that is mentioned.
    pub(super) fn names(&self) -> impl Iterator<Item = &'a str> {
        self.named.keys().chain(&self.known).copied()
    }
}

/// The items that schemas apply to: the first ones by position, and all from `from` on.
#[derive(Debug, Default)]
pub(super) struct Items {
    pub(super) first: Vec<At>,
    pub(super) from: usize,
    pub(super) others: Option<At>,
}

impl Items {
    /// The schema of the item at `index`.
    pub(super) fn at(&self, index: usize) -> Option<At> {
        match self.first.get(index) {
            Some(at) => Some(*at),
            None => self.others.filter(|_| index >= self.from),
        }
    }
}

/// What `unevaluatedProperties` or `unevaluatedItems` comes to.
#[derive(Debug)]
pub(super) enum Unevaluated<T> {
    /// It depends on the value.
    Depends,
    /// Nothing is left to it.
    Nothing,
    /// It applies to what this doesn't mention.
    Rest(T),
}

impl<'a> Checker<'_, 'a> {
    /// What a schema's own keywords say of members.
    pub(super) fn members(&self, at: At) -> Vec<Members<'a>> {
        let node = self.node(at);
        let own = Members {
            named: node
                .named("properties")
                .map(|(name, id)| (name, at.to(id)))
                .collect(),
            patterns: node
                .named("patternProperties")
                .map(|(name, id)| (name, at.to(id)))
                .collect(),
            others: node.one("additionalProperties").map(|id| at.to(id)),
            ..Members::default()
        };
        let mut all = vec![own];
        if let Some(Unevaluated::Rest(rest)) = self.unevaluated_members(at) {
            all.push(rest);
        }
        all
    }

    /// What a schema's `unevaluatedProperties` comes to, if it has one.
    pub(super) fn unevaluated_members(&self, at: At) -> Option<Unevaluated<Members<'a>>> {
        let others = self.node(at).one("unevaluatedProperties")?;
        let Some(together) = self.together(at) else {
            return Some(Unevaluated::Depends);
        };
        let mut rest = Members {
            others: Some(at.to(others)),
            ..Members::default()
        };
        for one in together {
            let node = self.node(one);
            let is_all = node.one("additionalProperties").is_some()
                || (one != at && node.one("unevaluatedProperties").is_some());
            if is_all {
                return Some(Unevaluated::Nothing);
            }
            rest.known
                .extend(node.named("properties").map(|(name, _)| name));
            let patterns = node.named("patternProperties").map(|(pattern, _)| pattern);
            rest.known_patterns.extend(patterns);
        }
        Some(Unevaluated::Rest(rest))
    }

    /// What a schema's own keywords say of items.
    pub(super) fn items(&self, at: At) -> Vec<Items> {
        let node = self.node(at);
        let first: Vec<At> = node
            .list("prefixItems")
            .iter()
            .map(|id| at.to(*id))
            .collect();
        let own = Items {
            from: first.len(),
            first,
            others: node.one("items").map(|id| at.to(id)),
        };
        let mut all = vec![own];
        if let Some(Unevaluated::Rest(rest)) = self.unevaluated_items(at) {
            all.push(rest);
        }
        all
    }

    /// What a schema's `unevaluatedItems` comes to, if it has one.
    pub(super) fn unevaluated_items(&self, at: At) -> Option<Unevaluated<Items>> {
        let others = self.node(at).one("unevaluatedItems")?;
        let Some(together) = self.together(at) else {
            return Some(Unevaluated::Depends);
        };
        let mut from = 0;
        for one in together {
            let node = self.node(one);
            let is_all = node.one("items").is_some()
                || (one != at && node.one("unevaluatedItems").is_some());
            if is_all {
                return Some(Unevaluated::Nothing);
            }
            if node.one("contains").is_some() {
                return Some(Unevaluated::Depends);
            }
            from = from.max(node.list("prefixItems").len());
        }
        Some(Unevaluated::Rest(Items {
            first: Vec::new(),
            from,
            others: Some(at.to(others)),
        }))
    }

    /// The schema and all that always apply with it; nothing when some apply to some values only.
    fn together(&self, at: At) -> Option<Vec<At>> {
        let mut all = vec![at];
        let mut next = 0;
        while let Some(one) = all.get(next).copied() {
            next += 1;
            let node = self.node(one);
            if CONDITIONAL
                .iter()
                .any(|keyword| node.keyword(keyword).is_some())
            {
                return None;
            }
            for id in node.list("allOf").iter().copied().chain(node.target) {
                if !all.contains(&one.to(id)) {
                    all.push(one.to(id));
                }
            }
        }
        Some(all)
    }

    /// What a shape says of the member `name`.
    pub(super) fn member(&mut self, shape: &Shape<'a>, name: &str) -> Conjunction {
        let mut all = Conjunction::of([]);
        for at in &shape.all.nodes {
            for group in self.members(*at) {
                match self.applied(&group, name) {
                    Some(applied) => applied.into_iter().for_each(|at| all.add(at)),
                    // What isn't known is left out.
                    None => group
                        .named
                        .get(name)
                        .into_iter()
                        .for_each(|at| all.add(*at)),
                }
            }
        }
        all
    }

    /// The schemas of a group that apply to `name`; nothing where that can't be said.
    pub(super) fn applied(&mut self, group: &Members<'a>, name: &str) -> Option<Vec<At>> {
        let mut applied: Vec<At> = group.named.get(name).copied().into_iter().collect();
        let mut is_known = !applied.is_empty() || group.known.contains(name);
        for (pattern, at) in &group.patterns {
            if self.exact.matches(pattern, name)? {
                applied.push(*at);
                is_known = true;
            }
        }
        for pattern in &group.known_patterns {
            is_known |= self.exact.matches(pattern, name)?;
        }
        if !is_known {
            applied.extend(group.others);
        }
        Some(applied)
    }

    /// What a shape says of the item at `index`, or of all from some index on.
    pub(super) fn item(&self, shape: &Shape<'a>, index: usize) -> Conjunction {
        let nodes = shape.all.nodes.iter().flat_map(|at| self.items(*at));
        Conjunction::of(nodes.filter_map(|items| items.at(index)))
    }
}
