//! Schemas by chance: tangled ones that use every keyword, and plain ones as tools have them.

use serde_json::{Map, Value, json};

/// A source of chance that gives the same from the same seed.
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15))
    }

    /// SplitMix64.
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Less than `end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).expect("less than a size")
    }

    /// True in so many of a hundred cases.
    pub(crate) fn percent(&mut self, percent: u64) -> bool {
        self.next() % 100 < percent
    }

    pub(crate) fn pick<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len())]
    }

    pub(crate) fn number(&mut self) -> i32 {
        i32::try_from(self.below(9)).expect("small") - 3
    }
}

/// The number, written as a whole one if it is.
pub(crate) fn written(number: f64) -> Value {
    #[expect(clippy::cast_possible_truncation, reason = "all are small")]
    let whole = number as i64;
    if number.fract() == 0.0 {
        json!(whole)
    } else {
        json!(number)
    }
}

pub(crate) const NAMES: [&str; 6] = ["a", "b", "c", "ab", "x1", "y"];
const PATTERNS: [&str; 4] = ["^a", "[0-9]", "^[a-c]$", "b"];
const FORMATS: [&str; 3] = ["date", "ipv4", "uint8"];
const TYPES: [&str; 7] = [
    "null", "boolean", "integer", "number", "string", "array", "object",
];

/// A small value of any type.
pub(crate) fn value(chance: &mut Chance) -> Value {
    match chance.below(12) {
        0 => json!(null),
        1 => json!(chance.percent(50)),
        2 | 3 => json!(chance.number()),
        4 => json!(f64::from(chance.number()) + 0.5),
        5 => json!(2.0),
        6 | 7 => json!(*chance.pick(&["", "a", "ab", "b1", "abc", "2020-01-01", "1.2.3.4"])),
        8 => json!([]),
        9 => json!([chance.number(), *chance.pick(&NAMES)]),
        10 => json!({}),
        _ => json!({*chance.pick(&NAMES): chance.number()}),
    }
}

/// A whole document: a schema, and three more that references may lead to.
pub(crate) fn document(chance: &mut Chance) -> Value {
    let mut document = schema(chance, 3);
    let mut defs = Map::new();
    for name in ["p", "q", "r"] {
        defs.insert(name.to_owned(), schema(chance, 2));
    }
    if let Some(keywords) = document.as_object_mut() {
        keywords.insert("$defs".to_owned(), Value::Object(defs));
    }
    document
}

/// A schema with any keywords.
pub(crate) fn schema(chance: &mut Chance, depth: usize) -> Value {
    if chance.percent(6) {
        return json!(chance.percent(60));
    }
    let mut keywords = Map::new();
    if chance.percent(75) {
        keywords.insert("type".to_owned(), types(chance));
    }
    for _ in 0..=chance.below(4) {
        let kind = keywords
            .get("type")
            .and_then(Value::as_str)
            .map(str::to_owned);
        let (keyword, value) = fitting(chance, kind.as_deref(), depth);
        keywords.insert(keyword.to_owned(), value);
    }
    Value::Object(keywords)
}

fn types(chance: &mut Chance) -> Value {
    let one = *chance.pick(&TYPES[2..]);
    if chance.percent(75) {
        return json!(one);
    }
    let other = *chance.pick(&TYPES);
    if one == other {
        json!(one)
    } else {
        json!([one, other])
    }
}

/// The type of values that a keyword is about, if it is about one.
pub(crate) fn about(keyword: &str) -> Option<&'static str> {
    match keyword {
        "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" | "multipleOf" => {
            Some("number")
        }
        "minLength" | "maxLength" | "pattern" | "format" => Some("string"),
        "items" | "prefixItems" | "contains" | "minItems" | "maxItems" | "uniqueItems"
        | "unevaluatedItems" | "minContains" | "maxContains" => Some("array"),
        "properties"
        | "patternProperties"
        | "additionalProperties"
        | "required"
        | "propertyNames"
        | "minProperties"
        | "maxProperties"
        | "dependentRequired"
        | "dependentSchemas"
        | "unevaluatedProperties" => Some("object"),
        _ => None,
    }
}

/// A keyword that is likely to matter for the values of `kind`.
fn fitting(chance: &mut Chance, kind: Option<&str>, depth: usize) -> (&'static str, Value) {
    let kind = if kind == Some("integer") {
        Some("number")
    } else {
        kind
    };
    for _ in 0..8 {
        let (keyword, value) = keyword(chance, depth);
        if kind.is_none() || about(keyword).is_none() || about(keyword) == kind {
            return (keyword, value);
        }
    }
    keyword(chance, depth)
}

/// A keyword and what it says.
pub(crate) fn keyword(chance: &mut Chance, depth: usize) -> (&'static str, Value) {
    if depth == 0 || chance.percent(40) {
        return plain(chance);
    }
    let below = depth - 1;
    let list = |chance: &mut Chance, least: usize| {
        let count = least + chance.below(3);
        Value::from(
            (0..count)
                .map(|_| schema(chance, below))
                .collect::<Vec<_>>(),
        )
    };
    let named = |chance: &mut Chance, names: &[&str]| {
        let count = 1 + chance.below(3);
        let fields = (0..count).map(|_| (chance.pick(names).to_string(), schema(chance, below)));
        Value::Object(fields.collect())
    };
    match chance.below(24) {
        0..=4 => ("properties", named(chance, &NAMES)),
        5 => ("patternProperties", named(chance, &PATTERNS)),
        6 => ("additionalProperties", json!(false)),
        7 => ("additionalProperties", schema(chance, below)),
        8 | 9 => ("items", schema(chance, below)),
        10 => ("prefixItems", list(chance, 1)),
        11 | 12 => ("anyOf", list(chance, 1)),
        13 => ("oneOf", list(chance, 1)),
        14 => ("allOf", list(chance, 1)),
        15 => ("not", schema(chance, below)),
        16 => ("if", schema(chance, below)),
        17 => ("then", schema(chance, below)),
        18 => ("else", schema(chance, below)),
        19 => ("contains", schema(chance, below)),
        20 => ("propertyNames", schema(chance, 0)),
        21 => ("dependentSchemas", named(chance, &NAMES)),
        22 => (
            *chance.pick(&["unevaluatedProperties", "unevaluatedItems"]),
            schema(chance, 0),
        ),
        _ => (
            "$ref",
            json!(format!("#/$defs/{}", chance.pick(&["p", "q", "r"]))),
        ),
    }
}

/// A keyword without schemas.
fn plain(chance: &mut Chance) -> (&'static str, Value) {
    let count = chance.below(4);
    let half = json!(f64::from(chance.number()) + 0.5);
    let number = if chance.percent(25) {
        half
    } else {
        json!(chance.number())
    };
    match chance.below(25) {
        0 | 1 => ("minimum", number),
        2 | 3 => ("maximum", number),
        4 => ("exclusiveMinimum", number),
        5 => ("exclusiveMaximum", number),
        6 => (
            "multipleOf",
            chance
                .pick(&[json!(1), json!(2), json!(4), json!(0.5)])
                .clone(),
        ),
        7 => ("minLength", json!(count)),
        8 => ("maxLength", json!(count)),
        9 => ("pattern", json!(chance.pick(&PATTERNS))),
        10 => ("format", json!(chance.pick(&FORMATS))),
        11 => ("minItems", json!(count)),
        12 => ("maxItems", json!(count)),
        13 => ("uniqueItems", json!(chance.percent(80))),
        14 => ("minProperties", json!(count)),
        15 => ("maxProperties", json!(count)),
        16 | 17 => ("required", json!([chance.pick(&NAMES)])),
        18 => (
            "dependentRequired",
            json!({*chance.pick(&NAMES): [chance.pick(&NAMES)]}),
        ),
        19 => ("minContains", json!(count)),
        20 => ("maxContains", json!(count)),
        21 => ("const", value(chance)),
        22 => ("description", json!("words")),
        _ => ("enum", json!([value(chance), value(chance)])),
    }
}

/// A schema as a tool has it: closed objects, lists, enumerations, bounds, a type that names itself.
pub(crate) fn tool(chance: &mut Chance) -> Value {
    let mut schema = object(chance, 3);
    schema["$defs"] = json!({
        "tree": {
            "type": "object", "additionalProperties": false, "required": ["value"],
            "properties": {"value": part(chance, 0), "next": {"$ref": "#/$defs/tree"}},
        },
        "word": {"type": "string", "minLength": 1, "maxLength": 8, "pattern": "^a"},
    });
    schema
}

fn object(chance: &mut Chance, depth: usize) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for name in &NAMES[..=chance.below(4)] {
        properties.insert((*name).to_owned(), part(chance, depth - 1));
        if chance.percent(50) {
            required.push(*name);
        }
    }
    json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false})
}

fn part(chance: &mut Chance, depth: usize) -> Value {
    let kinds = if depth == 0 { 6 } else { 13 };
    match chance.below(kinds) {
        0 => json!({"type": "integer", "minimum": 0, "maximum": 9, "format": "uint8"}),
        1 => json!({"type": "number", "exclusiveMinimum": 0.5}),
        2 => json!({"type": "string", "minLength": 1, "maxLength": 5}),
        3 => json!({"type": "boolean"}),
        4 => json!({"type": "string", "enum": ["a", "b"]}),
        5 => json!({"type": ["string", "null"], "pattern": "^a"}),
        6 => {
            json!({"type": "array", "items": part(chance, depth - 1), "minItems": 1, "maxItems": 3, "uniqueItems": true})
        }
        7 => json!({"anyOf": [part(chance, depth - 1), {"type": "null"}]}),
        8 => object(chance, depth),
        9 => json!({"$ref": *chance.pick(&["#/$defs/tree", "#/$defs/word"])}),
        10 => {
            json!({"type": "array", "prefixItems": [part(chance, 0), part(chance, 0)], "items": false, "minItems": 2})
        }
        11 => json!({"type": "object", "additionalProperties": part(chance, depth - 1)}),
        _ => json!({"oneOf": [
            {"type": "object", "properties": {"kind": {"const": "a"}, "one": part(chance, 0)}, "required": ["kind"], "additionalProperties": false},
            {"type": "object", "properties": {"kind": {"const": "b"}, "two": part(chance, 0)}, "required": ["kind"], "additionalProperties": false},
        ]}),
    }
}
