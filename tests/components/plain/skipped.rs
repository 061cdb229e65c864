use std::fmt::Write;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use cofferdam_testing::{Host, Plain};
use serde_json::json;

use super::{add, reason, result, says};

/// Long for an answer that needs no more than a look at types, also on a busy machine.
const QUICKLY: Duration = Duration::from_secs(10);

#[tokio::test]
async fn what_lives_in_one_instance_is_skipped_with_advice() -> Result<()> {
    let host = Host::start()?;
    let wit = "package docs:db@0.1.0;
        interface store {
            resource row { constructor(); get: func() -> u32; make: static func() -> row; }
            open: func() -> row;
            read: func(row: borrow<row>) -> u32;
            count: func() -> u32;
            nested: func() -> list<option<row>>;
        }
        world db { export store; }";
    let code = r#"
        (func (export "docs:db/store@0.1.0#[constructor]row") (result i32) (i32.const 0))
        (func (export "docs:db/store@0.1.0#[method]row.get") (param i32) (result i32) (i32.const 0))
        (func (export "docs:db/store@0.1.0#[static]row.make") (result i32) (i32.const 0))
        (func (export "docs:db/store@0.1.0#open") (result i32) (i32.const 0))
        (func (export "docs:db/store@0.1.0#read") (param i32) (result i32) (i32.const 0))
        (func (export "docs:db/store@0.1.0#count") (result i32) (i32.const 7))
        (func (export "docs:db/store@0.1.0#nested") (result i32) (i32.const 1024))"#;
    let added = add(&host, &Plain::new(wit, code), &[]).await?;
    ensure!(added["tools"] == json!(["db-count"]), "{added}");
    for (function, word) in [
        ("[constructor]row", "belongs to a resource"),
        ("[method]row.get", "belongs to a resource"),
        ("[static]row.make", "belongs to a resource"),
        ("open", "a resource"),
        ("read", "a resource"),
        ("nested", "a resource"),
    ] {
        let why = reason(&added, &format!("docs:db/store@0.1.0#{function}"))?;
        ensure!(why.contains(word), "{function}: {why}");
    }
    ensure!(result(&host, "db-count", json!({})).await? == 7);
    host.stop()
}

#[tokio::test]
async fn what_only_hosts_call_is_no_tool() -> Result<()> {
    let host = Host::start()?;
    let wit = "package t:t; world w { export wasi:cli/run@0.2.0; export go: func() -> u32; }
        package wasi:cli@0.2.0 { interface run { run: func() -> result; } }";
    let code = r#"
        (func (export "wasi:cli/run@0.2.0#run") (result i32) (i32.const 0))
        (func (export "go") (result i32) (i32.const 5))"#;
    let command = Plain::new(wit, code).called("command");
    let added = add(&host, &command, &[]).await?;
    ensure!(added["tools"] == json!(["command-go"]), "{added}");
    let why = reason(&added, "wasi:cli/run@0.2.0")?;
    ensure!(why.contains("WASI"), "{why}");
    host.stop()
}

#[tokio::test]
async fn a_component_without_a_tool_is_invalid_and_says_why() -> Result<()> {
    let host = Host::start()?;
    let wit = "package docs:db@0.1.0;
        interface store { resource row; open: func() -> row; }
        world db { export store; }";
    let code = r#"(func (export "docs:db/store@0.1.0#open") (result i32) (i32.const 0))"#;
    let answer = host.upload(Plain::new(wit, code).component()?).await?;
    says(
        &answer,
        "component_invalid",
        "none of the component's exports",
    )?;
    let skipped = &answer.body["error"]["details"]["skipped"];
    ensure!(
        skipped[0]["pointer"] == "docs:db/store@0.1.0#open",
        "{skipped}"
    );
    host.stop()
}

