//! What the methods answer, whichever transport asks.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use cofferdam_testing::Guest;
use cofferdam_types::Code;
use cofferdam_types::caller::Role;
use cofferdam_types::tool::ToolSpec;
use serde_json::{Value, json};

use crate::world::{
    Reply, World, admin, call, echo, initialize, modern, other, posted, request, returning, spin,
};

fn spec(name: &str, more: Value) -> Result<ToolSpec> {
    let mut spec = json!({
        "name": name, "function": "run", "version": "1.0.0", "description": "A tool.",
        "args_schema": {"type": "object"}, "returns_schema": {"type": "integer"},
    });
    if let (Value::Object(spec), Value::Object(more)) = (&mut spec, more) {
        spec.extend(more);
    }
    Ok(serde_json::from_value(spec)?)
}

#[tokio::test]
async fn both_eras_say_who_is_here() -> Result<()> {
    let world = World::new().await?;
    for (asked, settled) in [
        ("2024-11-05", "2024-11-05"),
        ("2025-11-25", "2025-11-25"),
        ("2026-07-28", "2025-11-25"),
        ("1999-12-31", "2025-11-25"),
    ] {
        let reply = world.post(&initialize(asked), &[]).await?.json()?;
        let result = &reply["result"];
        assert_eq!(result["protocolVersion"], settled);
        assert_eq!(result["serverInfo"]["name"], "cofferdam");
        assert_eq!(
            result["capabilities"],
            json!({"tools": {"listChanged": true}})
        );
        assert!(result.get("resultType").is_none());
    }
    let reply = world
        .modern(&modern(1, "server/discover", json!({})))
        .await?;
    let result = &reply.json()?["result"];
    assert_eq!(result["resultType"], "complete");
    assert_eq!(
        result["capabilities"],
        json!({"tools": {"listChanged": true}})
    );
    assert_eq!(
        result["_meta"]["io.modelcontextprotocol/serverInfo"]["name"],
        "cofferdam"
    );
    let versions = result["supportedVersions"].as_array().context("versions")?;
    assert!(versions.contains(&json!("2026-07-28")) && versions.contains(&json!("2024-11-05")));
    Ok(())
}

#[tokio::test]
async fn ping_is_of_the_older_era() -> Result<()> {
    let world = World::new().await?;
    let reply = world.post(&request("p", "ping", json!({})), &[]).await?;
    assert_eq!(
        reply.json()?,
        json!({"jsonrpc": "2.0", "id": "p", "result": {}})
    );
    world
        .modern(&modern(1, "ping", json!({})))
        .await?
        .refused(404, -32601);
    let reply = world
        .post(&request(1, "server/discover", json!({})), &[])
        .await?;
    assert_eq!(reply.json()?["error"]["code"], -32602);
    Ok(())
}

#[tokio::test]
async fn tools_are_listed_in_pages() -> Result<()> {
    let world = World::new().await?;
    let names: Vec<_> = (0..230).map(|n| format!("t{n:03}-run")).collect();
    let specs = names.iter().rev().map(|name| spec(name, json!({})));
    world.list(specs.collect::<Result<_>>()?).await?;
    let (mut cursor, mut seen, mut pages) = (None, Vec::new(), 0);
    loop {
        let params = cursor
            .take()
            .map_or(json!({}), |cursor| json!({"cursor": cursor}));
        let reply = world.post(&request(1, "tools/list", params), &[]).await?;
        let result = reply.json()?["result"].take();
        for tool in result["tools"].as_array().context("tools")? {
            seen.push(tool["name"].as_str().context("a name")?.to_owned());
        }
        pages += 1;
        match result.get("nextCursor") {
            Some(next) => cursor = Some(next.clone()),
            None => break,
        }
    }
    assert_eq!((pages, &seen), (3, &names));
    for cursor in [json!("No Cursor"), json!(""), json!(1), json!(null)] {
        let params = json!({"cursor": cursor});
        let reply = world.post(&request(1, "tools/list", params), &[]).await?;
        assert_eq!(reply.json()?["error"]["code"], -32602, "{cursor}");
    }
    Ok(())
}

