//! What each step does.

use serde_json::{Value, json};

use super::{ok, query};

#[test]
fn get_goes_down() {
    let document = json!({"a": {"b": [{"x": 1}, {"x": 2}], "n": null, "s": "t"}}).to_string();
    for (get, expected) in [
        (json!({"pointer": "/a/b"}), json!([{"x": 1}, {"x": 2}])),
        (json!({"pointer": "a.b"}), json!([{"x": 1}, {"x": 2}])),
        (json!({"pointer": "/a/b/1"}), json!([{"x": 2}])),
        (json!({"pointer": "/a/b/1/x"}), json!([2])),
        (json!({"pointer": "/a/n"}), json!([])),
        (json!({"pointer": "/a/s"}), json!(["t"])),
        (
            json!({"pointer": ""}),
            json!([{"a": {"b": [{"x": 1}, {"x": 2}], "n": null, "s": "t"}}]),
        ),
        (
            json!({"pointer": "/a/b/0", "entries": true}),
            json!([{"key": "x", "value": 1}]),
        ),
    ] {
        let mut get = get;
        get["op"] = json!("get");
        let source = json!({"text": document, "format": "json"});
        let first = ok("query", &json!({"source": source, "steps": [get]}));
        assert_eq!(first["rows"], expected, "{get}");
        // After another step the same place is one level deeper, in the list of rows.
        let mut later = get.clone();
        let pointer = get["pointer"].as_str().expect("text").replace('.', "/");
        later["pointer"] = json!(format!("/0/{}", pointer.trim_start_matches('/')));
        if pointer.is_empty() {
            later["pointer"] = json!("/0");
        }
        let steps = json!([{"op": "limit", "count": 9}, later]);
        let later = ok("query", &json!({"source": source, "steps": steps}));
        assert_eq!(later["rows"], expected, "{steps}");
    }
}

#[test]
fn explode_makes_rows_of_lists() {
    let rows = json!([{"id": 1, "tags": ["a", "b"]}, {"id": 2, "tags": []}, {"id": 3, "tags": "c"}, {"id": 4}]);
    for (step, expected) in [
        (json!({"field": "tags"}), json!(["a", "b", "c"])),
        (
            json!({"field": "tags", "keep": ["id"], "as": "tag"}),
            json!([{"id": 1, "tag": "a"}, {"id": 1, "tag": "b"}, {"id": 3, "tag": "c"}]),
        ),
        (
            json!({"field": "tags", "keep": [{"field": "id", "as": "of"}]}),
            json!([{"of": 1, "tags": "a"}, {"of": 1, "tags": "b"}, {"of": 3, "tags": "c"}]),
        ),
    ] {
        let mut step = step;
        step["op"] = json!("explode");
        assert_eq!(query(&rows, &json!([step])), expected, "{step}");
    }
}

/// The numbers of the rows that meet a condition.
fn met(condition: &Value) -> Vec<u64> {
    let rows = json!([
        {"n": 0, "v": null},
        {"n": 1},
        {"n": 2, "v": 1},
        {"n": 3, "v": 1.5},
        {"n": 4, "v": "abc"},
        {"n": 5, "v": ["abc", 1]},
        {"n": 6, "v": true},
        {"n": 7, "v": 18_446_744_073_709_551_615_u64},
    ]);
    let rows = query(&rows, &json!([{"op": "filter", "where": condition}]));
    let rows = rows.as_array().expect("rows");
    rows.iter()
        .map(|row| row["n"].as_u64().expect("a number"))
        .collect()
}