/// A chain of records that each name the one before twice, as long as the engine takes it, and one
/// of lists.
#[tokio::test]
async fn types_that_multiply_or_nest_without_end_are_skipped_at_once() -> Result<()> {
    let host = Host::start()?;
    let mut types = String::from("record r0 { a: u8 }\n");
    for level in 1..13 {
        let inner = level - 1;
        writeln!(
            types,
            "record r{level} {{ a: list<r{inner}>, b: list<r{inner}> }}"
        )?;
    }
    let deep = |levels: usize| "list<".repeat(levels) + "u8" + &">".repeat(levels);
    let wit = format!(
        "package docs:big@0.1.0;
        interface types {{ {types}
            multiply: func(x: r12) -> u32;
            answer: func() -> r12;
            nest: func(x: {}) -> u32;
            fine: func(x: {}) -> u32; }}
        world big {{ export types; }}",
        deep(40),
        deep(12),
    );
    let function = |name: &str, params: &str| {
        format!(
            r#"(func (export "docs:big/types@0.1.0#{name}") {params} (result i32) (i32.const 1024))"#
        )
    };
    let code = [
        function("multiply", "(param i32 i32 i32 i32)"),
        function("answer", ""),
        function("nest", "(param i32 i32)"),
        function("fine", "(param i32 i32)"),
    ];
    let component = Plain::new(&wit, &code.concat()).component()?;
    let begin = Instant::now();
    let added = host.upload(component).await?.ok()?;
    let took = begin.elapsed();
    ensure!(took < QUICKLY, "{took:?}");
    ensure!(added["tools"] == json!(["big-fine"]), "{added}");
    for function in ["multiply", "answer", "nest"] {
        let why = reason(&added, &format!("docs:big/types@0.1.0#{function}"))?;
        ensure!(why.contains("types"), "{function}: {why}");
    }
    ensure!(result(&host, "big-fine", json!({"x": []})).await? == 1024);
    host.stop()
}

#[tokio::test]
async fn a_variant_of_a_thousand_cases_is_skipped() -> Result<()> {
    let host = Host::start()?;
    let cases = |count: usize| {
        let names = (0..count).map(|case| format!("c{case}"));
        names.collect::<Vec<_>>().join(", ")
    };
    let wit = format!(
        "package docs:big@0.1.0;
        interface types {{ enum many {{ {} }} enum fair {{ {} }}
            many-of: func() -> many; fair-of: func() -> fair; }}
        world big {{ export types; }}",
        cases(1_000),
        cases(500),
    );
    let code = r#"
        (func (export "docs:big/types@0.1.0#many-of") (result i32) (i32.const 999))
        (func (export "docs:big/types@0.1.0#fair-of") (result i32) (i32.const 499))"#;
    let added = add(&host, &Plain::new(&wit, code), &[]).await?;
    let why = reason(&added, "docs:big/types@0.1.0#many-of")?;
    ensure!(why.contains("cases"), "{why}");
    ensure!(result(&host, "big-fair-of", json!({})).await? == "c499");
    host.stop()
}

/// CO-11: more functions than tools are refused until some are chosen; no end of them always.
#[tokio::test]
async fn too_many_exports_are_refused() -> Result<()> {
    let host = Host::start()?;
    let crowd = |count: usize| {
        let names: Vec<_> = (0..count).map(|index| format!("do{index}")).collect();
        let wit = names.iter().fold(String::new(), |wit, name| {
            wit + &format!("export {name}: func() -> u32;\n")
        });
        let code = names.iter().fold(String::new(), |code, name| {
            code + &format!("(func (export \"{name}\") (result i32) (i32.const 11))\n")
        });
        let wit = format!("package t:t; world w {{ {wit} }}");
        Plain::new(&wit, &code).called("many").component()
    };
    let some = crowd(1_000)?;
    let answer = host.upload(some.clone()).await?;
    says(&answer, "component_invalid", "parameter `export`")?;
    let parameters = [("export", "do3"), ("export", "do999")];
    let added = host.upload_as(some, &parameters).await?.ok()?;
    ensure!(
        added["tools"] == json!(["many-do3", "many-do999"]),
        "{}",
        added["tools"]
    );
    ensure!(result(&host, "many-do999", json!({})).await? == 11);
    let many = crowd(10_000)?;
    let begin = Instant::now();
    let answer = host.upload_as(many, &parameters).await?;
    says(&answer, "component_invalid", "more than 1000 functions")?;
    ensure!(begin.elapsed() < 2 * QUICKLY, "{:?}", begin.elapsed());
    ensure!(answer.body.to_string().len() < 4 << 10, "a long answer");
    host.stop()
}
