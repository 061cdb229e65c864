//! Calls of the built component in the real sandbox, where a table of cases is too narrow.

use cofferdam_test::{Code, Component};
use serde_json::json;

#[test]
fn greets_by_name() {
    let hello = Component::of_this_package();
    let answer = hello.call("greet").arguments(json!({"name": "Ada"})).run();
    assert_eq!(answer.result(), "Hello, Ada!");
    assert!(answer.usage.fuel < 1_000_000);
}

#[test]
fn refuses_an_empty_name() {
    let hello = Component::of_this_package();
    let answer = hello.call("greet").arguments(json!({"name": ""})).run();
    assert_eq!(answer.failure().code, Code::ToolError);
}
