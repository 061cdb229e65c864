use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use cofferdam_testing::{Leftovers, scale};
use futures::future::try_join_all;
use serde_json::{Value, json};

use super::server::{Says, Server, ok};
use super::{Wall, word};
use crate::settled;

const CHUNKED: &[u8] = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";

fn probe(more: Value) -> Value {
    let mut probe = json!({"authority": "api.good.test"});
    if let (Value::Object(probe), Value::Object(more)) = (&mut probe, more) {
        probe.extend(more);
    }
    probe
}

/// NET-22: endless, slow and large answers end at a limit, in bounded memory.
#[tokio::test]
async fn answers() -> Result<()> {
    let forever = |first: &[u8], piece: &[u8], pause: u64| {
        Says::Forever(first.to_vec(), piece.to_vec(), Duration::from_millis(pause))
    };
    let head = b"HTTP/1.1 200 OK\r\n";
    let body = b"x".repeat(0x1_0000);
    let block = [b"10000\r\n", &body[..], b"\r\n"].concat();
    let headers = format!("HTTP/1.1 200 OK\r\n{}\r\n", "x: y\r\n".repeat(100_000));
    let large = format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "y".repeat(1 << 20));
    let short = json!({"timeout_ns": 300_000_000});
    for (says, more, expected) in [
        (
            forever(CHUNKED, &block, 0),
            json!({}),
            "HttpResponseBodySize",
        ),
        (
            forever(head, b"x: y\r\n", 0),
            json!({}),
            "HttpResponseHeaderSectionSize",
        ),
        (
            Says::Once(headers.into()),
            json!({}),
            "HttpResponseHeaderSectionSize",
        ),
        (
            Says::Once(large.into()),
            json!({}),
            "HttpResponseHeaderSectionSize",
        ),
        (
            forever(b"HTTP/1.1 200 OK\r\nx: ", b"y", 20),
            short.clone(),
            "HttpResponseTimeout",
        ),
        (forever(CHUNKED, b"", 60_000), short, "HttpResponseTimeout"),
    ] {
        let server = Server::start(says).await?;
        let wall = Wall::new(&server.entry("")).await?;
        let began = Instant::now();
        wall.check(&[(probe(more), expected)]).await?;
        ensure!(began.elapsed() < Duration::from_secs(30), "{expected}");
    }
    Ok(())
}

/// NET-23: a guest's timeouts shorten, and no number of them breaks anything.
#[tokio::test]
async fn timeouts() -> Result<()> {
    let server = Server::ok("fine").await?;
    let wall = Wall::new(&server.entry("")).await?;
    for (timeout, expected) in [
        (0, &["HttpResponseTimeout", "200"][..]),
        (1, &["HttpResponseTimeout", "200"]),
        (u64::MAX, &["200"]),
    ] {
        let came = wall.one(probe(json!({"timeout_ns": timeout}))).await?;
        ensure!(expected.contains(&came.as_str()), "{timeout}: {came}");
    }
    settled(&wall.host, &wall.before).await
}

/// NET-24: requests at once, and bodies that are never finished.
#[tokio::test]
async fn many_at_once() -> Result<()> {
    let server = Server::start(Says::Forever(
        CHUNKED.into(),
        Vec::new(),
        Duration::from_mins(1),
    ))
    .await?;
    let wall = Wall::new(&server.entry(", methods: [POST], concurrent: 4")).await?;
    let short = json!({"method": "POST", "unfinished": true, "timeout_ns": 500_000_000});
    let probes = |count: usize| {
        let probes = vec![probe(short.clone()); count];
        json!({"probes": probes, "at_once": true})
    };
    // Ten thousand by one guest are more than it may have open, whatever becomes of them.
    let sent = wall
        .host
        .call("http-prober-send", probes(10_000), json!({}));
    let error = &sent.await?.body["error"];
    ensure!(error["details"]["limit"] == "handles", "{error}");
    // As many by many guests, of which each has what its entry gives.
    let calls = scale::of(100, 2);
    let crowd = async || {
        let heard = server.heard().len();
        let sent = (0..calls).map(|_| wall.call("send", probes(100)));
        for came in try_join_all(sent).await? {
            let words = came.result.iter().map(word);
            let refused = words.filter(|word| word == "ConnectionLimitReached");
            let refused = refused.count();
            ensure!(refused == 96, "{refused} refused: {came:?}");
        }
        ensure!(server.heard().len() - heard <= 4 * calls);
        Ok(())
    };
    // The first crowd takes what as many calls at once take; the second has to bring it back.
    crowd().await?;
    let before = Leftovers::of(wall.host.pid())?;
    crowd().await?;
    settled(&wall.host, &before).await
}

/// Bodies and numbers of requests end at what the entry gives.
#[tokio::test]
async fn caps() -> Result<()> {
    let server = Server::start(Says::Once(ok("fine"))).await?;
    let more = ", methods: [POST], request_bytes: 1KiB, requests: 2";
    let wall = Wall::new(&server.entry(more)).await?;
    let body = |times: u32| {
        let chunk = "x".repeat(512);
        probe(json!({"method": "POST", "body": chunk, "times": times}))
    };
    let probes = vec![body(2), body(3), body(1)];
    let came = wall.call("send", json!({"probes": probes})).await?;
    let words: Vec<String> = came.result.iter().map(word).collect();
    ensure!(
        words[0] == "200" && words[2] == "ConnectionLimitReached",
        "{words:?}"
    );
    // The server answers before it has read everything, so either may come first.
    ensure!(
        ["HttpRequestBodySize", "200"].contains(&words[1].as_str()),
        "{words:?}"
    );
    settled(&wall.host, &wall.before).await
}
