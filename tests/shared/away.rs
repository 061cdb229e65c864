use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use cofferdam_testing::Host;
use serde_json::json;

use crate::{LOOK, Site, check_chain, guest};

/// How long a host may take to be well again once the server is back.
const HEALING: Duration = Duration::from_secs(5);
/// How often the server is killed.
const KILLS: u32 = 3;

/// While the server is gone known tools are called and writes are refused as something to repeat;
/// when it is back everything is, and every call has its record.
#[tokio::test]
async fn a_server_that_dies_takes_nothing_along() -> Result<()> {
    let mut site = Site::new(2, &["--appendonly", "yes", "--appendfsync", "always"])?;
    let bytes = guest("hello", "1.0.0")?;
    site.hosts[0].upload(bytes).await?.ok()?;
    let mut ids = Vec::new();
    for round in 0..KILLS {
        let Site { hosts, server, .. } = &mut site;
        for host in hosts.iter() {
            well(host, round).await?;
            let answer = host.call("hello-run", json!({}), json!({})).await?.ok()?;
            ids.push(answer["call_id"].clone());
        }
        server.kill();
        for host in hosts.iter() {
            let answer = host.call("hello-run", json!({}), json!({})).await?.ok()?;
            ids.push(answer["call_id"].clone());
            let answer = host.upload(guest("late", &format!("1.0.{round}"))?).await?;
            ensure!(answer.code() == Some("unavailable"), "{answer:?}");
            let health = host.get("/api/v1/health").await?;
            ensure!(health.status == 503, "{health:?}");
        }
        server.start();
        for host in hosts.iter() {
            well(host, round).await?;
        }
        let version = format!("1.0.{round}");
        hosts[1].upload(guest("late", &version)?).await?.ok()?;
    }
    check_chain(&site.hosts[0])?;
    for id in ids {
        let id = id.as_str().unwrap_or_default();
        let records = site.hosts[1]
            .get(&format!("/api/v1/audit/{id}"))
            .await?
            .ok()?;
        ensure!(
            records["items"]
                .as_array()
                .is_some_and(|items| items.len() == 1),
            "{records}"
        );
    }
    Ok(())
}

async fn well(host: &Host, round: u32) -> Result<()> {
    let patience = Instant::now() + HEALING;
    loop {
        let health = host.get("/api/v1/health").await?;
        let known = host.get("/api/v1/tools/hello-run").await?;
        if health.status == 200 && known.status == 200 {
            return Ok(());
        }
        ensure!(
            Instant::now() < patience,
            "round {round}: {health:?} {known:?}"
        );
        tokio::time::sleep(LOOK).await;
    }
}
