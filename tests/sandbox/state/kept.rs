use anyhow::Result;
use futures::future::join_all;
use serde_json::{Value, json};

use super::Ruled;

const POLICY: &str = r#"
rules:
  - name: prober
    tools: ["state-prober-*"]
    allow:
      key_value:
        - {keys: ["open/**", "n"], quota: {entries: 4, bytes: 1KiB, value_bytes: 512B}}
        - {keys: ["seen/**"], rights: [read, list]}
    deny:
      key_value: [{keys: ["open/secret/**"]}]
"#;

#[tokio::test]
async fn state_lasts_and_is_what_the_policy_says() -> Result<()> {
    let ruled = Ruled::start(POLICY, &[]).await?;
    let set = |key: &str, value: &str| json!({"key": key, "value": value});
    assert_eq!(
        ruled.result("get", json!({"key": "open/a"})).await?,
        Value::Null
    );
    assert_eq!(ruled.code("set", set("open/a", "1")).await?, "ok");
    assert_eq!(ruled.result("get", json!({"key": "open/a"})).await?, "1");
    assert_eq!(ruled.code("set", set("open/b/c", "2")).await?, "ok");
    let keys = ruled.result("keys", json!({"prefix": "open/"})).await?;
    assert_eq!(keys, json!(["open/a", "open/b/c"]));
    for (function, arguments, expected) in [
        ("set", set("seen/a", "1"), "denied"),
        ("get", json!({"key": "seen/a"}), "ok"),
        ("get", json!({"key": "open/secret/a"}), "denied"),
        ("get", json!({"key": "other"}), "denied"),
        ("keys", json!({"prefix": ""}), "denied"),
        ("get", json!({"key": "open/a", "agent": true}), "denied"),
        ("get", json!({"key": ""}), "invalid_key"),
        ("get", json!({"key": "open/\u{0}"}), "invalid_key"),
        ("delete", json!({"key": "open/a"}), "ok"),
    ] {
        let code = ruled.code(function, arguments.clone()).await?;
        assert_eq!(code, expected, "{function} {arguments}");
    }
    ruled.settled().await
}

#[tokio::test]
async fn a_quota_is_never_passed() -> Result<()> {
    let ruled = Ruled::start(POLICY, &[]).await?;
    let set = |key: &str, times: usize| json!({"key": key, "value": "x", "times": times});
    for (key, times, expected) in [
        ("open/a", 513, "full"),
        ("open/a", 500, "ok"),
        ("open/b", 505, "ok"),
        ("open/c", 100, "full"),
        ("open/b", 1, "ok"),
        ("open/c", 1, "ok"),
        ("open/d", 1, "ok"),
        ("open/e", 1, "full"),
    ] {
        assert_eq!(
            ruled.code("set", set(key, times)).await?,
            expected,
            "{key} {times}"
        );
    }
    ruled.settled().await
}

#[tokio::test]
async fn many_that_count_lose_nothing() -> Result<()> {
    let ruled = Ruled::start(POLICY, &[]).await?;
    let counts = (0..20).map(|_| ruled.result("count-up", json!({"key": "n"})));
    let mut seen = Vec::new();
    for before in join_all(counts).await {
        seen.push(before?.as_u64());
    }
    seen.sort_unstable();
    assert_eq!(seen, (0..20).map(Some).collect::<Vec<_>>());
    ruled.settled().await
}
