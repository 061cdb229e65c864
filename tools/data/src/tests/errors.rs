//! What the tools refuse, and how they say so.

use serde_json::{Value, json};

use super::{call, fails, ok, put, workspace};

#[test]
fn sources_are_refused_with_their_place() {
    let dir = workspace();
    put(&dir, "large.json", vec![b' '; 8 * 1024 * 1024 + 1]);
    put(&dir, "large.yaml", vec![b'\n'; 512 * 1024 + 1]);
    put(&dir, "large.toml", vec![b'\n'; 768 * 1024 + 1]);
    put(&dir, "many.json", format!("[{}0]", "0,".repeat(400_000)));
    put(&dir, "many.csv", "a,b\n".repeat(200_002));
    for (source, code, pointer) in [
        (json!({}), "invalid_source", "/source"),
        (
            json!({"text": "1", "rows": []}),
            "invalid_source",
            "/source",
        ),
        (json!({"text": "1"}), "invalid_source", "/source/format"),
        (json!({"path": "x.bin"}), "invalid_source", "/source/format"),
        (
            json!({"rows": [], "delimiter": ";"}),
            "invalid_source",
            "/source",
        ),
        (
            json!({"text": "1", "format": "json", "text_only": true}),
            "invalid_source",
            "/source",
        ),
        (
            json!({"text": "1", "format": "csv", "delimiter": "é"}),
            "invalid_source",
            "/source/delimiter",
        ),
        (
            json!({"path": "none.json"}),
            "file_not_found",
            "/source/path",
        ),
        (
            json!({"path": "/etc/x.json"}),
            "invalid_path",
            "/source/path",
        ),
        (json!({"path": "../x.json"}), "invalid_path", "/source/path"),
        (
            json!({"path": ".", "format": "json"}),
            "not_a_file",
            "/source/path",
        ),
        (json!({"path": "large.json"}), "too_large", "/source/path"),
        (json!({"path": "large.yaml"}), "too_large", "/source/path"),
        (json!({"path": "large.toml"}), "too_large", "/source/path"),
        (json!({"path": "many.json"}), "too_large", "/source/path"),
        (json!({"path": "many.csv"}), "too_large", "/source/path"),
        (
            json!({"text": "", "format": "json", "extra": 1}),
            "invalid_arguments",
            "",
        ),
    ] {
        let failure = fails("query", &json!({"source": source}));
        assert_eq!(failure, (code.to_owned(), pointer.to_owned()), "{source}");
    }
}

#[test]
fn broken_text_names_line_and_column() {
    let deep = "[".repeat(100) + &"]".repeat(100);
    let lines = "{\"a\": 1}\n{\"a\": }\n";
    for (format, text, line, column) in [
        ("json", "{\n  \"a\": x\n}", 2, Some(8)),
        ("json", "[1] 2", 1, Some(5)),
        ("json", "[1", 1, Some(2)),
        ("json", deep.as_str(), 1, None),
        ("jsonl", lines, 2, Some(7)),
        ("yaml", "a: [1\nb: 2\n", 2, None),
        ("yaml", "a: *none\n", 1, None),
        ("toml", "a = 1\nb = = 2\n", 2, Some(5)),
        ("csv", "a,b\n1,2\n3\n", 3, None),
    ] {
        let source = json!({"text": text, "format": format});
        let error = call("query", &json!({"source": source})).expect_err(format);
        assert_eq!(error.code, "parse_failed", "{format}");
        let details = error.details.expect("details");
        assert_eq!(details["pointer"], "/source/text");
        assert_eq!(details["line"], line, "{format}: {details}");
        if let Some(column) = column {
            assert_eq!(details["column"], column, "{format}");
        }
        assert!(error.message.len() < 300, "{}", error.message);
    }
}

