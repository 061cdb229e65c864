//! Schemas and values made to cost more than they are worth. What is bounded is counted in steps;
//! where a test looks at the clock, what it looks for would take years.

use std::time::{Duration, Instant};

use cofferdam_schema::{Bounds, Schema};
use cofferdam_types::Payload;
use proptest::prelude::*;
use serde_json::{Value, json};

/// Longest that anything here may take. Each takes a second at most on a machine with nothing else to do.
const AT_ONCE: Duration = Duration::from_mins(2);

fn compile(schema: &Value) -> Result<Schema, String> {
    let schema = Schema::compile(&Payload::from(schema.clone()), &Bounds::DERIVED);
    schema.map_err(|fault| format!("{}: {}", fault.pointer, fault.reason))
}

fn refused(schema: &Value, reason: &str) {
    let start = Instant::now();
    let error = compile(schema).err().unwrap_or_default();
    assert!(
        error.contains(reason),
        "{reason:?} was expected, got {error:?}"
    );
    assert!(start.elapsed() < AT_ONCE);
}

/// The faults of a value, found at once.
fn faults(schema: &Schema, value: Value) -> Vec<String> {
    let value = Payload::from(value);
    let start = Instant::now();
    let faults = schema.faults(&value);
    assert_eq!(faults.is_empty(), schema.is_valid(&value));
    assert!(start.elapsed() < AT_ONCE, "{:?}", start.elapsed());
    faults.into_iter().map(|fault| fault.reason).collect()
}

fn nested(levels: usize, inner: Value, wrap: impl Fn(Value) -> Value) -> Value {
    (0..levels).fold(inner, |value, _| wrap(value))
}

/// IN-03: a reference that leads back to itself for the same value, alone, with others, and through
/// every keyword that applies a schema to the same value.
#[test]
fn references_in_a_circle_are_refused() {
    let back = json!({"$ref": "#/$defs/a"});
    for a in [
        back.clone(),
        json!({"allOf": [back]}),
        json!({"anyOf": [true, back]}),
        json!({"oneOf": [back]}),
        json!({"not": back}),
        json!({"if": back}),
        json!({"then": back}),
        json!({"else": back}),
        json!({"dependentSchemas": {"x": back}}),
        json!({"dependencies": {"x": back}}),
        json!({"$ref": "#/$defs/b"}),
        json!({"$ref": "#/$defs/b", "properties": {"x": {"$ref": "#/$defs/b"}}}),
    ] {
        let defs = json!({"a": a, "b": {"allOf": [{"$ref": "#/$defs/a"}]}});
        refused(
            &json!({"$ref": "#/$defs/a", "$defs": defs}),
            "back to itself",
        );
        refused(&json!({"$defs": defs}), "back to itself");
    }
    let tree = json!({"items": {"$ref": "#"}, "properties": {"x": {"$ref": "#"}}});
    assert!(compile(&tree).is_ok(), "with a step into the value it ends");
}

/// IN-03: references that would have to be fetched, from the network or the disk, however they are written.
#[test]
fn nothing_is_fetched() {
    for reference in [
        "http://127.0.0.1/x.json",
        "https://json-schema.org/draft/2020-12/schema",
        "//127.0.0.1/x",
        "file:///etc/passwd",
        "/etc/passwd",
        "other.json#/a",
        "urn:x:y",
    ] {
        refused(&json!({"$ref": reference}), "leads out");
        refused(
            &json!({"$defs": {"unused": {"$ref": reference}}}),
            "leads out",
        );
    }
    let based = json!({"$id": "file:///etc/", "properties": {"x": {"$ref": "passwd"}}});
    refused(&based, "leads out");
    refused(
        &json!({"$schema": "http://127.0.0.1/dialect"}),
        "schemas are written in",
    );
    let inner =
        json!({"$defs": {"x": {"$id": "http://a/b", "$schema": "http://127.0.0.1/dialect"}}});
    refused(&inner, "schemas are written in");
}

/// IN-04: large schemas and deep ones.
#[test]
fn size_and_nesting_are_bounded() {
    refused(&json!({"enum": ["x".repeat(10 << 20)]}), "larger than");
    for (open, close) in [
        ("{\"allOf\": [", "]}"),
        ("{\"anyOf\": [", "]}"),
        ("{\"not\": ", "}"),
        ("{\"items\": ", "}"),
    ] {
        let deep = |levels| format!("{}{{}}{}", open.repeat(levels), close.repeat(levels));
        let read = serde_json::from_str::<Payload>(&deep(10_000));
        assert!(read.is_err(), "no reader takes it");
        let deep: Value = serde_json::from_str(&deep(63)).expect("JSON");
        let error = compile(&deep).err().unwrap_or_default();
        let expected = match open {
            "{\"items\": " => "",
            "{\"not\": " => "stand in each other",
            _ => "nests deeper",
        };
        assert!(error.contains(expected), "{error}");
        assert_eq!(error.is_empty(), expected.is_empty(), "{error}");
    }
    // As deep, but written flat.
    for keyword in ["allOf", "items"] {
        let mut defs = json!({"a10000": true});
        for level in 0..10_000 {
            let next = json!({"$ref": format!("#/$defs/a{}", level + 1)});
            let inner = if keyword == "items" {
                next
            } else {
                json!([next])
            };
            defs[format!("a{level}")] = json!({keyword: inner});
        }
        let bounds = Bounds {
            bytes_max: 1 << 20,
            ..Bounds::DERIVED
        };
        let schema = Payload::from(json!({"$ref": "#/$defs/a0", "$defs": defs}));
        let fault = Schema::compile(&schema, &bounds).err().expect("too long");
        assert!(
            fault.reason.contains("stand in each other"),
            "{}",
            fault.reason
        );
    }
}

