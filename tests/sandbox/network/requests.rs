use anyhow::{Result, ensure};
use serde_json::{Value, json};

use super::server::{Says, Server};
use super::{Wall, word};
use crate::settled;

const HOST: &str = "api.good.test";
const DENIED: &str = "HttpRequestDenied";
const PROHIBITED: &str = "DestinationIpProhibited";

fn get(authority: &str, path: &str) -> Value {
    json!({"authority": authority, "path": path})
}

/// Each ends in an error, whichever word the interface has for it, and nothing is sent.
async fn refused(wall: &Wall, probes: Vec<Value>) -> Result<()> {
    for probe in probes {
        let came = wall.one(probe.clone()).await?;
        ensure!(came.parse::<u16>().is_err(), "{probe}: {came}");
    }
    settled(&wall.host, &wall.before).await
}

/// NET-01: without a grant, nothing is asked of anybody.
#[tokio::test]
async fn without_a_grant() -> Result<()> {
    let wall = Wall::new("network: []").await;
    // A policy that grants nothing of the network refuses the call itself.
    let refusal = match wall {
        Ok(_) => anyhow::bail!("a tool that needs the network ran without it"),
        Err(error) => format!("{error:#}"),
    };
    ensure!(refusal.contains("policy_denied"), "{refusal}");
    Ok(())
}

/// NET-02, NET-03, NET-04, NET-05, NET-06, NET-07: no spelling of an address that is not public
/// leads there, whatever the host pattern.
#[tokio::test]
async fn addresses() -> Result<()> {
    let wall = Wall::new("network:\n  - {host: '**', scheme: http}").await?;
    for authority in [
        "169.254.169.254",
        "[fd00:ec2::254]",
        "100.100.100.200",
        "168.63.129.16",
        "127.0.0.1",
        "127.0.0.2",
        "0.0.0.0",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:a9fe:a9fe]",
        "[::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "[2001:0:0:0:0:0:80ff:fffe]",
        "10.0.0.1",
        "100.64.0.1",
        "198.18.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "[fe80::1]",
        "[fc00::1]",
    ] {
        let came = wall.one(get(authority, "/")).await?;
        ensure!(came == PROHIBITED, "{authority}: {came}");
    }
    let spellings = [
        "localhost.",
        "0",
        "127.1",
        "2130706433",
        "0177.0.0.1",
        "0x7f000001",
        "0x7f.1",
        "256.256.256.256",
        "127.0.0.1.",
        "\u{ff11}27.0.0.1",
        "\u{2460}\u{2461}\u{2466}.0.0.1",
        "api\u{3002}good.test",
        "[fe80::1%eth0]",
        "xn--a.test",
        "metadata.google.internal",
        "localhost",
    ];
    refused(&wall, spellings.iter().map(|host| get(host, "/")).collect()).await
}

/// NET-10, NET-11, NET-13, NET-19, NET-20: only the host that is granted, spelt the one way.
#[tokio::test]
async fn hosts() -> Result<()> {
    let server = Server::ok("fine").await?;
    let wall = Wall::new(&server.entry("")).await?;
    let authorities = [
        "api.good.test.evil.test",
        "evilapi.good.test",
        "good.test",
        "a.api.good.test",
        "api.good.test@evil.test",
        "u:p@api.good.test",
        "evil.test#@api.good.test",
        "evil.test\\@api.good.test",
        "api.good.test%00.evil.test",
        "api.good.test:",
        "api.good.test:081",
        "api.good.test:65536",
        "api.good.test:-1",
        "api.good.test:443",
    ];
    let mut probes: Vec<Value> = authorities.iter().map(|host| get(host, "/")).collect();
    for path in ["//evil.test/x", "http://evil.test/", "*"] {
        probes.push(get(HOST, path));
    }
    for scheme in ["file", "ftp", "gopher", "data", "ws", "https"] {
        probes.push(json!({"authority": HOST, "scheme": scheme}));
    }
    refused(&wall, probes).await?;
    ensure!(server.heard().is_empty(), "{:?}", server.heard());
    wall.check(&[
        (get(HOST, "/"), "200"),
        (get("API.good.test:80", "/"), "200"),
    ])
    .await
}

/// NET-17, NET-18: methods as they are, paths in their normal form.
#[tokio::test]
async fn methods_and_paths() -> Result<()> {
    let server = Server::ok("fine").await?;
    let wall = Wall::new(&server.entry(", paths: ['/v1/*']")).await?;
    wall.check(&[
        (get(HOST, "/v1/x?q=1"), "200"),
        (get(HOST, "/v1/a/../%78"), "200"),
        (get(HOST, "/v1/../admin"), DENIED),
        (get(HOST, "/v1/%2e%2e/admin"), DENIED),
        (get(HOST, "/v1/..%2fadmin"), DENIED),
        (get(HOST, "/v1;/../admin"), DENIED),
        (get(HOST, "//v1/"), DENIED),
        (get(HOST, "/V1/x"), DENIED),
        (get(HOST, "/v1%00"), DENIED),
        (get(HOST, "/v1/%252e%252e/admin"), DENIED),
        (
            json!({"authority": HOST, "path": "/v1/x", "method": "get"}),
            DENIED,
        ),
        (
            json!({"authority": HOST, "path": "/v1/x", "method": "PROPFIND"}),
            DENIED,
        ),
        (
            json!({"authority": HOST, "path": "/v1/x", "method": "POST"}),
            DENIED,
        ),
        (
            json!({"authority": HOST, "path": "/v1/x", "method": "CONNECT"}),
            DENIED,
        ),
    ])
    .await?;
    let lines: Vec<String> = server
        .heard()
        .iter()
        .filter_map(|request| request.lines().next().map(str::to_owned))
        .collect();
    ensure!(
        lines == ["GET /v1/x?q=1 HTTP/1.1", "GET /v1/x HTTP/1.1"],
        "{lines:?}"
    );
    Ok(())
}