#[test]
fn filter_tests_fields() {
    for (op, value, expected) in [
        ("eq", json!(1), vec![2]),
        ("eq", json!(1.0), vec![2]),
        ("eq", Value::Null, vec![0, 1]),
        ("ne", json!("abc"), vec![0, 1, 2, 3, 5, 6, 7]),
        ("gt", json!(1), vec![3, 7]),
        ("gte", json!(1), vec![2, 3, 7]),
        ("gt", json!(18_446_744_073_709_551_614_u64), vec![7]),
        ("lt", json!("b"), vec![4]),
        ("lte", json!(1.5), vec![2, 3]),
        ("contains", json!("abc"), vec![4, 5]),
        ("contains", json!("b"), vec![4]),
        ("contains", json!(1), vec![5]),
        ("starts_with", json!("ab"), vec![4]),
        ("ends_with", json!("ab"), vec![]),
        ("ends_with", json!("bc"), vec![4]),
        ("matches", json!("^A?.b"), vec![4]),
        ("matches", json!("(?i)^AB"), vec![4]),
        ("in", json!(["abc", true, null]), vec![0, 1, 4, 6]),
        ("exists", json!(true), vec![0, 2, 3, 4, 5, 6, 7]),
        ("exists", json!(false), vec![1]),
        ("null", json!(true), vec![0, 1]),
        ("null", json!(false), vec![2, 3, 4, 5, 6, 7]),
    ] {
        let condition = json!({"field": "v", "op": op, "value": value});
        assert_eq!(met(&condition), expected, "{condition}");
        let rest: Vec<u64> = (0..8).filter(|n| !expected.contains(n)).collect();
        assert_eq!(met(&json!({"not": condition})), rest, "not {condition}");
    }
    let [absent, high] = [
        json!({"field": "v", "op": "null"}),
        json!({"field": "n", "op": "gt", "value": 0}),
    ];
    assert_eq!(met(&json!({"all": [absent, high]})), [1]);
    assert_eq!(
        met(&json!({"any": [absent, {"field": "n", "op": "eq", "value": 7}]})),
        [0, 1, 7]
    );
    assert_eq!(met(&json!({"all": []})).len(), 8);
    assert!(met(&json!({"any": []})).is_empty());
}

/// How a value is computed of the row in the test below, and what comes out.
const COMPUTED: &str = r##"[
    [{"fn": "length", "of": "t"}, 11],
    [{"fn": "length", "of": "l"}, 2],
    [{"fn": "length", "of": "o"}, 1],
    [{"fn": "length", "of": "i"}, null],
    [{"fn": "concat", "of": ["i", "n", "t"], "separator": "-"}, "7-héllo/wörld"],
    [{"fn": "concat", "of": ["i", {"literal": "#"}, 3]}, "7#3"],
    [{"fn": "concat", "of": []}, ""],
    [{"fn": "coalesce", "of": ["none", "n", "i"]}, 7],
    [{"fn": "coalesce", "of": ["none", {"literal": [1]}]}, [1]],
    [{"fn": "coalesce", "of": ["none"]}, null],
    [{"fn": "extract", "from": "t", "pattern": "^([^/]+)/"}, "héllo"],
    [{"fn": "extract", "from": "t", "pattern": "w.r"}, "wör"],
    [{"fn": "extract", "from": "t", "pattern": "x"}, null],
    [{"fn": "extract", "from": "i", "pattern": "7"}, null],
    [{"fn": "add", "left": "i", "right": 3}, 10],
    [{"fn": "add", "left": "big", "right": 1}, 9223372036854775808],
    [{"fn": "subtract", "left": "z", "right": "i"}, -7],
    [{"fn": "multiply", "left": "i", "right": "f"}, 3.5],
    [{"fn": "divide", "left": "i", "right": 2}, 3.5],
    [{"fn": "divide", "left": 14, "right": "i"}, 2],
    [{"fn": "divide", "left": "i", "right": "z"}, null],
    [{"fn": "add", "left": "i", "right": "n"}, null],
    [{"fn": "round", "of": "f"}, 1],
    [{"fn": "round", "of": 2.345, "digits": 1}, 2.3],
    [{"fn": "round", "of": "i", "digits": 2}, 7],
    [{"fn": "round", "of": "n"}, null]
]"##;

