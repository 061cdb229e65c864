use anyhow::{Context, Result, ensure};
use cofferdam_testing::{Host, Plain};
use serde_json::{Value, json};

use super::{add, result};

const WIT: &str = "package docs:failing@0.1.0;
    interface ways {
        record problem { line: u32, message: string }
        record cause { reason: string }
        variant fault { not-found(string), busy }
        enum kind { low, high }
        flags marks { red, blue }
        of-text: func() -> result<u32, string>;
        of-record: func() -> result<u32, problem>;
        of-short-record: func() -> result<u32, cause>;
        of-case: func() -> result<u32, fault>;
        of-bare-case: func() -> result<u32, fault>;
        of-enum: func() -> result<u32, kind>;
        of-flags: func() -> result<u32, marks>;
        of-number: func() -> result<_, u64>;
        of-nothing: func() -> result;
        fine: func() -> result<u32, string>;
        nested: func() -> result<result<u32, string>, string>;
    }
    world failing { export ways; }";

/// A function that returns what lies at an address.
fn returning(function: &str, at: u32, bytes: &str) -> String {
    format!(
        r#"(func (export "docs:failing/ways@0.1.0#{function}") (result i32) (i32.const {at}))
           (data (i32.const {at}) "{bytes}")"#
    )
}

fn failing() -> Plain {
    // At 1024 lies the text of all of them: its address and length follow each discriminant.
    let text = r"\00\04\00\00\0c\00\00\00";
    let error = r"\01\00\00\00";
    let code = [
        r#"(data (i32.const 1024) "no such file")"#.to_owned(),
        returning("of-text", 16, &format!("{error}{text}")),
        returning("of-record", 48, &format!(r"{error}\07\00\00\00{text}")),
        returning("of-short-record", 80, &format!("{error}{text}")),
        returning("of-case", 112, &format!(r"{error}\00\00\00\00{text}")),
        returning("of-bare-case", 144, &format!(r"{error}\01")),
        returning("of-enum", 176, &format!(r"{error}\01")),
        returning("of-flags", 208, &format!(r"{error}\02")),
        returning(
            "of-number",
            240,
            r"\01\00\00\00\00\00\00\00\ff\ff\ff\ff\ff\ff\ff\ff",
        ),
        r#"(func (export "docs:failing/ways@0.1.0#of-nothing") (result i32) (i32.const 1))"#
            .to_owned(),
        returning("fine", 272, r"\00\00\00\00\2a"),
        returning("nested", 304, &format!(r"\00\00\00\00{error}{text}")),
    ];
    Plain::new(WIT, &code.concat())
}

#[tokio::test]
async fn an_error_of_a_function_is_an_error_of_the_tool() -> Result<()> {
    let host = Host::start()?;
    add(&host, &failing(), &[]).await?;
    let text = "no such file";
    for (function, code, message, details) in [
        ("of-text", "error", text, json!(text)),
        (
            "of-record",
            "error",
            text,
            json!({"line": 7, "message": text}),
        ),
        (
            "of-short-record",
            "error",
            r#"{"reason":"no such file"}"#,
            json!({"reason": text}),
        ),
        ("of-case", "not-found", text, json!({"not-found": text})),
        ("of-bare-case", "busy", "busy", json!("busy")),
        ("of-enum", "high", "high", json!("high")),
        ("of-flags", "error", r#"["blue"]"#, json!(["blue"])),
        (
            "of-number",
            "error",
            "18446744073709551615",
            json!("18446744073709551615"),
        ),
        (
            "of-nothing",
            "error",
            "the tool reports an error",
            Value::Null,
        ),
    ] {
        let tool = format!("failing-{function}");
        let answer = host.call(&tool, json!({}), json!({})).await?;
        check(&answer.body, (code, message, &details)).context(function)?;
        ensure!(answer.status == 422, "{function}: {}", answer.status);
    }
    ensure!(result(&host, "failing-fine", json!({})).await? == 42);
    let nested = result(&host, "failing-nested", json!({})).await?;
    ensure!(nested == json!({"err": text}), "{nested}");
    host.stop()
}

fn check(body: &Value, (code, message, details): (&str, &str, &Value)) -> Result<()> {
    let error = &body["error"];
    ensure!(error["code"] == "tool_error", "{error}");
    ensure!(error["message"] == message, "{error}");
    ensure!(error["details"]["tool_code"] == code, "{error}");
    ensure!(error["details"]["tool_details"] == *details, "{error}");
    Ok(())
}
