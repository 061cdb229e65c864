mod model;
mod readings;

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

#[test]
fn values_of_flags() {
    check(
        r#"{"flags": {"-n": {"integer": {"min": -9, "max": 9}}, "--color": {"joined": {"one_of": ["always"]}},
            "--out": {"separate": {"path": {"mount": "workspace", "under": "out"}}}, "-std": "name"}}"#,
        &[
            &["-n5"],
            &["-n-5"],
            &["-n", "5"],
            &["--color=always"],
            &["--out", "out/a"],
            &["-std=c99"],
            &[],
        ],
        &[
            &["-n", "-5"],
            &["-n=5"],
            &["-n"],
            &["--color", "always"],
            &["--color"],
            &["--out=out/a"],
            &["--out", "a"],
            &["--out", "out/../a"],
            &["--out", "/out/a"],
            &["--out", "outer"],
            &["-stdc99"],
            &["--std=c99"],
        ],
    );
}

#[test]
fn subcommands_have_arguments_of_their_own() {
    check(
        r#"{"flags": {"-q": "none"}, "subcommands": {
            "status": {},
            "log": {"flags": {"--oneline": "none", "--": "none"}, "rest": {"path": {"mount": "workspace"}}}}}"#,
        &[
            &["status"],
            &["-q", "status"],
            &["log", "--oneline", "a", "b/c"],
            &["log", "--", "."],
        ],
        &[
            &[],
            &["-q"],
            &["push"],
            &["status", "-q"],
            &["--oneline", "log"],
            &["log", "--", "--oneline"],
            &["log", "../a"],
            &["log", "status", "--all"],
        ],
    );
}

#[test]
fn a_path_is_the_guest_s_and_becomes_the_machine_s() {
    let allow = entry(
        r#"{"program": "git", "arguments": {"flags": {"--out": {"path": {"mount": "refs"}}, "-C": {"path": {"mount": "refs"}}},
            "positions": [{"path": {"mount": "refs", "under": "a"}}]}}"#,
    );
    let allow = Subprocess::allow(allow).expect("an allow");
    let covers = |first: Argument, second: Option<Argument>| {
        let all = std::iter::once(first).chain(second).collect();
        Start::new("git".to_owned(), all, 0, workspace("")).is_ok_and(|ask| allow.covers(&ask))
    };
    let path = |prefix: &str, mount: &str, path: &str| Argument::Path {
        prefix: prefix.to_owned(),
        place: Place::new(mount, path).expect("a place"),
    };
    assert!(covers(path("", "refs", "a/b"), None));
    assert!(covers(
        path("", "refs", "a"),
        Some(path("--out=", "refs", "x"))
    ));
    assert!(covers(path("", "refs", "a"), Some(path("-C", "refs", "x"))));
    for (prefix, mount, place) in [
        ("", "refs", "b"),
        ("", "refs", "ab"),
        ("", "workspace", "a"),
        ("--", "refs", "a"),
        ("x", "refs", "a"),
        ("--other=", "refs", "a"),
        ("-C=", "refs", "a"),
    ] {
        assert!(
            !covers(path(prefix, mount, place), None),
            "{prefix}{mount}:{place}"
        );
    }
    // As text it would be a path of the machine, or of the directory that it starts in.
    assert!(!covers(Argument::Text("a/b".to_owned()), None));
}

