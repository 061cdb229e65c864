use axum::body::Body;
use axum::http::{Method, Request};
use cofferdam_types::Digest;
use cofferdam_types::caller::Role;
use serde_json::{Value, json};

use super::world::{World, spec};

async fn world() -> World {
    let none = json!([]);
    let tools = vec![
        spec("data-query", "1.0.0", &none),
        spec("files-read", "1.0.0", &none),
        spec("files-read", "1.2.0", &none),
        spec("files-read", "2.0.0-rc.1", &none),
        spec("files-write", "1.0.0", &none),
        spec("acme/files-read", "3.0.0", &none),
        spec("web-get", "1.0.0", &json!([{"kind": "network"}])),
    ];
    World::with(tools, Vec::new()).await
}

fn names(list: &Value) -> Vec<String> {
    let items = list["items"].as_array().expect("a list");
    let name = |item: &Value| format!("{}@{}", item["name"], item["version"]).replace('"', "");
    items.iter().map(name).collect()
}

#[tokio::test]
async fn lists_each_tool_once_in_pages() {
    let world = world().await;
    let all = [
        "acme/files-read@3.0.0",
        "data-query@1.0.0",
        "files-read@1.2.0",
        "files-write@1.0.0",
        "web-get@1.0.0",
    ];
    let list = world.get("/api/v1/tools").await.json();
    assert_eq!(names(&list), all);
    assert_eq!(list["next"], Value::Null);
    let mut after = String::new();
    let mut paged = Vec::new();
    loop {
        let list = world
            .get(&format!("/api/v1/tools?limit=2{after}"))
            .await
            .json();
        paged.extend(names(&list));
        let Some(next) = list["next"].as_str() else {
            break;
        };
        after = format!("&after={next}");
    }
    assert_eq!(paged, all);
    let list = world.get("/api/v1/tools?prefix=files-").await.json();
    assert_eq!(names(&list), ["files-read@1.2.0", "files-write@1.0.0"]);
}

#[tokio::test]
async fn a_call_applies_its_changes_or_previews_them() {
    let world = world().await;
    let digest = Digest::of(b"");
    for (body, pointer) in [
        (
            json!({"preview": true, "if_changes": digest}),
            "/if_changes",
        ),
        (json!({"if_changes": "sha256:0"}), "/if_changes"),
        (json!({"preview": 1}), "/preview"),
    ] {
        let reply = world.post("/api/v1/tools/data-query/call", &body).await;
        reply.invalid(400, pointer);
    }
}

#[tokio::test]
async fn shows_the_version_that_was_asked_for() {
    let world = world().await;
    for (path, version) in [
        ("files-read", "1.2.0"),
        ("files-read?version=1.0.0", "1.0.0"),
        ("files-read?version=%5E1", "1.2.0"),
        ("files-read@2.0.0-rc.1", "2.0.0-rc.1"),
        ("acme__files-read", "3.0.0"),
        ("acme%2Ffiles-read", "3.0.0"),
    ] {
        let tool = world.get(&format!("/api/v1/tools/{path}")).await.json();
        assert_eq!(tool["version"], version, "{path}");
        for field in [
            "description",
            "args_schema",
            "capabilities",
            "digest",
            "component",
        ] {
            assert!(!tool[field].is_null(), "{field}");
        }
    }
    for path in ["files-read?version=9", "files", "other__files-read"] {
        let path = format!("/api/v1/tools/{path}");
        world.get(&path).await.refused(404, "not_found");
    }
}

#[tokio::test]
async fn a_call_that_fails_carries_its_facts() {
    let world = world().await;
    for (path, body, status, code) in [
        ("none", json!({}), 404, "not_found"),
        (
            "files-read",
            json!({"arguments": {"n": "x"}}),
            400,
            "invalid_input",
        ),
        (
            "files-read",
            json!({"arguments": {"m": 1}}),
            400,
            "invalid_input",
        ),
        (
            "acme__files-read",
            json!({"arguments": {"m": 1}}),
            400,
            "invalid_input",
        ),
        ("web-get", json!({}), 403, "policy_denied"),
    ] {
        let reply = world
            .post(&format!("/api/v1/tools/{path}/call"), &body)
            .await;
        let details = reply.refused(status, code);
        let id = details["call_id"].as_str().expect("an id");
        assert!(id.starts_with("call_"), "{id}");
        assert!(details["usage"]["wall_us"].is_object());
        assert!(details["log"].is_object());
        assert!(details["denials"].is_array());
        assert_eq!(details["tool"].is_null(), path == "none", "{details}");
    }
}

