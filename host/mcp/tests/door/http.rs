//! The rules of the HTTP transport.

use anyhow::Result;
use http::StatusCode;
use serde_json::json;

use crate::world::{Reply, World, admin, call, echo, initialize, modern, posted, request};

#[tokio::test]
async fn what_is_no_message() -> Result<()> {
    let world = World::new().await?;
    for (text, code) in [
        ("", -32700),
        ("nonsense", -32700),
        (r#"{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}"#, -32700),
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":1,"a":2}}"#,
            -32700,
        ),
        ("[]", -32600),
        (r#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#, -32600),
        (r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#, -32600),
        (r#"{"jsonrpc":"2.0","id":0.5,"method":"ping"}"#, -32600),
        (r#"{"jsonrpc":"2.0","id":1,"result":{}}"#, -32600),
        (r#"{"jsonrpc":"2.0","id":1,"METHOD":"ping"}"#, -32600),
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":[]}"#,
            -32602,
        ),
    ] {
        world.post_text(text, &[]).await?.refused(400, code);
    }
    world
        .post_text(&b"{\"\xff\":1}"[..], &[])
        .await?
        .refused(400, -32700);
    Ok(())
}

#[tokio::test]
async fn headers_and_body_say_the_same() -> Result<()> {
    let world = World::with(&[echo()]).await?;
    let message = modern(1, "tools/call", json!({"name": "echo-run"}));
    let version = ("mcp-protocol-version", "2026-07-28");
    let method = ("mcp-method", "tools/call");
    let name = ("mcp-name", "echo-run");
    let encoded = ("mcp-name", "=?base64?ZWNoby1ydW4=?=");
    for right in [vec![version, method, name], vec![version, method, encoded]] {
        assert_eq!(world.post(&message, &right).await?.status, StatusCode::OK);
    }
    for wrong in [
        vec![],
        vec![method, name],
        vec![version, name],
        vec![version, method],
        vec![version, version, method, name],
        vec![version, method, name, name],
        vec![version, method, method, name],
        vec![("mcp-protocol-version", "2025-11-25"), method, name],
        vec![version, ("mcp-method", "tools/list"), name],
        vec![version, ("mcp-method", "Tools/Call"), name],
        vec![version, method, ("mcp-name", "ECHO-RUN")],
        vec![version, method, ("mcp-name", "other-run")],
        vec![version, method, ("mcp-name", "=?base64?b3RoZXI=?=")],
        vec![version, method, ("mcp-name", "=?base64?!?=")],
    ] {
        let reply = world.post(&message, &wrong).await?;
        reply.refused(400, -32020);
        assert_eq!(reply.json()?["id"], 1, "{wrong:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_revision_is_known_and_said_whole() -> Result<()> {
    let world = World::new().await?;
    let list = || request(1, "tools/list", json!({}));
    let version = |name: &'static str| ("mcp-protocol-version", name);
    for known in ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"] {
        let reply = world.post(&list(), &[version(known)]).await?;
        assert_eq!(reply.status, StatusCode::OK, "{known}");
    }
    for unknown in ["2099-01-01", "x", ""] {
        let reply = world.post(&list(), &[version(unknown)]).await?;
        reply.refused(400, -32022);
        let data = &reply.json()?["error"]["data"];
        assert_eq!(data["requested"], unknown);
        assert!(
            data["supported"]
                .as_array()
                .is_some_and(|all| all.contains(&json!("2026-07-28")))
        );
    }
    // The newer revisions say more than their name.
    world
        .post(&list(), &[version("2026-07-28")])
        .await?
        .refused(400, -32602);
    let key = "io.modelcontextprotocol/protocolVersion";
    let message = request(1, "tools/list", json!({"_meta": {key: "2026-07-28"}}));
    world
        .post(&message, &[version("2026-07-28")])
        .await?
        .refused(400, -32602);
    let message = request(1, "tools/list", json!({"_meta": {key: "2099-01-01"}}));
    world
        .post(&message, &[version("2099-01-01")])
        .await?
        .refused(400, -32022);
    // What the handshake asks for is not what its header says.
    let reply = world
        .post(&initialize("2025-11-25"), &[version("2025-06-18")])
        .await?;
    reply.refused(400, -32020);
    let reply = world
        .post(&initialize("2025-11-25"), &[version("2025-11-25")])
        .await?;
    assert_eq!(reply.status, StatusCode::OK);
    Ok(())
}

#[tokio::test]
async fn answers_are_plain_json_when_that_will_do() -> Result<()> {
    let world = World::with(&[echo()]).await?;
    let message = call(1, "echo-run", json!({}));
    for accept in [
        "application/json",
        "application/json, text/event-stream",
        "*/*",
    ] {
        let mut request = posted(message.to_string(), &[])?;
        request.headers_mut().insert("accept", accept.parse()?);
        let reply = Reply::whole(world.send(admin(), request).await).await?;
        assert_eq!(reply.content_type, "application/json", "{accept}");
    }
    let mut request = posted(message.to_string(), &[])?;
    request
        .headers_mut()
        .insert("accept", "text/event-stream".parse()?);
    let reply = Reply::whole(world.send(admin(), request).await).await?;
    assert_eq!(reply.status, StatusCode::NOT_ACCEPTABLE);
    Ok(())
}

#[tokio::test]
async fn notifications_are_taken_and_other_methods_are_not() -> Result<()> {
    let world = World::new().await?;
    let told = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
    for headers in [vec![], vec![("mcp-protocol-version", "2026-07-28")]] {
        let reply = world.post(&told, &headers).await?;
        assert_eq!(
            (reply.status, reply.text.as_str()),
            (StatusCode::ACCEPTED, "")
        );
    }
    world
        .post(&told, &[("mcp-protocol-version", "1")])
        .await?
        .refused(400, -32022);
    for method in ["GET", "DELETE", "PUT", "PATCH", "OPTIONS", "HEAD", "TRACE"] {
        let mut request = posted("", &[])?;
        *request.method_mut() = method.parse()?;
        let response = world.send(admin(), request).await;
        assert_eq!(
            response.status(),
            StatusCode::METHOD_NOT_ALLOWED,
            "{method}"
        );
        assert_eq!(response.headers()["allow"], "GET, POST, DELETE");
    }
    Ok(())
}

#[tokio::test]
async fn nobody_without_a_name_passes() -> Result<()> {
    use tower::ServiceExt;
    let world = World::new().await?;
    let request = posted(request(1, "ping", json!({})).to_string(), &[])?;
    let Ok(response) = world.http.clone().oneshot(request).await;
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    Ok(())
}

#[tokio::test]
async fn ids_come_back_as_they_were() -> Result<()> {
    let world = World::new().await?;
    for id in [
        json!(0),
        json!(-5),
        json!(i64::MAX),
        json!(""),
        json!("ä\"\n"),
        json!("7"),
    ] {
        let reply = world
            .post(&request(id.clone(), "ping", json!({})), &[])
            .await?;
        assert_eq!(reply.json()?["id"], id);
        let reply = world
            .post(&request(id.clone(), "no", json!({})), &[])
            .await?;
        assert_eq!(reply.json()?["id"], id);
    }
    Ok(())
}
