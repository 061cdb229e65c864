use super::*;

fn entry(json: &str) -> Entry {
    serde_json::from_str(json).expect("an entry")
}

fn workspace(path: &str) -> Place {
    Place::new("workspace", path).expect("a place")
}

fn start(program: &str, arguments: &[&str]) -> Start {
    let arguments = arguments
        .iter()
        .map(|text| Argument::Text((*text).to_owned()))
        .collect();
    Start::new(program.to_owned(), arguments, 0, workspace("")).expect("well formed")
}

/// Checks which arguments of `git` an allow with this grammar covers.
fn check(grammar: &str, allowed: &[&[&str]], refused: &[&[&str]]) {
    let text = format!(r#"{{"program": "git", "arguments": {grammar}}}"#);
    let allow = Subprocess::allow(entry(&text)).expect("an allow");
    for arguments in allowed {
        assert!(
            allow.covers(&start("git", arguments)),
            "{grammar}: {arguments:?}"
        );
    }
    for arguments in refused {
        assert!(
            !allow.covers(&start("git", arguments)),
            "{grammar}: {arguments:?}"
        );
    }
}

#[test]
fn nothing_said_is_nothing_allowed() {
    check("{}", &[&[]], &[&["status"], &["-q"], &["--"], &[""]]);
}

/// PR-01: arguments that a program takes for options.
#[test]
fn an_unknown_flag_is_refused_wherever_it_stands() {
    check(
        r#"{"flags": {"--depth": {"integer": {"min": 1, "max": 9}}, "-q": "none"},
            "positions": ["name"], "rest": "any"}"#,
        &[
            &["a"],
            &["-q", "a", "-q", "b"],
            &["--depth=5", "a"],
            &["a", "--depth", "5"],
        ],
        &[
            &[],
            &["-q"],
            &["--output=/etc/x", "a"],
            &["a", "-oProxyCommand=x"],
            &["a", "-"],
            &["--", "a"],
            &["--depth", "10", "a"],
            &["--depth=05", "a"],
            &["--depth", "a"],
            &["a", "--depth"],
            &["-qq", "a"],
            &["-q=1", "a"],
            &["--dept=5", "a"],
        ],
    );
}

/// PR-03: another program, or the same in another spelling.
#[test]
fn only_the_registered_name_is_the_program() {
    let allow = Subprocess::allow(entry(r#"{"program": "git"}"#)).expect("an allow");
    for other in [
        "/tmp/git",
        "./git",
        "git/../sh",
        "GIT",
        "git ",
        "/usr/bin/git",
        "",
    ] {
        assert!(!allow.covers(&start(other, &[])), "{other}");
    }
    assert_eq!(
        Start::new("git\0".to_owned(), Vec::new(), 0, workspace("")),
        Err(Malformed::Nul)
    );
}