#[tokio::test]
async fn calls_are_in_the_audit() {
    let world = world().await;
    for _ in 0..3 {
        world.post("/api/v1/tools/web-get/call", &json!({})).await;
    }
    // It is written behind the calls; whoever reads it finds every call that was answered before.
    let page = world.get("/api/v1/audit?limit=5").await.json();
    assert_eq!(page["items"].as_array().map(Vec::len), Some(3), "{page}");
    let entry = &page["items"][0];
    assert_eq!(
        (&entry["act"], &entry["code"]),
        (&json!("call"), &json!("policy_denied"))
    );
    assert!(
        entry["actor"]
            .as_str()
            .is_some_and(|actor| actor.starts_with("key:"))
    );
    assert!(
        entry["entry_digest"]
            .as_str()
            .is_some_and(|digest| digest.starts_with("sha256:"))
    );
}

#[tokio::test]
async fn what_is_no_component_is_refused() {
    let world = world().await;
    for kind in ["application/wasm", "application/octet-stream"] {
        for body in ["", "x", "\0asm\u{1}\0\0\0", "\u{7f}ELF"] {
            let request = world
                .request(Method::POST, "/api/v1/components")
                .header("content-type", kind)
                .body(Body::from(body));
            let reply = world.send(request.expect("a request")).await;
            reply.refused(422, "component_invalid");
        }
    }
}

#[tokio::test]
async fn adding_without_waiting_is_watched_to_its_end() {
    let world = World::new().await;
    let body = "no component";
    let digest = Digest::of(body.as_bytes());
    let place = format!("/api/v1/components/{digest}");
    world.get(&place).await.refused(404, "not_found");
    let request = world
        .request(Method::POST, "/api/v1/components")
        .header("content-type", "application/wasm")
        .header("prefer", "wait=1, respond-async")
        .body(Body::from(body));
    let reply = world.send(request.expect("a request")).await;
    assert_eq!(reply.status, 202, "{reply:?}");
    assert_eq!(reply.headers["location"], *place);
    assert_eq!(reply.headers["preference-applied"], "respond-async");
    let mut view = reply.json();
    while view["status"] != "failed" {
        let under_way = ["inspecting", "compiling"]
            .iter()
            .any(|word| view["status"] == *word);
        assert!(under_way && view["error"].is_null(), "{view}");
        tokio::task::yield_now().await;
        view = world.get(&place).await.json();
    }
    assert_eq!(view["digest"], digest.to_string());
    assert_eq!(view["error"]["code"], "component_invalid");
    assert_eq!(view["component"], Value::Null);
    assert!(
        view["since"]
            .as_str()
            .is_some_and(|since| since.ends_with('Z'))
    );
    // Nobody else's tenant sees it.
    let other = "other".parse().expect("a name");
    let key = world.access.create_key("other", Role::Admin, &other).await;
    let request = Request::get(&place)
        .header(
            "authorization",
            format!("Bearer {}", key.expect("kept").reveal()),
        )
        .body(Body::empty());
    world
        .send(request.expect("a request"))
        .await
        .refused(404, "not_found");
    world
        .get("/api/v1/components/sha256:xyz")
        .await
        .invalid(400, "/path/id");
}

#[tokio::test]
async fn the_audit_is_exported_and_shown() {
    let world = world().await;
    for _ in 0..3 {
        world.post("/api/v1/tools/web-get/call", &json!({})).await;
    }
    let export = world.get("/api/v1/audit/export").await;
    assert_eq!(export.text.lines().count(), 3, "{}", export.text);
    for (seq, line) in (1..).zip(export.text.lines()) {
        let line: Value = serde_json::from_str(line).expect("a line of JSON");
        assert_eq!(
            (&line["seq"], &line["record"]["act"]),
            (&json!(seq), &json!("call"))
        );
    }
    // That it was read out is a record too.
    let page = world.get("/api/v1/audit?limit=1").await.json();
    let newest = &page["items"][0];
    assert_eq!(
        (&newest["act"], &newest["from"], &newest["to"]),
        (&json!("exported"), &json!(1), &json!(3))
    );
    let shown = world.get("/api/v1/audit/2").await.json();
    let call_id = shown["items"][0]["call_id"]
        .as_str()
        .expect("a call")
        .to_owned();
    let tree = world.get(&format!("/api/v1/audit/{call_id}")).await.json();
    assert_eq!(tree, shown);
    for (query, lines) in [
        ("from=2", 3),
        ("from=2&to=3", 2),
        ("since=1d", 6),
        ("from=99", 0),
        ("since=2100-01-01T00:00:00Z", 0),
    ] {
        let export = world.get(&format!("/api/v1/audit/export?{query}")).await;
        assert_eq!(export.text.lines().count(), lines, "{query}");
    }
    for (path, status) in [
        ("/audit/99", 404),
        ("/audit/call_0192f7a4-7c5e-7d2a-8f00-0123456789ab", 404),
        ("/audit/nothing", 400),
        ("/audit/-1", 400),
        ("/audit/export?since=later", 400),
        ("/audit/export?from=x", 400),
        ("/audit/export?form=1", 400),
    ] {
        let answer = world.get(&format!("/api/v1{path}")).await;
        assert_eq!(answer.status.as_u16(), status, "{path}");
    }
}
