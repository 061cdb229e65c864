//! What is accepted is true of every value that is tried, and little that is true is refused.

use std::collections::BTreeMap;

use cofferdam_schema::subschema::is_subschema;
use cofferdam_schema::{Bounds, Schema};
use cofferdam_types::Payload;
use proptest::test_runner::Config;
use serde_json::{Value, json};

use super::edits;
use super::generate::{Chance, document, tool};
use super::samples::sample;

/// Pairs of schemas that are compared, and values that are tried with each that is accepted.
const PAIRS: u64 = 10_000;
const VALUES: usize = 24;
/// Widening changes that are made.
const WIDENINGS: u64 = 3_000;
/// Pairs for the cases that the environment asks for by default.
const CASES: u64 = 256;

/// The number of cases, as `PROPTEST_CASES` scales it.
fn scaled(count: u64) -> u64 {
    count * u64::from(Config::default().cases) / CASES
}

fn is_part(sub: &Value, sup: &Value) -> bool {
    is_subschema(&Payload::from(sub.clone()), &Payload::from(sup.clone())).is_ok()
}

fn compiled(schema: &Value) -> Option<Schema> {
    Schema::compile(&Payload::from(schema.clone()), &Bounds::DERIVED).ok()
}

/// A schema as it is written and as it is checked.
type Pair<'a> = (&'a Value, &'a Schema);

/// A value that fits `sub` and breaks `sup`, if one is found.
fn witness(
    chance: &mut Chance,
    (sub, left): Pair<'_>,
    (sup, right): Pair<'_>,
) -> (usize, Option<Value>) {
    let mut fitting = 0;
    for _ in 0..VALUES {
        let near = if chance.percent(60) { sub } else { sup };
        let value = Payload::from(sample(chance, near, near, 5));
        if left.is_valid(&value) {
            fitting += 1;
            if !right.is_valid(&value) {
                return (fitting, Some(value.into_value()));
            }
        }
    }
    (fitting, None)
}

#[test]
fn what_is_accepted_holds_for_every_value_that_is_tried() {
    let (mut accepted, mut tried, mut refuted) = (0, 0, 0);
    for seed in 0..scaled(PAIRS) {
        let mut chance = Chance::new(seed);
        let sub = match seed % 4 {
            0 => tool(&mut chance),
            _ => document(&mut chance),
        };
        let mut sup = sub.clone();
        for _ in 0..=chance.below(3) {
            if chance.percent(80) {
                edits::any(&mut chance, &mut sup);
            } else {
                edits::widen(&mut chance, &mut sup);
            }
        }
        let (sub, sup) = if chance.percent(50) {
            (sup, sub)
        } else {
            (sub, sup)
        };
        if sub == sup {
            continue;
        }
        let (Some(left), Some(right)) = (compiled(&sub), compiled(&sup)) else {
            continue;
        };
        let is_accepted = is_part(&sub, &sup);
        let (fitting, found) = witness(&mut chance, (&sub, &left), (&sup, &right));
        if let Some(value) = found {
            refuted += 1;
            assert!(
                !is_accepted,
                "seed {seed}: {value} fits the first and not the second\n{sub}\n{sup}"
            );
        }
        if is_accepted {
            accepted += 1;
            tried += fitting;
        }
    }
    // Otherwise nothing was tested.
    assert!(accepted * 5 > scaled(PAIRS), "{accepted} were accepted");
    assert!(refuted * 20 > scaled(PAIRS), "{refuted} were refuted");
    assert!(tried as u64 > 3 * accepted, "{tried} values fitted");
}

#[test]
fn of_widening_changes_few_are_refused() {
    let mut made: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    for seed in 0..scaled(WIDENINGS) {
        let mut chance = Chance::new(seed);
        let old = tool(&mut chance);
        let mut new = old.clone();
        let Some(name) = edits::widen(&mut chance, &mut new) else {
            continue;
        };
        let (Some(left), Some(right)) = (compiled(&old), compiled(&new)) else {
            continue;
        };
        let count = made.entry(name).or_default();
        count.0 += 1;
        count.1 += u64::from(!is_part(&old, &new));
        let (_, found) = witness(&mut chance, (&old, &left), (&new, &right));
        assert_eq!(
            found, None,
            "seed {seed}: {name} does not widen\n{old}\n{new}"
        );
    }
    let all: u64 = made.values().map(|it| it.0).sum();
    let refused: u64 = made.values().map(|it| it.1).sum();
    assert!(made.len() == 14, "{made:?}");
    assert!(all * 2 > scaled(WIDENINGS), "{all} were made");
    assert!(refused * 10 <= all, "{refused} of {all} refused: {made:?}");
}

/// A chain of schemas of the same value, and below it `levels` members until it begins anew.
fn long(levels: usize, end: &Value) -> Value {
    let mut schema = json!({"$ref": "#/$defs/a0", "$defs": {}});
    for level in 0..levels {
        let next = if level + 1 == levels { 0 } else { level + 1 };
        let inner = json!({"properties": {"n": {"$ref": format!("#/$defs/a{next}")}, "v": end}});
        schema["$defs"][format!("a{level}")] =
            (0..28).fold(inner, |inner, _| json!({"allOf": [inner]}));
    }
    schema
}

/// IN-04: a comparison stays on a small stack, however long two schemas take until they meet again.
#[test]
fn comparisons_stay_on_a_small_stack() {
    let (sub, sup) = (
        long(7, &json!({"type": "integer"})),
        long(9, &json!({"type": "number"})),
    );
    let compare = move || {
        let answers = [is_part(&sub, &sup), is_part(&sup, &sub)];
        assert!(!answers[1], "numbers are not all whole");
        let same = long(3, &json!({"type": "integer"}));
        assert!(is_part(&same, &long(3, &json!({"type": "number"}))));
    };
    let thread = std::thread::Builder::new()
        .stack_size(1 << 20)
        .spawn(compare);
    thread.expect("a thread").join().expect("no overflow");
}

/// IN-04: alternatives that multiply on both sides.
#[test]
fn schemas_that_are_hard_to_compare_end() {
    let mut wide = json!({"$defs": {}});
    for level in 0..12 {
        let next = json!({"$ref": format!("#/$defs/a{}", level + 1)});
        let shaped = |name: &str| json!({"properties": {name: next}, "required": [name]});
        wide["$defs"][format!("a{level}")] =
            json!({"oneOf": [shaped("a"), shaped("b"), shaped("c")], "not": shaped("d")});
    }
    wide["$defs"]["a12"] = json!({"items": {"$ref": "#/$defs/a0"}});
    wide["$ref"] = json!("#/$defs/a0");
    let mut other = wide.clone();
    other["$defs"]["a12"]["items"] = json!({"anyOf": [{"$ref": "#/$defs/a0"}, {"type": "null"}]});
    for (sub, sup) in [(&wide, &other), (&other, &wide)] {
        // Either answer will do; that there is one is what is asked.
        let answer = is_subschema(&Payload::from(sub.clone()), &Payload::from(sup.clone()));
        assert!(answer.err().is_none_or(|reasons| !reasons.is_empty()));
    }
}
