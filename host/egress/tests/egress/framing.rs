//! Where a message ends is never in doubt, in either direction.

use std::sync::Arc;

use bytes::Bytes;
use cofferdam_egress::{Error, Request, RequestBody};
use http_body_util::{BodyExt, Full};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::servers::{Server, ok};
use crate::world::{Call, World, request, with_headers};

pub(crate) fn grant(server: &Server) -> Value {
    json!([{
        "host": "api.good.test", "scheme": "http", "port": server.at.port(),
        "at": server.at.to_string(), "methods": ["GET", "POST"], "requests": 100_000,
    }])
}

pub(crate) fn kind(result: &Result<String, Error>) -> String {
    match result {
        Ok(text) => format!("ok {text}"),
        Err(Error::Upstream { kind, .. }) => kind.to_string(),
        Err(Error::Limit { limit, .. }) => limit.to_string(),
        Err(Error::Timeout) => "timeout".to_owned(),
        Err(Error::RequestBody) => "request_body".to_owned(),
        Err(Error::Denied(denial)) => format!("{:?}", denial.code),
    }
}

/// NET-16: answers whose length is said in two ways.
#[tokio::test]
async fn answers() {
    for (answer, expected) in [
        ("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nab", "ok ab"),
        (
            "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nabcdef",
            "ok ab",
        ),
        (
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n",
            "ok ab",
        ),
        (
            "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
            "protocol",
        ),
        (
            "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nabc",
            "protocol",
        ),
        (
            "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 2\r\n\r\nab",
            "protocol",
        ),
        (
            "HTTP/1.1 200 OK\r\ncontent-length: +2\r\n\r\nab",
            "protocol",
        ),
        (
            "HTTP/1.1 200 OK\r\ncontent-length: 2, 2\r\n\r\nab",
            "protocol",
        ),
        (
            "HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
            "protocol",
        ),
        (
            "HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
            "protocol",
        ),
        ("HTTP/1.1 200 OK\r\nx: a\r\n b\r\n\r\n", "protocol"),
        ("HTTP/1.1 200 OK\r\nx : a\r\n\r\n", "protocol"),
        ("HTTP/1.1 101 Other\r\nupgrade: x\r\n\r\n", "protocol"),
        ("220 mail.good.test ESMTP\r\n", "protocol"),
        ("ok\r\n\r\n", "protocol"),
    ] {
        let server = Server::saying(answer).await;
        let call = World::call(grant(&server));
        let result = call.text(&server.url("/")).await;
        assert_eq!(kind(&result), expected, "{answer:?}");
    }
}

#[tokio::test]
async fn an_answer_that_stops_in_the_middle_is_no_answer() {
    for answer in [
        "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nab",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nab",
        "HTTP/1.1 200 OK\r\nx",
        "",
    ] {
        let bytes = answer.as_bytes().to_vec();
        let bytes = Arc::new(bytes);
        let server = Server::with(None, move |mut stream, _| {
            let bytes = bytes.clone();
            async move {
                crate::servers::read_request(&mut stream).await;
                drop(tokio::io::AsyncWriteExt::write_all(&mut stream, &bytes).await);
            }
        })
        .await;
        let call = World::call(grant(&server));
        let result = call.text(&server.url("/")).await;
        assert_eq!(kind(&result), "reset", "{answer:?}");
    }
}

fn posting(server: &Server, body: &str, headers: &[(&str, &str)]) -> Request {
    let mut sent = with_headers(request("POST", &server.url("/")), headers);
    let body = Full::new(Bytes::from(body.to_owned())).map_err(|never| match never {});
    sent.body = Some(RequestBody::new(body));
    sent
}

async fn post(call: &Call, sent: Request) -> Result<String, Error> {
    crate::world::text(call.send(sent).await?).await
}

/// NET-16: requests whose length is not as announced.
/// NET-16: in the other direction.
#[tokio::test]
async fn bodies_have_the_length_they_announce() {
    let server = Server::answering(|request| ok(&request[request.len() - 4..])).await;
    let call = World::call(grant(&server));
    for (body, headers, expected) in [
        ("body", &[][..], "ok body"),
        ("body", &[("content-length", "4")], "ok body"),
        ("body", &[("content-length", "3")], "request_body"),
        ("body", &[("content-length", "5")], "request_body"),
        (
            "body",
            &[("content-length", "4"), ("content-length", "4")],
            "Malformed",
        ),
        ("body", &[("content-length", "+4")], "request_body"),
        ("body", &[("content-length", "4, 4")], "request_body"),
        (
            "body",
            &[("content-length", "99999999999999999999")],
            "request_body",
        ),
        ("body", &[("transfer-encoding", "chunked")], "Malformed"),
    ] {
        let result = post(&call, posting(&server, body, headers)).await;
        assert_eq!(kind(&result), expected, "{headers:?}");
    }
    let empty = with_headers(
        request("POST", &server.url("/")),
        &[("content-length", "5")],
    );
    assert_eq!(kind(&post(&call, empty).await), "request_body");
}

#[tokio::test]
async fn bodies_are_cut_at_their_cap() {
    let server = Server::saying(ok("")).await;
    let mut network = grant(&server);
    network[0]["request_bytes"] = json!(3);
    let call = World::call(network);
    let fits = post(&call, posting(&server, "abc", &[])).await;
    assert_eq!(kind(&fits), "ok ");
    for headers in [&[][..], &[("content-length", "4")]] {
        let result = post(&call, posting(&server, "body", headers)).await;
        assert_eq!(kind(&result), "request_bytes");
    }
}

#[test]
fn any_bytes_as_an_answer_are_survived() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(300));
    let piece = prop_oneof![
        Just("HTTP/1.1 200 OK\r\n".to_owned()),
        Just("content-length: 1\r\n".to_owned()),
        Just("transfer-encoding: chunked\r\n".to_owned()),
        Just("location: http://[\r\n".to_owned()),
        Just("\r\n".to_owned()),
        Just("ffffffffffffffff\r\n".to_owned()),
        "[\\x00-\\xff]{0,20}",
    ];
    let answers = prop::collection::vec(piece, 0..8);
    runner
        .run(&answers, |pieces| {
            let bytes = Arc::new(pieces.concat().into_bytes());
            runtime.block_on(async move {
                let server = Server::with(None, move |mut stream, _| {
                    let bytes = bytes.clone();
                    async move {
                        crate::servers::read_request(&mut stream).await;
                        drop(tokio::io::AsyncWriteExt::write_all(&mut stream, &bytes).await);
                    }
                })
                .await;
                let call = World::call(grant(&server));
                // Whatever it is, it is an answer or an error.
                drop(call.text(&server.url("/")).await);
            });
            Ok(())
        })
        .expect("no answer makes the client panic");
}
