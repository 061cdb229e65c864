//! Answers in several events.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use bytes::Bytes;
use cofferdam_mcp::Content;
use cofferdam_testing::Guest;
use cofferdam_types::Code;
use futures::StreamExt;
use futures::future::Either;
use futures::stream::BoxStream;
use http::{Method, Response, StatusCode};
use serde_json::{Value, json};

use crate::world::{
    PATIENCE, World, admin, call, cancel, echo, events, initialize, modern, posted, spin,
};

/// Reports 1, 2, 3, … as fast as it can and goes on for `rounds` rounds; then answers.
fn reporting(rounds: u64) -> Guest {
    const REPORT: &str = r#"
        (import "cofferdam:tool/progress@0.1.0" "report"
          (func $report (param f64 i32 f64 i32 i32)))"#;
    let body = format!(
        "(loop $l
          (local.set $j (i64.add (local.get $j) (i64.const 1)))
          (call $report (f64.convert_i64_u (local.get $j)) (i32.const 1)
            (f64.const {rounds}) (i32.const {TEXT_AT}) (i32.const 4))
          (br_if $l (i64.lt_u (local.get $j) (i64.const {rounds}))))
         (global.get $answer)"
    );
    Guest::new(&body).with(REPORT).named("report", "1.0.0")
}

/// Where the fixture keeps the word `true`.
const TEXT_AT: u32 = 256;

fn asking(token: impl Into<Value>) -> Value {
    let mut message = call(9, "report-run", json!({}));
    message["params"]["_meta"] = json!({"progressToken": token.into()});
    message
}

fn pieces(response: Response<Content>) -> Result<BoxStream<'static, Bytes>> {
    ensure!(response.status() == StatusCode::OK, "{}", response.status());
    ensure!(response.headers()["content-type"] == "text/event-stream");
    match response.into_body() {
        Either::Right(pieces) => Ok(pieces),
        Either::Left(bytes) => bail!("{}", String::from_utf8_lossy(&bytes)),
    }
}

/// The next message of a stream; nothing at its end.
async fn next(pieces: &mut BoxStream<'static, Bytes>) -> Result<Option<Value>> {
    loop {
        let piece = tokio::time::timeout(PATIENCE, pieces.next()).await?;
        let Some(piece) = piece else { return Ok(None) };
        if let Some(message) = events(std::str::from_utf8(&piece)?)?.pop() {
            return Ok(Some(message));
        }
    }
}

#[tokio::test]
async fn progress_is_told_to_whoever_asked() -> Result<()> {
    const ROUNDS: u64 = 1_000_000;
    let world = World::with(&[reporting(ROUNDS)]).await?;
    let start = Instant::now();
    let reply = world.post(&asking("token"), &[]).await?;
    let took = start.elapsed();
    let mut messages = reply.events()?;
    let answer = messages.pop().context("an answer")?;
    assert_eq!(answer["id"], 9);
    assert_eq!(
        answer["result"]["structuredContent"],
        json!({"result": true})
    );
    let mut before = 0.0;
    for told in &messages {
        assert_eq!(told["method"], "notifications/progress");
        let params = &told["params"];
        assert_eq!(params["progressToken"], "token");
        assert_eq!(params["total"].as_f64(), Some(1_000_000.0));
        assert_eq!(params["message"], "true");
        let done = params["progress"].as_f64().context("a number")?;
        assert!(done > before, "{done} after {before}");
        before = done;
    }
    ensure!(!messages.is_empty(), "no progress in {took:?}");
    // A flood of millions is a few notifications, one in 50 ms.
    let most = 2 + took.as_millis() / 50;
    ensure!(
        messages.len() as u128 <= most,
        "{} in {took:?}",
        messages.len()
    );

    // Nobody asked, or nobody takes events: plain JSON.
    let plain = call(9, "report-run", json!({}));
    assert_eq!(
        world.post(&plain, &[]).await?.content_type,
        "application/json"
    );
    let mut request = posted(asking(1).to_string(), &[])?;
    request
        .headers_mut()
        .insert("accept", "application/json".parse()?);
    let response = world.send(admin(), request).await;
    assert_eq!(response.headers()["content-type"], "application/json");
    for bad in [json!(1.5), json!(null), json!({}), json!([])] {
        let reply = world.post(&asking(bad.clone()), &[]).await?;
        reply.refused(400, -32602);
    }
    Ok(())
}

#[tokio::test]
async fn progress_is_told_on_stdio_too() -> Result<()> {
    let world = World::with(&[reporting(1_000_000)]).await?;
    let mut line = world.stdio();
    line.send(&asking(7)).await?;
    let first = line.next().await?;
    assert_eq!(first["method"], "notifications/progress");
    assert_eq!(first["params"]["progressToken"], 7);
    loop {
        let message = line.next().await?;
        if message.get("id").is_some() {
            assert_eq!(message["result"]["isError"], false, "{message}");
            return Ok(());
        }
    }
}

