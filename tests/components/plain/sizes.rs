use anyhow::{Context, Result, ensure};
use cofferdam_testing::{Host, Plain, show};
use serde_json::{Value, json};

use super::{add, result, says};

/// Most memory of the host for one answer, whatever its shape. The engine counts up to 8 MiB; of
/// those a flag takes one byte for each letter of its name, and some 50 of memory.
const PEAK_BYTES_MAX: u64 = 256 << 20;

/// Most memory of the host for sixteen answers at once, guests included.
const HELD_BYTES_MAX: u64 = 1 << 30;

/// Functions that return so many of something from the zeros and ones of their memory.
fn big() -> Plain {
    let names = (0..32).map(|index| format!("f{index}"));
    let flags = names.collect::<Vec<_>>().join(", ");
    let wit = format!(
        "package docs:big@0.1.0;
        interface big {{
            flags all {{ {flags} }}
            record small {{ a: bool }}
            text: func(count: u32) -> string;
            bytes: func(count: u32) -> list<u8>;
            wide: func(count: u32) -> list<u64>;
            sets: func(count: u32) -> list<all>;
            records: func(count: u32) -> list<small>;
            lists: func(count: u32) -> list<list<u8>>;
            texts: func(count: u32) -> list<string>;
            failing: func(count: u32) -> result<u32, string>;
            count: func(xs: list<bool>) -> u32;
        }}
        world big-world {{ export big; }}"
    );
    let export = |name: &str| format!(r#"(export "docs:big/big@0.1.0#{name}")"#);
    let returning = |name: &str, fill: &str| {
        format!(
            r"(func {} (param i32) (result i32)
                (memory.fill (i32.const 65536) (i32.const {fill}) (i32.const 0x800000))
                (i32.store (i32.const 16) (i32.const 65536))
                (i32.store (i32.const 20) (local.get 0))
                (i32.const 16))",
            export(name)
        )
    };
    let code = [
        returning("text", "0x61"),
        returning("bytes", "255"),
        returning("wide", "255"),
        returning("sets", "255"),
        returning("records", "1"),
        returning("lists", "0"),
        returning("texts", "0"),
        format!(
            r"(func {} (param i32) (result i32)
                (memory.fill (i32.const 65536) (i32.const 0x61) (i32.const 0x800000))
                (i32.store8 (i32.const 16) (i32.const 1))
                (i32.store (i32.const 20) (i32.const 65536))
                (i32.store (i32.const 24) (local.get 0))
                (i32.const 16))",
            export("failing")
        ),
        format!(
            "(func {} (param i32 i32) (result i32) (local.get 1))",
            export("count")
        ),
    ];
    Plain::new(&wit, &code.concat()).pages(130)
}

/// The most memory that a process has held, in bytes.
fn peak(pid: u32) -> Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|rest| rest.split_whitespace().next());
    Ok(kib.context("the peak")?.parse::<u64>()? << 10)
}

/// Each shape at what is just too much for its answer, and far beyond.
#[tokio::test]
async fn results_of_megabytes_are_right_or_too_large_in_bounded_memory() -> Result<()> {
    for (function, counts) in [
        ("text", vec![(1 << 20) - 2, (1 << 20) - 1, 8 << 20]),
        ("bytes", vec![100_000, 260_000, 400_000, 8 << 20]),
        ("wide", vec![40_000, 60_000, 1 << 20]),
        (
            "sets",
            vec![1_000, 10_000, 50_000, 100_000, 200_000, 2 << 20],
        ),
        ("records", vec![10_000, 100_000, 8 << 20]),
        ("lists", vec![100_000, 1 << 20]),
        ("texts", vec![100_000, 1 << 20]),
        ("failing", vec![1_000, (1 << 20) - 2, 8 << 20]),
    ] {
        let host = Host::start()?;
        add(&host, &big(), &[]).await?;
        let tool = format!("big-{function}");
        // What the first call of a kind needs anyway.
        host.call(&tool, json!({"count": 1}), json!({})).await?;
        let before = peak(host.pid())?;
        let mut ended = Vec::new();
        for count in counts {
            let answer = host.call(&tool, json!({"count": count}), json!({})).await?;
            match answer.code() {
                None => check(&answer.body["result"], count)
                    .with_context(|| format!("{function} of {count}"))?,
                Some("tool_error") if function == "failing" => {}
                Some("output_too_large") => {}
                Some(code) => anyhow::bail!("{function} of {count}: {code}: {}", answer.body),
            }
            ended.push(answer.code().unwrap_or("ok").to_owned());
        }
        ensure!(ended.last().is_some_and(|end| end == "output_too_large"));
        ensure!(ended[0] != "output_too_large", "{function}: {ended:?}");
        let more = peak(host.pid())?.saturating_sub(before);
        show(&format!(
            "{function}: {ended:?}, {} MiB at most",
            more >> 20
        ));
        ensure!(more <= PEAK_BYTES_MAX, "{function}: {} MiB", more >> 20);
        host.stop()?;
    }
    Ok(())
}