#[test]
fn derive_computes() {
    let row = json!([{"t": "héllo/wörld", "l": [1, 2], "i": 7, "f": 0.5, "z": 0, "n": null,
                      "big": 9_223_372_036_854_775_807_u64, "o": {"a": 1}}]);
    let computed: Vec<(Value, Value)> = serde_json::from_str(COMPUTED).expect("a table");
    for (value, expected) in computed {
        let rows = query(&row, &json!([{"op": "derive", "as": "x", "value": value}]));
        assert_eq!(rows[0]["x"], expected, "{value}");
        assert_eq!(rows[0]["i"], 7);
    }
    let twice = json!({"fn": "multiply", "left": ".", "right": 2});
    let rows = query(
        &json!([5]),
        &json!([{"op": "derive", "as": "twice", "value": twice}]),
    );
    assert_eq!(rows, json!([{"value": 5, "twice": 10}]));
}

#[test]
fn group_summarises() {
    let rows = json!([
        {"k": "b", "v": 2, "t": "x"},
        {"k": "a", "v": 1.5, "t": "y"},
        {"k": "b", "v": null, "t": "x"},
        {"k": "b", "v": 10, "t": "w"},
        {"v": 1},
    ]);
    let aggregates = json!([
        {"fn": "count"},
        {"fn": "count", "field": "v"},
        {"fn": "sum", "field": "v"},
        {"fn": "min", "field": "v"},
        {"fn": "max", "field": "v", "as": "most"},
        {"fn": "mean", "field": "v"},
        {"fn": "first", "field": "t"},
        {"fn": "collect", "field": "t"},
        {"fn": "count_distinct", "field": "t"},
        {"fn": "collect_distinct", "field": "t"},
    ]);
    let groups = query(
        &rows,
        &json!([{"op": "group", "by": ["k"], "aggregates": aggregates}]),
    );
    assert_eq!(
        groups,
        json!([
            {"k": "b", "count": 3, "count_v": 2, "sum_v": 12, "min_v": 2, "most": 10, "mean_v": 6.0,
             "first_t": "x", "collect_t": ["x", "x", "w"], "count_distinct_t": 2,
             "collect_distinct_t": ["w", "x"]},
            {"k": "a", "count": 1, "count_v": 1, "sum_v": 1.5, "min_v": 1.5, "most": 1.5,
             "mean_v": 1.5, "first_t": "y", "collect_t": ["y"], "count_distinct_t": 1,
             "collect_distinct_t": ["y"]},
            {"k": null, "count": 1, "count_v": 1, "sum_v": 1, "min_v": 1, "most": 1, "mean_v": 1.0,
             "first_t": null, "collect_t": [], "count_distinct_t": 0, "collect_distinct_t": []},
        ])
    );
    let empty = json!([{"op": "group", "aggregates": [{"fn": "count"}, {"fn": "sum", "field": "v"},
                                                      {"fn": "mean", "field": "v"}]}]);
    assert_eq!(
        query(&json!([]), &empty),
        json!([{"count": 0, "sum_v": 0, "mean_v": null}])
    );
    let most = 18_446_744_073_709_551_615_u64;
    let exact = query(&json!([{"v": most}, {"v": -1}]), &empty);
    assert_eq!(exact[0]["sum_v"], most - 1);
}

