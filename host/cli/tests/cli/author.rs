use serde_json::json;

use crate::command::Place;

/// The guide's way, outside the repository: from nothing to a called tool. The dependencies of
/// guests are compiled once for all runs of this test.
#[test]
fn from_nothing_to_a_called_tool() {
    let place = Place::new().with(
        "CARGO_TARGET_DIR",
        concat!(env!("CARGO_TARGET_TMPDIR"), "/guest"),
    );
    place.run(&["tool", "new", "hello"]).with_code(0);

    let built = place
        .run_in("hello", &["tool", "build", "--json"], "")
        .with_code(0);
    let built = built.json();
    assert_eq!(built["file"], "target/hello.wasm");
    let bytes = std::fs::read(place.path().join("hello/target/hello.wasm")).expect("the component");
    assert_eq!(built["bytes"], bytes.len());

    let tested = place.run_in("hello", &["tool", "test"], "").with_code(0);
    assert!(
        tested.stdout.contains("ok      greets by name"),
        "{tested:?}"
    );
    assert!(tested.stdout.ends_with(" ok, 0 failed\n"), "{tested:?}");

    let file = "hello/target/hello.wasm";
    let seen = place.json(&["tool", "inspect", file]);
    assert_eq!(
        (&seen["component"], &seen["digest"]),
        (&json!("hello"), &built["digest"])
    );
    assert_eq!(seen["tools"][0]["name"], "hello-greet");
    assert_eq!(seen["tools"][0]["args_schema"]["required"], json!(["name"]));

    for tool in ["hello-greet", "greet"] {
        let args = ["tool", "call", file, tool, "--args", r#"{"name": "Ada"}"#];
        let called = place.run(&args).with_code(0);
        assert_eq!(called.stdout, "Hello, Ada!\n");
        assert!(
            called.stderr.contains("hello-greet 0.1.0: fuel "),
            "{called:?}"
        );
    }
    let stdin = place.run_in(
        ".",
        &["tool", "call", file, "--args", "-"],
        r#"{"name": "Bo"}"#,
    );
    assert_eq!(stdin.with_code(0).stdout, "Hello, Bo!\n");
    the_tests_of_the_project_pass(&place);
    wrong_cases_are_told(&place);
    wrong_code_is_told(&place);
}

fn the_tests_of_the_project_pass(place: &Place) {
    let output = std::process::Command::new("cargo")
        .arg("test")
        .current_dir(place.path().join("hello"))
        .env("COFFERDAM", env!("CARGO_BIN_EXE_cofferdam"))
        .env(
            "CARGO_TARGET_DIR",
            concat!(env!("CARGO_TARGET_TMPDIR"), "/guest"),
        )
        .output()
        .expect("cargo");
    assert!(output.status.success(), "{output:?}");
    let printed = String::from_utf8_lossy(&output.stdout);
    for test in ["greets_by_name", "refuses_an_empty_name"] {
        let passed = format!("test {test} ... ok");
        assert!(printed.contains(&passed), "{passed}: {printed}");
    }
}

fn wrong_cases_are_told(place: &Place) {
    let cases = r#"
        [[case]]
        name = "greets wrongly"
        tool = "greet"
        arguments = { name = "Ada" }
        result = "Bye, Ada!"
        fuel_max = 1

        [[case]]
        name = "has no such tool"
        tool = "hello-wave"
        error = "not_found"
        message_contains = "`hello-greet`"
    "#;
    place.write("hello/wrong.toml", cases);
    let tested = place
        .run_in("hello", &["tool", "test", "--file", "wrong.toml"], "")
        .with_code(1);
    for part in [
        "FAILED  greets wrongly\n          the result: expected \"Bye, Ada!\", got \"Hello, Ada!\"\n",
        " fuel, expected at most 1\n",
        "ok      has no such tool",
        "\n2 cases: 1 ok, 1 failed\n",
    ] {
        assert!(tested.stdout.contains(part), "{part}: {tested:?}");
    }
}

fn wrong_code_is_told(place: &Place) {
    place.write("hello/src/lib.rs", "fn broken(");
    let built = place.run_in("hello", &["tool", "build"], "").with_code(1);
    assert!(built.stderr.contains("unclosed delimiter"), "{built:?}");
    assert!(
        built
            .stderr
            .contains("error: cargo could not build the tool"),
        "{built:?}"
    );
}
