use axum::http::StatusCode;
use serde_json::{Value, json};

use super::world::World;

#[tokio::test]
async fn a_task_is_made_and_read() {
    let world = World::new().await;
    let body = json!({
        "title": "report",
        "description": "of licences",
        "plan": {"steps": [{"name": "a", "tool": "echo"}]},
        "parameters": {"depth": 3},
        "workspace": {"name": "demo", "access": "read_write"},
        "priority": 70,
        "tags": ["weekly"],
    });
    let reply = world.post("/api/v1/tasks", &body).await;
    assert_eq!(reply.status, StatusCode::CREATED);
    let task = reply.json();
    assert_eq!(task["id"], task["task_id"]);
    assert_eq!(task["status"], "pending");
    assert!(
        task["created_at"]
            .as_str()
            .is_some_and(|time| time.ends_with('Z'))
    );
    for field in [
        "title",
        "description",
        "parameters",
        "workspace",
        "priority",
        "tags",
    ] {
        assert_eq!(task[field], body[field], "{field}");
    }
    let place = reply.headers["location"].to_str().expect("a path");
    assert_eq!(
        place,
        format!("/api/v1/tasks/{}", task["id"].as_str().expect("an id"))
    );
    assert_eq!(world.get(place).await.json(), task);
}

#[tokio::test]
async fn a_task_that_can_not_run_is_refused_with_every_place() {
    let world = World::new().await;
    let body = json!({
        "title": " ",
        "priority": 101,
        "plan": {"steps": [
            {"name": "a", "tool": "echo"},
            {"name": "a", "tool": "echo", "retry": {"max_attempts": 0}},
        ]},
    });
    let reply = world.post("/api/v1/tasks", &body).await;
    let details = reply.refused(400, "invalid_input");
    let faults = details["faults"].as_array().expect("a list");
    let mut places: Vec<&str> = faults
        .iter()
        .filter_map(|f| f["pointer"].as_str())
        .collect();
    places.sort_unstable();
    assert_eq!(
        places,
        [
            "/plan/steps/1/name",
            "/plan/steps/1/retry/max_attempts",
            "/priority",
            "/title"
        ]
    );
}

#[tokio::test]
async fn a_run_that_is_soon_over_is_answered_in_place() {
    let world = World::new().await;
    for (tools, status) in [
        (["echo", "echo"], "completed"),
        (["echo", "fail"], "failed"),
    ] {
        let task = world.task(&tools).await;
        let reply = world
            .act(&format!("/api/v1/tasks/{task}/runs?wait_ms=60000"))
            .await;
        assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
        let run = reply.json();
        assert_eq!(
            (&run["status"], &run["task_id"]),
            (&json!(status), &json!(task))
        );
        assert_eq!(run["steps"], 2);
        let id = run["run_id"].as_str().expect("an id");
        assert_eq!(run["events"], format!("/api/v1/runs/{id}/events"));
        assert_eq!(reply.headers["location"], format!("/api/v1/runs/{id}"));
        assert_eq!(world.get(&format!("/api/v1/runs/{id}")).await.json(), run);
        let task = world.get(&format!("/api/v1/tasks/{task}")).await.json();
        assert_eq!(
            (&task["status"], &task["run_id"]),
            (&json!(status), &json!(id))
        );
        if status == "completed" {
            assert_eq!(run["result"], json!({"n": 1}));
        } else {
            assert_eq!(run["error"]["code"], "tool_error");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_that_takes_longer_is_accepted_and_cancelled() {
    let world = World::new().await;
    for wait in ["", "?wait_ms=0", "?wait_ms=200"] {
        let task = world.task(&["wait"]).await;
        let start = format!("/api/v1/tasks/{task}/runs{wait}");
        let reply = world.act(&start).await;
        assert_eq!(reply.status, StatusCode::ACCEPTED, "{reply:?}");
        let run = reply.headers["location"]
            .to_str()
            .expect("a path")
            .to_owned();
        // One run at a time.
        world.act(&start).await.refused(409, "conflict");
        assert_eq!(
            world.act(&format!("{run}/cancel")).await.status,
            StatusCode::OK
        );
        // The stream ends with the run.
        let events = world.get(&format!("{run}/events")).await;
        assert!(
            events.text.contains("event: run.cancelled"),
            "{}",
            events.text
        );
        assert_eq!(world.get(&run).await.json()["status"], "cancelled");
        assert_eq!(
            world.act(&format!("{run}/cancel")).await.status,
            StatusCode::OK
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_task_runs_no_more() {
    let world = World::new().await;
    let task = world.task(&["wait"]).await;
    let start = format!("/api/v1/tasks/{task}/runs");
    let run = world.act(&start).await.headers["location"].clone();
    let run = run.to_str().expect("a path");
    for _ in 0..2 {
        let reply = world.act(&format!("/api/v1/tasks/{task}/cancel")).await;
        assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
    }
    let text = world.get(&format!("{run}/events")).await.text;
    assert!(text.contains("event: run.cancelled"), "{text}");
    let cancelled = world.get(&format!("/api/v1/tasks/{task}")).await.json();
    assert_eq!(cancelled["status"], "cancelled");
    world.act(&start).await.refused(409, "conflict");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_goes_away_leaves_the_run() {
    let world = World::new().await;
    let task = world.task(&["wait"]).await;
    let path = format!("/api/v1/tasks/{task}/runs?wait_ms=60000");
    let gone = tokio::time::timeout(std::time::Duration::from_secs(1), world.act(&path)).await;
    assert!(gone.is_err(), "the answer waits for the run");
    let runs = world
        .get(&format!("/api/v1/runs?task_id={task}"))
        .await
        .json();
    assert_eq!(runs["items"].as_array().map(Vec::len), Some(1));
    assert_eq!(runs["items"][0]["status"], "running");
}

#[tokio::test]
async fn lists_are_filtered_and_paged() {
    let world = World::new().await;
    let mut tasks = Vec::new();
    for _ in 0..5 {
        tasks.push(world.task(&["echo"]).await);
    }
    let start = format!("/api/v1/tasks/{}/runs?wait_ms=60000", tasks[2]);
    for _ in 0..2 {
        assert_eq!(world.act(&start).await.status, StatusCode::OK);
    }
    tasks.reverse();
    let mut listed = Vec::new();
    let mut after = String::new();
    loop {
        let page = world
            .get(&format!("/api/v1/tasks?limit=2{after}"))
            .await
            .json();
        for item in page["items"].as_array().expect("a list") {
            listed.push(item["id"].as_str().expect("an id").to_owned());
        }
        let Some(next) = page["next"].as_str() else {
            break;
        };
        after = format!("&after={next}");
    }
    assert_eq!(listed, tasks);
    let count = |page: Value| page["items"].as_array().map(Vec::len);
    for (path, items) in [
        ("tasks?status=completed".to_owned(), 1),
        ("tasks?status=pending".to_owned(), 4),
        (format!("runs?task_id={}", tasks[2]), 2),
        (format!("runs?task_id={}", tasks[0]), 0),
        ("runs".to_owned(), 2),
        ("runs?limit=1".to_owned(), 1),
    ] {
        let page = world.get(&format!("/api/v1/{path}")).await.json();
        assert_eq!(count(page), Some(items), "{path}");
    }
}
