use anyhow::Result;
use serde_json::{Value, json};

use super::Ruled;

async fn draws(random: &str) -> Result<[Value; 2]> {
    let policy = format!(
        "rules:\n  - name: prober\n    tools: [\"state-prober-*\"]\n    allow: {{random: [{random}]}}\n"
    );
    let ruled = Ruled::start(&policy, &[]).await?;
    Ok([
        ruled.result("draw", json!({})).await?,
        ruled.result("draw", json!({})).await?,
    ])
}

#[tokio::test]
async fn a_seed_gives_the_same_at_every_call_and_host() -> Result<()> {
    let [first, again] = draws("seeded: 7").await?;
    assert_eq!(first, again);
    assert_eq!(draws("seeded: 7").await?, [first.clone(), again]);
    let [other, _] = draws("seeded: 8").await?;
    assert_ne!(first, other);
    let [one, another] = draws("real").await?;
    assert_ne!(one, another);
    Ok(())
}

#[tokio::test]
async fn a_frozen_clock_shows_its_time_and_waiting_ends() -> Result<()> {
    let policy = "rules:\n  - name: prober\n    tools: [\"state-prober-*\"]\n    \
                  allow: {clocks: [{frozen: \"2001-09-09T01:46:40Z\"}]}\n";
    let ruled = Ruled::start(policy, &[]).await?;
    for _ in 0..2 {
        let now = ruled.result("now", json!({})).await?;
        assert_eq!(now, json!([1_000_000_000_u64, true]));
    }
    ruled.settled().await
}

#[tokio::test]
async fn what_is_not_granted_is_refused() -> Result<()> {
    let policy = "rules:\n  - name: prober\n    tools: [\"state-prober-*\"]\n    allow: {}\n";
    let ruled = Ruled::start(policy, &[]).await?;
    for function in ["now", "draw"] {
        assert_eq!(
            ruled.code(function, json!({})).await?,
            "policy_denied",
            "{function}"
        );
    }
    ruled.settled().await
}
