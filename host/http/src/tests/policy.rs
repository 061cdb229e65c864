//! The policy: what is in force, how it is replaced, and what it says of calls that nobody makes.

use std::path::Path;
use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::http::Request;
use cofferdam_access::Permission;
use cofferdam_policy::{Format, Policy, PolicyError, Source};
use cofferdam_toolbox::PolicySource;
use cofferdam_types::caller::Role;
use cofferdam_types::{Code, Failure};
use serde_json::{Value, json};

use super::world::{World, spec};

/// A policy file that is only a text.
struct Text(Mutex<String>);

impl Text {
    fn write(&self, text: &str) {
        text.clone_into(&mut self.0.lock().expect("nobody panicked"));
    }
}

impl PolicySource for Text {
    fn load(&self) -> Result<Policy, Failure> {
        let text = self.0.lock().expect("nobody panicked").clone();
        let policy = self.parse(text.as_bytes(), Format::Yaml);
        policy.map_err(|error| Failure::new(Code::InvalidInput, error.to_string()))
    }

    fn parse(&self, text: &[u8], format: Format) -> Result<Policy, PolicyError> {
        let source = Source {
            file: Some(Path::new("mine.yaml")),
            format,
            workspaces: Path::new("/nonexistent"),
            reserved: &[],
        };
        Policy::parse(text, &source)
    }
}

const POLICY: &str = "version: 1
name: mine
limits: {memory: 32MiB}
rules:
  - name: docs
    tools: ['web-get']
    callers: {roles: [admin]}
    allow: {network: [{host: docs.example.org}]}
  - name: agents
    tools: ['web-get']
    callers: {agents: [reader]}
    allow: {network: [{host: news.example.org}]}
    deny: {network: [{host: news.example.org, paths: [/private]}]}
";

async fn world() -> (World, Arc<Text>) {
    let source = Arc::new(Text(Mutex::new(POLICY.to_owned())));
    let network = json!([{"kind": "network"}]);
    let tools = vec![
        spec("web-get", "1.0.0", &network),
        spec("other-get", "1.0.0", &network),
    ];
    let world = World::under(source.clone(), tools, Vec::new()).await;
    (world, source)
}

fn policy_acts(audit: &Value) -> Vec<&Value> {
    let items = audit["items"].as_array().expect("a list");
    let of_policy = |item: &&Value| {
        item["act"]
            .as_str()
            .is_some_and(|act| act.starts_with("policy"))
    };
    items.iter().filter(of_policy).collect()
}

#[tokio::test]
async fn shows_what_is_in_force_and_where_it_comes_from() {
    let (world, _) = world().await;
    let shown = world.get("/api/v1/policy").await.json();
    assert_eq!(
        (&shown["name"], &shown["file"], &shown["generation"]),
        (&json!("mine"), &json!("mine.yaml"), &json!(1))
    );
    let effective = &shown["effective"];
    assert_eq!(
        effective["limits"]["memory"],
        json!({"value": 32 << 20, "source": "mine.yaml:3 (limits)"})
    );
    assert_eq!(effective["rules"][0]["source"], "mine.yaml:5 (docs)");
    let reply = world.elsewhere().await.get("/api/v1/policy").await;
    reply.refused(403, "forbidden");
}

#[tokio::test]
async fn checks_a_text_and_leaves_the_policy_alone() {
    let (world, _) = world().await;
    let path = "/api/v1/policy/validate";
    let wrong = json!({"text": "version: 1\nrules:\n  - tools: ['a']\n    alow: {}\n"});
    let check = world.post(path, &wrong).await.json();
    assert_eq!(check["valid"], false);
    let mistake = &check["mistakes"][0];
    assert_eq!(
        (&mistake["line"], &mistake["column"]),
        (&json!(4), &json!(5))
    );
    let reason = mistake["reason"].as_str().expect("a text");
    assert!(reason.contains("alow"), "{reason}");

    let open = json!({
        "format": "json",
        "text": r#"{"version": 1, "rules": [{"tools": ["*"], "allow": {"network": [{"host": "a.org"}]}}]}"#,
    });
    let check = world.post(path, &open).await.json();
    assert_eq!(
        (&check["valid"], &check["mistakes"]),
        (&json!(true), &json!([]))
    );
    assert!(check["digest"].is_string(), "{check}");
    let warning = check["warnings"][0]["text"].as_str().expect("a warning");
    assert!(warning.contains("every tool"), "{warning}");

    let shown = world.get("/api/v1/policy").await.json();
    assert_eq!(
        (&shown["generation"], &shown["name"]),
        (&json!(1), &json!("mine"))
    );
    let unknown = json!({"text": "version: 1", "format": "xml"});
    world
        .post(path, &unknown)
        .await
        .refused(400, "invalid_input");
}

