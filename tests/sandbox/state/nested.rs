use std::time::Instant;

use anyhow::{Context, Result};
use futures::future::join_all;
use serde_json::{Value, json};

use super::Ruled;

/// What the prober may call, and what else it may.
fn policy(tool_call: &str, more: &str) -> String {
    format!(
        "rules:\n  - name: prober\n    tools: [\"state-prober-*\"]\n    allow:\n      \
         tool_call: [{tool_call}]\n{more}"
    )
}

fn calling(tool: &str, arguments: &Value) -> Value {
    json!({"tool": tool, "arguments": arguments})
}

#[tokio::test]
async fn a_chain_is_as_deep_as_the_policy_says() -> Result<()> {
    for (depth, asked, levels) in [(1, 3, 1), (3, 2, 2), (3, 9, 3), (8, 20, 8)] {
        let entry = format!("{{tools: [\"state-prober-chain\"], depth: {depth}}}");
        let ruled = Ruled::start(&policy(&entry, ""), &[]).await?;
        let answer = ruled.result("chain", json!({"levels": asked})).await?;
        assert_eq!(answer["levels"], levels, "{depth} {asked}: {answer}");
        let code = if asked > levels {
            json!("limit_exceeded")
        } else {
            Value::Null
        };
        assert_eq!(answer["code"], code, "{depth} {asked}: {answer}");
        ruled.settled().await?;
    }
    Ok(())
}

#[tokio::test]
async fn what_may_be_called_is_what_the_policy_names() -> Result<()> {
    let entry =
        "{tools: [\"state-prober-call\", \"state-prober-draw@^1\", \"absent-*\"], calls: 2}";
    let ruled = Ruled::start(&policy(entry, ""), &[]).await?;
    let none = json!({});
    for (tool, arguments, expected) in [
        ("state-prober-burn", &none, "policy_denied"),
        ("secret-tool", &none, "policy_denied"),
        ("absent-tool", &none, "not_found"),
        ("state-prober-draw", &none, "policy_denied"),
        ("no name", &none, "invalid_input"),
        ("state-prober-call", &none, "invalid_input"),
        ("state-prober-call", &json!([]), "invalid_input"),
    ] {
        let answer = ruled.result("call", calling(tool, arguments)).await?;
        assert_eq!(answer["code"], expected, "{tool}: {answer}");
        assert!(!answer.to_string().contains("rule"), "{answer}");
    }
    let mut many = calling("state-prober-call", &none);
    many["times"] = json!(3);
    let answer = ruled.result("call", many).await?;
    assert_eq!(answer["details"]["limit"], "tool_calls", "{answer}");
    ruled.settled().await
}

/// The called tool may use state, and the caller may not: so it can't through the other, unless the
/// policy says that it acts in its own right.
#[tokio::test]
async fn nobody_gets_more_by_calling_another() -> Result<()> {
    for (own, expected) in [("", "policy_denied"), (", own: true", "")] {
        let policy = format!(
            "rules:\n  - name: caller\n    tools: [state-prober-call]\n    allow:\n      \
             tool_call: [{{tools: [state-prober-set]{own}}}]\n  - name: called\n    \
             tools: [state-prober-set]\n    allow:\n      key_value: [{{}}]\n"
        );
        let ruled = Ruled::start(&policy, &[]).await?;
        let set = json!({"key": "a", "value": "b"});
        assert_eq!(ruled.code("set", set.clone()).await?, "ok", "directly");
        let answer = ruled
            .result("call", calling("state-prober-set", &set))
            .await?;
        assert_eq!(
            answer["code"].as_str().unwrap_or_default(),
            expected,
            "{answer}"
        );
        ruled.settled().await?;
    }
    Ok(())
}

#[tokio::test]
async fn fuel_and_time_are_the_callers() -> Result<()> {
    let entry = "{tools: [\"state-prober-*\"], fuel: 50%, own: true}";
    let more = "      clocks: [real]\n";
    let ruled = Ruled::start(&policy(entry, more), &[]).await?;
    let limited = json!({"limits": {"fuel": 1_000_000_000_u64, "deadline_ms": 20_000}});
    let burning = calling("state-prober-burn", &json!({}));
    let answer = ruled
        .host
        .call("state-prober-call", burning, limited)
        .await?
        .ok()?;
    assert_eq!(answer["result"]["code"], "fuel_exhausted", "{answer}");
    let fuel = answer["usage"]["fuel"].as_u64().context("fuel")?;
    assert!((450_000_000..1_000_000_000).contains(&fuel), "{fuel}");

    let begin = Instant::now();
    let waiting = calling("state-prober-wait", &json!({"millis": 60_000}));
    let short = json!({"limits": {"deadline_ms": 1_500}});
    let answer = ruled.host.call("state-prober-call", waiting, short).await?;
    // The called one's time ends with the caller's, which may just hear of it.
    let code = answer.code().or(answer.body["result"]["code"].as_str());
    assert_eq!(code, Some("timeout"), "{}", answer.body);
    assert!(begin.elapsed().as_secs() < 20);
    ruled.settled().await
}

/// Callers that wait, of callers that wait: none takes the place of what it waits for.
#[tokio::test]
async fn a_crowd_of_callers_does_not_wait_for_itself() -> Result<()> {
    let entry = "{tools: [\"state-prober-*\"], depth: 3, own: true}";
    let more = "      clocks: [real]\n";
    let ruled = Ruled::start(&policy(entry, more), &[]).await?;
    let nested = calling("state-prober-wait", &json!({"millis": 20}));
    let twice = calling("state-prober-call", &nested);
    let calls = (0..64).map(|_| ruled.result("call", twice.clone()));
    for answer in join_all(calls).await {
        assert_eq!(answer?, json!({"result": {"result": 20}}));
    }
    ruled.settled().await
}

#[tokio::test]
async fn the_audit_shows_the_tree() -> Result<()> {
    let entry = "{tools: [\"state-prober-chain\"], depth: 2}";
    let ruled = Ruled::start(&policy(entry, ""), &[]).await?;
    let answer = ruled.call("chain", json!({"levels": 2})).await?.ok()?;
    let root = answer["call_id"].clone();
    let audit = ruled.host.get("/api/v1/audit?limit=1000").await?.ok()?;
    let records = audit["items"].as_array().context("records")?;
    let mut depths: Vec<_> = records
        .iter()
        .map(|entry| &entry["parent"])
        .filter(|parent| parent["root_id"] == root)
        .filter_map(|parent| parent["depth"].as_u64())
        .collect();
    depths.sort_unstable();
    assert_eq!(depths, [1, 2], "{audit}");
    ruled.settled().await
}
