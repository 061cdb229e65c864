//! Another door beside the API.

use std::convert::Infallible;

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use bytes::Bytes;
use cofferdam_types::caller::{Caller, Role};
use cofferdam_types::workspace::Offer;
use futures::future::Either;
use futures::stream::{self, StreamExt};
use serde_json::{Value, json};
use tower::{ServiceExt, service_fn};

use super::world::{Reply, World};
use crate::{Allow, Content, Mount, mount};

const HOST: &str = "localhost:8000";

/// A door that says what it was brought; a GET, in pieces.
async fn tell(request: Request<Bytes>) -> Result<axum::http::Response<Content>, Infallible> {
    let (parts, body) = request.into_parts();
    let caller = parts.extensions.get::<Caller>();
    let offer = parts.extensions.get::<Offer>();
    let said = json!({
        "method": parts.method.as_str(),
        "role": caller.map(|caller| caller.role.as_str()),
        "offer": offer.map(|offer| format!("{offer:?}")),
        "bytes": body.len(),
    });
    let text = Bytes::from(said.to_string());
    let content = if parts.method == Method::GET {
        let halves = [text.slice(..5), text.slice(5..)];
        Either::Right(stream::iter(halves).boxed())
    } else {
        Either::Left(text)
    };
    Ok(axum::http::Response::new(content))
}

struct Mounted {
    router: Router,
    key: String,
}

impl Mounted {
    async fn new() -> Self {
        let world = World::new().await;
        let listen = "127.0.0.1:8000".parse().expect("an address");
        let mounted = mount(Mount {
            path: "/door",
            access: world.access.clone(),
            allow: Allow::new(listen, &[], &["https://app.example.org".to_owned()]),
            service: service_fn(tell),
        });
        Self {
            router: world.router.clone().merge(mounted),
            key: world.key(Role::User).to_owned(),
        }
    }

    async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Reply {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request
            .body(Body::from(body.to_owned()))
            .expect("a request");
        Reply::read(
            self.router
                .clone()
                .oneshot(request)
                .await
                .expect("an answer"),
        )
        .await
    }

    /// A request that passes, but for what these headers change.
    async fn asked(&self, method: &str, path: &str, more: &[(&str, &str)]) -> Reply {
        let key = format!("Bearer {}", self.key);
        let usual = [
            ("host", HOST),
            ("authorization", key.as_str()),
            ("content-type", "application/json"),
        ];
        let kept = usual
            .iter()
            .filter(|(name, _)| more.iter().all(|(other, _)| other != name));
        let headers: Vec<_> = kept.chain(more).copied().collect();
        self.send(method, path, &headers, "{}").await
    }
}

fn said(reply: &Reply) -> Value {
    assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
    serde_json::from_str(&reply.text).expect("JSON")
}

#[tokio::test]
async fn the_door_is_told_who_comes() {
    let mounted = Mounted::new().await;
    for (method, bytes) in [("POST", 2), ("GET", 0), ("DELETE", 0), ("OPTIONS", 0)] {
        let said = said(&mounted.asked(method, "/door", &[]).await);
        let expected = json!({"method": method, "role": "user", "offer": null, "bytes": bytes});
        assert_eq!(said, expected);
    }
    let said = said(
        &mounted
            .asked("POST", "/door?workspace=demo&access=read_write", &[])
            .await,
    );
    let offer = said["offer"].as_str().expect("an offer");
    assert!(
        offer.contains("demo") && offer.contains("ReadWrite"),
        "{offer}"
    );
    for query in [
        "workspace=../x",
        "access=read_only",
        "other=1",
        "workspace=a&access=all",
    ] {
        let reply = mounted.asked("POST", &format!("/door?{query}"), &[]).await;
        reply.refused(400, "invalid_input");
    }
    // The API beside it is as it was.
    let reply = mounted.asked("GET", "/api/v1/tools", &[]).await;
    assert_eq!(reply.status, StatusCode::OK);
}

#[tokio::test]
async fn strangers_do_not_pass() {
    let mounted = Mounted::new().await;
    let reply = mounted.send("POST", "/door", &[("host", HOST)], "{}").await;
    reply.refused(401, "unauthenticated");
    assert_eq!(reply.headers["www-authenticate"], "Bearer");
    for key in ["Bearer nonsense", "Basic eDp5", ""] {
        let reply = mounted
            .asked("POST", "/door", &[("authorization", key)])
            .await;
        reply.refused(401, "unauthenticated");
    }
    for method in ["POST", "GET", "DELETE", "OPTIONS", "PUT"] {
        for evil in [
            ("host", "evil.example.org"),
            ("host", "localhost.evil.example.org:8000"),
            ("origin", "http://evil.example.org"),
            ("origin", "null"),
            ("origin", "http://localhost:8001"),
        ] {
            mounted
                .asked(method, "/door", &[evil])
                .await
                .refused(403, "forbidden");
            // Also before anybody asks for a key.
            let headers = [("host", HOST), evil];
            let reply = mounted.send(
                method,
                "/door",
                &headers[usize::from(evil.0 == "host")..],
                "",
            );
            reply.await.refused(403, "forbidden");
        }
        let own = mounted
            .asked(method, "/door", &[("origin", "http://localhost:8000")])
            .await;
        assert_eq!(own.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn bodies_are_bounded() {
    let mounted = Mounted::new().await;
    let reply = mounted
        .asked("POST", "/door", &[("content-type", "text/plain")])
        .await;
    reply.refused(415, "invalid_input");
    let key = format!("Bearer {}", mounted.key);
    let headers = [
        ("host", HOST),
        ("authorization", key.as_str()),
        ("content-type", "application/json; charset=utf-8"),
    ];
    let most = "x".repeat(4 << 20);
    assert_eq!(
        said(&mounted.send("POST", "/door", &headers, &most).await)["bytes"],
        4 << 20
    );
    let reply = mounted.send("POST", "/door", &headers, &(most + "x")).await;
    reply.refused(413, "too_large");
}

#[tokio::test]
async fn pages_of_an_allowed_origin_may_ask_and_read() {
    let mounted = Mounted::new().await;
    let origin = ("origin", "https://app.example.org");
    let asks = [
        ("host", HOST),
        origin,
        ("access-control-request-method", "POST"),
    ];
    let reply = mounted.send("OPTIONS", "/door", &asks, "").await;
    assert_eq!(reply.status, StatusCode::NO_CONTENT);
    assert_eq!(reply.headers["access-control-allow-origin"], origin.1);
    assert_eq!(
        reply.headers["access-control-allow-methods"],
        "GET, POST, DELETE"
    );
    let allowed = reply.headers["access-control-allow-headers"]
        .to_str()
        .expect("text");
    assert!(allowed.contains("Authorization") && allowed.contains("Mcp-Session-Id"));
    let reply = mounted.asked("POST", "/door", &[origin]).await;
    assert_eq!(reply.status, StatusCode::OK);
    assert_eq!(reply.headers["access-control-allow-origin"], origin.1);
    assert_eq!(reply.headers["vary"], "Origin");
    let reply = mounted.asked("POST", "/door", &[]).await;
    assert!(!reply.headers.contains_key("access-control-allow-origin"));
}
