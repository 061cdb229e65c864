use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use cofferdam_testing::show;
use serde_json::{Value, json};

use super::Ruled;

/// From the file's change to the guest's first refusal.
const TAKES_AT_MOST: Duration = Duration::from_secs(1);

/// The tools may read the clock, and `rights` on keys.
fn policy(rights: &str) -> String {
    format!(
        "rules:\n  - tools: [\"state-prober-*\"]\n    allow:\n      clocks: [real]\n      \
         key_value: [{{keys: [\"**\"], rights: {rights}}}]\n"
    )
}

/// PO-04: a policy file that takes something away takes it from calls that run, within a second.
#[tokio::test]
async fn a_call_under_way_loses_what_its_policy_loses() -> Result<()> {
    let ruled = Ruled::start(&policy("[read, write]"), &[]).await?;
    let mut times = Vec::new();
    for round in 0..5 {
        let key = format!("round-{round}");
        let polling = ruled.result("poll", json!({"key": key}));
        let revoking = async {
            let begun = json!({"key": key});
            while ruled.result("get", begun.clone()).await? != "begun" {}
            let changed = Instant::now();
            ruled.put(&policy("[write]"))?;
            anyhow::Ok(changed)
        };
        let (polled, changed) = tokio::try_join!(polling, revoking)?;
        let took = changed.elapsed();
        let reads = polled[0].as_u64().context("how often it read")?;
        ensure!(reads > 0 && polled[1] == "denied", "{polled}");
        ensure!(took < TAKES_AT_MOST, "it took {took:?}");
        times.push(took);
        granted_again(&ruled).await?;
    }
    let (least, most) = (times.iter().min(), times.iter().max());
    show(&format!("a revoke took {least:?} to {most:?}"));
    ruled.settled().await
}

/// Puts the first policy in force again.
async fn granted_again(ruled: &Ruled) -> Result<()> {
    ruled.put(&policy("[read, write]"))?;
    let begin = Instant::now();
    while ruled.code("get", json!({"key": "any"})).await? != "ok" {
        ensure!(
            begin.elapsed() < TAKES_AT_MOST,
            "a later call is still denied"
        );
    }
    ensure!(ruled.result("get", json!({"key": "any"})).await? == Value::Null);
    Ok(())
}
