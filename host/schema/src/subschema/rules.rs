//! What one keyword on the right asks of a shape of one type on the left.

use serde_json::Value;

use super::groups::Unevaluated;
use super::numbers::{End, Limit, count, is_multiple};
use super::shape::{Shape, Type, Types};
use super::{At, Checker, Kind};

/// Keywords that say nothing about which values fit.
const SILENT: [&str; 19] = [
    "$anchor",
    "$comment",
    "$defs",
    "$dynamicAnchor",
    "$id",
    "$schema",
    "$vocabulary",
    "contentEncoding",
    "contentMediaType",
    "contentSchema",
    "default",
    "definitions",
    "deprecated",
    "description",
    "example",
    "examples",
    "readOnly",
    "title",
    "writeOnly",
];
/// Formats that the validator asserts. It ignores all others.
const FORMATS: [&str; 19] = [
    "date",
    "date-time",
    "duration",
    "email",
    "hostname",
    "idn-email",
    "idn-hostname",
    "ipv4",
    "ipv6",
    "iri",
    "iri-reference",
    "json-pointer",
    "regex",
    "relative-json-pointer",
    "time",
    "uri",
    "uri-reference",
    "uri-template",
    "uuid",
];
/// Keywords that the validator asserts and that are not compared.
const OPAQUE: [&str; 2] = ["additionalItems", "dependencies"];

/// True for a keyword that says nothing about which values fit.
pub(super) fn is_silent(keyword: &str) -> bool {
    SILENT.contains(&keyword)
}

