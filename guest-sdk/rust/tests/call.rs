//! What a component answers to a call.

use std::collections::BTreeMap;

use cofferdam_sdk::serde_json::Value;
use cofferdam_sdk::{ToolError, log, progress, tool, tools};

/// Greets somebody by name.
#[tool(read_only)]
fn greet(name: String, ending: Option<String>) -> Result<String, ToolError> {
    if name.is_empty() {
        return Err(ToolError::new("name_empty", "say whom to greet"));
    }
    Ok(format!("Hello, {name}{}", ending.unwrap_or("!".into())))
}

/// Adds numbers, some of which have defaults.
#[tool]
fn add(#[default(1)] a: i64, #[default(a_few())] mut b: i64) -> i64 {
    b += a;
    b
}

const fn a_few() -> i64 {
    3
}

/// Fails with an error of the standard library.
#[tool]
fn parse(text: String) -> Result<u8, std::num::ParseIntError> {
    text.parse()
}

/// Returns what JSON has no text for.
#[tool]
fn odd_keys() -> BTreeMap<Option<bool>, u8> {
    BTreeMap::from([(None, 1)])
}

mod nested {
    use super::*;

    /// Says something on the way.
    #[tool]
    pub(crate) fn nested(steps: u32) -> Result<(), ToolError> {
        for step in 0..steps {
            progress(step, Some(steps), "");
            log::info!(step = step, name = "a", "step {} of {steps}", step + 1);
            log::trace!("nothing to add");
        }
        Ok(())
    }

    pub(crate) mod deeper {
        /// Gives back what it gets.
        #[cofferdam_sdk::tool]
        pub(crate) fn echo(
            value: cofferdam_sdk::serde_json::Value,
        ) -> cofferdam_sdk::serde_json::Value {
            value
        }
    }
}

use nested::deeper::echo;

tools! { component = "calls"; greet, add, parse, odd_keys, nested::nested, echo }

#[test]
fn a_call_answers_the_result_as_json() {
    for (function, arguments, want) in [
        ("greet", r#"{"name": "Ada"}"#, r#""Hello, Ada!""#),
        (
            "greet",
            r#"{"name": "Ada", "ending": "?"}"#,
            r#""Hello, Ada?""#,
        ),
        (
            "greet",
            r#"{"name": "Ada", "ending": null}"#,
            r#""Hello, Ada!""#,
        ),
        ("add", "{}", "4"),
        ("add", r#"{"b": 10}"#, "11"),
        ("parse", r#"{"text": "7"}"#, "7"),
        ("nested", r#"{"steps": 2}"#, "null"),
        ("echo", r#"{"value":[1,{"a":null}]}"#, r#"[1,{"a":null}]"#),
    ] {
        assert_eq!(
            TOOLS.call(function, arguments).as_deref(),
            Ok(want),
            "{function} {arguments}"
        );
    }
}

#[test]
fn a_call_answers_what_is_wrong() {
    for (function, arguments, code, message) in [
        (
            "greet",
            r#"{"name": ""}"#,
            "name_empty",
            "say whom to greet",
        ),
        ("greet", "{}", "invalid_arguments", "missing field `name`"),
        (
            "greet",
            r#"{"name": 1}"#,
            "invalid_arguments",
            "expected a string",
        ),
        (
            "greet",
            r#"{"name": "a", "x": 1}"#,
            "invalid_arguments",
            "unknown field `x`",
        ),
        ("greet", "[", "invalid_arguments", "EOF"),
        (
            "odd_keys",
            "{}",
            "unknown_tool",
            "`calls` has no tool `odd_keys`",
        ),
        ("odd-keys", "{}", "invalid_result", "key must be a string"),
        (
            "parse",
            r#"{"text": "x"}"#,
            "failed",
            "invalid digit found in string",
        ),
        ("calls-greet", "{}", "unknown_tool", "no tool"),
    ] {
        let error = TOOLS.call(function, arguments).expect_err(function);
        assert_eq!(error.code, code, "{function} {arguments}");
        assert!(error.message.contains(message), "{error}");
    }
}

#[test]
fn the_function_stays_a_function() {
    let plain: fn(String, Option<String>) -> Result<String, ToolError> = greet;
    assert_eq!(plain("Ada".into(), None), Ok("Hello, Ada!".into()));
    assert_eq!(add(1, 2), 3);
    assert_eq!(echo(Value::Null), Value::Null);
}