/// NET-14, NET-15: headers that say how to speak, and what would split a message.
#[tokio::test]
async fn headers() -> Result<()> {
    let server = Server::ok("fine").await?;
    let wall = Wall::new(&server.entry(", headers: [x-mine]")).await?;
    let with = |name: &str, value: &str| json!({"authority": HOST, "headers": [[name, value]]});
    let names = [
        "host",
        "connection",
        "upgrade",
        "te",
        "transfer-encoding",
        "proxy-authorization",
        "x-forwarded-for",
        "forwarded",
        "via",
        "x-http-method-override",
        "authorization",
        "cookie",
        ":authority",
        "x y",
        "x\r\ny",
        "",
    ];
    let mut probes: Vec<Value> = names.iter().map(|name| with(name, "x")).collect();
    for value in ["a\r\nb: c", "a\nb", "a\0b"] {
        probes.push(with("x-mine", value));
    }
    for method in ["GET /v1 HTTP/1.1\r\nX:", "GET ", "G\0"] {
        probes.push(json!({"authority": HOST, "method": method}));
    }
    probes.push(get(HOST, "/a\r\nb"));
    refused(&wall, probes).await?;
    ensure!(server.heard().is_empty(), "{:?}", server.heard());
    wall.check(&[(with("x-mine", "1"), "200"), (with("Accept", "a/b"), "200")])
        .await
}

/// NET-12: every hop is decided anew; a loop ends.
#[tokio::test]
async fn redirects() -> Result<()> {
    let more = ", redirects: 5, paths: ['/', '/end', '/loop']";
    for (place, expected) in [
        ("/end", "200"),
        ("/loop", DENIED),
        ("/admin", DENIED),
        ("http://127.0.0.1/", PROHIBITED),
        ("http://169.254.169.254/latest/meta-data/", PROHIBITED),
        ("https://api.good.test/end", DENIED),
        ("http://evil.test/end", DENIED),
        ("file:///etc/passwd", DENIED),
    ] {
        let server = Server::start(Says::Redirect(place.to_owned())).await?;
        let wall = Wall::new(&server.entry(more)).await?;
        let came = wall.one(get(HOST, "/")).await?;
        ensure!(came == expected, "{place}: {came}");
        let most = if place == "/loop" { 6 } else { 2 };
        ensure!(server.heard().len() <= most, "{place}");
        settled(&wall.host, &wall.before).await?;
    }
    Ok(())
}

/// NET-16: where an answer ends is never in doubt.
#[tokio::test]
async fn framing() -> Result<()> {
    for head in [
        "content-length: 2\r\ntransfer-encoding: chunked",
        "content-length: 2\r\ncontent-length: 3",
        "content-length: +2",
    ] {
        let answer = format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\n2\r\nab\r\n0\r\n\r\n");
        let server = Server::start(Says::Once(answer.into_bytes())).await?;
        let wall = Wall::new(&server.entry("")).await?;
        let came = wall.one(get(HOST, "/")).await?;
        ensure!(came == "HttpProtocolError", "{head}: {came}");
        settled(&wall.host, &wall.before).await?;
    }
    Ok(())
}

/// NET-26: a proxy in the host's environment changes nothing.
#[tokio::test]
async fn no_proxy_from_the_environment() -> Result<()> {
    let (server, proxy) = (Server::ok("fine").await?, Server::ok("stolen").await?);
    let at = format!("http://127.0.0.1:{}", proxy.port);
    let environment = ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"];
    let environment = environment.map(|name| (name, at.as_str()));
    let wall = Wall::within(&server.entry(""), &environment).await?;
    wall.check(&[(get(HOST, "/"), "200")]).await?;
    ensure!(proxy.heard().is_empty() && server.heard().len() == 1);
    Ok(())
}

/// NET-28: whoever may make names up is named in the record, and the policy's checks say so.
#[tokio::test]
async fn names_that_carry_data_are_recorded() -> Result<()> {
    let wall = Wall::new("network:\n  - {host: '*.good.test'}").await?;
    let probe = json!({"authority": "c2VjcmV0.good.test", "scheme": "https"});
    let came = wall
        .call("send", json!({"probes": [probe.clone()]}))
        .await?;
    ensure!(came.result.iter().all(|one| word(one) != "200"), "{came:?}");
    let other = json!({"authority": "c2VjcmV0.evil.test", "scheme": "https"});
    let came = wall.call("send", json!({"probes": [other]})).await?;
    ensure!(came.denials == ["not_granted"], "{came:?}");
    settled(&wall.host, &wall.before).await
}
