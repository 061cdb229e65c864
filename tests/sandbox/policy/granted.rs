use cofferdam_testing::settled;

use super::*;

/// PO-06: under a policy that says nothing of a tool, or nothing at all, it doesn't run.
#[tokio::test]
async fn what_no_rule_mentions_does_not_run() -> Result<()> {
    for policy in [
        "version: 1\n",
        "version: 1\nrules: []\n",
        "version: 1\nrules: [{tools: [], allow: {}}]\n",
        "version: 1\nrules: [{tools: [other], allow: {}}]\n",
        "version: 1\nrules: [{tools: ['*']}]\n",
    ] {
        let ruled = Ruled::start(policy).await?;
        let answer = ruled.call().await?;
        ensure!(
            answer.code() == Some("policy_denied"),
            "{policy}: {}",
            answer.body
        );
        settled(&ruled.host, &ruled.before).await?;
    }
    Ok(())
}

/// PO-08: names that only look like the tool's.
#[tokio::test]
async fn a_name_that_only_looks_alike_is_no_tool() -> Result<()> {
    let policy = "version: 1\nrules: [{tools: [guest-run], allow: {}}]\n";
    let ruled = Ruled::start(policy).await?;
    for name in [
        "Guest-run",
        "GUEST-RUN",
        "guest_run",
        "guest-ru%6E%20",
        "gu%D0%B5st-run",
        "guest-run%00",
        "guest-run%E2%80%8B",
    ] {
        let answer = ruled.host.call(name, json!({}), json!({})).await?;
        let code = answer.code().unwrap_or("ok");
        ensure!(
            ["not_found", "invalid_input"].contains(&code),
            "{name}: {}",
            answer.body
        );
    }
    ruled.call().await?.ok()?;
    settled(&ruled.host, &ruled.before).await
}

/// PO-10: another version, and other bytes of the same version, under the name that has a grant.
#[tokio::test]
async fn a_grant_is_not_for_what_takes_over_a_name() -> Result<()> {
    let policy = "version: 1\nrules: [{tools: ['guest-run@^1'], allow: {}}]\n";
    let ruled = Ruled::start(policy).await?;
    ruled.call().await?.ok()?;
    let next = Guest::well_behaved().named("guest", "2.0.0");
    ruled.host.upload(next.component()?).await?.ok()?;
    let answer = ruled.call().await?;
    ensure!(
        answer.code() == Some("policy_denied") || answer.body["version"] == "1.0.0",
        "{}",
        answer.body
    );
    let answer = ruled
        .host
        .call("guest-run@2.0.0", json!({}), json!({}))
        .await?;
    ensure!(answer.code() == Some("policy_denied"), "{}", answer.body);
    settled(&ruled.host, &ruled.before).await?;

    let component = Guest::well_behaved().component()?;
    let ruled = Ruled::with(OPEN, component, "guest-run").await?;
    let digest = ruled.call().await?.ok()?["digest"].clone();
    let digest = digest.as_str().context("a digest")?;
    let pinned = format!("version: 1\nrules: [{{tools: ['{digest}'], allow: {{}}}}]\n");
    replace(&ruled.file, &pinned)?;
    ruled.until_said(IN_FORCE, 1).await?;
    ruled.call().await?.ok()?;
    let other = Guest::new("(global.get $answer) (nop)").named("guest", "1.0.1");
    ruled.host.upload(other.component()?).await?.ok()?;
    let answer = ruled.call().await?;
    ensure!(answer.code() == Some("policy_denied"), "{}", answer.body);
    settled(&ruled.host, &ruled.before).await
}

/// The task of an agent that reads with one tool and sends what it read with another.
fn task() -> Value {
    json!({
        "title": "carry",
        "plan": {"steps": [
            {"name": "read", "tool": "reader-run"},
            {"name": "send", "tool": "sender-run", "arguments": {"x": {"$from": "/steps/read/result"}}},
        ]},
    })
}

/// Runs the task to its end: how it ended, and the records of its calls.
async fn carried(rules: &str) -> Result<(Value, Vec<Value>)> {
    let policy = format!("version: 1\nrules:\n{rules}");
    let reader = Guest::well_behaved().named("reader", "1.0.0");
    let sender = Guest::well_behaved().named("sender", "1.0.0");
    let host = Ruled::with(&policy, reader.component()?, "reader-run").await?;
    host.host.upload(sender.component()?).await?.ok()?;
    let task = host.host.post("/api/v1/tasks", &task()).await?.ok()?;
    let id = task["task_id"].as_str().context("a task")?;
    let run = host
        .host
        .request("POST", &format!("/api/v1/tasks/{id}/runs?wait_ms=20000"))?;
    let run = host.host.send(run).await?.ok()?;
    let records = host.records("call").await?;
    let own = |record: &&Value| record["origin"]["run_id"] == run["run_id"];
    let records = records.iter().filter(own).cloned().collect();
    settled(&host.host, &host.before).await?;
    Ok((run, records))
}

/// PO-11: whatever an agent carries from one tool to another is on record, and a rule that names
/// callers keeps the two apart.
#[tokio::test]
async fn what_an_agent_carries_is_on_record() -> Result<()> {
    let both = "  - {tools: ['*'], allow: {}}\n";
    let (run, records) = carried(both).await?;
    ensure!(run["status"] == "completed", "{run}");
    let seen: Vec<_> = records
        .iter()
        .map(|record| (&record["asked"], &record["agent"]))
        .collect();
    let agent = json!("executor");
    ensure!(
        seen == [
            (&json!("reader-run"), &agent),
            (&json!("sender-run"), &agent)
        ],
        "{records:?}"
    );
    ensure!(
        records[0]["result_digest"].is_string() && records[1]["arguments_digest"].is_string(),
        "{records:?}"
    );

    let apart = "  - {tools: [reader-run], allow: {}}\n  \
                 - {tools: [sender-run], callers: {agents: [other]}, allow: {}}\n";
    let (run, records) = carried(apart).await?;
    ensure!(run["status"] == "failed", "{run}");
    let last = records.last().context("a record")?;
    ensure!(
        last["asked"] == "sender-run" && last["code"] == "policy_denied" && last["agent"] == agent,
        "{last}"
    );
    Ok(())
}
