//! `cofferdam mcp` as an MCP client starts it: with a host to go through, and without.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use cofferdam_testing::{Guest, Host};
use serde_json::{Value, json};

use crate::command::Place;

/// For a message on a busy machine; a component may be compiled before it.
const PATIENCE: Duration = Duration::from_mins(1);

/// The command, with what an MCP client has of it.
struct Session {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
}

impl Session {
    fn start(place: &Place, more: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_cofferdam"))
            .args(["mcp", "--data-dir"])
            .arg(place.path().join("data"))
            .args(more)
            .env_remove("COFFERDAM_SERVER")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary");
        let stdout = BufReader::new(child.stdout.take().expect("its stdout"));
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                drop(sender.send(line));
            }
        });
        Self {
            stdin: child.stdin.take(),
            child,
            lines,
        }
    }

    fn write(&mut self, line: &str) {
        let stdin = self.stdin.as_mut().expect("an open stdin");
        writeln!(stdin, "{line}").expect("a command that reads");
    }

    fn send(&mut self, message: &Value) {
        self.write(&message.to_string());
    }

    fn ask(&mut self, id: u64, method: &str, params: &Value) {
        self.send(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}));
    }

    /// The next message.
    fn next(&self) -> Value {
        let line = self.lines.recv_timeout(PATIENCE).expect("a message");
        let message: Value = serde_json::from_str(&line).expect("only messages on stdout");
        assert_eq!(message["jsonrpc"], "2.0", "{message}");
        message
    }

    /// The next message that answers; what the host tells besides is passed over.
    fn answer(&self, id: &Value) -> Value {
        loop {
            let message = self.next();
            if message.get("method").is_none() {
                assert_eq!(message["id"], *id, "{message}");
                return message;
            }
        }
    }

    fn asked(&mut self, id: u64, method: &str, params: &Value) -> Value {
        self.ask(id, method, params);
        self.answer(&json!(id))
    }

    fn initialize(&mut self) {
        let params = json!({
            "protocolVersion": "2025-11-25", "capabilities": {},
            "clientInfo": {"name": "test", "version": "1"},
        });
        let answer = self.asked(0, "initialize", &params);
        assert_eq!(
            answer["result"]["protocolVersion"], "2025-11-25",
            "{answer}"
        );
        self.send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
    }

    /// Closes stdin and waits for the end.
    fn end(mut self) -> (ExitStatus, Duration) {
        drop(self.stdin.take());
        let start = Instant::now();
        let status = self.child.wait().expect("its end");
        (status, start.elapsed())
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Parameters of a request of the revision without sessions.
fn stateless(mut params: Value) -> Value {
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
    });
    params
}

fn place(guest: &Guest) -> Place {
    let place = Place::new();
    place.guest("guest.wasm", guest);
    place.run(&["tool", "add", "guest.wasm"]).with_code(0);
    place
}

fn endless() -> Guest {
    Guest::new("(loop $again (br $again)) (global.get $answer)")
}

fn host(place: &Place) -> Host {
    Host::at(&place.path().join("data"), &[]).expect("a host")
}

/// The outcome of the newest call in the audit, once there is one.
fn outcome(place: &Place) -> Value {
    let start = Instant::now();
    loop {
        let audit = place.json(&["audit", "list", "--limit", "1"]);
        let record = &audit["items"][0];
        if record["act"] == "call" {
            return record.clone();
        }
        assert!(start.elapsed() < PATIENCE, "no call: {audit}");
    }
}

fn both(test: impl Fn(&Place, bool)) {
    for with_host in [false, true] {
        let place = place(&Guest::well_behaved());
        let host = with_host.then(|| host(&place));
        test(&place, with_host);
        drop(host);
    }
}

#[test]
fn a_client_lists_and_calls() {
    both(|place, _| {
        let mut session = Session::start(place, &[]);
        session.initialize();
        let listed = session.asked(1, "tools/list", &json!({}));
        assert_eq!(
            listed["result"]["tools"][0]["name"], "guest-run",
            "{listed}"
        );
        let called = session.asked(2, "tools/call", &json!({"name": "guest-run"}));
        assert_eq!(
            called["result"]["structuredContent"],
            json!({"result": true}),
            "{called}"
        );
        let unknown = session.asked(3, "tools/call", &json!({"name": "guest-walk"}));
        assert_eq!(unknown["error"]["data"]["code"], "not_found", "{unknown}");
        session.write("{no json");
        assert_eq!(session.answer(&Value::Null)["error"]["code"], -32700);
        session.write(&"x".repeat((4 << 20) + 1));
        assert_eq!(session.answer(&Value::Null)["error"]["code"], -32600);
        let listed = session.asked(4, "ping", &json!({}));
        assert_eq!(listed["result"], json!({}));
        let (status, took) = session.end();
        assert!(status.success(), "{status}");
        // Nothing was under way: what it takes is the way out of the process.
        assert!(took < Duration::from_secs(5), "{took:?}");
    });
}