impl<'a> Checker<'_, 'a> {
    /// True when values of a shape of one type keep the schema at `right`.
    pub(super) fn keeps(&mut self, shape: &Shape<'a>, right: At) -> bool {
        let node = self.node(right);
        if self.is_anything(right) || self.has_twin(shape, right) {
            return true;
        }
        if node.value == &Value::Bool(false) {
            let asks = "nothing here".to_owned();
            return self.fail(&shape.all, right, "", Kind::Property, asks);
        }
        if !self.spend() {
            let asks = "less to compare".to_owned();
            return self.fail(&shape.all, right, "", Kind::Undecided, asks);
        }
        if let Some(allowed) = node.keyword("type") {
            let allowed = Types::of(allowed);
            if !Type::ALL
                .iter()
                .all(|one| !shape.is(*one) || allowed.has(*one))
            {
                let asks = format!("the type {}", node.keyword("type").unwrap_or(&Value::Null));
                // Its other keywords are about other types.
                return self.fail(&shape.all, right, "type", Kind::Type, asks);
            }
        }
        let mut holds = true;
        for keyword in ["enum", "const"] {
            if node.keyword(keyword).is_some() {
                let asks = "one of the listed values".to_owned();
                holds &= self.fail(&shape.all, right, keyword, Kind::Values, asks);
            }
        }
        let same = self.deeper(|it| {
            let all = node.list("allOf").iter().copied().chain(node.target);
            let all = all.fold(true, |holds, id| holds & it.keeps(shape, right.to(id)));
            all & it.keeps_alternatives(shape, right)
        });
        holds &= same.unwrap_or_else(|| {
            let asks = "a schema that nests less to compare".to_owned();
            self.fail(&shape.all, right, "", Kind::Undecided, asks)
        });
        holds &= self.keeps_opaque(shape, right);
        holds &= if shape.is(Type::Whole) || shape.is(Type::Fraction) {
            self.keeps_numbers(shape, right)
        } else if shape.is(Type::Text) {
            self.keeps_text(shape, right)
        } else if shape.is(Type::Array) {
            self.keeps_items(shape, right)
        } else {
            self.keeps_members(shape, right)
        };
        holds
    }

    /// True when a schema on the left says word for word what `right` says. Without references, for they
    /// may lead elsewhere.
    fn has_twin(&self, shape: &Shape<'a>, right: At) -> bool {
        let value = self.node(right).value;
        let mut nodes = shape.all.nodes.iter();
        nodes.any(|at| *at == right || (self.node(*at).value == value && !refers(value)))
    }

    fn keeps_alternatives(&mut self, shape: &Shape<'a>, right: At) -> bool {
        let node = self.node(right);
        let mut holds = true;
        let all = |keyword: &str| -> Vec<At> {
            node.list(keyword).iter().map(|id| right.to(*id)).collect()
        };
        let asks = "one of several alternatives".to_owned();
        let any = all("anyOf");
        if !any.is_empty() && !any.iter().any(|at| self.probe(|it| it.keeps(shape, *at))) {
            holds &= self.fail(&shape.all, right, "anyOf", Kind::Alternatives, asks.clone());
        }
        let one = all("oneOf");
        let is_only = |it: &mut Self, at: &At| {
            it.keeps(shape, *at)
                && one
                    .iter()
                    .all(|other| other == at || it.is_apart(shape, *other))
        };
        if !one.is_empty() && !one.iter().any(|at| self.probe(|it| is_only(it, at))) {
            holds &= self.fail(&shape.all, right, "oneOf", Kind::Alternatives, asks);
        }
        if let Some(not) = node.one("not").map(|id| right.to(id))
            && !self.probe(|it| it.is_apart(shape, not))
        {
            let asks = "values of another form".to_owned();
            holds &= self.fail(&shape.all, right, "not", Kind::Rule, asks);
        }
        if let Some(condition) = node.one("if").map(|id| right.to(id)) {
            if let Some(id) = node.one("then") {
                let left = shape.all.with(condition);
                holds &= self.is_within(&left, right.to(id));
            }
            if let Some(id) = node.one("else") {
                let left = shape.all.without(condition);
                holds &= self.is_within(&left, right.to(id));
            }
        }
        holds
    }

    /// True when the keywords that are not compared are on the left as well, word for word.
    fn keeps_opaque(&mut self, shape: &Shape<'a>, right: At) -> bool {
        let node = self.node(right);
        let mut holds = true;
        for keyword in OPAQUE {
            let Some(value) = node.keyword(keyword) else {
                continue;
            };
            let mut nodes = shape.all.nodes.iter();
            let is_said = nodes.any(|at| self.node(*at).keyword(keyword) == Some(value));
            if !is_said || refers(value) {
                let asks = format!("what `{keyword}` says");
                holds &= self.fail(&shape.all, right, keyword, Kind::Undecided, asks);
            }
        }
        let is_dependent = [
            (
                "unevaluatedProperties",
                Type::Object,
                matches!(self.unevaluated_members(right), Some(Unevaluated::Depends)),
            ),
            (
                "unevaluatedItems",
                Type::Array,
                matches!(self.unevaluated_items(right), Some(Unevaluated::Depends)),
            ),
        ];
        for (keyword, of, depends) in is_dependent {
            let says = node
                .one(keyword)
                .is_some_and(|id| !self.is_anything(right.to(id)));
            if depends && says && shape.is(of) {
                let asks = format!("what `{keyword}` says");
                holds &= self.fail(&shape.all, right, keyword, Kind::Undecided, asks);
            }
        }
        holds
    }

    fn keeps_numbers(&mut self, shape: &Shape<'a>, right: At) -> bool {
        let node = self.node(right);
        let mut holds = true;
        for (keyword, is_exclusive, end) in BOUNDS {
            let Some(limit) = node
                .keyword(keyword)
                .and_then(|it| Limit::of(it, is_exclusive))
            else {
                continue;
            };
            let mut known = self.limits(shape, end);
            let is_kept = if shape.is(Type::Whole)
                && let Some(asked) = limit.whole(end)
            {
                known.filter_map(|it| it.whole(end)).any(|known| match end {
                    End::Least => known >= asked,
                    End::Most => known <= asked,
                })
            } else {
                known.any(|known| known.is_within(limit, end))
            };
            if !is_kept {
                let word = if end == End::Least { "least" } else { "most" };
                let asks = format!(
                    "at {word} {}",
                    node.keyword(keyword).unwrap_or(&Value::Null)
                );
                holds &= self.fail(&shape.all, right, keyword, Kind::Bound, asks);
            }
        }
        if let Some(factor) = node.keyword("multipleOf") {
            let nodes = shape.all.nodes.iter();
            let mut known = nodes.filter_map(|at| self.node(*at).keyword("multipleOf"));
            let is_kept = known.any(|known| is_multiple(known, factor))
                || (shape.is(Type::Whole) && is_multiple(&Value::from(1), factor));
            if !is_kept {
                let asks = format!("a multiple of {factor}");
                holds &= self.fail(&shape.all, right, "multipleOf", Kind::Rule, asks);
            }
        }
        holds
    }

    /// How far numbers of a shape go towards one end.
    pub(super) fn limits(
        &self,
        shape: &Shape<'a>,
        end: End,
    ) -> impl Iterator<Item = Limit<'a>> + use<'a> {
        let mut limits = Vec::new();
        for at in &shape.all.nodes {
            for (keyword, is_exclusive, _) in BOUNDS.into_iter().filter(|it| it.2 == end) {
                let value = self.node(*at).keyword(keyword);
                limits.extend(value.and_then(|it| Limit::of(it, is_exclusive)));
            }
        }
        limits.into_iter()
    }

    fn keeps_text(&mut self, shape: &Shape<'a>, right: At) -> bool {
        let node = self.node(right);
        let mut holds = true;
        if let Some(asked) = node.keyword("minLength") {
            let known = self.counts(shape, "minLength").max().unwrap_or(0);
            if count(asked).is_none_or(|asked| known < asked) {
                let asks = format!("at least {asked} characters");
                holds &= self.fail(&shape.all, right, "minLength", Kind::Bound, asks);
            }
        }
        if let Some(asked) = node.keyword("maxLength") {
            let known = self.counts(shape, "maxLength").min();
            if known
                .zip(count(asked))
                .is_none_or(|(known, asked)| known > asked)
            {
                let asks = format!("at most {asked} characters");
                holds &= self.fail(&shape.all, right, "maxLength", Kind::Bound, asks);
            }
        }
        for keyword in ["pattern", "format"] {
            let Some(asked) = node.keyword(keyword) else {
                continue;
            };
            let is_ignored = keyword == "format"
                && asked
                    .as_str()
                    .is_none_or(|format| !FORMATS.contains(&format));
            let mut nodes = shape.all.nodes.iter();
            let is_said = nodes.any(|at| self.node(*at).keyword(keyword) == Some(asked));
            if !is_said && !is_ignored {
                let asks = format!("the {keyword} {asked}");
                holds &= self.fail(&shape.all, right, keyword, Kind::Rule, asks);
            }
        }
        holds
    }

    /// True when every listed value that a shape has fits the schema at `right`.
    pub(super) fn are_values_within(&mut self, shape: &Shape<'a>, right: At) -> bool {
        let pointer = self.node(right).pointer.clone();
        for value in shape.values.iter().flatten() {
            if !self.spend() {
                let asks = "fewer listed values".to_owned();
                return self.fail(&shape.all, right, "", Kind::Undecided, asks);
            }
            let fits = self.exact.fits(right, &pointer, value);
            if fits != Some(true) && self.may_have(shape, value) {
                let types = self.node(right).keyword("type").map(Types::of);
                let is_foreign = types.is_some_and(|types| !types.has_value(value));
                let (kind, keyword) = if is_foreign {
                    (Kind::Type, "type")
                } else {
                    (Kind::Values, "")
                };
                let asks = format!("values other than {value}");
                return self.fail(&shape.all, right, keyword, kind, asks);
            }
        }
        true
    }

    /// False when a schema of the shape refuses a value.
    pub(super) fn may_have(&mut self, shape: &Shape<'a>, value: &Value) -> bool {
        let mut ask = |at: &At| {
            let pointer = self.node(*at).pointer.clone();
            self.exact.fits(*at, &pointer, value)
        };
        shape.all.types.has_value(value)
            && shape.all.nodes.iter().all(|at| ask(at) != Some(false))
            && shape.all.nots.iter().all(|at| ask(at) != Some(true))
    }
}