#[tokio::test]
async fn a_client_that_does_not_read_its_progress_holds_nothing() -> Result<()> {
    // So many rounds that it never ends within its fuel.
    let world = World::with(&[reporting(1 << 60), echo()]).await?;
    let response = world
        .send(admin(), posted(asking(1).to_string(), &[])?)
        .await;
    let mut unread = pieces(response)?;
    // The answer comes to the last second: what was not read meanwhile was dropped.
    tokio::time::sleep(Duration::from_millis(300)).await;
    let first = next(&mut unread).await?.context("progress")?;
    let second = next(&mut unread).await?.context("progress")?;
    let done = |message: &Value| message["params"]["progress"].as_f64().unwrap_or_default();
    ensure!(done(&second) > done(&first));
    // And the one who closes it stops the guest.
    drop(unread);
    world.audited(Code::Cancelled, 1).await
}

#[tokio::test]
async fn a_stream_that_is_taken_back_ends_without_an_answer() -> Result<()> {
    let world = World::with(&[reporting(1 << 60)]).await?;
    let id = world.session(admin()).await?;
    let mine = [("mcp-session-id", id.as_str())];
    let response = world
        .send(admin(), posted(asking(1).to_string(), &mine)?)
        .await;
    let mut stream = pieces(response)?;
    next(&mut stream).await?.context("progress")?;
    world.post(&cancel(9), &mine).await?;
    while let Some(message) = next(&mut stream).await? {
        assert_eq!(message["method"], "notifications/progress");
    }
    world.audited(Code::Cancelled, 1).await
}

#[tokio::test]
async fn a_session_hears_of_changes() -> Result<()> {
    let world = World::new().await?;
    let id = world.session(admin()).await?;
    let open = || {
        let mut request = posted("", &[("mcp-session-id", id.as_str())])?;
        *request.method_mut() = Method::GET;
        Ok::<_, anyhow::Error>(request)
    };
    // What changed before the stream was opened is told by it.
    world.add(&echo()).await?;
    let mut first = pieces(world.send(admin(), open()?).await)?;
    let news = next(&mut first).await?.context("news")?;
    assert_eq!(news["method"], "notifications/tools/list_changed");
    // Another stream takes the place of the first.
    let mut second = pieces(world.send(admin(), open()?).await)?;
    assert_eq!(next(&mut first).await?, None);
    world.add(&spin()).await?;
    let news = next(&mut second).await?.context("news")?;
    assert_eq!(news["method"], "notifications/tools/list_changed");
    // The host ends, and the stream with it.
    world.stop.cancel();
    assert_eq!(next(&mut second).await?, None);
    Ok(())
}

#[tokio::test]
async fn a_subscription_hears_of_changes() -> Result<()> {
    let world = World::new().await?;
    let message = modern(
        "s",
        "subscriptions/listen",
        json!({"notifications": {"toolsListChanged": true}}),
    );
    let headers = [
        ("mcp-protocol-version", "2026-07-28"),
        ("mcp-method", "subscriptions/listen"),
    ];
    let response = world
        .send(admin(), posted(message.to_string(), &headers)?)
        .await;
    let mut stream = pieces(response)?;
    let subscription = json!({"io.modelcontextprotocol/subscriptionId": "s"});
    let first = next(&mut stream).await?.context("an acknowledgement")?;
    assert_eq!(first["method"], "notifications/subscriptions/acknowledged");
    assert_eq!(
        first["params"]["notifications"],
        json!({"toolsListChanged": true})
    );
    assert_eq!(first["params"]["_meta"], subscription);
    world.add(&echo()).await?;
    let news = next(&mut stream).await?.context("news")?;
    assert_eq!(news["method"], "notifications/tools/list_changed");
    assert_eq!(news["params"]["_meta"], subscription);
    world.stop.cancel();
    let last = next(&mut stream).await?.context("the end")?;
    assert_eq!(last["id"], "s");
    assert_eq!(
        last["result"],
        json!({"resultType": "complete", "_meta": subscription})
    );
    assert_eq!(next(&mut stream).await?, None);
    Ok(())
}

#[tokio::test]
async fn subscriptions_are_bounded() -> Result<()> {
    const MAX: usize = 100;
    let world = World::new().await?;
    let message = modern(1, "subscriptions/listen", json!({"notifications": {}}));
    let headers = [
        ("mcp-protocol-version", "2026-07-28"),
        ("mcp-method", "subscriptions/listen"),
    ];
    let mut open = Vec::new();
    for _ in 0..MAX {
        open.push(
            world
                .send(admin(), posted(message.to_string(), &headers)?)
                .await,
        );
    }
    let reply = world.post(&message, &headers).await?;
    reply.refused(429, -32000);
    open.pop();
    let response = world
        .send(admin(), posted(message.to_string(), &headers)?)
        .await;
    assert_eq!(response.status(), StatusCode::OK);
    let older = initialize("2025-11-25").to_string();
    assert_eq!(
        world.send(admin(), posted(older, &[])?).await.status(),
        StatusCode::OK
    );
    Ok(())
}
