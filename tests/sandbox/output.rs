use anyhow::{Result, ensure};
use cofferdam_testing::{Guest, Host, escaped};
use serde_json::json;

use crate::{Case, check};

/// Answers `length` bytes from address 65536.
fn answering(length: u32) -> String {
    format!(
        "(i32.store offset=4 (global.get $answer) (i32.const 65536))
         (i32.store offset=8 (global.get $answer) (i32.const {length}))
         (global.get $answer)"
    )
}

/// Answers `text`.
fn saying(text: &[u8]) -> String {
    let stores = text
        .iter()
        .enumerate()
        .fold(String::new(), |stores, (at, byte)| {
            stores + &format!("(i32.store8 offset={at} (i32.const 65536) (i32.const {byte}))")
        });
    stores + &answering(u32::try_from(text.len()).expect("a short text"))
}

#[tokio::test]
async fn answers_that_are_none() -> Result<()> {
    let large = format!(
        "(drop (memory.grow (i32.const 900))) {}",
        answering(50_000_000)
    );
    let over_its_limit = format!(
        "(drop (memory.grow (i32.const 100))) {}",
        answering(2_000_000)
    );
    check(vec![
        Case::new(
            "RS-10 larger than a host call may",
            &large,
            "output_too_large",
        ),
        Case::new(
            "RS-10 larger than a result may",
            &over_its_limit,
            "output_too_large",
        ),
        Case::new(
            "RS-10 outside its memory",
            &answering(2_000_000_000),
            "invalid_output",
        ),
        Case::new(
            "RS-17 not UTF-8",
            &saying(b"\"\xff\xfe\""),
            "invalid_output",
        ),
        Case::new(
            "RS-17 an unpaired surrogate",
            &saying(br#""\ud800""#),
            "invalid_output",
        ),
        Case::new("RS-17 not a number", &saying(b"NaN"), "invalid_output"),
        Case::new(
            "RS-17 a number beyond all",
            &saying(b"1e999"),
            "invalid_output",
        ),
        Case::new("RS-17 nothing", &saying(b""), "invalid_output"),
        Case::new("RS-17 too deep", &saying(&[b'['; 4_000]), "invalid_output"),
        Case::new(
            "a discriminant that is none",
            "(i32.store (global.get $answer) (i32.const 7)) (global.get $answer)",
            "invalid_output",
        ),
    ])
    .await
}

const STDOUT: &str = r#"
    (import "wasi:cli/stdout@0.2.12" "get-stdout" (func $stdout (result i32)))
    (import "wasi:io/streams@0.2.12" "[method]output-stream.blocking-write-and-flush"
      (func $write (param i32 i32 i32 i32)))"#;

#[tokio::test]
async fn a_flood_of_output_is_counted_and_dropped() -> Result<()> {
    let host = Host::start()?;
    let body = "(memory.fill (i32.const 65536) (i32.const 120) (i32.const 4096))
        (local.set $i (i32.const 25600))
        (loop $l
          (call $write (call $stdout) (i32.const 65536) (i32.const 4096) (i32.const 128))
          (br_if $l (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))
        (global.get $answer)";
    // One handle for each call of `get-stdout` would be over the limit: get it once.
    let body = body.replace("(call $stdout)", "(local.get 0)");
    let body = format!("(local.set 0 (call $stdout)) {body}");
    host.upload(Guest::new(&body).with(STDOUT).component()?)
        .await?
        .ok()?;
    let answer = host.call("guest-run", json!({}), json!({})).await?.ok()?;
    let written = 25_600 * 4_096;
    ensure!(
        answer["usage"]["stdout_bytes"] == written,
        "{}",
        answer["usage"]
    );
    let kept = answer["log"]["stdout_tail"].as_str().map_or(0, str::len);
    ensure!(kept == 64 << 10, "{kept} bytes kept");
    ensure!(
        answer["log"]["dropped_bytes"] == written - kept,
        "{}",
        answer["log"]["dropped_bytes"]
    );
    Ok(())
}

#[tokio::test]
async fn a_log_record_can_not_forge_another() -> Result<()> {
    let host = Host::start()?;
    let forged = "x\n{\"level\":\"error\"}";
    let bytes = escaped(forged);
    let log =
        r#"(import "cofferdam:tool/log@0.1.0" "write" (func $log (param i32 i32 i32 i32 i32)))"#;
    let body = format!(
        "(call $log (i32.const 2) (i32.const 4096) (i32.const {}) (i32.const 4096) (i32.const 0)) (global.get $answer)",
        forged.len()
    );
    let guest = Guest::new(&body).with(log);
    let guest = Guest {
        definitions: guest.definitions + &format!("(data (i32.const 4096) \"{bytes}\")"),
        ..guest
    };
    host.upload(guest.component()?).await?.ok()?;
    let answer = host.call("guest-run", json!({}), json!({})).await?.ok()?;
    ensure!(
        answer["log"]["records"] == json!([{"level": "info", "message": forged}]),
        "{}",
        answer["log"]
    );
    Ok(())
}

#[tokio::test]
async fn a_flood_of_log_records_costs_its_counting() -> Result<()> {
    let log =
        r#"(import "cofferdam:tool/log@0.1.0" "write" (func $log (param i32 i32 i32 i32 i32)))"#;
    let empty = "(loop $l (call $log (i32.const 2) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)) (br $l)) (unreachable)";
    let large = "(drop (memory.grow (i32.const 100)))
        (memory.fill (i32.const 65536) (i32.const 91) (i32.const 6000000))
        (loop $l (call $log (i32.const 2) (i32.const 0) (i32.const 0) (i32.const 65536) (i32.const 6000000)) (br $l))
        (unreachable)";
    check(vec![
        Case::new("RS-11 empty records", empty, "fuel_exhausted")
            .importing(log, &[])
            .limits(&json!({"fuel": 30_000_000})),
        Case::new("RS-11 large records", large, "timeout")
            .importing(log, &[])
            .limits(&json!({"deadline_ms": 300})),
    ])
    .await
}