#[test]
fn yaml_that_expands_is_refused() {
    let lines = (1..10).map(|level| {
        let alias = vec![format!("*a{}", level - 1); 10].join(", ");
        format!("a{level}: &a{level} [{alias}]")
    });
    let bomb = format!(
        "a0: &a0 [x, x, x]\n{}",
        lines.collect::<Vec<_>>().join("\n")
    );
    let source = json!({"text": bomb, "format": "yaml"});
    assert_eq!(fails("query", &json!({"source": source})).0, "parse_failed");
}

/// A step, the code with which it is refused, and the place that the error names.
const REFUSED: &str = r#"[
    [{"op": "select", "fields": ["nmae"]}, "unknown_field", "/steps/1"],
    [{"op": "group", "by": ["x"]}, "unknown_field", "/steps/1"],
    [{"op": "sort", "by": ["x"]}, "unknown_field", "/steps/1"],
    [{"op": "get", "pointer": "/2"}, "unknown_field", "/steps/1/pointer"],
    [{"op": "get", "pointer": "", "entries": true}, "invalid_value", "/steps/1/entries"],
    [{"op": "filter", "where": {"all": [
        {"field": "n", "op": "null"}, {"not": {"field": "n", "op": "matches", "value": "("}}]}},
     "invalid_step", "/steps/1/where/all/1/not/value"],
    [{"op": "filter", "where": {"field": "n", "op": "in", "value": 1}},
     "invalid_step", "/steps/1/where/value"],
    [{"op": "filter", "where": {"field": "n", "op": "gt"}},
     "invalid_step", "/steps/1/where/value"],
    [{"op": "derive", "as": "x", "value": {"fn": "add", "left": "n", "right": 1}},
     "invalid_value", "/steps/1/value"],
    [{"op": "derive", "as": "x", "value": {"fn": "extract", "from": "name", "pattern": "["}},
     "invalid_step", "/steps/1/value/pattern"],
    [{"op": "derive", "as": "x", "value": {"fn": "round", "of": 1, "digits": 16}},
     "invalid_step", "/steps/1/value/digits"],
    [{"op": "group", "aggregates": [{"fn": "count"}, {"fn": "sum", "field": "n"}]},
     "invalid_value", "/steps/1/aggregates/1/field"],
    [{"op": "group", "aggregates": [{"fn": "sum"}]}, "invalid_step", "/steps/1/aggregates/0"],
    [{"op": "join", "left": "n", "with": {"rows": [{"m": 1}]}},
     "unknown_field", "/steps/1/right"],
    [{"op": "join", "left": "n", "with": {"text": "{", "format": "json"}},
     "parse_failed", "/steps/1/with/text"],
    [{"op": "join", "left": "n", "with": {"rows": [{"n": 1}]},
      "steps": [{"op": "sort", "by": ["zz"]}]},
     "unknown_field", "/steps/1/steps/0"],
    [{"op": "drop"}, "invalid_arguments", ""],
    [{"op": "limit", "count": 1, "extra": 1}, "invalid_arguments", ""]
]"#;

#[test]
fn steps_are_refused_with_their_place() {
    let refused: Vec<(Value, String, String)> = serde_json::from_str(REFUSED).expect("a table");
    let rows = json!([{"name": "a", "n": 1}, {"name": "b", "n": "two"}]);
    for (step, code, pointer) in refused {
        let steps = json!([{"op": "limit", "count": 10}, step]);
        let failure = fails("query", &json!({"source": {"rows": rows}, "steps": steps}));
        assert_eq!(failure, (code, pointer), "{step}");
    }
    let huge = "x".repeat(5_000);
    let condition = json!({"field": "name", "op": "matches", "value": huge});
    let steps = json!([{"op": "filter", "where": condition}]);
    let failure = fails("query", &json!({"source": {"rows": rows}, "steps": steps}));
    assert_eq!(failure.0, "invalid_step");
}

