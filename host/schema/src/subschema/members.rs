//! Objects: members, their names and their number.

use std::collections::BTreeSet;

use serde_json::Value;

use super::groups::Members;
use super::numbers::count;
use super::shape::{Conjunction, Shape, Type};
use super::{At, Checker, Kind};

impl<'a> Checker<'_, 'a> {
    /// True when objects of a shape keep what `right` says of objects.
    pub(super) fn keeps_members(&mut self, shape: &Shape<'a>, right: At) -> bool {
        let node = self.node(right);
        let mut holds = true;
        let required = self.required(shape);
        for name in strings(node.keyword("required")) {
            if !required.contains(name) {
                let asks = format!("`{name}` is required");
                holds &= self.fail(&shape.all, right, "required", Kind::Required, asks);
            }
        }
        for (name, needed) in pairs(node.keyword("dependentRequired")) {
            let having = Shape {
                all: shape.all.having(name),
                ..shape.clone()
            };
            let required = self.required(&having);
            let missing = strings(Some(needed)).find(|it| !required.contains(*it));
            if let Some(missing) = missing
                && !self.is_empty(&having)
            {
                let asks = format!("`{missing}` is required beside `{name}`");
                holds &= self.fail(&shape.all, right, "dependentRequired", Kind::Required, asks);
            }
        }
        for (name, id) in node.named("dependentSchemas") {
            let having = shape.all.having(name);
            holds &= self.is_within(&having, right.to(id));
        }
        holds &= self.keeps_count(shape, right, required.len() as u64);
        if let Some(names) = node.one("propertyNames") {
            holds &= self.keeps_names(shape, right, right.to(names));
        }
        for group in self.members(right) {
            holds &= self.keeps_group(shape, right, &group);
        }
        holds
    }

    fn keeps_count(&mut self, shape: &Shape<'a>, right: At, required: u64) -> bool {
        let node = self.node(right);
        let mut holds = true;
        if let Some(least) = node.keyword("minProperties") {
            let known = self
                .counts(shape, "minProperties")
                .max()
                .unwrap_or(0)
                .max(required);
            if count(least).is_none_or(|least| known < least) {
                let asks = format!("at least {least} members");
                holds &= self.fail(&shape.all, right, "minProperties", Kind::Bound, asks);
            }
        }
        if let Some(most) = node.keyword("maxProperties") {
            let known = self
                .counts(shape, "maxProperties")
                .chain(self.closed(shape))
                .min();
            if known
                .zip(count(most))
                .is_none_or(|(known, most)| known > most)
            {
                let asks = format!("at most {most} members");
                holds &= self.fail(&shape.all, right, "maxProperties", Kind::Bound, asks);
            }
        }
        holds
    }

    /// The values of a keyword that counts.
    pub(super) fn counts(
        &self,
        shape: &Shape<'a>,
        keyword: &str,
    ) -> impl Iterator<Item = u64> + use<> {
        let nodes = shape.all.nodes.iter();
        let counts = nodes.filter_map(|at| count(self.node(*at).keyword(keyword)?));
        counts.collect::<Vec<_>>().into_iter()
    }

    /// How many members there are at most where only named ones are allowed.
    fn closed(&self, shape: &Shape<'a>) -> Option<u64> {
        self.closed_names(shape).map(|names| names.len() as u64)
    }

    /// The names that members may have, where a schema allows no others.
    fn closed_names(&self, shape: &Shape<'a>) -> Option<BTreeSet<&'a str>> {
        let groups = shape.all.nodes.iter().flat_map(|at| self.members(*at));
        let closed = groups.filter(|group| {
            let others = group.others.map(|at| self.node(at).value);
            others == Some(&Value::Bool(false)) && group.all_patterns().is_empty()
        });
        closed
            .map(|group| group.names().collect::<BTreeSet<_>>())
            .min_by_key(BTreeSet::len)
    }

    /// The members that objects of a shape have.
    pub(super) fn required(&self, shape: &Shape<'a>) -> BTreeSet<String> {
        let mut all = shape.all.present.clone();
        for at in &shape.all.nodes {
            let names = strings(self.node(*at).keyword("required"));
            all.extend(names.map(str::to_owned));
        }
        loop {
            let before = all.len();
            for at in &shape.all.nodes {
                for (name, needed) in pairs(self.node(*at).keyword("dependentRequired")) {
                    if all.contains(name) {
                        all.extend(strings(Some(needed)).map(str::to_owned));
                    }
                }
            }
            if all.len() == before {
                return all;
            }
        }
    }

    fn keeps_names(&mut self, shape: &Shape<'a>, right: At, names: At) -> bool {
        let nodes = shape.all.nodes.iter();
        let said = nodes.filter_map(|at| self.node(*at).one("propertyNames").map(|id| at.to(id)));
        let mut said = Conjunction::of(said);
        said.types = Type::Text.alone();
        if self.probe(|it| it.is_within(&said, names)) {
            return true;
        }
        let pointer = self.node(names).pointer.clone();
        let closed = self.closed_names(shape).is_some_and(|closed| {
            closed.iter().all(|name| {
                let fits = self.exact.fits(names, &pointer, &Value::from(*name));
                fits == Some(true)
            })
        });
        let asks = "names of members of a certain form".to_owned();
        closed || self.fail(&shape.all, right, "propertyNames", Kind::Rule, asks)
    }

    /// True when the members of a shape keep a group of schemas: those with a name that anybody
    /// mentions one by one, and all others together.
    fn keeps_group(&mut self, shape: &Shape<'a>, right: At, group: &Members<'a>) -> bool {
        let groups: Vec<Members<'a>> = shape
            .all
            .nodes
            .iter()
            .flat_map(|at| self.members(*at))
            .collect();
        let left = groups.iter().flat_map(Members::names).chain(group.names());
        let mut names: BTreeSet<String> = left.map(str::to_owned).collect();
        names.extend(self.required(shape));
        let mut holds = true;
        for name in names {
            if !self.spend() {
                break;
            }
            let Some(applied) = self.applied(group, &name) else {
                let asks = "patterns that can be matched".to_owned();
                return self.fail(
                    &shape.all,
                    right,
                    "patternProperties",
                    Kind::Undecided,
                    asks,
                );
            };
            let applied: Vec<At> = applied
                .into_iter()
                .filter(|at| !self.is_anything(*at))
                .collect();
            if applied.is_empty() {
                continue;
            }
            let member = self.member(shape, &name);
            for at in applied {
                holds &= self.inside(&name, |it| it.is_within(&member, at));
            }
        }
        if self.work == 0 {
            let asks = "fewer members to compare".to_owned();
            return self.fail(&shape.all, right, "", Kind::Undecided, asks);
        }
        for (pattern, at) in &group.patterns {
            holds &= self.keep_others(&groups, group, Some(pattern), *at);
        }
        if let Some(others) = group.others {
            holds &= self.keep_others(&groups, group, None, others);
        }
        holds
    }

    /// True when members whose names nobody mentions fit `right`: those that match `pattern`, or those
    /// that match no pattern of `group`.
    fn keep_others(
        &mut self,
        left: &[Members<'a>],
        group: &Members<'a>,
        pattern: Option<&str>,
        right: At,
    ) -> bool {
        if self.is_anything(right) {
            return true;
        }
        let taken = group.all_patterns();
        let mut all = Conjunction::of([]);
        for one in left {
            let own = one.patterns.iter().find(|(it, _)| Some(*it) == pattern);
            let free: Vec<&str> = match pattern {
                Some(_) => one.all_patterns(),
                None => one
                    .all_patterns()
                    .into_iter()
                    .filter(|it| !taken.contains(it))
                    .collect(),
            };
            match own {
                Some((_, at)) => all.add(*at),
                None if free.is_empty() => one.others.into_iter().for_each(|at| all.add(at)),
                None => {}
            }
        }
        if self.probe(|it| it.inside("*", |it| it.is_within(&all, right))) {
            return true;
        }
        // Whichever of a schema's own rules it falls under, it fits.
        for one in left {
            let Some(others) = one.others else { continue };
            let own = one.patterns.iter().map(|(_, at)| *at).chain([others]);
            let own: Vec<At> = own.collect();
            let is_complete = one.all_patterns().len() == one.patterns.len();
            if is_complete
                && own.into_iter().all(|at| {
                    let alone = Conjunction::of([at]);
                    self.probe(|it| it.inside("*", |it| it.is_within(&alone, right)))
                })
            {
                return true;
            }
        }
        self.inside("*", |it| it.is_within(&all, right))
    }
}

/// The strings of a list.
pub(super) fn strings(list: Option<&Value>) -> impl Iterator<Item = &str> {
    let items = list.and_then(Value::as_array).into_iter().flatten();
    items.filter_map(Value::as_str)
}

fn pairs(map: Option<&Value>) -> impl Iterator<Item = (&str, &Value)> {
    let fields = map.and_then(Value::as_object).into_iter().flatten();
    fields.map(|(name, value)| (name.as_str(), value))
}
