use anyhow::{Context, Result};
use cofferdam_testing::{Leftovers, scale};
use futures::StreamExt;
use futures::stream;
use serde_json::json;

use super::Ruled;

fn policy(admission: &str) -> String {
    format!(
        "admission: [{admission}]\nrules:\n  - name: prober\n    tools: [\"state-prober-*\"]\n    \
         allow: {{clocks: [real]}}\n"
    )
}

/// How many of `count` calls at once end with each code.
async fn codes(ruled: &Ruled, count: usize, mebibytes: u64) -> Result<Vec<(String, usize)>> {
    let hold = json!({"mebibytes": mebibytes, "millis": 100});
    let calls = (0..count).map(|_| ruled.code("hold", hold.clone()));
    let ended: Vec<_> = stream::iter(calls).buffer_unordered(count).collect().await;
    let mut codes: Vec<(String, usize)> = Vec::new();
    for code in ended {
        let code = code?;
        match codes.iter_mut().find(|(known, _)| *known == code) {
            Some((_, count)) => *count += 1,
            None => codes.push((code, 1)),
        }
    }
    Ok(codes)
}

/// RS-05: far more memory is asked for together than there is.
#[tokio::test]
async fn a_crowd_at_its_memory_limit_waits_or_is_sent_away() -> Result<()> {
    let admission = "{per: total, memory: 512MiB, over: throttle, wait: 10s}";
    let ruled = Ruled::start(&policy(admission), &[]).await?;
    let pid = ruled.host.pid();
    let crowd = scale::of(1_000, 100);
    // The connections of as many clients stay open.
    codes(&ruled, crowd, 1).await?;
    let before = Leftovers::of(pid)?;
    let codes = codes(&ruled, crowd, 48).await?;
    let fine = |code: &str| code == "ok" || code == "unavailable";
    assert!(codes.iter().all(|(code, _)| fine(code)), "{codes:?}");
    assert!(codes.iter().any(|(code, _)| code == "ok"), "{codes:?}");
    let peak = peak_kib(pid)?;
    assert!(peak < 1 << 20, "{peak} KiB at most for 512 MiB of guests");
    crate::settled(&ruled.host, &before).await
}

#[tokio::test]
async fn more_than_the_rate_is_refused_and_time_makes_it_good() -> Result<()> {
    let admission = "{per: tool, rate: {calls: 3, within: 2s}}";
    let ruled = Ruled::start(&policy(admission), &[]).await?;
    let mut refused = None;
    for _ in 0..4 {
        let answer = ruled.call("now", json!({})).await?;
        if answer.code().is_some() {
            refused = Some(answer);
        }
    }
    let refused = refused.context("a call over the rate")?;
    assert_eq!(
        (refused.status, refused.code()),
        (429, Some("rate_limited"))
    );
    let details = &refused.body["error"]["details"];
    let wait = details["retry_after_ms"].as_u64().context("when")?;
    assert!((1..=2_001).contains(&wait), "{wait}");
    tokio::time::sleep(std::time::Duration::from_millis(wait)).await;
    assert_eq!(ruled.code("now", json!({})).await?, "ok");
    ruled.settled().await
}

#[tokio::test]
async fn those_at_once_wait_in_turn_or_need_approval() -> Result<()> {
    let admission = "{per: tool, concurrency: 2, over: throttle, wait: 10s}";
    let ruled = Ruled::start(&policy(admission), &[]).await?;
    assert_eq!(codes(&ruled, 10, 1).await?, [("ok".to_owned(), 10)]);
    let ruled = Ruled::start(&policy("{per: tool, concurrency: 1, over: ask}"), &[]).await?;
    let codes = codes(&ruled, 5, 1).await?;
    let fine = |code: &str| code == "ok" || code == "policy_denied";
    assert!(
        codes.len() == 2 && codes.iter().all(|(code, _)| fine(code)),
        "{codes:?}"
    );
    Ok(())
}

/// A guest that does nothing but ask the host pays for it.
#[tokio::test]
async fn asking_the_host_costs_fuel() -> Result<()> {
    let ruled = Ruled::start(&policy("{per: total, concurrency: 9}"), &[]).await?;
    let mut used = Vec::new();
    for times in [0, 1_000] {
        let answer = ruled.call("ask", json!({"times": times})).await?.ok()?;
        used.push(answer["usage"]["fuel"].as_u64().context("fuel")?);
    }
    assert!(used[1] - used[0] >= 1_000_000, "{used:?}");
    let limits = json!({"limits": {"fuel": 20_000_000}});
    let asking = json!({"times": 1_000_000});
    let answer = ruled.host.call("state-prober-ask", asking, limits).await?;
    assert_eq!(answer.code(), Some("fuel_exhausted"), "{}", answer.body);
    ruled.settled().await
}

/// The most memory that a process ever held.
fn peak_kib(pid: u32) -> Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.context("VmHWM")?.trim().trim_end_matches(" kB");
    Ok(kib.parse()?)
}
