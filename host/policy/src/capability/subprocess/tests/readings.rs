//! Arguments that a program reads as something else than they look like.

use super::*;

/// A deny that waits for an argument isn't lifted by leaving the argument out.
#[test]
fn a_deny_holds_without_its_argument() {
    let deny = r#"{"program": "git", "containing": [{"exact": "push"}, {"argument": "branch"}]}"#;
    let deny = Subprocess::deny(entry(deny)).expect("a deny");
    let bound = |json: &str| {
        let arguments = serde_json::from_str(json).expect("json");
        deny.bound(&arguments).expect("a deny stays")
    };
    let main = bound(r#"{"branch": "main"}"#);
    assert!(main.covers(&start("git", &["checkout", "main"])));
    assert!(!main.covers(&start("git", &["checkout", "other"])));
    for nothing in [
        "{}",
        "null",
        r#"{"branch": ["main"]}"#,
        r#"{"branch": null}"#,
    ] {
        for arguments in [&["checkout", "main"][..], &[]] {
            assert!(bound(nothing).covers(&start("git", arguments)), "{nothing}");
        }
    }
    assert!(deny.covers(&start("git", &["checkout", "main"])));
}

/// PR-01: values that a program reads as more than they are.
#[test]
fn a_value_is_no_response_file_and_no_address() {
    let path = r#"{"path": {"mount": "workspace"}}"#;
    let readings: &[&[&str]] = &[
        &["@x"],
        &["host:path"],
        &["ext::sh"],
        &["file:/etc/passwd"],
        &[":(top)x"],
        &["~/x"],
        &["$x"],
    ];
    check(
        &format!(r#"{{"positions": [{path}]}}"#),
        &[&["x@y"], &[".x"], &["_x"], &["1"], &["\u{e9}"], &["."]],
        readings,
    );
    check(
        &format!(r#"{{"flags": {{"-I": {{"joined": {path}}}, "--data": {{"joined": "any"}}}}}}"#),
        &[&["-Ix"], &["--data=x@y"], &["--data=-x"]],
        &[&["-I@x"], &["-Ia:b"], &["--data=@x"]],
    );
    for value in [r#""any""#, r#"{"glob": "**"}"#] {
        check(
            &format!(r#"{{"positions": [{value}]}}"#),
            &[&["x"], &["host:path"]],
            &[&["@x"], &["-x"]],
        );
    }
    check(r#"{"positions": [{"exact": "@x"}]}"#, &[&["@x"]], &[]);
    let bound = Subprocess::allow(entry(
        r#"{"program": "git", "arguments": {"positions": [{"argument": "file"}]}}"#,
    ));
    let bound = bound
        .expect("an allow")
        .bound(&serde_json::json!({"file": "@x"}));
    assert!(!bound.expect("something").covers(&start("git", &["@x"])));
}

/// Checks which arguments a deny of `secret/x` in the workspace covers, from a directory.
fn check_denied(cwd: &str, denied: &[&str], passed: &[&str]) {
    let deny = r#"{"program": "git", "containing": [{"path": {"mount": "workspace", "under": "secret/x"}}]}"#;
    let deny = Subprocess::deny(entry(deny)).expect("a deny");
    let covers = |text: &str| {
        let texts = vec![Argument::Text(text.to_owned())];
        let ask = Start::new("git".to_owned(), texts, 0, workspace(cwd)).expect("well formed");
        deny.covers(&ask)
    };
    for text in denied {
        assert!(covers(text), "{cwd}: {text}");
    }
    for text in passed {
        assert!(!covers(text), "{cwd}: {text}");
    }
}

#[test]
fn a_denied_path_is_denied_in_every_spelling() {
    check_denied(
        "",
        &[
            "secret/x",
            "secret/x/",
            "secret/x/y",
            "./secret/x",
            "a/../secret/x",
            "secret//x",
            "secret/./x",
            "--out=secret/x",
            "--out=./secret/x",
            "-fsecret/x",
            "-f./secret/x",
            "-isystemsecret/x",
            "-Wl,secret/x",
            "@secret/x",
            "file=@secret/x",
            "a:secret/x",
            "/anywhere",
            "--out=/anywhere",
            "-f/anywhere",
            "../workspace/secret/x",
            "a/../../workspace",
            "-f..",
        ],
        &[
            "status",
            "secret",
            "secret/y",
            "secret/xy",
            "a/secret/x",
            "",
            "-q",
            "--x",
            ".",
        ],
    );
    check_denied("sub", &["../secret/x", "-f../secret/x"], &["secret/x", "x"]);
    check_denied(
        "secret",
        &["x", "./x", "-fx", "../secret/x"],
        &["y", "../x"],
    );
    check_denied("secret/x", &["anything", "."], &["..", ""]);
}

/// A deny sees what the text would say for which the host makes a path of the machine.
#[test]
fn a_denied_text_is_denied_in_a_path_too() {
    let deny = |value: &str| {
        let text = format!(r#"{{"program": "git", "containing": [{value}]}}"#);
        Subprocess::deny(entry(&text)).expect("a deny")
    };
    let path = |prefix: &str, path: &str| {
        let place = workspace(path);
        let prefix = prefix.to_owned();
        let all = vec![Argument::Path { prefix, place }];
        Start::new("git".to_owned(), all, 0, workspace("")).expect("well formed")
    };
    for value in [
        r#"{"path": {"mount": "workspace", "under": "a"}}"#,
        r#"{"glob": "--output=**"}"#,
        r#"{"exact": "--output"}"#,
        r#"{"glob": "**/*.key"}"#,
    ] {
        assert!(deny(value).covers(&path("--output=", "a/b.key")), "{value}");
        assert!(!deny(value).covers(&path("--input=", "b")), "{value}");
    }
}