/// IN-04: a few definitions that each name the next one twice, and references whose target is found while checking.
#[test]
fn what_multiplies_is_refused() {
    for keyword in ["anyOf", "allOf", "oneOf"] {
        let mut defs = json!({"a30": false});
        for level in 0..30 {
            let next = json!({"$ref": format!("#/$defs/a{}", level + 1)});
            defs[format!("a{level}")] = json!({"items": {keyword: [next, next]}});
        }
        refused(&json!({"$ref": "#/$defs/a0", "$defs": defs}), "written out");
    }
    let dynamic = json!({"items": {"$dynamicRef": "#n"}});
    let dynamic = json!({"$dynamicAnchor": "n", "anyOf": [dynamic, dynamic]});
    refused(&dynamic, "not supported");
    refused(&json!({"$recursiveRef": "#"}), "not supported");
    // A name that changes what a reference is relative to doesn't hide what it leads to.
    let mut defs = json!({"a30": false});
    for level in 0..30 {
        let next = json!({"$ref": format!("a{}", level + 1)});
        defs[format!("a{level}")] =
            json!({"$id": format!("a{level}"), "items": {"anyOf": [next, next]}});
    }
    defs["a30"] = json!({"$id": "a30"});
    refused(
        &json!({"$id": "urn:x", "$ref": "a0", "$defs": defs}),
        "not a URI",
    );
    refused(
        &json!({"$id": "http://x/y", "$ref": "a0", "$defs": defs}),
        "written out",
    );
}

/// IN-04: a schema that names itself several times at each level, and a value of many levels that fits nowhere.
#[test]
fn recursion_that_multiplies_takes_no_longer_than_its_value_is_large() {
    let node = json!({"$ref": "#"});
    let shaped =
        |word: &str| json!({"properties": {"next": node, word: {"const": 1}}, "required": [word]});
    for schema in [
        json!({"anyOf": [shaped("a"), shaped("b"), shaped("c")]}),
        json!({"oneOf": [shaped("a"), shaped("b"), shaped("c")]}),
        json!({"allOf": [shaped("a"), shaped("b"), shaped("c")]}),
        json!({"if": shaped("a"), "then": shaped("b"), "else": shaped("c")}),
        json!({"not": {"not": shaped("a")}, "allOf": [{"not": {"not": shaped("a")}}]}),
        json!({"patternProperties": {"n": node, "^next$": node}, "required": ["a"]}),
        json!({"unevaluatedProperties": node, "anyOf": [shaped("a"), shaped("b")]}),
        json!({"dependentSchemas": {"next": shaped("a")}, "properties": {"next": node}}),
    ] {
        let schema = compile(&schema).expect("a schema");
        for levels in [1, 4, 12, 24, 62] {
            let value = nested(levels, json!({}), |inner| json!({"next": inner}));
            assert!(!faults(&schema, value).is_empty());
        }
    }
}

/// IN-04: many rules for each of many items: refused by count before a rule is checked.
#[test]
fn many_rules_for_many_items_are_not_begun() {
    let rules: Vec<Value> = (0..10_000).map(|n| json!({"minimum": -n})).collect();
    let schema = compile(&json!({"items": {"allOf": rules}})).expect("a schema");
    assert_eq!(faults(&schema, json!([1, 2, 3])), [""; 0]);
    let many = Value::from(vec![1; 100_000]);
    assert_eq!(
        faults(&schema, many),
        ["too large to be checked against its schema"]
    );
    let many = Value::from(vec![1; 100_000]);
    let plain = compile(&json!({"items": {"minimum": 0}})).expect("a schema");
    assert_eq!(faults(&plain, many), [""; 0]);
}

/// IN-05: patterns that run away by going back, that look around, and that are long.
#[test]
fn patterns_are_linear_or_refused() {
    for pattern in [
        "(?=a)b",
        "(?<=a)b",
        "(?<!a)b",
        "(?!a)b",
        r"(a)\1",
        r"(?P<n>a)\k<n>",
        "(?>a)",
        "(a{1000}){1000}",
        "((a{100}){100}){100}",
    ] {
        assert!(compile(&json!({"pattern": pattern})).is_err(), "{pattern}");
        assert!(
            compile(&json!({"patternProperties": {pattern: true}})).is_err(),
            "{pattern}"
        );
    }
    refused(&json!({"pattern": "a".repeat(1 << 20)}), "larger than");
    // Twice the text takes no more than some twice as long: by going back it would take for ever.
    for pattern in ["(a+)+$", "(.*a){25}", "^(a|a)*$", "^(a|aa)+$", "(x+x+)+y"] {
        let schema = compile(&json!({"pattern": pattern})).expect(pattern);
        let text = "ax".repeat(20_000) + "!";
        assert_eq!(
            faults(&schema, json!(text)).is_empty(),
            pattern == "(.*a){25}"
        );
    }
}

