//! What is refused before anything is done.

use std::convert::Infallible;
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes};
use axum::http::Method;
use axum::routing::get;
use futures::stream;
use serde_json::json;
use tower::ServiceExt;

use super::world::World;
use crate::Check;
use cofferdam_wire::health::Health;

const ID: &str = "0192f7a4-7c5e-7d2a-8f00-0123456789ab";

/// Without end, and counts nothing: what is read of it is up to the reader.
fn endless() -> Body {
    let chunk = Bytes::from(vec![b'['; 64 << 10]);
    Body::from_stream(stream::repeat_with(move || {
        Ok::<_, Infallible>(chunk.clone())
    }))
}

#[tokio::test]
async fn json_is_read_strictly() {
    let world = World::new().await;
    let depth = |depth: usize| "[".repeat(depth);
    for (body, pointer) in [
        (String::new(), ""),
        (depth(100_000), "/0".repeat(64).as_str()),
        ("\u{feff}{}".to_owned(), ""),
        ("{} x".to_owned(), ""),
        ("[]".to_owned(), ""),
        (r#"{"title":"a","title":"b"}"#.to_owned(), "/title"),
        (
            r#"{"parameters":{"a":{"b":1,"b":2}}}"#.to_owned(),
            "/parameters/a/b",
        ),
        (r#"{"parameters":{"a":NaN}}"#.to_owned(), "/parameters/a"),
        (
            r#"{"parameters":{"a":[1e400]}}"#.to_owned(),
            "/parameters/a/0",
        ),
        (
            r#"{"parameters":{"a":"\ud800"}}"#.to_owned(),
            "/parameters/a",
        ),
        (
            r#"{"title":"t","plan":{"steps":[{}]}}"#.to_owned(),
            "/plan/steps/0",
        ),
        (r#"{"titel":"t"}"#.to_owned(), "/titel"),
    ] {
        let reply = world.post_text("/api/v1/tasks", body).await;
        reply.invalid(400, pointer);
    }
    let keys: Vec<String> = (0..300_000).map(|n| format!("\"{n}\":0")).collect();
    let body = format!("{{{},\"299999\":1}}", keys.join(","));
    world
        .post_text("/api/v1/tasks", body)
        .await
        .invalid(400, "/299999");
}

#[tokio::test]
async fn bodies_say_what_they_are() {
    let world = World::new().await;
    for (kind, status) in [
        (Some("application/json"), 400),
        (Some("application/json; charset=utf-8"), 400),
        (Some("Application/JSON ;charset=utf-8"), 400),
        (Some("text/plain"), 415),
        (Some("application/x-www-form-urlencoded"), 415),
        (Some("multipart/form-data; boundary=x"), 415),
        (Some("application/jsonx"), 415),
        (Some(""), 415),
        (None, 415),
    ] {
        let mut request = world.request(Method::POST, "/api/v1/tasks");
        if let Some(kind) = kind {
            request = request.header("content-type", kind);
        }
        let reply = world
            .send(request.body(Body::from("{}")).expect("a request"))
            .await;
        reply.refused(status, "invalid_input");
    }
    for (path, kind) in [
        ("/api/v1/tasks", "application/json"),
        ("/api/v1/tools/none/call", "application/json"),
        ("/api/v1/components", "application/wasm"),
    ] {
        for encoding in ["gzip", "deflate", "br", "identity, gzip", "x"] {
            let request = world
                .request(Method::POST, path)
                .header("content-type", kind)
                .header("content-encoding", encoding)
                .body(endless());
            let reply = world.send(request.expect("a request")).await;
            reply.refused(415, "invalid_input");
        }
    }
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_early() {
    let world = World::new().await;
    for (path, kind, limit) in [
        ("/api/v1/tasks", "application/json", 4 << 20),
        ("/api/v1/tools/none/call", "application/json", 4 << 20),
        ("/api/v1/components", "application/wasm", 32 << 20),
    ] {
        let announced = |length: u64, body: Body| {
            world
                .request(Method::POST, path)
                .header("content-type", kind)
                .header("content-length", length)
                .body(body)
                .expect("a request")
        };
        let start = Instant::now();
        for length in [limit + 1, 1 << 30, u64::MAX] {
            let details = world.send(announced(length, endless())).await;
            let details = details.refused(413, "too_large");
            assert_eq!(details["limit_bytes"], limit);
        }
        let chunked = world
            .request(Method::POST, path)
            .header("content-type", kind);
        let chunked = chunked.body(endless()).expect("a request");
        world.send(chunked).await.refused(413, "too_large");
        assert!(
            start.elapsed() < Duration::from_secs(5),
            "{:?}",
            start.elapsed()
        );
    }
    // The largest body is read, in one piece or many, and then refused for what it is.
    let most = vec![b' '; 4 << 20];
    world
        .post_text("/api/v1/tasks", most.clone())
        .await
        .invalid(400, "");
    let pieces: Vec<_> = most
        .chunks(1 << 16)
        .map(|c| Ok::<_, Infallible>(c.to_vec()))
        .collect();
    let body = Body::from_stream(stream::iter(pieces));
    world
        .post_text("/api/v1/tasks", body)
        .await
        .invalid(400, "");
}

#[tokio::test(start_paused = true)]
async fn a_body_that_never_comes_is_given_up() {
    let world = World::new().await;
    let body = Body::from_stream(stream::pending::<Result<Bytes, Infallible>>());
    let reply = world.post_text("/api/v1/tasks", body).await;
    reply.invalid(408, "");
}

#[tokio::test]
async fn requests_without_a_body_take_none() {
    let world = World::new().await;
    let task = world.task(&["wait"]).await;
    let path = format!("/api/v1/tasks/{task}/cancel");
    world
        .post(&path, &json!({"force": true}))
        .await
        .invalid(400, "");
    world
        .post_text(&path, "x".repeat(2_000))
        .await
        .refused(413, "too_large");
    assert_eq!(world.post(&path, &json!({})).await.status, 200);
}

#[tokio::test]
async fn ids_have_one_form() {
    let world = World::new().await;
    let long = "a".repeat(10_000);
    let other_kind = format!("run_{ID}");
    for id in [
        "..%2f..%2fetc",
        "%00",
        "x",
        &long,
        "%F0%9F%A6%80",
        "task_",
        "..",
        &other_kind,
        "%7B",
        "*",
    ] {
        let path = format!("/api/v1/tasks/{id}");
        world.get(&path).await.invalid(400, "/path/id");
        world
            .get(&format!("/api/v1/runs/task_{id}/events"))
            .await
            .invalid(400, "/path/id");
    }
    world
        .get("/api/v1/tasks/%FF")
        .await
        .refused(400, "invalid_input");
    for path in ["/api/v1/tasks/", "/api/v1/tasks/./x", "/api/v1/tasks/a/b"] {
        world.get(path).await.refused(404, "not_found");
    }
    for name in [
        "Files-Read",
        "a__b__c",
        "-",
        "a%00b",
        "..",
        "a@b@c",
        "files@%3E",
        &long,
    ] {
        let path = format!("/api/v1/tools/{name}");
        world.get(&path).await.invalid(400, "/path/tool");
    }
    // Well-formed, bare or not, but not there.
    for id in [ID.to_owned(), format!("task_{ID}")] {
        world
            .get(&format!("/api/v1/tasks/{id}"))
            .await
            .refused(404, "not_found");
    }
}

#[tokio::test]
async fn queries_are_read_strictly() {
    let world = World::new().await;
    for list in ["tools", "tasks", "runs", "audit"] {
        for (query, place) in [
            ("limit=-1", "limit"),
            ("limit=0", "limit"),
            ("limit=1001", "limit"),
            ("limit=1e18", "limit"),
            ("limit=99999999999999999999", "limit"),
            ("limit=", "limit"),
            ("limit=1&limit=2", "limit"),
            ("after=%00", "after"),
            ("after=%2e%2e%2f", "after"),
            ("after=task_x", "after"),
            ("offset=1", "offset"),
            ("a/b~=1", "a~1b~0"),
        ] {
            let reply = world.get(&format!("/api/v1/{list}?{query}")).await;
            reply.invalid(400, &format!("/query/{place}"));
        }
        assert_eq!(
            world
                .get(&format!("/api/v1/{list}?limit=1000"))
                .await
                .status,
            200
        );
    }
    for (path, place) in [
        ("/api/v1/tasks?status=done", "status"),
        ("/api/v1/runs?task_id=x", "task_id"),
        ("/api/v1/tools/files-read@1?version=1", "version"),
        (&format!("/api/v1/runs/{ID}/events?after=-1"), "after"),
    ] {
        world
            .get(path)
            .await
            .invalid(400, &format!("/query/{place}"));
    }
    for wait in ["-1", "300001", "1.5", "1s", ""] {
        let path = format!("/api/v1/tasks/{ID}/runs?wait_ms={wait}");
        world.act(&path).await.invalid(400, "/query/wait_ms");
    }
}

#[tokio::test]
async fn unknown_routes_and_methods() {
    let world = World::new().await;
    for path in [
        "/",
        "/api",
        "/api/v2/tools",
        "/api/v1/tool",
        "/api/v1//tools",
        "/API/v1/tools",
    ] {
        world.get(path).await.refused(404, "not_found");
    }
    let request = world
        .request(Method::DELETE, "/api/v1/tasks")
        .body(Body::empty());
    let reply = world.send(request.expect("a request")).await;
    reply.refused(405, "invalid_input");
    assert_eq!(reply.headers["allow"], "GET,HEAD,POST");
}

#[tokio::test]
async fn pages_of_other_sites_are_refused() {
    let world = World::new().await;
    for (origin, status) in [
        ("http://cofferdam.test", 200),
        ("http://evil.test", 403),
        ("null", 403),
    ] {
        let request = world
            .request(Method::GET, "/api/v1/tools")
            .header("host", "cofferdam.test")
            .header("origin", origin)
            .body(Body::empty());
        let reply = world.send(request.expect("a request")).await;
        assert_eq!(reply.status, status, "{origin}");
    }
}

#[tokio::test]
async fn a_panic_is_answered() {
    async fn bug() {
        panic!("a bug of the test");
    }
    let router = crate::guarded(axum::Router::new().route("/bug", get(bug)));
    let request = axum::http::Request::get("/bug").body(Body::empty());
    let response = router.oneshot(request.expect("a request")).await;
    let (parts, body) = response.expect("a router never fails").into_parts();
    assert_eq!(parts.status, 500);
    let body = axum::body::to_bytes(body, 1 << 20).await.expect("a body");
    assert!(
        !String::from_utf8_lossy(&body).contains("of the test"),
        "{body:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn health_is_that_of_the_worst_part() {
    for (parts, status, word) in [
        (vec![Some(Health::Healthy)], 200, "healthy"),
        (
            vec![Some(Health::Healthy), Some(Health::Degraded)],
            200,
            "degraded",
        ),
        (
            vec![Some(Health::Unhealthy), Some(Health::Healthy)],
            503,
            "unhealthy",
        ),
        (vec![None], 503, "unhealthy"),
    ] {
        let names = ["store", "engine"];
        let check = |(name, health): (_, Option<Health>)| {
            Check::new(name, move || async move {
                match health {
                    Some(health) => health,
                    None => std::future::pending().await,
                }
            })
        };
        let checks = names.into_iter().zip(parts).map(check).collect();
        let reply = World::with(Vec::new(), checks).await.get("/healthz").await;
        assert_eq!(reply.status, status);
        assert_eq!(reply.json()["status"], word);
        assert!(reply.json()["components"]["store"].is_string());
    }
}
