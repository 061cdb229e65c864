//! Slow, large and many: bounded in time, memory and number.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use cofferdam_egress::{Options, RequestBody, Timeouts};
use cofferdam_testing::scale;
use futures::stream;
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::Instant;

use crate::framing::{grant, kind};
use crate::servers::{Server, ok, read_request};
use crate::world::{World, request, text};

/// Says `first` and then `piece` for ever, with a pause after each.
async fn endless(first: &'static [u8], piece: &'static [u8], pause: Duration) -> Server {
    Server::with(None, move |mut stream, _| async move {
        read_request(&mut stream).await;
        if stream.write_all(first).await.is_err() {
            return;
        }
        while stream.write_all(piece).await.is_ok() {
            if !pause.is_zero() {
                tokio::time::sleep(pause).await;
            }
        }
    })
    .await
}

const CHUNKED: &[u8] = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";

/// NET-22: a body without end.
#[tokio::test]
async fn a_body_without_end_stops_at_its_cap() {
    let server = endless(CHUNKED, b"4\r\nabcd\r\n", Duration::ZERO).await;
    let mut network = grant(&server);
    network[0]["response_bytes"] = json!("1MiB");
    let call = World::call(network);
    let result = call.text(&server.url("/")).await;
    assert_eq!(kind(&result), "response_bytes");
    assert!(call.session.spent().received_bytes <= 1 << 20);
}

/// NET-22: headers without end.
#[tokio::test]
async fn a_head_without_end_stops_at_its_cap() {
    let head = b"HTTP/1.1 200 OK\r\n";
    for piece in [&b"x: y\r\n"[..], &[b'x'; 4_096]] {
        let server = endless(head, piece, Duration::ZERO).await;
        let call = World::call(grant(&server));
        let result = call.text(&server.url("/")).await;
        assert_eq!(kind(&result), "response_head");
    }
    let many = format!(
        "HTTP/1.1 200 OK\r\n{}content-length: 0\r\n\r\n",
        "x: y\r\n".repeat(200)
    );
    let server = Server::saying(many).await;
    let call = World::call(grant(&server));
    assert_eq!(kind(&call.text(&server.url("/")).await), "response_head");
}

/// NET-22: a server that takes its time.
#[tokio::test]
async fn slowness_is_bounded_by_each_of_the_timeouts() {
    let slow = Duration::from_millis(20);
    let short = Duration::from_millis(200);
    let options = Options {
        first_byte_timeout: short,
        idle_timeout: short,
        ..Options::default()
    };
    // A head that comes byte by byte; a body that stops; a body that drips on until the deadline.
    let head = endless(b"HTTP/1.1 200 OK\r\nx: ", b"y", slow).await;
    let silent = endless(CHUNKED, b"", Duration::from_mins(1)).await;
    let drips = endless(CHUNKED, b"1\r\na\r\n", slow).await;
    for (server, deadline) in [(&head, 20_000), (&silent, 20_000), (&drips, 600)] {
        let call = World {
            network: grant(server),
            options: options.clone(),
            deadline: Duration::from_millis(deadline),
            ..World::default()
        }
        .start();
        let began = Instant::now();
        let result = call.text(&server.url("/")).await;
        assert_eq!(kind(&result), "timeout");
        assert!(began.elapsed() < Duration::from_secs(10));
    }
}

/// NET-23: timeouts of nothing and of for ever.
#[tokio::test]
async fn timeouts_of_the_guest_only_shorten() {
    let server = endless(b"HTTP/1.1 200 OK\r\nx: ", b"y", Duration::from_millis(20)).await;
    for wanted in [
        Duration::ZERO,
        Duration::MAX,
        Duration::from_nanos(u64::MAX),
    ] {
        let call = World {
            network: grant(&server),
            deadline: Duration::from_millis(500),
            ..World::default()
        }
        .start();
        let timeouts = Timeouts {
            connect: Some(wanted),
            first_byte: Some(wanted),
            between_bytes: Some(wanted),
        };
        let began = Instant::now();
        let result = call
            .session
            .send(request("GET", &server.url("/")), timeouts)
            .await;
        assert_eq!(
            kind(&result.map(|_| String::new())),
            "timeout",
            "{wanted:?}"
        );
        assert!(began.elapsed() < Duration::from_secs(10));
    }
}