/// IN-06: numbers at the ends of what can be written, and a million items that must differ.
#[test]
fn odd_numbers_and_many_items_end() {
    for (schema, value, fits) in [
        (json!({"maxLength": 1_u64 << 63}), json!("a"), true),
        (json!({"minLength": 1_u64 << 63}), json!("a"), false),
        (json!({"maxItems": u64::MAX}), json!([1]), true),
        (json!({"minProperties": u64::MAX}), json!({}), false),
        (json!({"multipleOf": 1e-300}), json!(1e300), true),
        (json!({"multipleOf": 1e300}), json!(1e-300), false),
        (json!({"multipleOf": 5e-324}), json!(u64::MAX), true),
        (json!({"maximum": 1e308}), json!(i64::MIN), true),
    ] {
        let compiled = compile(&schema).expect("a schema");
        assert_eq!(
            faults(&compiled, value.clone()).is_empty(),
            fits,
            "{schema} {value}"
        );
    }
    for zero in [json!(0), json!(-1), json!("1")] {
        assert!(compile(&json!({"multipleOf": zero})).is_err());
    }
    let unique = compile(&json!({"uniqueItems": true})).expect("a schema");
    let numbers = |more: i64| (0..1_000_000).chain([more]).collect::<Vec<i64>>();
    assert_eq!(faults(&unique, Value::from(numbers(-1))), [""; 0]);
    assert_eq!(faults(&unique, Value::from(numbers(5))).len(), 1);
}

#[test]
fn a_value_as_deep_as_any_is_checked_on_a_small_stack() {
    let chain = nested(
        30,
        json!({"items": {"$ref": "#"}}),
        |inner| json!({"allOf": [inner]}),
    );
    let wide = json!({"$ref": "#/$defs/a0", "$defs": {}});
    let mut wide = wide;
    for level in 0..28 {
        wide["$defs"][format!("a{level}")] =
            json!({"anyOf": [{"$ref": format!("#/$defs/a{}", level + 1)}]});
    }
    for (schema, short) in [(chain, 30), (wide, 0)] {
        let mut schema = schema;
        if short == 0 {
            schema["$defs"]["a28"] = json!({"items": {"$ref": "#"}});
            assert!(compile(&schema).is_err(), "56 schemas of one value");
            schema["$defs"]["a14"] = json!({"items": {"$ref": "#"}, "not": {"const": 7}});
        }
        let schema = compile(&schema).expect("a schema");
        let check = move || {
            for end in [json!([]), json!(7)] {
                let value = nested(126, end, |inner| json!([inner]));
                faults(&schema, value);
            }
        };
        let thread = std::thread::Builder::new().stack_size(2 << 20).spawn(check);
        thread.expect("a thread").join().expect("no overflow");
    }
}

/// A schema with references to anywhere, most of which lead somewhere.
fn tangled() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!(true)),
        Just(json!({"type": "integer"})),
        (0..6_usize).prop_map(|n| json!({"$ref": format!("#/$defs/d{n}")})),
        (0..6_usize).prop_map(|n| json!({"$ref": format!("#a{n}")})),
        Just(json!({"$ref": "#"})),
    ];
    let inner = leaf.prop_recursive(3, 12, 3, |inner| {
        let keyword = prop::sample::select(vec!["allOf", "anyOf", "oneOf", "prefixItems"]);
        let single = prop::sample::select(vec![
            "not",
            "items",
            "additionalProperties",
            "if",
            "contains",
            "propertyNames",
        ]);
        prop_oneof![
            (keyword, prop::collection::vec(inner.clone(), 1..4))
                .prop_map(|(keyword, list)| json!({keyword: list})),
            (single, inner.clone()).prop_map(|(keyword, one)| json!({keyword: one})),
            (inner.clone(), inner).prop_map(|(a, b)| json!({"properties": {"a": a, "b": b}})),
        ]
    });
    prop::collection::vec(inner, 6).prop_map(|list| {
        let mut schema = json!({"$ref": "#/$defs/d0", "$defs": {}});
        for (n, mut one) in list.into_iter().enumerate() {
            if one.is_object() {
                one["$anchor"] = json!(format!("a{n}"));
            }
            schema["$defs"][format!("d{n}")] = one;
        }
        schema
    })
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![Just(json!(1)), Just(json!("a")), Just(json!(null))];
    leaf.prop_recursive(8, 40, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| json!({"a": a, "b": b})),
            inner.prop_map(|a| json!({"a": a})),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    /// IN-03, IN-04: whatever references lead to, a schema is refused or checks values at once.
    #[test]
    fn any_tangle_of_references_is_refused_or_works(schema in tangled(), value in any_value()) {
        if let Ok(schema) = compile(&schema) {
            faults(&schema, value);
        }
    }
}