#[tokio::test]
async fn a_tool_is_listed_with_all_that_is_known_of_it() -> Result<()> {
    let world = World::new().await?;
    let more = json!({
        "description": "Reads\u{e0041} it.",
        "safety": {"read_only": true, "idempotent": true},
        "args_schema": {"type": "object", "properties": {"p": {"type": "string"}}},
    });
    let newer = json!({"version": "1.10.0"});
    let pre = json!({"version": "2.0.0-rc.1"});
    world
        .list(vec![
            spec("acme/files-read", more)?,
            spec("b-run", json!({"version": "1.9.0"}))?,
        ])
        .await?;
    world.list(vec![spec("b-run", newer)?]).await?;
    world.list(vec![spec("b-run", pre)?]).await?;
    let reply = world
        .modern(&modern(1, "tools/list", json!({})))
        .await?
        .json()?;
    let result = &reply["result"];
    assert_eq!(result["resultType"], "complete");
    assert_eq!(result["cacheScope"], "private");
    assert!(result["ttlMs"].is_u64());
    let tools = result["tools"].as_array().context("tools")?;
    assert_eq!(tools.len(), 2);
    let mut tool = tools[0].clone();
    let digest = tool["_meta"]["cofferdam/digest"].take();
    assert!(
        digest
            .as_str()
            .is_some_and(|digest| digest.starts_with("sha256:"))
    );
    assert_eq!(
        tool,
        json!({
            "name": "acme__files-read",
            "title": "Files read",
            "description": "Reads it.",
            "inputSchema": {"type": "object", "properties": {"p": {"type": "string"}}},
            "outputSchema": {
                "type": "object",
                "properties": {"result": {"type": "integer"}},
                "required": ["result"],
                "additionalProperties": false,
            },
            "annotations": {
                "readOnlyHint": true,
                "destructiveHint": false,
                "idempotentHint": true,
                "openWorldHint": false,
            },
            "_meta": {"cofferdam/version": "1.0.0", "cofferdam/digest": null},
        })
    );
    assert_eq!(tools[1]["_meta"]["cofferdam/version"], "1.10.0");
    Ok(())
}