/// What a guest returned is held while its own code cleans up, which may take as long as the call.
#[tokio::test]
async fn guests_that_never_finish_cleaning_up_hold_bounded_memory() -> Result<()> {
    let host = Host::start()?;
    let forever = r#"
        (func (export "cabi_post_docs:big/big@0.1.0#sets") (param i32) (loop (br 0)))
        (func (export "cabi_post_docs:big/big@0.1.0#records") (param i32) (loop (br 0)))"#;
    add(&host, &big().with(forever), &[]).await?;
    let before = peak(host.pid())?;
    let limits = json!({"limits": {"deadline_ms": 3_000}});
    for (tool, count) in [("big-sets", 8_000), ("big-records", 100_000)] {
        let calls = (0..16).map(|_| host.call(tool, json!({"count": count}), limits.clone()));
        for answer in futures::future::join_all(calls).await {
            let answer = answer?;
            let code = answer.code();
            ensure!(
                matches!(code, Some("timeout" | "output_too_large")),
                "{tool}: {}",
                answer.body
            );
        }
        let more = peak(host.pid())?.saturating_sub(before);
        show(&format!("16 times {tool}: {} MiB at most", more >> 20));
    }
    let more = peak(host.pid())?.saturating_sub(before);
    ensure!(more <= HELD_BYTES_MAX, "{} MiB", more >> 20);
    host.stop()
}

fn check(result: &Value, count: usize) -> Result<()> {
    let (length, is_uniform) = match result {
        Value::String(text) => (text.len(), text.bytes().all(|byte| byte == b'a')),
        Value::Array(items) => (items.len(), items.iter().all(|item| *item == items[0])),
        _ => anyhow::bail!("neither text nor list"),
    };
    ensure!(length == count, "{length}");
    ensure!(is_uniform, "not all the same");
    Ok(())
}

#[tokio::test]
async fn wide_arguments_are_taken_up_to_the_limit_of_a_request() -> Result<()> {
    let host = Host::start()?;
    add(&host, &big(), &[]).await?;
    // With commas and the rest of the request just below 4 MiB.
    let count = ((4 << 20) - 100) / 5;
    let wide = json!({"xs": vec![true; count]});
    let answer = result(&host, "big-count", wide).await?;
    ensure!(answer == count, "{answer}");
    let answer = host
        .call(
            "big-count",
            json!({"xs": vec![true; count + 100]}),
            json!({}),
        )
        .await?;
    says(&answer, "too_large", "")?;
    // Each fault is a chance to answer with more than was sent.
    let answer = host
        .call("big-count", json!({"xs": vec![7; 1 << 20]}), json!({}))
        .await?;
    says(&answer, "invalid_input", "/xs/0")?;
    ensure!(answer.body.to_string().len() < 64 << 10, "a long answer");
    let members = (0..100_000).map(|index| (format!("k{index}"), json!(1)));
    let answer = host
        .call("big-count", members.collect::<Value>(), json!({}))
        .await?;
    says(&answer, "invalid_input", "/k0")?;
    ensure!(answer.body.to_string().len() < 64 << 10, "a long answer");
    // A million faults are not collected to tell of twenty.
    let held = peak(host.pid())?;
    ensure!(held < 1 << 30, "{held} bytes");
    host.stop()
}

/// Options inside options at the deepest that a type may be, and JSON at the deepest and one more.
#[tokio::test]
async fn deep_arguments_are_taken_as_far_as_types_go() -> Result<()> {
    let host = Host::start()?;
    let deep = "option<".repeat(12) + "list<u8>" + &">".repeat(12);
    let wit =
        format!("package docs:deep@0.1.0; world deep {{ export depth: func(x: {deep}) -> u32; }}");
    // Twelve discriminants stand before the list's address and length.
    let params = "i32 ".repeat(14);
    let sum = (0..12).fold("(local.get 13)".to_owned(), |sum, index| {
        format!("(i32.add {sum} (local.get {index}))")
    });
    let code = format!(r#"(func (export "depth") (param {params}) (result i32) {sum})"#);
    add(&host, &Plain::new(&wit, &code).called("deep"), &[]).await?;
    let some =
        |levels: usize, inner: Value| (0..levels).fold(inner, |inner, _| json!({"some": inner}));
    // The innermost option is of a list, which is never null, and so has no wrapper.
    for (x, expected) in [
        (json!(null), 0),
        (some(1, json!(null)), 1),
        (some(11, json!(null)), 11),
        (some(11, json!([5, 6])), 14),
    ] {
        let answer = result(&host, "deep-depth", json!({"x": x})).await?;
        ensure!(answer == expected, "{x}: {answer}");
    }
    for levels in [12, 40, 61] {
        let answer = host
            .call(
                "deep-depth",
                json!({"x": some(levels, json!(null))}),
                json!({}),
            )
            .await?;
        says(&answer, "invalid_input", "/x").with_context(|| format!("{levels}"))?;
    }
    for levels in [80, 120, 100_000] {
        let text = format!(
            r#"{{"arguments": {{"x": {}null{}}}}}"#,
            r#"{"some":"#.repeat(levels),
            "}".repeat(levels)
        );
        let request = host.request("POST", "/api/v1/tools/deep-depth/call")?;
        let request = request.header("content-type", "application/json");
        let answer = host.send(request.body(text)).await?;
        says(&answer, "invalid_input", "").with_context(|| format!("{levels}"))?;
        ensure!(answer.body.to_string().len() < 64 << 10, "a long answer");
    }
    host.stop()
}