#[test]
fn a_client_without_a_session_lists_and_calls() {
    both(|place, _| {
        let mut session = Session::start(place, &[]);
        let found = session.asked(1, "server/discover", &stateless(json!({})));
        let versions = found["result"]["supportedVersions"].as_array();
        let versions = versions.unwrap_or_else(|| panic!("{found}"));
        assert!(versions.contains(&json!("2026-07-28")), "{found}");
        let listed = session.asked(2, "tools/list", &stateless(json!({})));
        assert_eq!(
            listed["result"]["tools"][0]["name"], "guest-run",
            "{listed}"
        );
        let called = session.asked(3, "tools/call", &stateless(json!({"name": "guest-run"})));
        assert_eq!(
            called["result"]["structuredContent"],
            json!({"result": true}),
            "{called}"
        );
        let wrong = session.asked(4, "tools/call", &stateless(json!({"name": "ä\n"})));
        assert_eq!(wrong["error"]["code"], -32602, "{wrong}");
        assert!(session.end().0.success());
    });
}

#[test]
fn news_of_tools_come_through() {
    both(|place, _| {
        let mut session = Session::start(place, &[]);
        session.initialize();
        session.asked(1, "tools/list", &json!({}));
        place.guest("other.wasm", &Guest::well_behaved().named("other", "1.0.0"));
        // A further command goes through whoever holds the directory.
        place.run(&["tool", "add", "other.wasm"]).with_code(0);
        let told = session.next();
        assert_eq!(told["method"], "notifications/tools/list_changed", "{told}");
        let listed = session.asked(2, "tools/list", &json!({}));
        assert_eq!(listed["result"]["tools"].as_array().map(Vec::len), Some(2));
        assert!(session.end().0.success());
    });
}

#[test]
fn what_is_taken_back_is_stopped() {
    for params in [
        json!({"name": "guest-run"}),
        stateless(json!({"name": "guest-run"})),
    ] {
        let place = place(&endless());
        let _host = host(&place);
        let mut session = Session::start(&place, &[]);
        session.initialize();
        session.ask(7, "tools/call", &params);
        session.asked(8, "ping", &json!({}));
        let cancel = json!({"requestId": 7, "reason": "changed my mind"});
        session.send(&json!({
            "jsonrpc": "2.0", "method": "notifications/cancelled", "params": cancel,
        }));
        assert_eq!(outcome(&place)["code"], "cancelled");
        let next = session.asked(9, "ping", &json!({}));
        assert_eq!(
            next["id"], 9,
            "nothing is said of the one that was taken back"
        );
        assert!(session.end().0.success());
    }
}

#[test]
fn the_end_of_stdin_is_the_end() {
    let place = place(&endless());
    let _host = host(&place);
    let mut session = Session::start(&place, &[]);
    session.initialize();
    session.ask(1, "tools/call", &json!({"name": "guest-run"}));
    session.asked(2, "ping", &json!({}));
    let (status, took) = session.end();
    assert!(status.success(), "{status}");
    assert!(took < Duration::from_secs(5), "{took:?}");
    assert_eq!(outcome(&place)["code"], "cancelled");
}

#[test]
fn the_end_of_the_host_is_told() {
    let place = place(&endless());
    let host = host(&place);
    let mut session = Session::start(&place, &[]);
    session.initialize();
    session.ask(1, "tools/call", &json!({"name": "guest-run"}));
    session.asked(2, "ping", &json!({}));
    host.kill().expect("a host that runs");
    let told = session.answer(&json!(1));
    assert_eq!(told["error"]["data"]["code"], "unavailable", "{told}");
    let status = session.child.wait().expect("its end");
    assert_eq!(status.code(), Some(4), "also while stdin is open");
    let mut stderr = String::new();
    let mut pipe = session.child.stderr.take().expect("its stderr");
    std::io::Read::read_to_string(&mut pipe, &mut stderr).expect("text");
    assert!(stderr.contains("is gone (unavailable)"), "{stderr}");
}

#[test]
fn a_second_client_goes_through_the_first() {
    let place = place(&Guest::well_behaved());
    let mut first = Session::start(&place, &[]);
    first.initialize();
    let mut second = Session::start(&place, &[]);
    second.initialize();
    let called = second.asked(1, "tools/call", &json!({"name": "guest-run"}));
    assert_eq!(called["result"]["isError"], json!(false), "{called}");
    assert!(first.end().0.success());
    assert_eq!(second.child.wait().expect("its end").code(), Some(4));
    place.run(&["tool", "list"]).with_code(0);
}

#[test]
fn a_workspace_is_what_the_command_says() {
    let needs = Guest::well_behaved().declaring(&["workspace"]);
    for with_host in [false, true] {
        let place = place(&needs);
        std::fs::create_dir_all(place.path().join("data/workspaces/demo")).expect("a directory");
        let _host = with_host.then(|| host(&place));
        for (options, code) in [
            (&[][..], "policy_denied"),
            (&["--workspace", "demo"], "policy_denied"),
            (&["--workspace", "demo", "--writable"], ""),
        ] {
            let mut session = Session::start(&place, options);
            session.initialize();
            let called = session.asked(1, "tools/call", &json!({"name": "guest-run"}));
            let meta = &called["result"]["_meta"]["cofferdam/error"]["code"];
            assert_eq!(
                meta.as_str().unwrap_or_default(),
                code,
                "{options:?}: {called}"
            );
            assert!(session.end().0.success());
        }
    }
}

#[test]
fn a_key_that_is_not_known_is_refused() {
    both(|place, with_host| {
        let mut session = Session::start(place, &["--api-key", "ck_wrong"]);
        if with_host {
            let refused = session.asked(1, "tools/list", &json!({}));
            assert_eq!(
                refused["error"]["data"]["code"], "unauthenticated",
                "{refused}"
            );
            assert!(session.end().0.success());
        } else {
            assert_eq!(session.end().0.code(), Some(3));
        }
    });
}