#[tokio::test]
async fn reads_the_file_anew_and_records_who_asked() {
    let (world, source) = world().await;
    let path = "/api/v1/policy/reload";
    let before = world.get("/api/v1/policy").await.json();
    let same = world.act(path).await.json();
    assert_eq!(
        same,
        json!({"digest": before["digest"], "generation": 2, "changed": false})
    );
    source.write("version: 1\nname: fresh\n");
    let fresh = world.act(path).await.json();
    assert_eq!(
        (&fresh["generation"], &fresh["changed"]),
        (&json!(3), &json!(true))
    );
    source.write("version: 1\nrule: []\n");
    world.act(path).await.refused(400, "invalid_input");
    let shown = world.get("/api/v1/policy").await.json();
    assert_eq!(
        (&shown["digest"], &shown["generation"], &shown["name"]),
        (&fresh["digest"], &json!(3), &json!("fresh"))
    );

    let audit = world.get("/api/v1/audit").await.json();
    let acts = policy_acts(&audit);
    let words: Vec<_> = acts.iter().map(|act| act["act"].as_str()).collect();
    assert_eq!(
        words,
        ["policy_refused", "policy_loaded", "policy_loaded"].map(Some)
    );
    for act in &acts {
        let actor = act["actor"].as_str().expect("an actor");
        assert!(actor.starts_with("key:"), "{act}");
        assert_eq!(act["source"], "the policy file, as asked");
    }
    assert_eq!(acts[1]["old_digest"], before["digest"]);
    assert_eq!(acts[1]["new_digest"], fresh["digest"]);
    let reason = acts[0]["reason"].as_str().expect("a reason");
    assert!(reason.contains("mine.yaml:2:1"), "{reason}");

    source.write(POLICY);
    let world = world.elsewhere().await;
    world.act(path).await.refused(403, "forbidden");
}

#[tokio::test]
async fn explains_a_call_by_its_rules() {
    let (world, _) = world().await;
    let path = "/api/v1/policy/explain";
    let call = json!({"tool": "web-get"});
    let explained = world.post(path, &call).await.json();
    assert_eq!(
        (
            &explained["allowed"],
            &explained["tool"],
            &explained["policy"]
        ),
        (&json!(true), &json!("web-get@1.0.0"), &json!("mine"))
    );
    assert_eq!(explained["granted"], json!(["network"]));
    assert_eq!(
        explained["rules"],
        json!([
            {"at": "mine.yaml:5 (docs)"},
            {"at": "mine.yaml:9 (agents)", "misses": "its `callers: agents` doesn't name the caller"},
        ])
    );
    let limits = explained["limits"].as_array().expect("a list");
    let memory = limits.iter().find(|limit| limit["limit"] == "memory");
    assert_eq!(memory.expect("a limit")["source"], "mine.yaml:3 (limits)");

    let user = json!({"tool": "web-get", "caller": {"role": "user"}});
    let denied = world.post(path, &user).await.json();
    assert_eq!(denied["allowed"], false);
    assert_eq!(denied["denials"][0]["code"], "not_granted");
    world
        .post(path, &json!({"tool": "no-tool"}))
        .await
        .refused(404, "not_found");
    let foreign = json!({"tool": "web-get", "caller": {"tenant": "default"}});
    let world = world.elsewhere().await;
    world.post(path, &foreign).await.refused(403, "forbidden");
}

#[tokio::test]
async fn explains_a_use_party_by_party() {
    let (world, _) = world().await;
    let path = "/api/v1/policy/explain";
    let question = |url: &str| {
        json!({
            "tool": "web-get", "caller": {"agent": "reader", "role": "user"},
            "delegate": {"network": [{"host": "*.example.org"}]},
            "use": {"network": format!("GET {url}")},
        })
    };
    let news = world
        .post(path, &question("https://news.example.org/today"))
        .await
        .json();
    assert_eq!(news["allowed"], true, "{news}");
    let parties = news["use"]["parties"].as_array().expect("a list");
    let parties: Vec<_> = parties.iter().map(|it| it["party"].as_str()).collect();
    assert_eq!(parties, ["policy", "caller"].map(Some));
    let private = world
        .post(path, &question("https://news.example.org/private"))
        .await
        .json();
    assert_eq!(private["allowed"], false);
    assert_eq!(private["use"]["denied_by"], "mine.yaml:13 (agents)");
    assert_eq!(private["denials"][0]["code"], "denied");
    let malformed = json!({"tool": "web-get", "use": {"network": "nowhere"}});
    world.post(path, &malformed).await.invalid(400, "/use");
}

