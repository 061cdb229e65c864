//! Commands of a data directory, whether or not a host works on it.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use cofferdam_testing::{Guest, Host};
use serde_json::{Value, json};

use crate::command::Place;

/// A guest that computes for longer than any test waits.
fn endless() -> Guest {
    Guest::new("(loop $again (br $again)) (global.get $answer)")
}

fn task() -> String {
    json!({"title": "one step", "plan": {"steps": [{"name": "first", "tool": "guest-run"}]}})
        .to_string()
}

#[test]
fn without_a_host_everything_is_there_the_next_time() {
    let place = Place::new();
    place.guest("guest.wasm", &Guest::well_behaved());
    let added = place.json(&["tool", "add", "guest.wasm"]);
    assert_eq!(added["tools"], json!(["guest-run"]));
    let listed = place.json(&["tool", "list"]);
    assert_eq!(listed["items"][0]["name"], "guest-run");
    let shown = place.json(&["tool", "show", "guest-run"]);
    assert_eq!(shown["digest"], added["digest"]);
    let called = place.json(&["tool", "call", "guest-run"]);
    assert_eq!(
        (&called["result"], &called["digest"]),
        (&json!(true), &added["digest"])
    );

    let ended = place
        .run_in(".", &["task", "run", "-", "--json"], &task())
        .with_code(0);
    let run = ended.json();
    assert_eq!(run["status"], "completed");
    let id = run["run_id"].as_str().expect("an id");
    assert_eq!(place.json(&["task", "show", id]), run);

    let audit = place.json(&["audit", "list"]);
    let items = audit["items"].as_array().expect("a list");
    let facts = |key: &str| items.iter().map(|r| r[key].clone()).collect::<Vec<Value>>();
    assert_eq!(facts("act"), ["call", "call", "publish"]);
    assert_eq!(facts("seq"), [3, 2, 1], "one chain over all commands");
}

#[test]
fn the_same_command_prints_the_same_with_and_without_a_host() {
    let place = Place::new();
    place.guest("guest.wasm", &Guest::well_behaved());
    place.run(&["tool", "add", "guest.wasm"]).with_code(0);
    let commands: [&[&str]; 6] = [
        &["tool", "list"],
        &["tool", "list", "--json"],
        &["tool", "show", "guest-run"],
        &["tool", "show", "guest-walk"],
        &["task", "list"],
        &["audit", "show", "1", "--json"],
    ];
    let all = || commands.map(|args| place.run(args));
    let alone = all();
    let host = Host::at(&place.path().join("data"), &[]).expect("a host");
    let through = all();
    host.stop().expect("the host ends well");
    for (alone, through) in alone.iter().zip(&through) {
        assert_eq!(
            (alone.code, &alone.stdout, &alone.stderr),
            (through.code, &through.stdout, &through.stderr)
        );
    }
    assert_eq!(alone[3].code, 2);
}

#[test]
fn a_host_is_found_by_the_directory_it_works_on() {
    let place = Place::new();
    let data = place.path().join("data");
    let host = Host::at(&data, &["--store", "memory"]).expect("a host");
    let address = fs::read_to_string(data.join("address")).expect("an address");
    assert_eq!(host.address(), format!("http://{}", address.trim()));
    for name in ["address", "lock", "admin.key"] {
        let mode = fs::metadata(data.join(name)).expect("a file").permissions();
        assert_eq!(mode.mode() & 0o777, 0o600, "{name}");
    }
    place.guest("guest.wasm", &Guest::well_behaved());
    place.run(&["tool", "add", "guest.wasm"]).with_code(0);
    let listed = place.json(&["tool", "list"]);
    assert_eq!(listed["items"][0]["name"], "guest-run");
    host.stop().expect("the host ends well");
    assert!(!data.join("address").exists(), "a host takes it away");
    assert_eq!(
        place.json(&["tool", "list"])["items"],
        json!([]),
        "the host's memory is gone, so nothing of it was in this directory"
    );
}

#[test]
fn the_address_of_a_killed_host_misleads_nobody() {
    let place = Place::new();
    let data = place.path().join("data");
    let host = Host::at(&data, &[]).expect("a host");
    host.kill().expect("a host that runs");
    assert!(data.join("address").exists());
    place.run(&["tool", "list"]).with_code(0);
    assert!(!data.join("address").exists());
    let host = Host::at(&data, &[]).expect("a host");
    place.run(&["tool", "list"]).with_code(0);
    host.stop().expect("the host ends well");
}

#[test]
fn commands_wait_for_each_other() {
    let place = Place::new();
    place.guest("guest.wasm", &Guest::well_behaved());
    place.run(&["tool", "add", "guest.wasm"]).with_code(0);
    std::thread::scope(|scope| {
        let calls: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| place.run(&["tool", "call", "guest-run"])))
            .collect();
        for call in calls {
            let ended = call.join().expect("a command").with_code(0);
            assert_eq!(ended.stdout, "true\n");
        }
    });
    let audit = place.json(&["audit", "list"]);
    assert_eq!(audit["items"].as_array().expect("a list").len(), 5);
}

