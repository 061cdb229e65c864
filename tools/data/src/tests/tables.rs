//! Tables are what they should be, read by a Markdown parser that knows nothing of them.

use proptest::prelude::*;
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};
use serde_json::{Value, json};

use super::{fails, ok};

/// The cells of all tables in the text, the header included. Anything in a cell but text and line
/// ends is a failure.
fn cells(markdown: &str) -> Vec<Vec<String>> {
    let mut rows: Vec<Vec<String>> = Vec::new();
    let mut cell: Option<String> = None;
    for event in Parser::new_ext(
        markdown,
        Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH,
    ) {
        match (event, &mut cell) {
            (Event::Start(Tag::TableHead | Tag::TableRow), _) => rows.push(Vec::new()),
            (Event::Start(Tag::TableCell), _) => cell = Some(String::new()),
            (Event::End(TagEnd::TableCell), Some(text)) => {
                rows.last_mut().expect("a row").push(text.trim().to_owned());
                cell = None;
            }
            (Event::Text(text), Some(cell)) => cell.push_str(&text),
            (Event::InlineHtml(html), Some(cell)) => {
                assert_eq!(&*html, "<br>", "in {markdown}");
                cell.push('\n');
            }
            (event, Some(_)) => panic!("{event:?} in a cell of {markdown}"),
            (_, None) => {}
        }
    }
    rows
}

/// What a cell shows of a text.
fn shown(text: &str) -> String {
    let text = text.trim().replace("\r\n", "\n").replace('\r', "\n");
    let text: String = text
        .chars()
        .map(|c| if c.is_control() && c != '\n' { ' ' } else { c })
        .collect();
    text.trim().to_owned()
}

proptest! {
    #[test]
    fn cells_survive_markdown(
        rows in prop::collection::vec(
            (
                r"(?s)[ -~\n]{0,30}|.{0,12}",
                "([a-z_*`|\\\\<>&#!~\\[\\]()0-9: \n\r\t.;-]|&lt;|<b>|\\*\\*|__){0,24}",
            ),
            1..5,
        ),
    ) {
        let data: Vec<_> = rows.iter().map(|(a, b)| json!({"a|_b_": a, "<c>": b})).collect();
        let arguments = json!({"source": {"rows": data}, "columns": ["/a|_b_", "/<c>"]});
        let table = ok("table", &arguments);
        let mut expected = vec![vec!["a|_b_".to_owned(), "<c>".to_owned()]];
        expected.extend(rows.iter().map(|(a, b)| vec![shown(a), shown(b)]));
        prop_assert_eq!(cells(table["markdown"].as_str().expect("text")), expected);
    }
}

#[test]
fn values_are_shown_plainly() {
    for (value, expected) in [
        (json!("serde_json"), "serde_json"),
        (json!("Vec<T>"), r"Vec\<T\>"),
        (json!("a|b"), r"a\|b"),
        (json!(" x\r\ny "), "x<br>y"),
        (json!("__init__"), r"\_\_init\_\_"),
        (json!(null), ""),
        (json!(true), "true"),
        (
            json!(18_446_744_073_709_551_615_u64),
            "18446744073709551615",
        ),
        (json!(0.1), "0.1"),
        (json!(["a", 1, null]), "a, 1, null"),
        (json!({"a": [1]}), r#"{"a":\[1\]}"#),
        (json!("é".repeat(600)), &("é".repeat(500) + "…")),
    ] {
        let table = ok("table", &json!({"source": {"rows": [{"v": value}]}}));
        let markdown = table["markdown"].as_str().expect("text");
        let line = markdown.lines().nth(2).expect("a row");
        let cell = line
            .trim_start_matches("| ")
            .trim_end_matches('|')
            .trim_end();
        assert_eq!(cell, expected);
    }
}

#[test]
fn columns_are_chosen_aligned_and_checked() {
    let rows = json!([{"a": 1, "b": "x", "c": {"d": 1.5}}, {"a": null, "b": 2, "e": true}]);
    let head = |more: Value| {
        let mut arguments = json!({"source": {"rows": rows}});
        arguments
            .as_object_mut()
            .expect("object")
            .extend(more.as_object().expect("more").clone());
        let table = ok("table", &arguments);
        let lines: Vec<_> = table["markdown"]
            .as_str()
            .expect("text")
            .lines()
            .map(str::to_owned)
            .collect();
        lines[..2].join("\n")
    };
    for (arguments, expected) in [
        (
            json!({}),
            "| a | b | c | e |\n| ---: | :--- | :--- | :--- |",
        ),
        (
            json!({"columns": ["c.d", "a"]}),
            "| d | a |\n| ---: | ---: |",
        ),
        (
            json!({"columns": [{"field": "b", "title": "B*", "align": "center"}]}),
            "| B\\* |\n| :---: |",
        ),
        (
            json!({"columns": ["zz"], "allow_missing": true}),
            "| zz |\n| :--- |",
        ),
    ] {
        assert_eq!(head(arguments.clone()), expected, "{arguments}");
    }
    let unknown = fails(
        "table",
        &json!({"source": {"rows": rows}, "columns": ["a", "zz"]}),
    );
    assert_eq!(
        unknown,
        ("unknown_field".to_owned(), "/columns/1".to_owned())
    );
    assert_eq!(
        ok("table", &json!({"source": {"rows": []}, "title": "T"})),
        json!({"markdown": "## T\n\nNo rows.\n", "rows": 0, "truncated": false})
    );
    let scalars = ok("table", &json!({"source": {"rows": [3, 4]}, "max_rows": 1}));
    assert_eq!(
        scalars["markdown"],
        "| value |\n| ---: |\n| 3 |\n\n1 more row\n"
    );
}

#[test]
fn columns_keep_the_order_of_the_data() {
    let source = json!({"text": "z,y,x\n1,2,3\n", "format": "csv"});
    let table = ok("table", &json!({"source": source}));
    assert!(
        table["markdown"]
            .as_str()
            .expect("text")
            .starts_with("| z | y | x |")
    );
    let steps = json!([{"op": "select", "fields": ["y", "z"]}]);
    let table = ok("table", &json!({"source": source, "steps": steps}));
    assert!(
        table["markdown"]
            .as_str()
            .expect("text")
            .starts_with("| y | z |")
    );
}