#[test]
fn unknown_fields_are_explained_or_allowed() {
    let text = r#"{"packages": [{"name": "a", "license": null, "id": 1}], "root": 1}"#;
    let message = |steps: Value| {
        let source = json!({"text": text, "format": "json"});
        call("query", &json!({"source": source, "steps": steps}))
            .expect_err("unknown")
            .message
    };
    let misspelt = message(json!([{"op": "get", "pointer": "/package"}]));
    assert!(misspelt.contains("packages, root"), "{misspelt}");
    // Also what was never read is named.
    let steps =
        json!([{"op": "get", "pointer": "/packages"}, {"op": "group", "by": ["nmae", "id"]}]);
    let misspelt = message(steps.clone());
    assert!(misspelt.contains("id, license, name"), "{misspelt}");
    let source = json!({"text": text, "format": "json"});
    let allowed = ok(
        "query",
        &json!({"source": source, "steps": steps, "allow_missing": true}),
    );
    assert_eq!(allowed["rows"], json!([{"nmae": null, "id": 1}]));
    for step in [
        json!({"op": "filter", "where": {"field": "x", "op": "null"}}),
        json!({"op": "filter", "where": {"field": "x", "op": "exists", "value": false}}),
        json!({"op": "derive", "as": "y", "value": {"fn": "coalesce", "of": ["x", "id"]}}),
    ] {
        let steps = json!([{"op": "get", "pointer": "/packages"}, step]);
        ok("query", &json!({"source": source, "steps": steps}));
    }
    let none = json!({"source": {"rows": []}, "steps": [{"op": "sort", "by": ["x"]}]});
    assert_eq!(ok("query", &none)["rows"], json!([]));
}

#[test]
fn large_results_are_cut_or_refused() {
    let rows: Vec<_> = (0..3_000)
        .map(|n| json!({"n": n, "text": "\"".repeat(300)}))
        .collect();
    let source = json!({"rows": rows});
    let found = ok("query", &json!({"source": source}));
    assert_eq!(
        (&found["row_count"], &found["truncated"]),
        (&json!(3_000), &json!(true))
    );
    let kept = found["rows"].as_array().expect("rows");
    assert!(kept.len() > 1_000 && found.to_string().len() < 1024 * 1024);
    assert_eq!(kept.last().expect("rows")["n"], kept.len() - 1);

    let table = ok("table", &json!({"source": source, "max_rows": 3_000}));
    let length = table.to_string().len();
    assert!(
        (700_000..1024 * 1024).contains(&length) && table["truncated"] == true,
        "{length}"
    );
    assert_eq!(
        fails("convert", &json!({"source": source, "to": "json"})).0,
        "too_large"
    );

    let pairs: Vec<_> = (0..500).map(|_| json!({"k": 1})).collect();
    let steps = json!([{"op": "join", "left": "k", "with": {"rows": pairs}, "as": "o"}]);
    let squared = fails("query", &json!({"source": {"rows": pairs}, "steps": steps}));
    assert_eq!(squared, ("too_large".to_owned(), "/steps/0".to_owned()));
    let lists: Vec<_> = (0..21).map(|_| json!({"l": vec![0; 10_000]})).collect();
    let steps = json!([{"op": "explode", "field": "l"}]);
    let exploded = fails("query", &json!({"source": {"rows": lists}, "steps": steps}));
    assert_eq!(exploded.0, "too_large");
}

#[test]
fn what_a_format_cannot_say_is_refused() {
    for (document, to) in [("{\"a\": null}", "toml"), ("5", "toml")] {
        let source = json!({"text": document, "format": "json"});
        let failure = fails("convert", &json!({"source": source, "to": to}));
        assert_eq!(
            failure,
            ("not_representable".to_owned(), "/to".to_owned()),
            "{document}"
        );
    }
}

#[test]
fn files_need_a_workspace_and_nothing_else_does() {
    assert_eq!(
        fails("query", &json!({"source": {"path": "x.json"}})).0,
        "no_workspace"
    );
    assert_eq!(
        ok("query", &json!({"source": {"rows": [1]}}))["rows"],
        json!([1])
    );
}
