//! Components of other toolchains: their labels, and their tests.

use serde_json::json;

use crate::command::Place;

/// Exports two functions, and one whose type can't be told in JSON. Says neither name nor version.
const CALC: &str = r#"
(component
  (core module $m
    (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
    (func (export "crash") (result i32) unreachable)
    (func (export "open") (result i32) (i32.const 0)))
  (core instance $i (instantiate $m))
  (type $file (resource (rep i32)))
  (export $open-file "file" (type $file))
  (func (export "add") (param "a" u32) (param "b" u32) (result u32)
    (canon lift (core func $i "add")))
  (func (export "crash") (result u32) (canon lift (core func $i "crash")))
  (func (export "open") (result (own $open-file)) (canon lift (core func $i "open"))))
"#;

const CASES: &str = r#"
[[case]]
name = "adds"
tool = "add"
arguments = { a = 2, b = 3 }
result = 5

[[case]]
name = "refuses what is no u32"
tool = "add"
arguments = { a = -1, b = 3 }
error = "invalid_input"

[[case]]
name = "crashes"
tool = "crash"
error = "trap"
"#;

fn place() -> Place {
    let place = Place::new();
    place.write("My_Calc.wasm", wat::parse_str(CALC).expect("a component"));
    place.write("tests.toml", CASES);
    place
}

#[test]
fn its_cases_run_in_the_sandbox() {
    let place = place();
    let tested = place.run(&["tool", "test", "My_Calc.wasm"]).with_code(0);
    assert!(
        tested.stdout.ends_with("\n3 cases: 3 ok, 0 failed\n"),
        "{tested:?}"
    );
    let named = CASES.replace("\"add\"", "\"sums-add\"");
    place.write("named.toml", named);
    let options = ["--tests", "named.toml", "--name", "sums"];
    let tested = place.json(&[&["tool", "test", "My_Calc.wasm"], &options[..]].concat());
    assert_eq!(tested["passed"], 3, "{tested}");
}

#[test]
fn it_is_called_by_the_names_of_its_file_or_of_ones_own() {
    let place = place();
    let call = [
        "tool",
        "call",
        "My_Calc.wasm",
        "add",
        "--args",
        r#"{"a": 1, "b": 2}"#,
    ];
    let answer = place.json(&call);
    assert_eq!(
        (&answer["tool"], &answer["version"], &answer["result"]),
        (&json!("my-calc-add"), &json!("0.1.0"), &json!(3))
    );
    let each = [
        "tool",
        "call",
        "My_Calc.wasm",
        "add",
        "--arg",
        "a=1",
        "--arg",
        "b=2",
    ];
    assert_eq!(place.json(&each)["result"], 3);
    let both = [&each[..], &["--args", "{}"]].concat();
    let ended = place.run(&both).with_code(2);
    assert!(ended.stderr.contains("cannot be used with"), "{ended:?}");
    let answer = place.json(&[&call, &["--name", "sums", "--version", "1.2.3"][..]].concat());
    assert_eq!(
        (&answer["tool"], &answer["version"]),
        (&json!("sums-add"), &json!("1.2.3"))
    );
}

#[test]
fn what_is_shown_is_what_becomes_callable() {
    let place = place();
    let seen = place.json(&["tool", "inspect", "My_Calc.wasm", "--export", "add"]);
    let names = seen["tools"].as_array().expect("a list");
    assert_eq!(names.len(), 1, "{seen}");
    let seen = place
        .run(&["tool", "inspect", "My_Calc.wasm"])
        .with_code(0)
        .stdout;
    assert!(seen.contains("no tool   open: "), "{seen}");

    let added = place
        .run(&["tool", "add", "My_Calc.wasm"])
        .with_code(0)
        .stdout;
    assert!(added.starts_with("added my-calc 0.1.0  sha256:"), "{added}");
    for line in [
        "  my-calc-add\n",
        "  no tool: open: ",
        "  imports: nothing\n",
    ] {
        assert!(added.contains(line), "{line}: {added}");
    }
    let answer = place.json(&[
        "tool",
        "call",
        "my-calc-add",
        "--args",
        r#"{"a": 1, "b": 2}"#,
    ]);
    assert_eq!(answer["result"], 3);
    let options = ["--name", "sums", "--version", "2.0.0", "--export", "add"];
    let added = place.json(&[&["tool", "add", "My_Calc.wasm"], &options[..]].concat());
    assert_eq!(
        (&added["component"], &added["version"], &added["tools"]),
        (&json!("sums"), &json!("2.0.0"), &json!(["sums-add"]))
    );
}

#[test]
fn labels_that_fit_nothing_are_refused() {
    let place = place();
    for (args, part) in [
        (
            &["tool", "add", "My_Calc.wasm", "--export", "sub"][..],
            "sub",
        ),
        (
            &["tool", "add", "My_Calc.wasm", "--name", "No Name"],
            "is not a component name",
        ),
        (
            &["tool", "add", "My_Calc.wasm", "--version", "one"],
            "--version",
        ),
        (
            &["tool", "add", "My_Calc.wasm", "a.wasm", "--name", "a"],
            "one component at a time",
        ),
        (
            &["tool", "call", "a-b", "--name", "a"],
            "for component files",
        ),
    ] {
        let ended = place.run(args).with_code(2);
        assert!(ended.stderr.contains(part), "{args:?}: {ended:?}");
    }
}

const WIT: &str = "package docs:calc@1.2.0;\nworld calc {\n  /// Adds two numbers.\n  export add: func(a: u32, b: u32) -> u32;\n}\n";

#[test]
fn the_authors_wit_narrows_and_documents() {
    let place = place();
    place.write("calc.wit", WIT);
    let inspected = place.json(&["tool", "inspect", "My_Calc.wasm", "--wit", "calc.wit"]);
    let tools = inspected["tools"].as_array().expect("tools");
    assert_eq!(tools.len(), 1, "{inspected}");
    assert_eq!(tools[0]["description"], "The function `add`.");
    let docs = [
        "tool",
        "docs",
        "My_Calc.wasm",
        "--wit",
        "calc.wit",
        "-o",
        "told.wasm",
    ];
    place.run(&docs).with_code(0);
    let inspected = place.json(&["tool", "inspect", "told.wasm", "--wit", "calc.wit"]);
    assert_eq!(inspected["tools"][0]["description"], "Adds two numbers.");
    let again = place.json(&["tool", "docs", "told.wasm", "--wit", "calc.wit"]);
    assert_eq!(
        again["digest"], inspected["digest"],
        "nothing is added twice"
    );
    place.write("other.wit", WIT.replace("add:", "sub:"));
    place
        .run(&["tool", "docs", "My_Calc.wasm", "--wit", "other.wit"])
        .with_code(2);
    place
        .run(&["tool", "inspect", "My_Calc.wasm", "--wit", "other.wit"])
        .with_code(2);
    place
        .run(&["tool", "inspect", "My_Calc.wasm", "--wit", "nowhere.wit"])
        .with_code(2);
}