#[test]
fn stdin_and_directory_have_bounds() {
    let allow = |json: &str| Subprocess::allow(entry(json)).expect("an allow");
    let start = |stdin: u64, cwd: Place| {
        Start::new("cat".to_owned(), Vec::new(), stdin, cwd).expect("well formed")
    };
    let plain = allow(r#"{"program": "cat"}"#);
    assert!(plain.covers(&start(0, workspace("a"))));
    assert!(!plain.covers(&start(1, workspace("a"))));
    assert!(!plain.covers(&start(0, Place::new("refs", "").expect("a place"))));
    let fed = allow(
        r#"{"program": "cat", "stdin": {"bytes": "1KiB"}, "cwd": {"mount": "workspace", "under": "a"}}"#,
    );
    assert!(fed.covers(&start(1_024, workspace("a/b"))));
    assert!(!fed.covers(&start(1_025, workspace("a/b"))));
    assert!(!fed.covers(&start(0, workspace("ab"))));
}

#[test]
fn an_argument_of_the_call_narrows_the_program_s() {
    let allow = Subprocess::allow(entry(
        r#"{"program": "git", "arguments": {"subcommands": {"checkout": {"positions": [{"argument": "branch"}]}}}}"#,
    ))
    .expect("an allow");
    assert!(allow.is_bound_by_arguments());
    assert!(!allow.covers(&start("git", &["checkout", "main"])));
    let bound = |json: &str| allow.bound(&serde_json::from_str(json).expect("json"));
    let main = bound(r#"{"branch": "main"}"#).expect("something");
    assert!(main.covers(&start("git", &["checkout", "main"])));
    assert!(!main.covers(&start("git", &["checkout", "other"])));
    let dashed = bound(r#"{"branch": "--force"}"#).expect("something");
    assert!(!dashed.covers(&start("git", &["checkout", "--force"])));
    for nothing in ["{}", r#"{"branch": ["main"]}"#, r#"{"branch": null}"#] {
        assert!(bound(nothing).is_none(), "{nothing}");
    }
}

#[test]
fn a_deny_holds_whatever_stands_around() {
    let deny = |json: &str| Subprocess::deny(entry(json)).expect("a deny");
    let all = deny(r#"{"program": "git"}"#);
    assert!(all.covers(&start("git", &["--anything"])));
    assert!(!all.covers(&start("tar", &[])));
    let some = deny(
        r#"{"program": "git", "containing": [{"exact": "push"}, {"glob": "--upload-pack*"}, {"glob": "ext::*"}]}"#,
    );
    for hit in [
        &["push"][..],
        &["-q", "push", "x"],
        &["fetch", "--upload-pack=x"],
        &["clone", "ext::sh"],
        &["clone", "--from=ext::sh"],
    ] {
        assert!(some.covers(&start("git", hit)), "{hit:?}");
    }
    assert!(!some.covers(&start("git", &["pushed"])));
    assert!(Subprocess::deny(entry(r#"{"program": "git", "arguments": {}}"#)).is_err());
    assert!(Subprocess::allow(entry(r#"{"program": "git", "containing": []}"#)).is_err());
}

#[test]
fn faults_say_where() {
    let fault = |json: &str| Subprocess::allow(entry(json)).expect_err("a fault").pointer;
    for (json, pointer) in [
        (r#"{"program": ""}"#, "/program"),
        (
            r#"{"program": "a", "arguments": {"flags": {"depth": "none"}}}"#,
            "/arguments/flags/depth",
        ),
        (
            r#"{"program": "a", "arguments": {"positions": ["name", {"glob": "[a"}]}}"#,
            "/arguments/positions/1/glob",
        ),
        (
            r#"{"program": "a", "arguments": {"subcommands": {"b": {"rest": {"path": {"mount": "m", "under": "../x"}}}}}}"#,
            "/arguments/subcommands/b/rest/path",
        ),
        (
            r#"{"program": "a", "arguments": {"rest": "any", "subcommands": {"b": {}}}}"#,
            "/arguments/subcommands",
        ),
        (
            r#"{"program": "a", "limits": {"time": "301s"}}"#,
            "/limits/time",
        ),
        (
            r#"{"program": "a", "limits": {"processes": 0}}"#,
            "/limits/processes",
        ),
        (
            r#"{"program": "a", "cwd": {"mount": "m", "under": "/x"}}"#,
            "/cwd",
        ),
    ] {
        assert_eq!(fault(json), pointer, "{json}");
    }
    for unknown in [
        r#"{"program": "a", "shell": true}"#,
        r#"{"program": "a", "arguments": {"flag": {}}}"#,
        r#"{"program": "a", "arguments": {"positions": [{"regex": "x"}]}}"#,
    ] {
        assert!(serde_json::from_str::<Entry>(unknown).is_err(), "{unknown}");
    }
}

#[test]
fn a_registered_program_is_a_file_of_the_machine() {
    let program = |json: &str| {
        Program::new(serde_json::from_str(json).expect("an entry")).map_err(|fault| fault.pointer)
    };
    assert_eq!(
        program(r#"{"path": "/usr/bin/git"}"#)
            .expect("a program")
            .limits(),
        Limits::DEFAULT
    );
    for path in [
        "git",
        "./git",
        "/usr/../bin/git",
        "/usr//bin/git",
        "/usr/bin/",
        "/usr/./git",
        "",
    ] {
        let json = format!(r#"{{"path": "{path}"}}"#);
        assert_eq!(program(&json).expect_err("a fault"), "/path", "{path}");
    }
    let pinned = r#"{"path": "/a", "sha256": "AB"}"#;
    assert_eq!(program(pinned).expect_err("a fault"), "/sha256");
    let read = r#"{"path": "/a", "read": ["/b", "c"]}"#;
    assert_eq!(program(read).expect_err("a fault"), "/read/1");
}

/// PR-16: a program that runs whatever it is told.
#[test]
fn dangers_are_named() {
    let dangers = |json: &str| {
        Program::new(serde_json::from_str(json).expect("an entry"))
            .expect("a program")
            .dangers()
            .len()
    };
    assert_eq!(dangers(r#"{"path": "/usr/bin/wc"}"#), 0);
    for path in [
        "/bin/sh",
        "/usr/bin/python3.12",
        "/usr/bin/gcc-13",
        "/usr/bin/env",
        "/usr/bin/git",
    ] {
        assert_eq!(dangers(&format!(r#"{{"path": "{path}"}}"#)), 1, "{path}");
    }
    let wide = r#"{"path": "/usr/bin/wc", "network": true, "confinement": "best-effort",
        "environment": {"LD_PRELOAD": "/x"}, "read": ["/etc"]}"#;
    assert_eq!(dangers(wide), 4);
    let open = Subprocess::allow(entry(
        r#"{"program": "wc", "arguments": {"rest": "any"}, "mounts": {"workspace": "write"}}"#,
    ));
    assert_eq!(open.expect("an allow").dangers().len(), 2);
}

#[test]
fn layers_only_narrow() {
    let caps = |json: &str| Subprocess::allow(entry(json)).expect("an allow").caps();
    let wide = caps(r#"{"program": "a", "mounts": {"w": "write", "r": "read"}}"#);
    let tight = caps(r#"{"program": "a", "limits": {"cpu": "1s"}, "mounts": {"w": "read"}}"#);
    let both = wide.clone().narrowest(tight.clone());
    assert_eq!(both, tight);
    assert_eq!(both.widest(wide.clone()), wide);
}
