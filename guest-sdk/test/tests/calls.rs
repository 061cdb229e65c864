//! Real calls of a real tool, by the real command.

use std::panic::catch_unwind;
use std::time::Duration;

use cofferdam_test::{Code, Component};
use serde::Deserialize;
use serde_json::json;
use tempfile::TempDir;

/// The tool that reads and writes files.
fn files() -> (TempDir, Component) {
    let folder = TempDir::new().expect("a directory");
    let path = folder.path().join("files.wasm");
    let bytes = cofferdam_testing::tool("files").expect("the built tool");
    std::fs::write(&path, bytes).expect("a file");
    let command = cofferdam_testing::binary().expect("the command");
    (folder, Component::file(path).with_command(command))
}

#[derive(Debug, Deserialize)]
struct Page {
    text: String,
    total_lines: u64,
}

#[test]
fn a_result_and_what_it_cost() {
    let (folder, files) = files();
    std::fs::write(folder.path().join("a.txt"), "one\ntwo\n").expect("a file");
    let call = files.call("read").arguments(json!({"path": "a.txt"}));
    let answer = call.clone().workspace(folder.path()).run();
    let page: Page = answer.result_as();
    assert_eq!((page.text.as_str(), page.total_lines), ("one\ntwo\n", 2));
    assert_eq!(answer.result()["path"], "a.txt");
    assert!((1..10_000_000).contains(&answer.usage.fuel), "{answer:?}");
    assert!(answer.usage.memory_peak_bytes > 0);
    assert!(answer.usage.wall.total >= answer.usage.wall.guest);
    assert_eq!(answer.denials, []);

    let denied = call.run();
    assert_eq!(denied.failure().code, Code::PolicyDenied);
    assert_eq!(denied.denials[0].capability, "workspace");
}

#[test]
fn what_a_tool_writes_stays_where_it_may() {
    let (folder, files) = files();
    let call = files
        .call("files-write")
        .arguments(json!({"path": "b.txt", "text": "new"}));
    let refused = call.clone().workspace(folder.path()).run();
    assert_eq!(refused.denials[0].operation, "write");
    call.writable_workspace(folder.path()).run().result();
    let text = std::fs::read_to_string(folder.path().join("b.txt"));
    assert_eq!(text.expect("a file"), "new");
}

#[test]
fn failures_are_answers_too() {
    let (folder, files) = files();
    let call = |path: &str| files.call("read").arguments(json!({"path": path}));
    let missing = call("none.txt").workspace(folder.path()).run();
    assert_eq!(missing.failure().code, Code::ToolError);
    assert!(missing.usage.fuel > 0);
    let wrong = files.call("read").arguments(json!({"pth": "a"}));
    let wrong = wrong.workspace(folder.path()).run();
    assert_eq!(wrong.failure().code, Code::InvalidInput);
    let stopped = call("none.txt").workspace(folder.path()).fuel(10).run();
    assert_eq!(stopped.failure().code, Code::FuelExhausted);
    let small = call("none.txt").workspace(folder.path()).memory_bytes(1);
    assert_eq!(small.run().failure().code, Code::MemoryExceeded);
    let long = call("none.txt").workspace(folder.path());
    long.deadline(Duration::from_mins(1)).run().failure();
}

/// What a test says that can't go on.
fn panic_of(test: impl FnOnce() + std::panic::UnwindSafe) -> String {
    let panic = catch_unwind(test).expect_err("a panic");
    *panic.downcast::<String>().expect("a text")
}

#[test]
fn a_test_that_can_not_go_on_says_why() {
    let (_folder, files) = files();
    let is_told = |part: &str, test: Box<dyn FnOnce() + std::panic::UnwindSafe>| {
        let told = panic_of(test);
        assert!(told.contains(part), "{part}: {told}");
    };
    let component = files.clone();
    is_told(
        "not_found: the component has no tool `walk`",
        Box::new(move || drop(component.call("walk").run())),
    );
    let component = files.clone();
    is_told(
        "the call failed: policy_denied: ",
        Box::new(move || {
            let call = component.call("read").arguments(json!({"path": "a"}));
            call.run().result();
        }),
    );
    let nowhere = files.clone().with_command("/no/such/cofferdam");
    is_told(
        "`/no/such/cofferdam` is not there: install the `cofferdam` command, or say where it is in \
         the variable COFFERDAM",
        Box::new(move || drop(nowhere.call("read").run())),
    );
    let other = files.clone().with_command("true");
    is_told(
        "the command printed no JSON",
        Box::new(move || drop(other.call("read").run())),
    );
    let missing =
        Component::file("none.wasm").with_command(cofferdam_testing::binary().expect("it"));
    is_told(
        "can't read none.wasm",
        Box::new(move || drop(missing.call("read").run())),
    );
}