const BOUNDS: [(&str, bool, End); 4] = [
    ("minimum", false, End::Least),
    ("exclusiveMinimum", true, End::Least),
    ("maximum", false, End::Most),
    ("exclusiveMaximum", true, End::Most),
];

/// True when there is a reference anywhere inside.
fn refers(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().any(refers),
        Value::Object(fields) => fields.contains_key("$ref") || fields.values().any(refers),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use cofferdam_types::Payload;
    use serde_json::json;

    use super::*;
    use crate::{Bounds, Schema};

    /// True when some text breaks the format.
    fn is_asserted(format: &str) -> bool {
        let schema = Schema::compile(&Payload::from(json!({"format": format})), &Bounds::DERIVED);
        let schema = schema.expect("a schema");
        let texts = ["", "%zz", "(", "{", "a b", "\\"];
        texts
            .iter()
            .any(|text| !schema.is_valid(&Payload::from(json!(text))))
    }

    #[test]
    fn the_formats_that_are_compared_are_those_that_are_asserted() {
        for format in FORMATS {
            assert!(is_asserted(format), "{format}");
        }
        for format in [
            "uint8",
            "int64",
            "float",
            "double",
            "password",
            "byte",
            "binary",
            "color",
            "host-name",
            "ip-address",
            "unknown",
            "Date",
        ] {
            assert!(!is_asserted(format), "{format}");
        }
    }
}