#[tokio::test]
async fn says_what_to_add_when_asked() {
    let (world, source) = world().await;
    let path = "/api/v1/policy/explain";
    let mut question = json!({
        "tool": "other-get", "use": {"network": "GET https://a.example.org/x"},
    });
    let silent = world.post(path, &question).await.json();
    assert_eq!(silent["patch"], Value::Null);
    question["patch"] = json!(true);
    let said = world.post(path, &question).await.json();
    let text = said["patch"]["text"].as_str().expect("a patch");
    assert!(
        text.starts_with("  - tools: [\"other-get@1.0.0\"]\n"),
        "{text}"
    );
    assert_eq!(said["patch"]["left"], json!([]));

    source.write(&format!("{POLICY}{text}"));
    let reloaded = world.act("/api/v1/policy/reload").await;
    assert_eq!(reloaded.status, 200, "{reloaded:?}");
    let allowed = world.post(path, &question).await.json();
    assert_eq!(
        (&allowed["allowed"], &allowed["patch"]),
        (&json!(true), &Value::Null)
    );
}

#[tokio::test]
async fn a_denial_says_what_the_policy_holds_to_those_who_may_read_it() {
    let (world, _) = world().await;
    for role in [Role::User, Role::Author, Role::Admin] {
        let request = Request::builder()
            .method("POST")
            .uri("/api/v1/tools/other-get/call")
            .header("authorization", format!("Bearer {}", world.key(role)))
            .header("content-type", "application/json")
            .body(Body::from("{}"));
        let reply = world.send(request.expect("a request")).await;
        let details = reply.refused(403, "policy_denied");
        let denial = &details["denials"][0];
        assert_eq!(
            (&denial["capability"], &denial["code"]),
            (&json!("tool"), &json!("not_granted"))
        );
        let is_full = denial["reason"]
            .as_str()
            .is_some_and(|reason| !reason.is_empty());
        assert_eq!(
            is_full,
            Permission::ReadPolicy.allows(role),
            "{role:?}: {reply:?}"
        );
        assert_eq!(reply.text.contains("mine/default"), is_full, "{reply:?}");
        assert_eq!(reply.text.contains("rules:"), is_full, "{reply:?}");
    }
    let audit = world.get("/api/v1/audit").await.json();
    for record in audit["items"].as_array().expect("a list") {
        assert_eq!(record["denials"][0]["rule"], "mine/default", "{record}");
    }
    assert_eq!(audit["items"].as_array().map(Vec::len), Some(3));
}

#[tokio::test]
async fn answers_many_questions_under_one_policy() {
    let (world, _) = world().await;
    let path = "/api/v1/policy/can";
    let calls = json!({"calls": [
        {"tool": "web-get"},
        {"tool": "other-get"},
        {"tool": "no-tool"},
        {"tool": "web-get", "use": {"network": "GET https://docs.example.org/"}},
        {"tool": "web-get", "use": {"network": "GET https://news.example.org/"}},
    ]});
    let answer = world.post(path, &calls).await.json();
    assert_eq!(
        answer,
        json!({"generation": 1, "answers": [
            {"allowed": true, "codes": []},
            {"allowed": false, "codes": ["not_granted"]},
            {"allowed": false, "codes": []},
            {"allowed": true, "codes": []},
            {"allowed": false, "codes": ["not_granted"]},
        ]})
    );
    let malformed = json!({"calls": [{"tool": "web-get"}, {"tool": "web-get", "use": {"x": 1}}]});
    world
        .post(path, &malformed)
        .await
        .invalid(400, "/calls/1/use");
    let many: Vec<_> = (0..1_001).map(|_| json!({"tool": "web-get"})).collect();
    let many = json!({ "calls": many });
    world.post(path, &many).await.invalid(400, "/calls");
}
