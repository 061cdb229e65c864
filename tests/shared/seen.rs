use anyhow::{Result, ensure};
use cofferdam_testing::{Guest, Host};
use serde_json::json;

use crate::{Site, check_chain, guest, soon};

/// A tool that one host adds is called at the other, by range and as the latest; its version, digest
/// and schema are the same there.
#[tokio::test]
async fn what_one_adds_the_other_calls() -> Result<()> {
    let site = Site::new(2, &[])?;
    let [one, other] = &site.hosts[..] else {
        unreachable!("two hosts")
    };
    // Known and empty at the other: it has to hear of what comes.
    ensure!(other.get("/api/v1/tools").await?.ok()?["items"] == json!([]));
    for version in ["1.0.0", "1.1.0", "2.0.0-rc.1"] {
        one.upload(guest("hello", version)?).await?.ok()?;
        soon("the other host knows the version", async || {
            let tool = format!("/api/v1/tools/hello-run@={version}");
            Ok(other.get(&tool).await?.status == 200)
        })
        .await?;
    }
    for (tool, version) in [
        ("hello-run", "1.1.0"),
        ("hello-run@^1.0.0, <1.1.0", "1.0.0"),
    ] {
        let answer = other
            .call(&tool.replace(' ', "%20"), json!({}), json!({}))
            .await?
            .ok()?;
        ensure!(
            answer["version"] == version && answer["result"] == true,
            "{answer}"
        );
        let path = format!("/api/v1/tools/{}", tool.replace(' ', "%20"));
        ensure!(one.get(&path).await?.ok()? == other.get(&path).await?.ok()?);
    }
    Ok(())
}

/// The same bytes at both at once are one entry and two successes; other bytes of that version are a
/// conflict at whichever host.
#[tokio::test]
async fn the_same_version_is_added_once() -> Result<()> {
    let site = Site::new(2, &[])?;
    let [one, other] = &site.hosts[..] else {
        unreachable!("two hosts")
    };
    let bytes = guest("hello", "1.0.0")?;
    let (first, second) = tokio::join!(one.upload(bytes.clone()), other.upload(bytes));
    let (first, second) = (first?.ok()?, second?.ok()?);
    ensure!(first["digest"] == second["digest"], "{first} {second}");
    let changed = Guest::well_behaved()
        .named("hello", "1.0.0")
        .with("(func $other)");
    let answer = other.upload(changed.component()?).await?;
    ensure!(answer.code() == Some("conflict"), "{answer:?}");
    Ok(())
}

/// Both write records, and what they wrote is one whole chain, with a record of each call.
#[tokio::test]
async fn records_of_both_are_one_chain() -> Result<()> {
    const CALLS: usize = 40;
    let site = Site::new(2, &[])?;
    let [one, other] = &site.hosts[..] else {
        unreachable!("two hosts")
    };
    one.upload(guest("hello", "1.0.0")?).await?.ok()?;
    soon("the other host knows the tool", async || {
        Ok(other.get("/api/v1/tools/hello-run").await?.status == 200)
    })
    .await?;
    let calls = (0..CALLS).map(|index| {
        let host = if index % 2 == 0 { one } else { other };
        host.call("hello-run", json!({}), json!({}))
    });
    let mut ids = Vec::new();
    for answer in futures::future::join_all(calls).await {
        ids.push(answer?.ok()?["call_id"].clone());
    }
    check_chain(other)?;
    for id in ids {
        let id = id.as_str().unwrap_or_default();
        let records = one.get(&format!("/api/v1/audit/{id}")).await?.ok()?;
        ensure!(
            records["items"]
                .as_array()
                .is_some_and(|items| items.len() == 1),
            "{records}"
        );
    }
    Ok(())
}

/// A secret that one host was given is used at the other, which has the same sealing key; a host
/// with another key doesn't start.
#[tokio::test]
async fn secrets_need_the_same_key() -> Result<()> {
    let mut site = Site::new(1, &[])?;
    let body = json!({"value": "s3cret-of-all"});
    let set = site.hosts[0]
        .request("PUT", "/api/v1/secrets/token")?
        .json(&body);
    site.hosts[0].send(set).await?.ok()?;
    let other = site.add()?;
    let listed = other.get("/api/v1/secrets").await?.ok()?;
    ensure!(listed.to_string().contains("token"), "{listed}");
    let data = site.data.path().join("stranger");
    let url = site.server.url();
    let refused = Host::at(&data, &["--store", &url]).err();
    let refused = refused.map(|error| error.to_string()).unwrap_or_default();
    ensure!(refused.contains("secrets.key"), "{refused}");
    Ok(())
}
