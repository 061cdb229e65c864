use serde_json::json;

use crate::command::Place;

/// A port that nobody listens on: privileged, and of no known service.
const NOBODY: &str = "http://127.0.0.1:1";

#[test]
fn a_host_that_is_not_there() {
    let place = Place::new().with("COFFERDAM_SERVER", NOBODY);
    let message = "no host answers at http://127.0.0.1:1/; start one there, or name another with \
                   --server";
    for args in [
        &["tool", "list"][..],
        &["tool", "call", "hello-greet"],
        &["task", "list"],
        &["audit", "list"],
    ] {
        let ended = place.run(args).with_code(4);
        assert_eq!(
            ended.stderr,
            format!("error: {message} (unavailable)\n  see docs/errors/unavailable.md\n")
        );
        assert_eq!(ended.stdout, "");
        let ended = place.run(&[args, &["--json"]].concat()).with_code(4);
        assert_eq!(
            ended.json(),
            json!({
                "error": {"code": "unavailable", "message": message, "details": {}},
                "detail": message,
            })
        );
        assert_eq!(ended.stderr, "");
    }
}

#[test]
fn wrong_usage_ends_with_2_and_says_why() {
    let place = Place::new();
    for (args, part) in [
        (&["frobnicate"][..], "unrecognized subcommand 'frobnicate'"),
        (&["tool", "show", "No Tool"], "is not a tool name"),
        (&["tool", "call", "Tool"], "is not a tool name"),
        (&["tool", "call", "t", "--writable"], "--workspace"),
        (&["tool", "call", "t", "--workspace", "../etc"], "no path"),
        (
            &["tool", "call", "t", "--args", "[1]"],
            "arguments are an object",
        ),
        (
            &["tool", "call", "t", "--args", "@none.json"],
            "can't read none.json",
        ),
        (&["tool", "call", "t", "greet"], "is no component file"),
        (&["tool", "call", "none.wasm"], "can't read none.wasm"),
        (
            &["tool", "list", "--server", "https://h"],
            "TLS arrives with the doors",
        ),
        (
            &["task", "show", "nonsense"],
            "expected `task_…` or `run_…`",
        ),
        (&["task", "run", "none.json"], "can't read none.json"),
        (&["serve", "--listen", "nowhere"], "invalid socket address"),
        (
            &["serve", "--store", "redis://:secret@"],
            "the address of Redis: expected HOST[:PORT]",
        ),
        (
            &["serve", "--store", "paper"],
            "expected `embedded`, `memory` or `redis://HOST`",
        ),
        (
            &["--store", "memory", "tool", "list"],
            "`memory` is for `serve`",
        ),
        (&["serve", "--redis-prefix", "a b"], "the key prefix `a b`"),
        (
            &["serve", "--policy", "p.toml"],
            "the policy p.toml can't be used",
        ),
    ] {
        let ended = place.run(args).with_code(2);
        assert!(ended.stderr.contains(part), "{args:?}: {ended:?}");
        assert_eq!(ended.stdout, "", "{args:?}");
        let body = place.run(&[args, &["--json"]].concat()).with_code(2).json();
        assert_eq!(body["error"]["code"], "invalid_input", "{args:?}");
    }
}

#[test]
fn what_answers_may_be_something_else() {
    let place = Place::new().with("COFFERDAM_SERVER", other_server());
    let ended = place.run(&["tool", "list"]).with_code(4);
    assert!(
        ended
            .stderr
            .contains("is no Cofferdam of this kind: it answers HTTP 404"),
        "{ended:?}"
    );
    assert!(ended.stderr.contains("(upstream_error)"), "{ended:?}");
}

/// Answers one connection with a page of its own.
fn other_server() -> String {
    use std::io::{BufRead, BufReader, Write};

    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a connection");
        let lines = BufReader::new(&stream).lines();
        let head = lines
            .map_while(Result::ok)
            .take_while(|line| !line.is_empty());
        assert!(head.count() > 0);
        stream
            .write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 6\r\n\r\n<html>")
            .expect("a client");
    });
    format!("http://{address}")
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    use std::process::{Command, Stdio};

    let place = Place::new();
    let mut child = Command::new(env!("CARGO_BIN_EXE_cofferdam"))
        .args(["tool", "new", "hello"])
        .current_dir(place.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("its end");
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}
