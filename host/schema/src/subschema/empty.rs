//! Whether no value at all can have a shape. "No" may also mean that this was not found out.

use super::numbers::{End, truncates};
use super::shape::{Conjunction, Shape, Type};
use super::{At, Checker, LEVELS_MAX};

/// Items by position that are looked at.
const ITEMS_MAX: u64 = 16;

impl<'a> Checker<'_, 'a> {
    /// True when no value of the shape fits the schema at `at`.
    pub(super) fn is_apart(&mut self, shape: &Shape<'a>, at: At) -> bool {
        self.has_none(&shape.all.with(at))
    }

    /// True when no value fits.
    pub(super) fn has_none(&mut self, all: &Conjunction) -> bool {
        if self.path.len() > LEVELS_MAX {
            return false;
        }
        let shapes = self.shapes(all);
        let answer = self.deeper(|it| {
            shapes.iter().all(|shape| {
                if shape.values.is_some() {
                    return it.is_empty(shape);
                }
                shape.by_type().iter().all(|one| it.is_empty(one))
            })
        });
        answer == Some(true)
    }

    /// True when no value has a shape of one type, or of listed values.
    pub(super) fn is_empty(&mut self, shape: &Shape<'a>) -> bool {
        if !self.spend() {
            return false;
        }
        if let Some(values) = &shape.values {
            return values.iter().all(|value| !self.may_have(shape, value));
        }
        let is_impossible = if shape.is(Type::Whole) {
            let least = self
                .limits(shape, End::Least)
                .filter_map(|it| it.whole(End::Least))
                .max();
            let most = self
                .limits(shape, End::Most)
                .filter_map(|it| it.whole(End::Most))
                .min();
            least.zip(most).is_some_and(|(least, most)| least > most)
        } else if shape.is(Type::Fraction) {
            let mut factors = shape
                .all
                .nodes
                .iter()
                .filter_map(|at| self.node(*at).keyword("multipleOf"));
            let mut least = self.limits(shape, End::Least);
            factors.any(truncates)
                || least.any(|least| {
                    self.limits(shape, End::Most)
                        .any(|most| least.excludes(most))
                })
        } else if shape.is(Type::Text) {
            let most = self.counts(shape, "maxLength").min();
            let least = self.counts(shape, "minLength").max().unwrap_or(0);
            most.is_some_and(|most| least > most)
        } else if shape.is(Type::Array) {
            let (least, most) = self.length(shape);
            most.is_some_and(|most| least > most)
                || (0..least.min(ITEMS_MAX)).any(|index| {
                    let index = usize::try_from(index).unwrap_or(usize::MAX);
                    let item = self.item(shape, index);
                    self.inside("*", |it| it.has_none(&item))
                })
        } else {
            let required = self.required(shape);
            let most = self.counts(shape, "maxProperties").min();
            most.is_some_and(|most| required.len() as u64 > most)
                || required.iter().any(|name| {
                    let member = self.member(shape, name);
                    self.inside(name, |it| it.has_none(&member))
                })
        };
        is_impossible || self.is_excluded(shape)
    }

    /// True when every value of the shape fits one of the schemas that mustn't hold.
    fn is_excluded(&mut self, shape: &Shape<'a>) -> bool {
        if self.is_excluding {
            return false;
        }
        self.is_excluding = true;
        let nots = shape.all.nots.clone();
        let is_excluded = nots
            .into_iter()
            .any(|not| self.probe(|it| it.is_within(&shape.all, not)));
        self.is_excluding = false;
        is_excluded
    }
}
