use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use cofferdam_testing::{scale, settled, show, tool};
use futures::future::{try_join, try_join_all};

use super::*;
use crate::network::server::{Says, Server};

/// Who call at once, again and again.
const CALLERS: usize = 4;
/// Between two calls of one: as fast as they can, a thousand reloads would last for a million calls.
const PAUSE: Duration = Duration::from_millis(20);
/// How soon what is taken away is gone from a call under way.
const REVOKED: Duration = Duration::from_secs(1);

/// PO-03: each call is decided by one policy, and its record says by which.
#[tokio::test]
async fn a_call_is_decided_by_the_policy_that_its_record_names() -> Result<()> {
    let ruled = Ruled::start(OPEN).await?;
    let reloads = scale::of(1_000, 10);
    let over = AtomicBool::new(false);
    let call = async || {
        let mut calls = 0_usize;
        while !over.load(Ordering::Relaxed) {
            let answer = ruled.call().await?;
            let code = answer.code();
            ensure!(
                matches!(code, None | Some("policy_denied")),
                "{}",
                answer.body
            );
            calls += 1;
            tokio::time::sleep(PAUSE).await;
        }
        anyhow::Ok(calls)
    };
    let reload = async {
        for at in 0..reloads {
            replace(&ruled.file, if at % 2 == 0 { CLOSED } else { OPEN })?;
            ruled.until_said(IN_FORCE, at + 1).await?;
        }
        over.store(true, Ordering::Relaxed);
        Ok(())
    };
    let (calls, ()) = try_join(try_join_all((0..CALLERS).map(|_| call())), reload).await?;
    let calls: usize = calls.iter().sum();
    show(&format!("{calls} calls during {reloads} reloads"));
    ensure!(calls >= scale::of(10_000, 100), "only {calls} calls");

    let mut generations = BTreeMap::new();
    for record in ruled.records("policy_loaded").await? {
        let number = record["generation"].as_u64().context("a generation")?;
        generations.insert(
            number,
            (record["new_digest"].clone(), record["policy"] == "open"),
        );
    }
    ensure!(generations.len() == reloads + 1, "{generations:?}");
    let records = ruled.records("call").await?;
    ensure!(
        records.len() > calls,
        "{} records of {calls} calls",
        records.len()
    );
    for record in records {
        let number = record["policy_generation"]
            .as_u64()
            .context("a generation")?;
        let (digest, is_open) = generations.get(&number).context("a known generation")?;
        ensure!(
            record["policy_digest"] == *digest && record["code"].is_null() == *is_open,
            "{record}"
        );
    }
    settled(&ruled.host, &ruled.before).await
}

/// A policy that gives the prober its workspace, or a server.
fn giving(entries: &str) -> String {
    format!("version: 1\nname: giving\nrules:\n  - tools: ['*']\n    allow:\n      {entries}\n")
}

/// Takes everything away while a call runs, and says what came of it.
async fn revoked(ruled: &Ruled, call: impl Future<Output = Result<Answer>>) -> Result<Answer> {
    let taken = async {
        // The call is on its way when the file is exchanged; that takes longer to be seen.
        replace(&ruled.file, OPEN)?;
        ruled.until_said(IN_FORCE, 1).await?;
        anyhow::Ok(Instant::now())
    };
    let ended = async {
        let answer = call.await?;
        Ok((answer, Instant::now()))
    };
    let ((answer, ended), taken) = try_join(ended, taken).await?;
    let after = ended.saturating_duration_since(taken);
    show(&format!(
        "ended {} ms after the revocation",
        after.as_millis()
    ));
    ensure!(after < REVOKED, "{after:?}");
    Ok(answer)
}

/// PO-04: files that a call may read no longer.
#[tokio::test]
async fn what_is_taken_away_is_gone_from_a_call_that_uses_it() -> Result<()> {
    let entry = giving("filesystem: [{mount: workspace, rights: [read, write, list]}]");
    let ruled = Ruled::with(&entry, tool("files-prober")?, "files-prober-probe").await?;
    let workspace = ruled.host.workspace("probe")?;
    fs::write(workspace.join("file"), "text")?;
    let steps = json!([
        {"op": "open", "path": "file", "flags": ["read"], "name": "f"},
        {"op": "peek", "path": "file", "flags": ["read"], "times": u32::MAX},
        {"op": "read", "on": "f"},
        {"op": "list"},
    ]);
    let with = json!({"workspace": {"name": "probe", "access": "read_write"}});
    let call = ruled
        .host
        .call("files-prober-probe", json!({"steps": steps}), with);
    let body = revoked(&ruled, call).await?.ok()?;
    let refused = "not-permitted";
    ensure!(
        body["result"] == json!(["ok", refused, refused, refused]),
        "{body}"
    );
    ensure!(body["denials"][0]["code"] == "revoked", "{body}");
    settled(&ruled.host, &ruled.before).await
}

/// PO-04: changes that wait beside the files for the end of their call.
#[tokio::test]
async fn what_is_taken_away_before_the_end_is_not_applied() -> Result<()> {
    let entry =
        giving("filesystem: [{mount: workspace, rights: [read, write, list], writes: overlay}]");
    let ruled = Ruled::with(&entry, tool("files-prober")?, "files-prober-probe").await?;
    let file = ruled.host.workspace("probe")?.join("file");
    fs::write(&file, "text")?;
    let steps = json!([
        {"op": "open", "path": "file", "flags": ["read", "write"], "name": "f"},
        {"op": "write", "on": "f", "text": "late"},
        {"op": "peek", "path": "file", "flags": ["read"], "times": u32::MAX},
    ]);
    let with = json!({"workspace": {"name": "probe", "access": "read_write"}});
    let call = ruled
        .host
        .call("files-prober-probe", json!({"steps": steps}), with);
    let answer = revoked(&ruled, call).await?;
    ensure!(answer.code() == Some("policy_denied"), "{}", answer.body);
    ensure!(fs::read_to_string(&file)? == "text");
    settled(&ruled.host, &ruled.before).await
}

/// PO-04: an answer of a server that is still coming in.
#[tokio::test]
async fn a_connection_that_is_no_longer_granted_is_closed() -> Result<()> {
    let head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
    let pause = Duration::from_millis(20);
    let server = Server::start(Says::Forever(head, b"1\r\nx\r\n".to_vec(), pause)).await?;
    let entry = giving(&server.entry("").replace('\n', "\n      "));
    let ruled = Ruled::with(&entry, tool("http-prober")?, "http-prober-send").await?;
    let probes = json!({"probes": [{"authority": "api.good.test"}]});
    let call = ruled.host.call("http-prober-send", probes, json!({}));
    let body = revoked(&ruled, call).await?.ok()?;
    let error = body["result"][0]["error"].as_str().unwrap_or_default();
    ensure!(
        !error.is_empty() && body["result"][0]["status"] == 200,
        "{body}"
    );
    settled(&ruled.host, &ruled.before).await
}
