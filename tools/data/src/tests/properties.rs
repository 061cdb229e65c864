//! Rules that hold for any data.

use std::cmp::Ordering;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{ok, query};
use crate::json::Json;

/// Any value; numbers that are hard to tell apart on purpose.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-3..3_i64).prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (u64::MAX - 3..=u64::MAX).prop_map(Value::from),
        (9_007_199_254_740_990_u64..9_007_199_254_740_996).prop_map(Value::from),
        (9_007_199_254_740_990_u64..9_007_199_254_740_996).prop_map(|n| {
            #[expect(clippy::cast_precision_loss, reason = "floats next to whole numbers")]
            Value::from(n as f64)
        }),
        (-3..3_i8).prop_map(|n| Value::from(f64::from(n) / 2.0)),
        Just(Value::from(1.8e19)),
        "[ab]{0,2}".prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map("[ab]", inner, 0..3).prop_map(|map| json!(map)),
        ]
    })
}

fn rows() -> impl Strategy<Value = Vec<Value>> {
    let row = prop::collection::btree_map("[abc]", value(), 1..4).prop_map(|map| json!(map));
    prop::collection::vec(row, 0..12)
}

fn parsed(value: &Value) -> Json {
    serde_json::from_str(&value.to_string()).expect("JSON")
}

/// One step of every kind, over the fields `a`, `b` and `c`.
fn steps() -> impl Strategy<Value = Vec<Value>> {
    let step = prop::sample::select(vec![
        json!({"op": "filter", "where": {"field": "a", "op": "gt", "value": 0}}),
        json!({"op": "filter", "where": {"not": {"field": "b", "op": "null"}}}),
        json!({"op": "select", "fields": ["b", "a"]}),
        json!({"op": "derive", "as": "c", "value": {"fn": "length", "of": "a"}}),
        json!({"op": "derive", "as": "b", "value": {"fn": "coalesce", "of": ["c", "a.b"]}}),
        json!({"op": "group", "by": ["a"], "aggregates": [{"fn": "count", "field": "c", "as": "b"}]}),
        json!({"op": "sort", "by": ["c", {"field": "a", "desc": true}]}),
        json!({"op": "distinct", "fields": ["b"]}),
        json!({"op": "distinct"}),
        json!({"op": "limit", "count": 5, "offset": 1}),
        json!({"op": "explode", "field": "b", "keep": ["a", "c"]}),
        json!({"op": "explode", "field": "b"}),
        json!({"op": "join", "left": "a", "with": {"rows": [{"a": 1, "c": 9}]}, "kind": "left"}),
        json!({"op": "count"}),
    ]);
    prop::collection::vec(step, 0..5)
}

proptest! {
    #[test]
    fn the_order_is_total(values in prop::collection::vec(value(), 3)) {
        let [a, b, c] = [0, 1, 2].map(|at| parsed(&values[at]));
        prop_assert_eq!(a.cmp(&a), Ordering::Equal);
        prop_assert_eq!(a.cmp(&b), b.cmp(&a).reverse());
        if a <= b && b <= c {
            prop_assert!(a <= c, "{} {} {}", a, b, c);
        }
        if a == b {
            prop_assert_eq!(a.cmp(&c), b.cmp(&c));
        }
    }

    #[test]
    fn values_are_read_and_written_exactly(value in value()) {
        let read = parsed(&value);
        prop_assert_eq!(read.to_string(), value.to_string());
        prop_assert_eq!(read.written(), value.to_string().len());
    }

    #[test]
    fn sorting_forgets_the_order_and_filtering_keeps_it(rows in rows(), turn in 0..12_usize) {
        let mut turned = rows.clone();
        turned.rotate_left(turn.min(rows.len()));
        let sort = json!([{"op": "sort", "by": ["."]}]);
        let sorted = query(&json!(rows), &sort);
        // Equal numbers may be written differently, as 1 and 1.0, so values are compared.
        prop_assert_eq!(parsed(&sorted), parsed(&query(&json!(turned), &sort)));
        let list = sorted.as_array().expect("rows");
        prop_assert!(list.windows(2).all(|two| parsed(&two[0]) <= parsed(&two[1])));

        let condition = json!({"field": "a", "op": "gt", "value": 0});
        let filter = json!([{"op": "filter", "where": condition}]);
        let twice = json!([filter[0], filter[0]]);
        let arguments = |steps: &Value| {
            json!({"source": {"rows": rows}, "steps": steps, "allow_missing": true})
        };
        let kept = ok("query", &arguments(&filter))["rows"].take();
        prop_assert_eq!(&ok("query", &arguments(&twice))["rows"], &kept);
        let dropped = json!([{"op": "filter", "where": {"not": condition}}]);
        let dropped = ok("query", &arguments(&dropped))["rows"].take();
        let count = |rows: &Value| rows.as_array().expect("rows").len();
        prop_assert_eq!(count(&kept) + count(&dropped), rows.len());
        let mut rest = rows.iter();
        for row in kept.as_array().expect("rows") {
            prop_assert!(rest.any(|other| other == row));
        }
    }

    /// Leaving out while reading what no step looks at changes nothing.
    #[test]
    fn reading_less_gives_the_same(rows in rows(), steps in steps()) {
        let text = json!({"x": {"rows": rows}, "y": [1, {"z": 2}]}).to_string();
        let mut down = vec![json!({"op": "get", "pointer": "/x/rows"})];
        down.extend(steps.iter().cloned());
        let from_text = ok("query", &json!({
            "source": {"text": text, "format": "json"}, "steps": down, "allow_missing": true}));
        let from_rows = ok("query", &json!({
            "source": {"rows": rows}, "steps": steps, "allow_missing": true}));
        prop_assert_eq!(&from_text, &from_rows);
        let lines: String = rows.iter().flat_map(|row| [row.to_string(), "\n".to_owned()]).collect();
        let from_lines = ok("query", &json!({
            "source": {"text": lines, "format": "jsonl"}, "steps": steps, "allow_missing": true}));
        prop_assert_eq!(from_lines, from_rows);
    }
}
