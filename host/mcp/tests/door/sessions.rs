//! Sessions of the older era.

use anyhow::{Context, Result};
use cofferdam_types::Code;
use cofferdam_types::caller::Role;
use http::{Method, StatusCode};
use serde_json::json;

use crate::world::{
    Reply, World, admin, call, cancel, echo, initialize, other, posted, request, spin,
};

#[tokio::test]
async fn a_session_is_its_callers_alone() -> Result<()> {
    let world = World::with(&[echo()]).await?;
    let id = world.session(admin()).await?;
    assert_eq!(id.len(), 64);
    assert_ne!(id, world.session(admin()).await?);
    let list = request(1, "tools/list", json!({})).to_string();
    let mine = [("mcp-session-id", id.as_str())];
    let reply = world.post_text(list.clone(), &mine).await?;
    assert_eq!(reply.status, StatusCode::OK);
    // Stolen: as if it weren't there, for every method, and it goes on.
    for method in [Method::POST, Method::GET, Method::DELETE] {
        let mut stolen = posted(list.clone(), &mine)?;
        *stolen.method_mut() = method.clone();
        let response = world.send(other(Role::Admin), stolen).await;
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "{method}");
    }
    let wrong = "0".repeat(64);
    for guess in [wrong.as_str(), "", "1", &id[1..]] {
        let reply = world
            .post_text(list.clone(), &[("mcp-session-id", guess)])
            .await?;
        assert_eq!(reply.status, StatusCode::NOT_FOUND, "{guess}");
    }
    let twice = [
        ("mcp-session-id", id.as_str()),
        ("mcp-session-id", id.as_str()),
    ];
    assert_eq!(
        world.post_text(list.clone(), &twice).await?.status,
        StatusCode::BAD_REQUEST
    );
    assert_eq!(world.post_text(list, &mine).await?.status, StatusCode::OK);
    Ok(())
}

#[tokio::test]
async fn nobody_chooses_a_session() -> Result<()> {
    let world = World::new().await?;
    let text = initialize("2025-11-25").to_string();
    let request = posted(text, &[("mcp-session-id", "chosen")])?;
    let response = world.send(admin(), request).await;
    let id = response
        .headers()
        .get("mcp-session-id")
        .context("a session")?;
    assert_ne!(id, "chosen");
    Ok(())
}

#[tokio::test]
async fn an_ended_session_takes_its_calls_along() -> Result<()> {
    let world = World::with(&[spin()]).await?;
    let id = world.session(admin()).await?;
    let mine = [("mcp-session-id", id.as_str())];
    let endless = call(1, "spin-run", json!({}));
    let (reply, ended) = tokio::join!(world.post(&endless, &mine), async {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        let mut delete = posted("", &mine)?;
        *delete.method_mut() = Method::DELETE;
        Reply::whole(world.send(admin(), delete).await).await
    });
    assert_eq!(ended?.status, StatusCode::NO_CONTENT);
    let reply = reply?;
    assert_eq!(
        (reply.status, reply.text.as_str()),
        (StatusCode::ACCEPTED, "")
    );
    world.audited(Code::Cancelled, 1).await?;
    assert_eq!(
        world.post(&endless, &mine).await?.status,
        StatusCode::NOT_FOUND
    );
    Ok(())
}

#[tokio::test]
async fn a_call_is_taken_back_in_its_session_alone() -> Result<()> {
    let world = World::with(&[spin()]).await?;
    let (one, two) = (world.session(admin()).await?, world.session(admin()).await?);
    let (one, two) = (
        [("mcp-session-id", one.as_str())],
        [("mcp-session-id", two.as_str())],
    );
    let endless = call(1, "spin-run", json!({}));
    let taking_back = async {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        // In another session, and in none, it means another call.
        world.post(&cancel(1), &two).await?;
        world.post(&cancel(1), &[]).await?;
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        let same = world.post(&endless, &one).await?;
        same.refused(400, -32600);
        world.post(&cancel(1), &one).await
    };
    let (reply, taken) = tokio::join!(world.post(&endless, &one), taking_back);
    assert_eq!(taken?.status, StatusCode::ACCEPTED);
    let reply = reply?;
    assert_eq!(
        (reply.status, reply.text.as_str()),
        (StatusCode::ACCEPTED, "")
    );
    world.audited(Code::Cancelled, 1).await
}

#[tokio::test]
async fn sessions_are_bounded_and_the_idle_make_room() -> Result<()> {
    const MAX: usize = 100;
    let world = World::new().await?;
    let foreign = world.session(other(Role::User)).await?;
    let kept = world.session(admin()).await?;
    let mut stream = posted("", &[("mcp-session-id", kept.as_str())])?;
    *stream.method_mut() = Method::GET;
    let listening = world.send(admin(), stream).await;
    assert_eq!(listening.status(), StatusCode::OK);
    let mut ids = Vec::new();
    for _ in 0..MAX * 3 {
        ids.push(world.session(admin()).await?);
    }
    let ping = request(1, "ping", json!({}));
    let mut alive = 0;
    for id in &ids {
        let reply = world.post(&ping, &[("mcp-session-id", id)]).await?;
        alive += usize::from(reply.status == StatusCode::OK);
    }
    assert_eq!(alive, MAX - 1);
    let newest = ids.last().context("an id")?;
    for id in [newest, &kept] {
        let reply = world.post(&ping, &[("mcp-session-id", id)]).await?;
        assert_eq!(reply.status, StatusCode::OK, "one in use, and the newest");
    }
    let theirs = posted(ping.to_string(), &[("mcp-session-id", foreign.as_str())])?;
    let response = world.send(other(Role::User), theirs).await;
    assert_eq!(
        response.status(),
        StatusCode::OK,
        "nobody pushes others out"
    );
    drop(listening);
    Ok(())
}