#[tokio::test]
async fn a_call_gives_its_result() -> Result<()> {
    let object = returning(echo(), &json!({"type": "object"})).named("object", "1.0.0");
    let mut object = object;
    object.manifest = object
        .manifest
        .replace("\"name\":\"echo\"", "\"name\":\"object\"");
    let world = World::with(&[echo(), object]).await?;
    let arguments = json!({"text": "ä \" \u{1F469}", "n": [1, null, 1.5]});
    let reply = world
        .post(&call("a", "echo-run", arguments.clone()), &[])
        .await?
        .json()?;
    assert_eq!(reply["id"], "a");
    let result = &reply["result"];
    assert_eq!(result["structuredContent"], json!({"result": arguments}));
    assert_eq!(result["isError"], false);
    assert!(result.get("resultType").is_none());
    let text = result["content"][0]["text"].as_str().context("a text")?;
    assert_eq!(
        serde_json::from_str::<Value>(text)?,
        json!({"result": arguments})
    );
    let facts = &result["_meta"]["cofferdam/call"];
    assert!(
        facts["call_id"]
            .as_str()
            .is_some_and(|id| id.starts_with("call_"))
    );
    assert_eq!(facts["version"], "1.0.0");
    assert!(facts["usage"]["fuel"].as_u64().is_some_and(|fuel| fuel > 0));

    let message = modern(
        2,
        "tools/call",
        json!({"name": "object-run", "arguments": {"a": 1}}),
    );
    let reply = world.modern(&message).await?.json()?;
    assert_eq!(reply["result"]["structuredContent"], json!({"a": 1}));
    assert_eq!(reply["result"]["content"][0]["text"], r#"{"a":1}"#);
    assert_eq!(reply["result"]["resultType"], "complete");
    // Without arguments they are an empty object.
    let reply = world
        .post(
            &request(3, "tools/call", json!({"name": "object-run"})),
            &[],
        )
        .await?;
    assert_eq!(reply.json()?["result"]["structuredContent"], json!({}));
    Ok(())
}

#[tokio::test]
async fn what_a_tool_does_wrong_is_a_result() -> Result<()> {
    let named = |guest: Guest, name: &str| guest.named(name, "1.0.0");
    let strict =
        r#"{"additionalProperties":false,"properties":{"n":{"type":"integer"}},"type":"object"}"#;
    let mut picky = named(Guest::well_behaved(), "picky");
    picky.manifest = picky.manifest.replace(
        r#""args_schema":{"type":"object"}"#,
        &format!(r#""args_schema":{strict}"#),
    );
    let mut short = named(
        Guest::new("(loop $l (br $l)) (global.get $answer)"),
        "short",
    );
    short.manifest = short.manifest.replace(
        r#""returns_schema""#,
        r#""limits":{"fuel":100000},"returns_schema""#,
    );
    let world = World::with(&[
        named(Guest::new("unreachable"), "trap"),
        named(
            returning(Guest::well_behaved(), &json!({"type": "object"})),
            "wrong",
        ),
        named(Guest::well_behaved().declaring(&["workspace"]), "denied"),
        picky,
        short,
    ])
    .await?;
    for (tool, arguments, code) in [
        ("trap-run", json!({}), "trap"),
        ("wrong-run", json!({}), "invalid_output"),
        ("denied-run", json!({}), "policy_denied"),
        ("picky-run", json!({"n": "x"}), "invalid_input"),
        ("picky-run", json!({"m": 1}), "invalid_input"),
        ("short-run", json!({}), "fuel_exhausted"),
    ] {
        let reply = world
            .post(&call(1, tool, arguments.clone()), &[])
            .await?
            .json()?;
        let result = &reply["result"];
        assert_eq!(result["isError"], true, "{tool} {reply}");
        assert!(result.get("structuredContent").is_none(), "{tool}");
        let text = result["content"][0]["text"].as_str().context("a text")?;
        let body: Value = serde_json::from_str(text)?;
        assert_eq!(body["error"]["code"], code, "{tool}");
        assert!(body["error"]["message"].is_string() && body["error"]["details"].is_object());
        assert_eq!(result["_meta"]["cofferdam/error"], body["error"]);
        assert!(result["_meta"]["cofferdam/call"]["call_id"].is_string());
    }
    world.audited(Code::PolicyDenied, 1).await
}

#[tokio::test]
async fn what_is_no_call_is_an_error() -> Result<()> {
    let world = World::with(&[echo()]).await?;
    for (params, code) in [
        (json!({"name": "no-such"}), -32602),
        (json!({"name": "echo"}), -32602),
        (json!({"name": "echo-run@1"}), -32602),
        (json!({"name": "Echo-run"}), -32602),
        (json!({"name": "echo\u{2010}run"}), -32602),
        (json!({"name": "x".repeat(1_000)}), -32602),
        (json!({}), -32602),
        (json!({"name": "echo-run", "arguments": []}), -32602),
        (json!({"name": "echo-run", "arguments": "{}"}), -32602),
        (json!({"name": "echo-run", "requestState": "AAAA"}), -32602),
    ] {
        let reply = world
            .post(&request(7, "tools/call", params.clone()), &[])
            .await?;
        assert_eq!(reply.status, 200, "{params}");
        let body = reply.json()?;
        assert_eq!(
            (&body["error"]["code"], &body["id"]),
            (&json!(code), &json!(7)),
            "{params}"
        );
    }
    // Somebody asked for a tool that isn't there: that is worth a record.
    world.audited(Code::NotFound, 1).await?;
    for method in [
        "resources/list",
        "prompts/get",
        "logging/setLevel",
        "Tools/List",
        "",
        "x",
    ] {
        let body = world
            .post(&request(8, method, json!({})), &[])
            .await?
            .json()?;
        assert_eq!(body["error"]["code"], -32601, "{method}");
        world
            .modern(&modern(8, method, json!({})))
            .await?
            .refused(404, -32601);
    }
    Ok(())
}

#[tokio::test]
async fn a_viewer_lists_and_does_not_call() -> Result<()> {
    let world = World::with(&[echo()]).await?;
    let viewer = || other(Role::Viewer);
    let text = request(1, "tools/list", json!({})).to_string();
    let reply = Reply::whole(world.send(viewer(), posted(text, &[])?).await).await?;
    assert_eq!(reply.json()?["result"]["tools"][0]["name"], "echo-run");
    let text = call(1, "echo-run", json!({})).to_string();
    let reply = Reply::whole(world.send(viewer(), posted(text, &[])?).await).await?;
    let body = reply.json()?;
    assert_eq!(body["result"]["isError"], true);
    assert_eq!(
        body["result"]["_meta"]["cofferdam/error"]["code"],
        "forbidden"
    );
    Ok(())
}

#[tokio::test]
async fn other_tenants_have_other_tools() -> Result<()> {
    let world = World::with(&[echo()]).await?;
    let mut stranger = other(Role::Admin);
    stranger.tenant = "elsewhere".parse()?;
    let text = request(1, "tools/list", json!({})).to_string();
    let reply = world.send(stranger.clone(), posted(text, &[])?).await;
    assert_eq!(
        Reply::whole(reply).await?.json()?["result"]["tools"],
        json!([])
    );
    let text = call(1, "echo-run", json!({})).to_string();
    let reply = world.send(stranger, posted(text, &[])?).await;
    assert_eq!(Reply::whole(reply).await?.json()?["error"]["code"], -32602);
    // The same caller sees the same on every connection.
    let list = request(1, "tools/list", json!({}));
    let session = world.session(admin()).await?;
    let with = world.post(&list, &[("mcp-session-id", &session)]).await?;
    let without = world.post(&list, &[]).await?;
    assert_eq!(with.text, without.text);
    Ok(())
}

#[tokio::test]
async fn every_answer_goes_to_its_own_request() -> Result<()> {
    const CALLS: u32 = 1_000;
    let world = World::with(&[echo()]).await?;
    let asked = (0..CALLS).map(|n| {
        let message = call(format!("id-{}", n % 10), "echo-run", json!({"n": n}));
        let world = &world;
        async move { (n, world.post(&message, &[]).await) }
    });
    for (n, reply) in futures::future::join_all(asked).await {
        let body = reply?.json()?;
        ensure!(body["id"] == format!("id-{}", n % 10), "{n}: {body}");
        ensure!(
            body["result"]["structuredContent"] == json!({"result": {"n": n}}),
            "{n}: {body}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn closing_the_request_stops_the_guest() -> Result<()> {
    const TIMES: u64 = 1_000;
    let world = World::with(&[spin()]).await?;
    let message = call(1, "spin-run", json!({}));
    for n in 0..TIMES {
        let asked = world.post(&message, &[]);
        let within = Duration::from_micros(n % 50 * 100);
        ensure!(
            tokio::time::timeout(within, asked).await.is_err(),
            "an endless loop ended"
        );
    }
    // Some of those whose client left at once were never calls.
    let started = usize::try_from(TIMES * 9 / 10)?;
    world.audited(Code::Cancelled, started).await
}
