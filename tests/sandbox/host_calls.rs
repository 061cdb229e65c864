use anyhow::Result;
use serde_json::json;

use crate::{Case, check};

const NOW: &str = r#"(import "wasi:clocks/monotonic-clock@0.2.12" "now" (func $now (result i64)))"#;
const AFTER: &str = r#"
    (import "wasi:clocks/monotonic-clock@0.2.12" "subscribe-duration" (func $after (param i64) (result i32)))
    (import "wasi:io/poll@0.2.12" "[method]pollable.block" (func $block (param i32)))
    (import "wasi:io/poll@0.2.12" "poll" (func $poll (param i32 i32 i32)))"#;
const RANDOM: &str =
    r#"(import "wasi:random/random@0.2.12" "get-random-bytes" (func $random (param i64 i32)))"#;

/// Ten years in nanoseconds.
const TEN_YEARS: &str = "(i64.const 315360000000000000)";

#[tokio::test]
async fn waiting_and_asking_without_end() -> Result<()> {
    let block = format!("(call $block (call $after {TEN_YEARS})) (global.get $answer)");
    let many = format!(
        "(loop $l
           (i32.store (i32.add (i32.const 65536) (i32.mul (local.get $i) (i32.const 4))) (call $after {TEN_YEARS}))
           (local.set $i (i32.add (local.get $i) (i32.const 1)))
           (br_if $l (i32.lt_u (local.get $i) (i32.const 450))))
         (call $poll (i32.const 65536) (i32.const 450) (i32.const 128))
         (global.get $answer)"
    );
    let handles = format!("(loop $l (drop (call $after {TEN_YEARS})) (br $l)) (unreachable)");
    let asking = "(loop $l (drop (call $now)) (br $l)) (unreachable)";
    check(vec![
        Case::new("RS-02 fuel", asking, "fuel_exhausted")
            .importing(NOW, &["clocks"])
            .limits(&json!({"fuel": 1_000_000})),
        Case::new("RS-02 time", asking, "timeout")
            .importing(NOW, &["clocks"])
            .limits(&json!({"deadline_ms": 300})),
        Case::new("RS-03 one", &block, "timeout")
            .importing(AFTER, &["clocks"])
            .limits(&json!({"deadline_ms": 200})),
        Case::new("RS-03 many", &many, "timeout")
            .importing(AFTER, &["clocks"])
            .limits(&json!({"deadline_ms": 200})),
        Case::new("RS-07 handles", &handles, "limit_exceeded").importing(AFTER, &["clocks"]),
        Case::new(
            "RS-12 randomness",
            "(call $random (i64.const 1099511627776) (i32.const 128)) (global.get $answer)",
            "limit_exceeded",
        )
        .importing(RANDOM, &["random"]),
    ])
    .await
}

#[tokio::test]
async fn nothing_that_was_not_declared() -> Result<()> {
    check(vec![
        Case::new(
            "a clock",
            "(drop (call $now)) (global.get $answer)",
            "policy_denied",
        )
        .importing(NOW, &[]),
        Case::new(
            "a timer",
            "(call $block (call $after (i64.const 1))) (global.get $answer)",
            "policy_denied",
        )
        .importing(AFTER, &["random"]),
        Case::new(
            "randomness",
            "(call $random (i64.const 8) (i32.const 128)) (global.get $answer)",
            "policy_denied",
        )
        .importing(RANDOM, &["clocks"]),
        Case::new("the network", "(global.get $answer)", "policy_denied")
            .importing("", &["network"]),
        Case::new("files", "(global.get $answer)", "policy_denied").importing("", &["workspace"]),
    ])
    .await
}

#[tokio::test]
async fn a_socket_is_refused_before_there_is_one() -> Result<()> {
    let tcp = r#"(import "wasi:sockets/tcp-create-socket@0.2.12" "create-tcp-socket" (func $tcp (param i32 i32)))"#;
    let udp = r#"(import "wasi:sockets/udp-create-socket@0.2.12" "create-udp-socket" (func $udp (param i32 i32)))"#;
    // The first byte of the answer says whether it is an error.
    let refused = |socket: &str| {
        format!(
            "(call {socket} (i32.const 0) (i32.const 128))
             (if (i32.eqz (i32.load8_u (i32.const 128))) (then (unreachable)))
             (global.get $answer)"
        )
    };
    check(vec![
        Case::new("CO-10 tcp", &refused("$tcp"), "ok").importing(tcp, &[]),
        Case::new("CO-10 udp", &refused("$udp"), "ok").importing(udp, &[]),
    ])
    .await
}
