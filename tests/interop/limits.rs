//! A hostile program in a language with a runtime of its own ends as any guest does.

use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use cofferdam_testing::{Answer, Guest, Host, interop, show};
use futures::future::join;
use serde_json::{Value, json};

/// What the Python function does, the same in a crafted guest, the limits, and how both end.
struct Attack {
    function: &'static str,
    guest: Guest,
    limits: Value,
    code: &'static str,
}

fn attacks() -> [Attack; 4] {
    let spin = Guest::new("(loop $l (br $l)) (unreachable)");
    let hoard =
        "(loop $l (br_if $l (i32.ne (i32.const -1) (memory.grow (i32.const 16))))) (unreachable)";
    let down = "(func $down (param i32) (result i32)
        (i32.add (call $down (local.get 0)) (i32.const 1)))";
    [
        Attack {
            function: "spin",
            guest: spin.clone(),
            limits: json!({"fuel": 10_000_000}),
            code: "fuel_exhausted",
        },
        Attack {
            function: "spin",
            guest: spin,
            limits: json!({"deadline_ms": 300, "fuel": u64::MAX}),
            code: "timeout",
        },
        Attack {
            function: "hoard",
            guest: Guest::new(hoard),
            limits: json!({"memory_bytes": 48 << 20}),
            code: "memory_exceeded",
        },
        Attack {
            function: "recurse",
            guest: Guest::new("(call $down (i32.const 1))").with(down),
            limits: json!({}),
            code: "trap",
        },
    ]
}

#[tokio::test]
async fn hostile() -> Result<()> {
    let host = Host::start()?;
    let component = std::fs::read(interop("hostile.wasm")?)?;
    host.upload_as(component, &[("name", "hostile")])
        .await?
        .ok()?;
    ping(&host).await?;
    for (index, attack) in attacks().into_iter().enumerate() {
        let Attack {
            function,
            guest,
            limits,
            code,
        } = attack;
        let crafted = guest.named("guest", &format!("1.{index}.0"));
        host.upload(crafted.component()?).await?.ok()?;
        let limits = json!({"limits": limits});
        let crafted = host.call("guest-run", json!({}), limits.clone()).await?;
        ensure!(crafted.code() == Some(code), "{}", crafted.body);

        let tool = format!("hostile-{function}");
        let begin = Instant::now();
        let call = host.call(&tool, json!({}), limits);
        let (answer, slowest) = watched(&host, call).await?;
        let elapsed = begin.elapsed();
        ensure!(answer.code() == Some(code), "{function}: {}", answer.body);
        ping(&host).await?;
        show(&format!(
            "hostile {function}: {code} after {elapsed:.1?}; health within {slowest:.1?} meanwhile"
        ));
    }
    host.stop()
}

async fn ping(host: &Host) -> Result<()> {
    let answer = host.call("hostile-ping", json!({}), json!({})).await?;
    ensure!(
        answer.ok()?["result"] == "pong",
        "no answer after an attack"
    );
    Ok(())
}

/// Asks for the host's health while the call runs; gives the call's answer, and how long health
/// took at most.
async fn watched(
    host: &Host,
    call: impl Future<Output = Result<Answer>>,
) -> Result<(Answer, Duration)> {
    let ended = AtomicBool::new(false);
    let call = async {
        let answer = call.await;
        ended.store(true, Ordering::Relaxed);
        answer
    };
    let health = async {
        let mut slowest = Duration::ZERO;
        while !ended.load(Ordering::Relaxed) {
            let begin = Instant::now();
            let answer = host.get("/api/v1/health").await?;
            slowest = slowest.max(begin.elapsed());
            ensure!(answer.status == 200, "{}", answer.body);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok(slowest)
    };
    let (answer, slowest) = join(call, health).await;
    Ok((answer?, slowest?))
}
