//! Arrays: items, their order and their number.

use serde_json::Value;

use super::numbers::count;
use super::shape::{Conjunction, Shape};
use super::{At, Checker, Kind};

impl<'a> Checker<'_, 'a> {
    /// True when arrays of a shape keep what `right` says of arrays.
    pub(super) fn keeps_items(&mut self, shape: &Shape<'a>, right: At) -> bool {
        let node = self.node(right);
        let (least, most) = self.length(shape);
        let mut holds = true;
        if let Some(asked) = node.keyword("minItems")
            && count(asked).is_none_or(|asked| least < asked)
        {
            let asks = format!("at least {asked} items");
            holds &= self.fail(&shape.all, right, "minItems", Kind::Bound, asks);
        }
        if let Some(asked) = node.keyword("maxItems")
            && most
                .zip(count(asked))
                .is_none_or(|(most, asked)| most > asked)
        {
            let asks = format!("at most {asked} items");
            holds &= self.fail(&shape.all, right, "maxItems", Kind::Bound, asks);
        }
        if node.keyword("uniqueItems") == Some(&Value::Bool(true)) {
            let unique = Some(&Value::Bool(true));
            let mut nodes = shape.all.nodes.iter();
            let is_said = nodes.any(|at| self.node(*at).keyword("uniqueItems") == unique);
            if !is_said && most.is_none_or(|most| most > 1) {
                let asks = "items that differ".to_owned();
                holds &= self.fail(&shape.all, right, "uniqueItems", Kind::Rule, asks);
            }
        }
        if node.one("contains").is_some() {
            holds &= self.keeps_contained(shape, right, most);
        }
        for items in self.items(right) {
            let known = shape.all.nodes.iter().flat_map(|at| self.items(*at));
            let known = known
                .map(|it| it.first.len().max(it.from))
                .max()
                .unwrap_or(0);
            let end = known.max(items.first.len()).max(items.from);
            for index in 0..=end {
                if most.is_some_and(|most| most <= index as u64) || !self.spend() {
                    break;
                }
                let Some(at) = items.at(index) else { continue };
                let left = self.item(shape, index);
                // From `end` on, all items are alike.
                let token = if index == end {
                    "*".to_owned()
                } else {
                    index.to_string()
                };
                holds &= self.inside(&token, |it| it.is_within(&left, at));
            }
        }
        if self.work == 0 {
            let asks = "fewer items to compare".to_owned();
            return self.fail(&shape.all, right, "", Kind::Undecided, asks);
        }
        holds
    }

    /// How many items arrays of a shape have at least, and at most.
    pub(super) fn length(&self, shape: &Shape<'a>) -> (u64, Option<u64>) {
        let least = self.counts(shape, "minItems").max().unwrap_or(0);
        let ends = shape.all.nodes.iter().flat_map(|at| self.items(*at));
        let ends = ends.filter_map(|items| {
            let others = self.node(items.others?).value;
            (others == &Value::Bool(false)).then_some(items.from as u64)
        });
        let most = self.counts(shape, "maxItems").chain(ends).min();
        (least, most)
    }

    fn keeps_contained(&mut self, shape: &Shape<'a>, right: At, most: Option<u64>) -> bool {
        let node = self.node(right);
        let Some(asked) = node.one("contains").map(|id| right.to(id)) else {
            return true;
        };
        let least = node.keyword("minContains").map_or(Some(1), count);
        let limit = node.keyword("maxContains").map(count);
        let mut has_least = least == Some(0);
        let mut has_most = match limit {
            None => true,
            Some(limit) => most.zip(limit).is_some_and(|(most, limit)| most <= limit),
        };
        let nodes = shape.all.nodes.clone();
        for at in nodes {
            let known = self.node(at);
            let Some(said) = known.one("contains").map(|id| at.to(id)) else {
                continue;
            };
            let known_least = known.keyword("minContains").map_or(Some(1), count);
            let known_most = known.keyword("maxContains").and_then(count);
            if known_least
                .zip(least)
                .is_some_and(|(known, least)| known >= least)
            {
                let alone = Conjunction::of([said]);
                has_least |= self.probe(|it| it.inside("*", |it| it.is_within(&alone, asked)));
            }
            if known_most
                .zip(limit.flatten())
                .is_some_and(|(known, limit)| known <= limit)
            {
                let alone = Conjunction::of([asked]);
                has_most |= self.probe(|it| it.inside("*", |it| it.is_within(&alone, said)));
            }
        }
        let asks = "a certain number of items of a certain form".to_owned();
        (has_least && has_most) || self.fail(&shape.all, right, "contains", Kind::Rule, asks)
    }
}
