//! Calls the tools of a component from `cargo test`, in the sandbox that serves real calls.
//!
//! ```no_run
//! use cofferdam_test::{Code, Component};
//! use serde_json::json;
//!
//! #[test]
//! fn greets_by_name() {
//!     let hello = Component::of_this_package();
//!     let answer = hello.call("greet").arguments(json!({"name": "Ada"})).run();
//!     assert_eq!(answer.result(), "Hello, Ada!");
//!     assert!(answer.usage.fuel < 1_000_000);
//!
//!     let answer = hello.call("greet").arguments(json!({"name": ""})).run();
//!     assert_eq!(answer.failure().code, Code::ToolError);
//! }
//! ```
//!
//! Owns how a test gets an answer of a component. Refuses to know how a component is run: it drives
//! the `cofferdam` command, which it finds by the variable `COFFERDAM` or in the `PATH`, and reads
//! what it prints for programs. Whatever keeps a test from making its call ends it with a panic
//! that says what to do. Start with [`Component`].

mod answer;
mod call;
mod command;
mod component;

pub use answer::{Answer, Code, Denial, Failure, Log, LogRecord, Usage, Wall};
pub use call::Call;
pub use component::Component;
