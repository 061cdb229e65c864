//! The official MCP clients against the real host, over HTTP and stdio, and what they would not do
//! themselves.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use cofferdam_testing::{Guest, Host, show};
use serde_json::{Value, json};
use tokio::process::Command;

mod stdio;

/// Longer than a client takes on a busy machine.
const PATIENCE: Duration = Duration::from_mins(3);

/// How much longer than a plain request a call by MCP may take at the median, for a client that
/// keeps its connection.
const RATIO_MAX: f64 = 2.0;

/// Components whose tools the clients call.
fn guests() -> [Guest; 4] {
    const ECHO: &str = "(i32.store offset=4 (global.get $answer) (local.get 2))
        (i32.store offset=8 (global.get $answer) (local.get 3))
        (global.get $answer)";
    const REPORT: &str = r#"
        (import "cofferdam:tool/progress@0.1.0" "report"
          (func $report (param f64 i32 f64 i32 i32)))"#;
    const REPORTING: &str = "(loop $l
          (local.set $j (i64.add (local.get $j) (i64.const 1)))
          (call $report (f64.convert_i64_u (local.get $j)) (i32.const 0) (f64.const 0)
            (i32.const 0) (i32.const 0))
          (br_if $l (i64.lt_u (local.get $j) (i64.const 1000000))))
        (global.get $answer)";
    [
        Guest::new(ECHO).named("echo", "1.0.0"),
        Guest::new("unreachable").named("trap", "1.0.0"),
        Guest::new(REPORTING).with(REPORT).named("report", "1.0.0"),
        Guest::new("(loop $l (br $l)) (global.get $answer)").named("spin", "1.0.0"),
    ]
}

async fn host() -> Result<Host> {
    let host = Host::start()?;
    for guest in guests() {
        host.upload(guest.component()?).await?.ok()?;
    }
    Ok(host)
}

/// Where the programs that use the clients are.
const SOURCES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/mcp/clients");

/// The Python client.
fn python() -> Result<Command> {
    let mut command = Command::new(environments()?.join("python/bin/python"));
    command.arg(format!("{SOURCES}/client.py"));
    Ok(alone(command))
}

/// A program that uses the TypeScript client.
fn node(program: &str) -> Result<Command> {
    // Node looks for packages beside the program.
    let path = environments()?.join("node").join(program);
    std::fs::copy(format!("{SOURCES}/{program}"), &path)?;
    let mut command = Command::new("node");
    command.arg(path);
    Ok(alone(command))
}

/// The inspector's command line.
fn inspector() -> Result<Command> {
    const PROGRAM: &str = "node/node_modules/@modelcontextprotocol/inspector/cli/build/index.js";
    let mut command = Command::new("node");
    command.arg(environments()?.join(PROGRAM));
    Ok(alone(command))
}

fn alone(mut command: Command) -> Command {
    command.stdin(Stdio::null()).kill_on_drop(true);
    command
}

#[expect(
    clippy::disallowed_methods,
    reason = "how the driver of the suites says where things are"
)]
fn environments() -> Result<PathBuf> {
    let program = std::env::current_exe()?;
    let target = program.ancestors().nth(3).context("a target directory")?;
    let folder = std::env::var_os("COFFERDAM_MCP_CLIENTS")
        .map_or_else(|| target.join("mcp-clients"), PathBuf::from);
    ensure!(
        folder.join("python.stamp").is_file() && folder.join("node.stamp").is_file(),
        "{} is missing; run `cargo xtask clients`",
        folder.display()
    );
    Ok(folder)
}

/// What a client says.
async fn said(mut command: Command) -> Result<Value> {
    let output = tokio::time::timeout(PATIENCE, command.output()).await??;
    let (out, err) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    ensure!(output.status.success(), "{command:?}: {out}{err}");
    serde_json::from_str(&out).with_context(|| format!("{command:?}: {out}{err}"))
}

