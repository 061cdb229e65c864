use axum::body::Body;
use axum::http::Method;
use futures::StreamExt;
use serde_json::Value;
use tower::ServiceExt;

use super::world::World;

/// A server-sent event.
#[derive(Debug, PartialEq)]
struct Message {
    id: String,
    name: String,
    data: Value,
}

fn messages(text: &str) -> Vec<Message> {
    let block = |block: &str| {
        let field = |name: &str| {
            let line = block.lines().find_map(|line| line.strip_prefix(name));
            line.map(|text| text.trim_start().to_owned())
        };
        Some(Message {
            id: field("id:")?,
            name: field("event:")?,
            data: serde_json::from_str(&field("data:")?).expect("JSON"),
        })
    };
    text.split("\n\n").filter_map(block).collect()
}

/// A run that is over, as a path, and all its messages.
async fn ended(world: &World) -> (String, Vec<Message>) {
    let task = world.task(&["echo", "echo"]).await;
    let run = world
        .act(&format!("/api/v1/tasks/{task}/runs?wait_ms=60000"))
        .await;
    let run = run.json()["run_id"].as_str().expect("an id").to_owned();
    let reply = world.get(&format!("/api/v1/runs/{run}/events")).await;
    assert_eq!(reply.headers["content-type"], "text/event-stream");
    (run, messages(&reply.text))
}

#[tokio::test]
async fn the_stream_is_the_log_from_first_to_last() {
    let world = World::new().await;
    let (run, messages) = ended(&world).await;
    let names: Vec<&str> = messages.iter().map(|message| &*message.name).collect();
    assert_eq!(
        names,
        [
            "run.created",
            "run.started",
            "step.started",
            "step.completed",
            "step.started",
            "step.completed",
            "run.completed",
        ]
    );
    for (index, message) in messages.iter().enumerate() {
        assert_eq!(message.id, format!("{run}:{}", index + 1));
        assert_eq!(message.data["seq"], index + 1);
        assert_eq!(message.data["run_id"], run);
        assert_eq!(message.data["type"], message.name);
        assert!(message.data["at"].is_string() && message.data["data"].is_object());
    }
}

#[tokio::test]
async fn a_stream_goes_on_after_the_event_that_is_named() {
    let world = World::new().await;
    let (run, all) = ended(&world).await;
    let path = format!("/api/v1/runs/{run}/events");
    for after in 0..=all.len() {
        let with_query = world.get(&format!("{path}?after={after}")).await;
        assert_eq!(messages(&with_query.text), all[after..], "after {after}");
        // The header wins, since a browser repeats the query when it connects again.
        let request = world
            .request(Method::GET, &format!("{path}?after=0"))
            .header("last-event-id", format!("{run}:{after}"))
            .body(Body::empty());
        let with_header = world.send(request.expect("a request")).await;
        assert_eq!(messages(&with_header.text), all[after..], "after {after}");
    }
    for id in [
        "",
        "3",
        ":3",
        "x:3",
        "run_0192f7a4-7c5e-7d2a-8f00-0123456789ab:3",
        &format!("{run}:x"),
    ] {
        let request = world
            .request(Method::GET, &path)
            .header("last-event-id", id);
        let reply = world
            .send(request.body(Body::empty()).expect("a request"))
            .await;
        reply.invalid(400, "/header/Last-Event-ID");
    }
}

#[tokio::test]
async fn a_page_is_what_is_there() {
    let world = World::new().await;
    let (run, all) = ended(&world).await;
    let page = async |query: &str| {
        let path = format!("/api/v1/runs/{run}/events{query}");
        let request = world
            .request(Method::GET, &path)
            .header("accept", "application/json");
        world
            .send(request.body(Body::empty()).expect("a request"))
            .await
            .json()
    };
    let whole = page("").await;
    let data: Vec<&Value> = all.iter().map(|message| &message.data).collect();
    assert_eq!(whole["items"], serde_json::json!(data));
    assert_eq!(whole["next"], Value::Null);
    let part = page("?after=2&limit=3").await;
    assert_eq!(part["items"].as_array().map(Vec::len), Some(3));
    assert_eq!(
        (&part["items"][0]["seq"], &part["next"]),
        (&3.into(), &"5".into())
    );
    for beyond in ["?after=7", "?after=18446744073709551615"] {
        assert_eq!(page(beyond).await["items"], serde_json::json!([]));
    }
}

#[tokio::test(start_paused = true)]
async fn a_page_of_a_run_that_goes_on_does_not_wait() {
    let world = World::new().await;
    let task = world.task(&["wait"]).await;
    let run = world
        .act(&format!("/api/v1/tasks/{task}/runs?wait_ms=100"))
        .await;
    let path = run.json()["events"].as_str().expect("a path").to_owned();
    let request = world
        .request(Method::GET, &path)
        .header("accept", "application/json");
    let page = world
        .send(request.body(Body::empty()).expect("a request"))
        .await
        .json();
    let items = page["items"].as_array().expect("a list");
    assert_eq!(
        items.last().map(|item| &item["type"]),
        Some(&"step.started".into())
    );
}

#[tokio::test(start_paused = true)]
async fn a_silent_stream_says_that_it_lives_and_ends_with_the_engine() {
    let world = World::new().await;
    let task = world.task(&["wait"]).await;
    let run = world
        .act(&format!("/api/v1/tasks/{task}/runs"))
        .await
        .json();
    let path = run["events"].as_str().expect("a path").to_owned();
    let request = world.request(Method::GET, &path).body(Body::empty());
    let response = world
        .router
        .clone()
        .oneshot(request.expect("a request"))
        .await;
    let mut body = response
        .expect("a router never fails")
        .into_body()
        .into_data_stream();
    let mut text = String::new();
    while !text.contains("\n:\n") && !text.ends_with(":\n\n") {
        let piece = body.next().await.expect("more").expect("no error");
        text.push_str(std::str::from_utf8(&piece).expect("UTF-8"));
    }
    world
        .engine
        .drain(std::time::Duration::from_millis(10))
        .await;
    while let Some(piece) = body.next().await {
        text.push_str(std::str::from_utf8(&piece.expect("no error")).expect("UTF-8"));
    }
    let (_, last) = text.trim_end().rsplit_once("\n\n").expect("many messages");
    assert!(
        last.contains("event: stream.error") && last.contains("unavailable"),
        "{last}"
    );
}
