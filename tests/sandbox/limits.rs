use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use cofferdam_testing::{Guest, Host};
use futures::future::join_all;
use serde_json::json;

use crate::{Case, check};

const LOOP: &str = "(loop $l (br $l)) (unreachable)";

#[tokio::test]
async fn computing_without_end() -> Result<()> {
    check(vec![
        Case::new("RS-01 fuel", LOOP, "fuel_exhausted").limits(&json!({"fuel": 10_000_000})),
        Case::new("RS-01 time", LOOP, "timeout").limits(&json!({"deadline_ms": 200})),
        Case::new(
            "RS-09 bulk operations",
            "(drop (memory.grow (i32.const 900)))
             (loop $l (memory.fill (i32.const 65536) (i32.const 1) (i32.const 58000000)) (br $l))
             (unreachable)",
            "timeout",
        )
        .limits(&json!({"deadline_ms": 100})),
        Case::new("RS-08 recursion", "(call $down (i32.const 1))", "trap")
            .importing("(func $down (param i32) (result i32) (i32.add (call $down (local.get 0)) (i32.const 1)))", &[]),
    ])
    .await
}

#[tokio::test]
async fn a_deadline_is_kept() -> Result<()> {
    let host = Host::start()?;
    host.upload(Guest::new(LOOP).component()?).await?.ok()?;
    for deadline in [50_u64, 200, 500] {
        let begin = Instant::now();
        let answer = host
            .call(
                "guest-run",
                json!({}),
                json!({"limits": {"deadline_ms": deadline}}),
            )
            .await?;
        let late = begin
            .elapsed()
            .saturating_sub(Duration::from_millis(deadline));
        ensure!(answer.code() == Some("timeout"), "{}", answer.body);
        ensure!(
            late < Duration::from_millis(250),
            "{late:?} after a deadline of {deadline} ms"
        );
        let usage = &answer.body["error"]["details"]["usage"];
        ensure!(
            usage["fuel"].as_u64() > Some(0),
            "a stopped call has a bill: {usage}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn one_end_when_deadline_and_result_race() -> Result<()> {
    let host = Host::start()?;
    // About as long as the deadline, on most machines; either end is right, both at once is not.
    let body = "(local.set $j (i64.const 3000000))
        (loop $l (br_if $l (i64.ne (i64.const 0) (local.tee $j (i64.sub (local.get $j) (i64.const 1))))))
        (global.get $answer)";
    host.upload(Guest::new(body).component()?).await?.ok()?;
    for batch in 0..50 {
        let calls = (0..10).map(|i| {
            let limits = json!({"limits": {"deadline_ms": 1 + (batch + i) % 12}});
            host.call("guest-run", json!({}), limits)
        });
        for answer in join_all(calls).await {
            let answer = answer?;
            let ended = answer.code().unwrap_or("ok");
            ensure!(ended == "ok" || ended == "timeout", "{}", answer.body);
        }
    }
    // The audit is written in the background.
    for _ in 0..100 {
        if recorded(&host).await? == 500 {
            return host.stop();
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    bail!("{} records of 500 calls", recorded(&host).await?)
}

/// How many calls the audit knows.
async fn recorded(host: &Host) -> Result<usize> {
    let audit = host.get("/api/v1/audit?limit=1000").await?.ok()?;
    Ok(audit["items"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|item| item["act"] == "call")
        .count())
}

#[tokio::test]
async fn more_loops_than_there_are_places() -> Result<()> {
    let host = Host::start()?;
    host.upload(Guest::new(LOOP).component()?).await?.ok()?;
    // Places are free again only when the guests are gone: nobody finds the pool full.
    let calls = (0..1_500).map(|_| {
        host.call(
            "guest-run",
            json!({}),
            json!({"limits": {"deadline_ms": 500}}),
        )
    });
    for answer in join_all(calls).await {
        let answer = answer?;
        ensure!(
            matches!(answer.code(), Some("timeout" | "unavailable")),
            "{}",
            answer.body
        );
    }
    host.stop()
}