/// What every client that lists and calls has seen.
fn check(seen: &Value) {
    let names = json!(["echo-run", "report-run", "spin-run", "trap-run"]);
    assert_eq!(seen["tools"], names, "{seen}");
    let arguments = json!({"text": "ä \u{1F469}", "n": 3});
    assert_eq!(seen["echoed"], json!({"result": arguments}), "{seen}");
    assert_eq!(seen["failed"]["is_error"], true, "{seen}");
    let text = seen["failed"]["text"].as_str().unwrap_or_default();
    let failed: Value = serde_json::from_str(text).unwrap_or_default();
    assert_eq!(failed["error"]["code"], "trap", "{seen}");
    assert_eq!(seen["reported"], json!({"result": true}), "{seen}");
    let progress = seen["progress"].as_array().map_or(0, Vec::len);
    assert!(progress > 0, "{seen}");
    assert!(
        seen["unknown"]
            .as_str()
            .is_some_and(|error| error.contains("no-such")),
        "{seen}"
    );
    let many: Vec<_> = (0..200).collect();
    assert_eq!(seen["many"], json!(many), "{seen}");
}

#[tokio::test]
async fn the_python_client_over_http() -> Result<()> {
    let host = host().await?;
    for (mode, version) in [("legacy", "2025-11-25"), ("auto", "2026-07-28")] {
        let mut python = python()?;
        python.args([mode, "http", &format!("{}/mcp", host.address()), host.key()]);
        let seen = said(python).await?;
        check(&seen);
        assert_eq!(seen["version"], version);
    }
    Ok(())
}

#[tokio::test]
async fn the_typescript_client_over_http() -> Result<()> {
    let host = host().await?;
    let mut node = node("client.mjs")?;
    node.args(["http", &format!("{}/mcp", host.address()), host.key()]);
    let seen = said(node).await?;
    check(&seen);
    assert_eq!(seen["cancelled"], "taken back");
    // The guest is stopped too.
    let start = Instant::now();
    loop {
        let audit = host.get("/api/v1/audit?limit=1000").await?.ok()?;
        let is_cancelled = |record: &Value| record.to_string().contains("\"cancelled\"");
        if audit["items"]
            .as_array()
            .is_some_and(|items| items.iter().any(is_cancelled))
        {
            return Ok(());
        }
        ensure!(start.elapsed() < PATIENCE, "the guest goes on");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn the_inspector_over_http() -> Result<()> {
    let host = host().await?;
    let inspect = |method: &str| -> Result<Command> {
        let mut inspector = inspector()?;
        inspector.arg(format!("{}/mcp", host.address()));
        inspector.args(["--transport", "http", "--method", method, "--header"]);
        inspector.arg(format!("Authorization: Bearer {}", host.key()));
        Ok(inspector)
    };
    let listed = said(inspect("tools/list")?).await?;
    assert_eq!(listed["tools"][0]["name"], "echo-run");
    let mut call = inspect("tools/call")?;
    call.args(["--tool-name", "echo-run", "--tool-arg", "n=3"]);
    let called = said(call).await?;
    assert_eq!(called["structuredContent"], json!({"result": {"n": 3}}));
    Ok(())
}

#[tokio::test]
async fn a_call_by_mcp_takes_no_longer_than_twice_a_plain_one() -> Result<()> {
    let host = host().await?;
    let mut best = f64::INFINITY;
    // A neighbour's load comes and goes; what the door itself costs is there every time.
    for _ in 0..3 {
        let mut node = node("latency.mjs")?;
        node.args([host.address(), host.key()]);
        let seen = said(node).await?;
        let of = |name: &str| seen[name].as_f64().context("a number");
        let (plain, mcp) = (of("plain")?, of("mcp")?);
        let ratio = mcp / plain;
        show(&format!(
            "TypeScript client, kept connection: plain {plain:.3} ms, MCP {mcp:.3} ms, ratio {ratio:.2}"
        ));
        best = best.min(ratio);
        if best <= RATIO_MAX {
            return Ok(());
        }
    }
    anyhow::bail!("a call by MCP takes {best:.2} times a plain one")
}
