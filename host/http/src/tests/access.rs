//! Who may do what: every route with every role.

use axum::body::Body;
use axum::http::{Method, Request};
use cofferdam_types::Digest;
use cofferdam_types::caller::Role;

use super::world::{ROLES, World};

const ID: &str = "0192f7a4-7c5e-7d2a-8f00-0123456789ab";

/// Method, path, the lowest role that may, and what it then gets for things that don't exist.
const ROUTES: [(&str, &str, Role, u16); 23] = [
    ("GET", "/tools", Role::Viewer, 200),
    ("GET", "/tools/none", Role::Viewer, 404),
    ("POST", "/tools/none/call", Role::User, 404),
    ("POST", "/components", Role::Admin, 415),
    ("GET", "/components/{digest}", Role::Admin, 404),
    ("GET", "/audit", Role::Admin, 200),
    ("GET", "/audit/export", Role::Admin, 200),
    ("GET", "/audit/{id}", Role::Admin, 404),
    ("GET", "/policy", Role::Admin, 200),
    ("POST", "/policy/validate", Role::Admin, 400),
    ("POST", "/policy/reload", Role::Admin, 200),
    ("POST", "/policy/explain", Role::Admin, 400),
    ("POST", "/policy/can", Role::Admin, 400),
    ("POST", "/policy/shadow", Role::Admin, 400),
    ("GET", "/tasks", Role::Viewer, 200),
    ("POST", "/tasks", Role::User, 400),
    ("GET", "/tasks/{id}", Role::Viewer, 404),
    ("POST", "/tasks/{id}/cancel", Role::User, 404),
    ("POST", "/tasks/{id}/runs", Role::User, 404),
    ("GET", "/runs", Role::Viewer, 200),
    ("GET", "/runs/{id}", Role::Viewer, 404),
    ("GET", "/runs/{id}/events", Role::Viewer, 404),
    ("POST", "/runs/{id}/cancel", Role::User, 404),
];

fn request(method: &str, path: &str, authorization: &[&str]) -> Request<Body> {
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header("content-type", "application/json");
    for value in authorization {
        request = request.header("authorization", *value);
    }
    request.body(Body::from("{}")).expect("a request")
}

#[tokio::test]
async fn every_route_asks_for_its_role() {
    let world = World::new().await;
    let digest = Digest::of(b"none").to_string();
    for prefix in ["/api/v1", "/api"] {
        for (method, path, least, expected) in ROUTES {
            let path = path.replace("{id}", ID).replace("{digest}", &digest);
            let path = format!("{prefix}{path}");
            for role in ROLES {
                let key = format!("Bearer {}", world.key(role));
                let reply = world.send(request(method, &path, &[&key])).await;
                if role < least {
                    let details = reply.refused(403, "forbidden");
                    assert_eq!(details["role_needed"], least.as_str(), "{method} {path}");
                } else {
                    assert_eq!(reply.status.as_u16(), expected, "{role:?} {method} {path}");
                }
            }
        }
    }
}

#[tokio::test]
async fn no_key_opens_nothing() {
    let world = World::new().await;
    let key = world.key(Role::Admin);
    let wrong = format!("{}{}", &key[..key.len() - 2], "00");
    let unknown = format!("cof_{}_{}", "1".repeat(32), "1".repeat(64));
    let good = format!("Bearer {key}");
    for authorization in [
        vec![],
        vec![""],
        vec![key],
        vec!["Bearer"],
        vec!["Bearer "],
        vec![&*format!("Bearer {wrong}")],
        vec![&*format!("Bearer {unknown}")],
        vec![&*format!("Bearer {}", &key[..60])],
        vec![&*format!("Basic {key}")],
        vec![&good, &good],
    ] {
        for (method, path, _, _) in ROUTES {
            let path = format!("/api/v1{}", path.replace("{id}", "no-id"));
            let reply = world.send(request(method, &path, &authorization)).await;
            reply.refused(401, "unauthenticated");
            assert_eq!(reply.headers["www-authenticate"], "Bearer");
            assert!(!reply.text.contains(&key[4..]), "{reply:?}");
        }
    }
}

#[tokio::test]
async fn the_scheme_is_read_in_any_case() {
    let world = World::new().await;
    for scheme in ["Bearer", "bearer", "BEARER", "Bearer "] {
        let key = format!("{scheme} {}", world.key(Role::Viewer));
        let reply = world.send(request("GET", "/api/v1/tools", &[&key])).await;
        assert_eq!(reply.status, 200, "{scheme}");
    }
}

#[tokio::test]
async fn a_wrong_secret_and_an_unknown_key_get_the_same_answer() {
    let world = World::new().await;
    let key = world.key(Role::Admin);
    let wrong = format!("Bearer {}{}", &key[..key.len() - 2], "00");
    let unknown = format!("Bearer cof_{}{}", "1".repeat(32), &key[36..]);
    let mut answers = Vec::new();
    for key in [wrong, unknown] {
        answers.push(
            world
                .send(request("GET", "/api/v1/audit", &[&key]))
                .await
                .text,
        );
    }
    assert_eq!(answers[0], answers[1]);
}

#[tokio::test]
async fn one_tenant_does_not_see_anothers() {
    let world = World::new().await;
    let task = world.task(&["echo"]).await;
    let run = world
        .act(&format!("/api/v1/tasks/{task}/runs"))
        .await
        .json();
    let run = run["run_id"].as_str().expect("an id");
    let other = world
        .access
        .create_key("other", Role::Admin, &"other".parse().expect("a name"))
        .await;
    let key = format!("Bearer {}", other.expect("kept").reveal());
    for (method, path) in [
        ("GET", format!("/tasks/{task}")),
        ("POST", format!("/tasks/{task}/cancel")),
        ("POST", format!("/tasks/{task}/runs")),
        ("GET", format!("/runs/{run}")),
        ("GET", format!("/runs/{run}/events")),
        ("POST", format!("/runs/{run}/cancel")),
    ] {
        let path = format!("/api/v1{path}");
        world
            .send(request(method, &path, &[&key]))
            .await
            .refused(404, "not_found");
    }
    // A cursor of somebody else's is only a place in one's own list.
    for path in [
        format!("/api/v1/tasks?after={task}"),
        format!("/api/v1/runs?after={run}"),
    ] {
        let reply = world.send(request("GET", &path, &[&key])).await;
        assert_eq!(reply.json()["items"], serde_json::json!([]), "{path}");
    }
}

#[tokio::test]
async fn health_needs_no_key() {
    let world = World::new().await;
    for path in ["/healthz", "/api/health", "/api/v1/health"] {
        let request = Request::builder().method(Method::GET).uri(path);
        let reply = world
            .send(request.body(Body::empty()).expect("a request"))
            .await;
        assert_eq!(reply.json()["status"], "healthy", "{path}");
    }
}