#[test]
fn who_holds_the_directory_too_long_is_named() {
    let place = Place::new();
    let data = place.path().join("data");
    fs::create_dir(&data).expect("a directory");
    fs::write(data.join("lock"), "4711 task run\n").expect("a file");
    let lock = File::open(data.join("lock")).expect("a file");
    lock.lock().expect("the lock");
    let (list, serve) = std::thread::scope(|scope| {
        let list = scope.spawn(|| place.run(&["tool", "list"]));
        let serve = scope.spawn(|| place.run(&["serve", "--listen", "127.0.0.1:0"]));
        (
            list.join().expect("a command"),
            serve.join().expect("a command"),
        )
    });
    for ended in [list, serve] {
        let ended = ended.with_code(4);
        let holder = "is in use by `cofferdam task run`, process 4711, which did not end within";
        assert!(ended.stderr.contains(holder), "{ended:?}");
    }
    drop(lock);
    place.run(&["tool", "list"]).with_code(0);
}

#[test]
fn a_host_and_a_command_wait_for_a_command_that_ends() {
    let place = Place::new();
    let data = place.path().join("data");
    place.guest("guest.wasm", &endless());
    place.run(&["tool", "add", "guest.wasm"]).with_code(0);
    let call = call(&place, &["--deadline-ms", "1000"]);
    until(|| {
        let lock = fs::read_to_string(data.join("lock")).unwrap_or_default();
        lock == format!("{} tool call\n", call.id())
    });
    let host = std::thread::scope(|scope| {
        let list = scope.spawn(|| place.run(&["tool", "list"]));
        let host = Host::at(&data, &[]).expect("a host");
        list.join().expect("a command").with_code(0);
        host
    });
    let ended = call.wait_with_output().expect("its end");
    assert_eq!(ended.status.code(), Some(1), "it timed out undisturbed");
    host.stop().expect("the host ends well");
}

#[test]
fn a_run_rests_until_somebody_drives_it() {
    let place = Place::new();
    place.guest("guest.wasm", &Guest::well_behaved());
    place.run(&["tool", "add", "guest.wasm"]).with_code(0);
    let start = || {
        let started = place
            .run_in(".", &["task", "run", "-", "--no-wait", "--json"], &task())
            .with_code(0)
            .json();
        started["run_id"].as_str().expect("an id").to_owned()
    };
    let (one, other) = (start(), start());
    assert_eq!(place.json(&["task", "show", &one])["status"], "queued");
    let cancelled = place.json(&["task", "cancel", &other]);
    assert_eq!(cancelled["run_id"], other.as_str());
    assert_eq!(place.json(&["task", "show", &other])["status"], "cancelled");
    let followed = place
        .run(&["task", "events", &one, "--follow", "--json"])
        .with_code(0);
    assert_eq!(followed.json()["status"], "completed");
}

#[test]
fn an_interrupted_command_leaves_its_record() {
    let place = Place::new();
    place.guest("guest.wasm", &endless());
    place.run(&["tool", "add", "guest.wasm"]).with_code(0);
    let mut call = call(&place, &[]);
    let pid = call.id().to_string();
    // It has come to the guest once it has computed for longer than a start takes.
    until(|| processor_ticks(&pid) > 50);
    let killed = Command::new("kill").args(["-TERM", &pid]).status();
    assert!(killed.expect("the program kill").success());
    let status = call.wait().expect("its end");
    assert_eq!(status.code(), Some(130));
    let audit = place.json(&["audit", "list", "--limit", "1"]);
    assert_eq!(
        (&audit["items"][0]["act"], &audit["items"][0]["seq"]),
        (&json!("call"), &json!(2)),
        "{audit}"
    );
}

/// Calls the tool of the guest without waiting for it.
fn call(place: &Place, more: &[&str]) -> std::process::Child {
    Command::new(env!("CARGO_BIN_EXE_cofferdam"))
        .args(["tool", "call", "guest-run", "--data-dir"])
        .arg(place.path().join("data"))
        .args(more)
        .env_remove("COFFERDAM_SERVER")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the binary")
}

/// What a process has computed, in hundredths of a second.
fn processor_ticks(pid: &str) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The name before the parenthesis may hold spaces; the time in user mode is the twelfth after.
    let fields = stat.rsplit(')').next().unwrap_or_default();
    let ticks = fields.split_whitespace().nth(11);
    ticks.and_then(|ticks| ticks.parse().ok()).unwrap_or(0)
}

/// Waits for something that another process does.
fn until(is_there: impl Fn() -> bool) {
    let start = Instant::now();
    while !is_there() {
        assert!(start.elapsed() < Duration::from_mins(1), "it doesn't come");
        std::thread::sleep(Duration::from_millis(5));
    }
}