/// NET-24: more at once than is granted.
#[tokio::test]
async fn requests_at_once_are_counted_and_given_back() {
    let server = endless(CHUNKED, b"", Duration::from_mins(1)).await;
    let mut network = grant(&server);
    network[0]["concurrent"] = json!(3);
    let call = Arc::new(World::call(network));
    let mut open = Vec::new();
    for _ in 0..3 {
        open.push(call.get(&server.url("/")).await.expect("an answer"));
    }
    for _ in 0..scale::of(10_000, 100) {
        let result = call.text(&server.url("/")).await;
        assert_eq!(kind(&result), "connections");
    }
    open.pop();
    assert!(call.get(&server.url("/")).await.is_ok());
}

#[tokio::test]
async fn a_body_that_was_read_takes_no_place() {
    let server = Server::saying(ok("x")).await;
    let mut network = grant(&server);
    network[0]["concurrent"] = json!(1);
    let call = World::call(network);
    let mut kept = Vec::new();
    for _ in 0..3 {
        let mut body = call
            .get(&server.url("/"))
            .await
            .expect("an answer")
            .into_body();
        while body.frame().await.is_some() {}
        kept.push(body);
    }
}

#[tokio::test]
async fn requests_of_a_call_are_counted() {
    let server = Server::saying(ok("")).await;
    let mut network = grant(&server);
    network[0]["requests"] = json!(2);
    let call = World::call(network);
    for expected in ["ok ", "ok ", "requests", "requests"] {
        assert_eq!(kind(&call.text(&server.url("/")).await), expected);
    }
    assert_eq!(server.heard().len(), 2);
}

/// NET-24: a body that is never finished.
#[tokio::test]
async fn a_request_that_is_never_finished_ends_with_the_call() {
    let server = Server::with(None, |mut stream, _| async move {
        read_request(&mut stream).await;
        // The body has no end, and so this has no answer.
        let mut rest = [0; 16];
        while stream.read(&mut rest).await.is_ok_and(|read| read > 0) {}
    })
    .await;
    let call = World {
        network: grant(&server),
        deadline: Duration::from_millis(300),
        ..World::default()
    }
    .start();
    let mut sent = request("POST", &server.url("/"));
    let never = stream::pending::<Result<Frame<Bytes>, Infallible>>();
    let never = StreamBody::new(never).map_err(|never| match never {});
    sent.body = Some(RequestBody::new(never));
    let result = call.send(sent).await;
    let result = match result {
        Ok(answer) => text(answer).await,
        Err(error) => Err(error),
    };
    assert_eq!(kind(&result), "timeout");
}

#[tokio::test]
async fn what_is_taken_back_ends_within_a_second() {
    let drips = endless(CHUNKED, b"1\r\na\r\n", Duration::from_millis(20)).await;
    let head = endless(b"HTTP/1.1 200 OK\r\nx: ", b"y", Duration::from_millis(20)).await;
    let call = World::call(grant(&drips));
    let answer = call.get(&drips.url("/")).await.expect("an answer");
    let began = Instant::now();
    call.granted.revoke();
    assert_eq!(kind(&text(answer).await), "ForbiddenAddress");
    assert!(began.elapsed() < Duration::from_secs(1));
    let call = World::call(grant(&head));
    let granted = call.granted.clone();
    let revoke = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        granted.revoke();
    };
    let url = head.url("/");
    let (answer, ()) = tokio::join!(call.text(&url), revoke);
    assert_eq!(kind(&answer), "ForbiddenAddress");
    assert!(!call.granted.denials().is_empty());
}

#[tokio::test]
async fn what_is_compressed_stays_so() {
    let zeros =
        b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 4\r\n\r\n\x1f\x8b\x08\x00";
    let server = Server::saying(*zeros).await;
    let call = World::call(grant(&server));
    let answer = call.get(&server.url("/")).await.expect("an answer");
    let bytes = answer
        .into_body()
        .collect()
        .await
        .expect("a body")
        .to_bytes();
    assert_eq!(&bytes[..], b"\x1f\x8b\x08\x00");
}