#[test]
fn sort_has_one_order_for_everything() {
    let ascending = json!([
        {"n": 0},
        {"v": null},
        {"v": false},
        {"v": true},
        {"v": -1},
        {"v": 0.5},
        {"v": 9_007_199_254_740_992_u64},
        {"v": 9_007_199_254_740_993_u64},
        {"v": 18_446_744_073_709_551_615_u64},
        {"v": 1e300},
        {"v": ""},
        {"v": "A"},
        {"v": "a"},
        {"v": "ä"},
        {"v": []},
        {"v": [1]},
        {"v": [1, 0]},
        {"v": [2]},
        {"v": {}},
        {"v": {"a": 1}},
        {"v": {"a": 2}},
        {"v": {"b": 0}},
    ]);
    let reversed: Vec<_> = ascending
        .as_array()
        .expect("rows")
        .iter()
        .rev()
        .cloned()
        .collect();
    let sorted = query(&json!(reversed), &json!([{"op": "sort", "by": ["v"]}]));
    // The first two are equal and keep the order they came in.
    let mut expected = ascending.as_array().expect("rows").clone();
    expected.swap(0, 1);
    assert_eq!(sorted, json!(expected));
    let down = json!([{"op": "sort", "by": [{"field": "v", "desc": true}]}]);
    assert_eq!(query(&ascending, &down), {
        let mut down = reversed.clone();
        let last = down.len() - 1;
        down.swap(last, last - 1);
        json!(down)
    });
    let two = json!([{"a": 1, "b": 1}, {"a": 2, "b": 2}, {"a": 1, "b": 2}]);
    let steps = json!([{"op": "sort", "by": [{"field": "b", "desc": true}, "a"]}]);
    assert_eq!(
        query(&two, &steps),
        json!([{"a": 1, "b": 2}, {"a": 2, "b": 2}, {"a": 1, "b": 1}])
    );
}

#[test]
fn distinct_limit_count_and_select() {
    let rows = json!([{"a": 1, "b": 1}, {"b": 1, "a": 1.0}, {"a": 1, "b": 2}, {"a": 2}]);
    for (steps, expected) in [
        (
            json!([{"op": "distinct"}]),
            json!([{"a": 1, "b": 1}, {"a": 1, "b": 2}, {"a": 2}]),
        ),
        (
            json!([{"op": "distinct", "fields": ["a"]}]),
            json!([{"a": 1, "b": 1}, {"a": 2}]),
        ),
        (
            json!([{"op": "limit", "count": 1}]),
            json!([{"a": 1, "b": 1}]),
        ),
        (
            json!([{"op": "limit", "count": 5, "offset": 3}]),
            json!([{"a": 2}]),
        ),
        (json!([{"op": "limit", "count": 5, "offset": 9}]), json!([])),
        (json!([{"op": "limit", "count": 0}]), json!([])),
        (json!([{"op": "count"}]), json!([{"count": 4}])),
        (
            json!([{"op": "limit", "count": 1, "offset": 3},
                   {"op": "select", "fields": [{"field": "a", "as": "x"}, "a"]}]),
            json!([{"x": 2, "a": 2}]),
        ),
        (json!([]), rows.clone()),
    ] {
        assert_eq!(query(&rows, &steps), expected, "{steps}");
    }
}

#[test]
fn join_matches_rows() {
    let left = json!([{"id": 1, "v": "a"}, {"id": 2, "v": "b"}, {"id": null, "v": "c"}]);
    let right = json!([{"key": 1, "v": "x", "w": 1}, {"key": 1.0, "w": 2}, {"key": null, "w": 3}]);
    let join = |more: Value| {
        let mut step = json!({"op": "join", "with": {"rows": right}, "left": "id", "right": "key"});
        step.as_object_mut()
            .expect("a step")
            .extend(more.as_object().expect("more").clone());
        query(&left, &json!([step]))
    };
    assert_eq!(
        join(json!({})),
        json!([{"id": 1, "v": "a", "key": 1, "w": 1}, {"id": 1, "v": "a", "key": 1.0, "w": 2}])
    );
    let kept = join(json!({"kind": "left", "as": "r",
                           "steps": [{"op": "filter",
                                      "where": {"field": "w", "op": "eq", "value": 1}}]}));
    assert_eq!(
        kept,
        json!([{"id": 1, "v": "a", "r": {"key": 1, "v": "x", "w": 1}}, {"id": 2, "v": "b"},
               {"id": null, "v": "c"}])
    );
}
