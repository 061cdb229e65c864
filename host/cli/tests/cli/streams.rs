//! Events over connections that break.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::thread::JoinHandle;

use serde_json::{Value, json};

use crate::command::Place;

const RUN: &str = "run_0190d5a8-7c3e-7f00-8000-000000000001";
const TASK: &str = "task_0190d5a8-7c3e-7f00-8000-000000000002";

/// Answers a connection for each part, and tells which requests came: the path, and the event
/// after which to go on.
fn host(parts: Vec<String>) -> (String, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let asked = std::thread::spawn(move || {
        let answer = |part: String| {
            let (mut stream, _) = listener.accept().expect("a connection");
            let asked = request(&stream);
            stream.write_all(part.as_bytes()).expect("a client");
            asked
        };
        parts.into_iter().map(answer).collect()
    });
    (format!("http://{address}"), asked)
}

fn request(stream: &TcpStream) -> String {
    let lines = BufReader::new(stream).lines().map_while(Result::ok);
    let head: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
    let path = head[0].split(' ').nth(1).unwrap_or_default();
    let path = path.trim_start_matches("/api/v1/runs/").replace(RUN, "RUN");
    let last = head
        .iter()
        .find_map(|line| line.strip_prefix("last-event-id: "));
    match last {
        Some(last) => format!("{path} after {}", last.replace(RUN, "RUN")),
        None => path,
    }
}

fn event(seq: u64, kind: &str, data: &Value) -> String {
    let view = json!({
        "run_id": RUN, "seq": seq, "at": "2026-11-21T10:00:00.000Z", "type": kind, "data": data,
    });
    format!("event: {kind}\nid: {RUN}:{seq}\ndata: {view}\n\n")
}

/// A stream that ends behind these events.
fn stream(events: &[&str]) -> String {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n";
    format!("{head}: alive\n\n{}", events.concat())
}

fn page(status: &str, body: &Value) -> String {
    let body = body.to_string();
    let length = body.len();
    format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}")
}

fn run(status: &str) -> String {
    let usage = json!({
        "fuel": 0, "wall_us": {"queue": 0, "start": 0, "guest": 0, "host": 0, "total": 0},
        "memory_peak_bytes": 0, "result_bytes": 0, "stdout_bytes": 0,
    });
    let at = "2026-11-21T10:00:00.000Z";
    let body = json!({
        "run_id": RUN, "task_id": TASK, "status": status, "status_reason": null, "result": null,
        "error": null, "usage": usage, "steps": 1, "events": "", "started_by": "key:x",
        "created_at": at, "updated_at": at,
    });
    page("200 OK", &body)
}

fn seqs(stdout: &str) -> Vec<u64> {
    let lines = stdout
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    lines.filter_map(|line| line["seq"].as_u64()).collect()
}

#[test]
fn no_event_is_lost_or_shown_twice() {
    let skipped = |seq, step| event(seq, "step.skipped", &json!({"step": step}));
    let (one, two, three) = (skipped(1, "a"), skipped(2, "b"), skipped(3, "c"));
    let cancel = event(4, "run.cancel_requested", &json!({"by": "key:x"}));
    let usage = json!({
        "fuel": 0, "wall_us": {"queue": 0, "start": 0, "guest": 0, "host": 0, "total": 0},
        "memory_peak_bytes": 0, "result_bytes": 0, "stdout_bytes": 0,
    });
    let last = event(5, "run.cancelled", &json!({"usage": usage}));
    let error = json!({"code": "unavailable", "message": "the host stops", "details": {}});
    let body = json!({"error": error, "detail": "the host stops"});
    let (url, asked) = host(vec![
        // Cut off in the middle of the third event.
        stream(&[&one, &two, &three[..three.len() / 2]]),
        run("running"),
        stream(&[&format!("event: stream.error\ndata: {body}\n\n")]),
        page("503 Service Unavailable", &body),
        page("503 Service Unavailable", &body),
        // Sends what was seen once more.
        stream(&[&two, &three, &cancel, &last]),
        run("cancelled"),
    ]);
    let place = Place::new().with("COFFERDAM_SERVER", url);
    let ended = place
        .run(&["task", "events", RUN, "--follow", "--json"])
        .with_code(1);
    assert_eq!(seqs(&ended.stdout), [1, 2, 3, 4, 5]);
    assert_eq!(
        asked.join().expect("the host"),
        [
            "RUN/events",
            "RUN",
            "RUN/events after RUN:2",
            "RUN",
            "RUN/events after RUN:2",
            "RUN/events after RUN:2",
            "RUN"
        ]
    );
}

#[test]
fn a_refusal_in_between_is_final() {
    let error =
        json!({"code": "unauthenticated", "message": "the API key is not known", "details": {}});
    let (url, asked) = host(vec![
        stream(&[&event(1, "step.skipped", &json!({"step": "a"}))]),
        run("running"),
        page("401 Unauthorized", &json!({"error": error, "detail": ""})),
    ]);
    let place = Place::new().with("COFFERDAM_SERVER", url);
    let ended = place.run(&["task", "events", RUN, "--follow"]).with_code(3);
    assert_eq!(
        ended.stderr,
        "a: skipped\nerror: the API key is not known (unauthenticated)\n  \
         see docs/errors/unauthenticated.md\n"
    );
    assert_eq!(asked.join().expect("the host").len(), 3);
}
