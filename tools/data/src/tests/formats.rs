//! What is read from each format, and what is written.

use serde_json::{Value, json};

use super::{ok, put, workspace};

fn rows(text: &str, format: &str) -> Value {
    ok(
        "query",
        &json!({"source": {"text": text, "format": format}}),
    )["rows"]
        .take()
}

#[test]
fn every_format_is_read() {
    for (format, text, expected) in [
        ("json", "[1, 2]", json!([1, 2])),
        ("json", "\u{feff}{\"a\": 1}", json!([{"a": 1}])),
        (
            "json",
            r#"{"a": 1, "b": 2, "a": 3}"#,
            json!([{"a": 3, "b": 2}]),
        ),
        (
            "json",
            "18446744073709551615",
            json!([18_446_744_073_709_551_615_u64]),
        ),
        (
            "json",
            "-9223372036854775808",
            json!([-9_223_372_036_854_775_808_i64]),
        ),
        (
            "jsonl",
            "{\"a\":1}\r\n\n  \n{\"a\":2}",
            json!([{"a": 1}, {"a": 2}]),
        ),
        ("jsonl", "", json!([])),
        (
            "yaml",
            "a: 1\nb: [x, ~, true, 1.5]\n",
            json!([{"a": 1, "b": ["x", null, true, 1.5]}]),
        ),
        (
            "yaml",
            "- &x {k: v}\n- *x\n",
            json!([{"k": "v"}, {"k": "v"}]),
        ),
        (
            "yaml",
            "1: one\ntrue: yes\n",
            json!([{"1": "one", "true": "yes"}]),
        ),
        ("yaml", "a: 1\n---\na: 2\n", json!([{"a": 1}, {"a": 2}])),
        (
            "toml",
            "a = 1\n[b]\nc = 2024-02-29\nd = 1.0\n",
            json!([{"a": 1, "b": {"c": "2024-02-29", "d": 1.0}}]),
        ),
        (
            "toml",
            "[[p]]\nx = 1\n[[p]]\nx = 2\n",
            json!([{"p": [{"x": 1}, {"x": 2}]}]),
        ),
        ("toml", "x = inf\n", json!([{"x": "inf"}])),
        (
            "csv",
            "a,b\n1,x\n2,\"y,\nz\"\n",
            json!([{"a": 1, "b": "x"}, {"a": 2, "b": "y,\nz"}]),
        ),
        (
            "csv",
            "a,a,a_2\n1,2,3\n",
            json!([{"a": 1, "a_2": 2, "a_2_2": 3}]),
        ),
        ("csv", "a\n", json!([])),
    ] {
        assert_eq!(rows(text, format), expected, "{format}: {text}");
    }
}

#[test]
fn csv_makes_numbers_only_where_nothing_is_lost() {
    for (cells, expected) in [
        (["1", "2"], json!([1, 2])),
        (["1", ""], json!([1, null])),
        (["", ""], json!(["", ""])),
        (["1", "x"], json!(["1", "x"])),
        (["007", "1"], json!(["007", "1"])),
        (["1.10", "1.2"], json!(["1.10", "1.2"])),
        (["1.5", "-2"], json!([1.5, -2])),
        (["1e3", "1"], json!(["1e3", "1"])),
        (["-0", "1"], json!(["-0", "1"])),
        (["+1", "1"], json!(["+1", "1"])),
        (["NaN", "1"], json!(["NaN", "1"])),
        (
            ["18446744073709551615", "0"],
            json!([18_446_744_073_709_551_615_u64, 0]),
        ),
        (
            ["18446744073709551616", "0"],
            json!(["18446744073709551616", "0"]),
        ),
    ] {
        let text = format!("k,v\na,{}\nb,{}\n", cells[0], cells[1]);
        let values: Vec<_> = rows(&text, "csv")
            .as_array()
            .expect("rows")
            .iter()
            .map(|row| row["v"].clone())
            .collect();
        assert_eq!(json!(values), expected, "{cells:?}");
    }
}

#[test]
fn csv_takes_other_layouts() {
    let read = |more: Value, text: &str| {
        let mut source = json!({"text": text, "format": "csv"});
        source
            .as_object_mut()
            .expect("source")
            .extend(more.as_object().expect("more").clone());
        ok("query", &json!({"source": source}))["rows"].take()
    };
    assert_eq!(
        read(json!({"delimiter": ";"}), "a;b\n1;2\n"),
        json!([{"a": 1, "b": 2}])
    );
    assert_eq!(
        read(json!({"columns": ["a", "b"]}), "1,2\n"),
        json!([{"a": 1, "b": 2}])
    );
    assert_eq!(
        read(json!({"text_only": true}), "a\n1\n"),
        json!([{"a": "1"}])
    );
}

#[test]
fn files_are_read_by_their_ending() {
    let dir = workspace();
    for (name, contents, expected) in [
        ("x.json", "{\"a\": 1}", json!([{"a": 1}])),
        ("x.ndjson", "{\"a\": 1}", json!([{"a": 1}])),
        ("x.YML", "a: 1", json!([{"a": 1}])),
        ("Cargo.lock", "a = 1", json!([{"a": 1}])),
        ("x.tsv", "a\tb\n1\t2\n", json!([{"a": 1, "b": 2}])),
    ] {
        put(&dir, name, contents);
        let rows = ok("query", &json!({"source": {"path": name}}))["rows"].take();
        assert_eq!(rows, expected, "{name}");
    }
    put(&dir, "data.txt", "[7]");
    let source = json!({"path": "./data.txt", "format": "json"});
    assert_eq!(ok("query", &json!({"source": source}))["rows"], json!([7]));
}

#[test]
fn conversions_read_back_the_same() {
    let document = json!({
        "name": "x: \"y\"\n# z", "list": [1, -2, 1.5, "1.5", "true", "", "null", "~", "- a"],
        "nested": {"deep": {"er": [[1], []]}}, "rows": [{"a": 1}, {"a": 2}], "yes": true,
    });
    for to in ["json", "jsonl", "yaml", "toml"] {
        let source = json!({"text": document.to_string(), "format": "json"});
        let text = ok("convert", &json!({"source": source, "to": to}));
        assert_eq!(text["format"], to);
        let text = text["text"].as_str().expect("text");
        assert!(text.ends_with('\n'), "{to}: {text:?}");
        assert_eq!(rows(text, to)[0], document, "{to}: {text}");
    }
    let table = json!([{"a": 1, "b": "x,\"y\"\nz"}, {"a": 2, "b": ""}]);
    let text = ok("convert", &json!({"source": {"rows": table}, "to": "csv"}));
    assert_eq!(rows(text["text"].as_str().expect("text"), "csv"), table);
    let list = ok(
        "convert",
        &json!({"source": {"rows": [{"a": 1}]}, "to": "toml"}),
    );
    assert_eq!(list["text"], "[[rows]]\na = 1\n");
    let mixed = json!({"source": {"rows": [{"b": 1}, {"a": [1, "x"], "b": null}, 5]}, "to": "csv"});
    assert_eq!(
        ok("convert", &mixed)["text"],
        "b,a,value\n1,,\n,\"[1,\"\"x\"\"]\",\n,,5\n"
    );
}
