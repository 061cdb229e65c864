use anyhow::{Result, ensure};
use cofferdam_testing::{Guest, Host, Leftovers};
use futures::future::join_all;
use serde_json::json;

use crate::{Case, check, settled};

/// Grows until it can't, then gives up.
const HOG: &str =
    "(loop $l (br_if $l (i32.ne (i32.const -1) (memory.grow (i32.const 16))))) (unreachable)";

#[tokio::test]
async fn more_memory_than_there_is() -> Result<()> {
    check(vec![
        Case::new("RS-04 memory", HOG, "memory_exceeded"),
        Case::new("RS-04 a guest that copes", "(drop (memory.grow (i32.const 65000))) (global.get $answer)", "ok"),
        Case::new(
            "RS-06 table",
            "(loop $l (br_if $l (i32.ne (i32.const -1) (table.grow $t (ref.null func) (i32.const 1000000)))))
             (unreachable)",
            "memory_exceeded",
        )
        .importing("(table $t 1 funcref)", &[]),
        Case::new("RS-06 table type", "(global.get $answer)", "component_invalid")
            .importing("(table 1000000000 funcref)", &[]),
        Case::new("CO-08 initial memory", "(global.get $answer)", "component_invalid")
            .importing("", &[]),
    ]
    .into_iter()
    .map(|mut case| {
        if case.name.starts_with("CO-08") {
            case.guest.pages = 65_536;
        }
        case
    })
    .collect())
    .await
}

#[tokio::test]
async fn memories_of_many_instances_are_summed() -> Result<()> {
    let host = Host::start()?;
    // Each instance is far below the limit of 64 MiB, all together are above it. The guest itself
    // has one core module, so that the one added here is number 1.
    let mut component = Guest::well_behaved().component()?;
    let module = wat::parse_str("(module (memory 160))")?;
    component.extend([1, u8::try_from(module.len())?]);
    component.extend(module);
    let instances = [0, 1, 0].repeat(12);
    component.extend([2, u8::try_from(instances.len() + 1)?, 12]);
    component.extend(instances);
    let answer = host.upload(component).await?;
    ensure!(
        answer.code() == Some("component_invalid"),
        "{}",
        answer.body
    );
    ensure!(
        answer.body["error"]["details"]["cause"] == "memory_exceeded",
        "{}",
        answer.body
    );
    Ok(())
}

#[tokio::test]
async fn a_crowd_within_its_limits_does_not_take_the_host_down() -> Result<()> {
    let host = Host::start()?;
    // Takes nearly all it may have, and holds it for a while.
    let body = "(drop (memory.grow (i32.const 1000)))
        (call $block (call $after (i64.const 300000000)))
        (global.get $answer)";
    let imports = r#"
        (import "wasi:clocks/monotonic-clock@0.2.12" "subscribe-duration" (func $after (param i64) (result i32)))
        (import "wasi:io/poll@0.2.12" "[method]pollable.block" (func $block (param i32)))"#;
    host.upload(
        Guest::new(body)
            .with(imports)
            .declaring(&["clocks"])
            .component()?,
    )
    .await?
    .ok()?;
    let crowd = |count: usize| {
        let host = &host;
        async move {
            let calls = (0..count).map(|_| host.call("guest-run", json!({}), json!({})));
            for answer in join_all(calls).await {
                let answer = answer?;
                let ended = answer.code().unwrap_or("ok");
                ensure!(
                    ["ok", "unavailable", "memory_exceeded"].contains(&ended),
                    "{}",
                    answer.body
                );
            }
            Ok(())
        }
    };
    // Larger than the next one, so that all connections of that one are there before it.
    crowd(1_100).await?;
    let before = Leftovers::of(host.pid())?;
    crowd(1_000).await?;
    settled(&host, &before).await
}

/// SE-08: a new instance's memory holds nothing of an earlier one's, whoever called it.
#[tokio::test]
async fn memory_is_empty_at_the_start() -> Result<()> {
    let host = Host::start()?;
    // Everything above the arguments has to be zero; then it is filled for the next one to find.
    let body = r"(drop (memory.grow (i32.const 100)))
        (local.set $i (i32.const 98304))
        (loop $l
          (if (i64.ne (i64.load (local.get $i)) (i64.const 0)) (then (unreachable)))
          (i64.store (local.get $i) (i64.const 0x79726e6163))
          (local.set $i (i32.add (local.get $i) (i32.const 8)))
          (br_if $l (i32.lt_u (local.get $i) (i32.mul (memory.size) (i32.const 65536)))))
        (global.get $answer)";
    host.upload(Guest::new(body).component()?).await?.ok()?;
    let crowd = |count: usize| {
        let host = &host;
        async move {
            let calls = (0..count).map(|_| host.call("guest-run", json!({}), json!({})));
            for answer in join_all(calls).await {
                answer?.ok()?;
            }
            anyhow::Ok(())
        }
    };
    crowd(20).await?;
    let before = Leftovers::of(host.pid())?;
    for _ in 0..20 {
        crowd(1).await?;
    }
    crowd(20).await?;
    settled(&host, &before).await
}

#[tokio::test]
async fn many_calls_leave_no_trace() -> Result<()> {
    let host = Host::start()?;
    host.upload(Guest::well_behaved().component()?)
        .await?
        .ok()?;
    let calls = |count: usize| {
        let host = &host;
        async move {
            for _ in 0..count {
                host.call("guest-run", json!({}), json!({})).await?.ok()?;
            }
            anyhow::Ok(())
        }
    };
    calls(1_000).await?;
    let before = Leftovers::of(host.pid())?;
    calls(4_000).await?;
    settled(&host, &before).await
}
