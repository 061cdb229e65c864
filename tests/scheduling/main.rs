//! A crowd of endless loops: each ends at its deadline, and nobody else notices.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use cofferdam_testing::{Guest, Host, show};
use futures::future::join_all;
use serde_json::json;

/// Endless loops at once.
const LOOPS: usize = 50;
/// Their deadline.
const DEADLINE: Duration = Duration::from_secs(8);
/// Health probes meanwhile.
const PROBES: usize = 200;
/// Trivial calls meanwhile, and at rest.
const CALLS: usize = 500;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn endless_loops_end_in_time_and_disturb_nobody() -> Result<()> {
    let host = Host::start()?;
    let looping = Guest::new("(loop $l (br $l)) (unreachable)").named("endless", "1.0.0");
    host.upload(looping.component()?).await?.ok()?;
    host.upload(Guest::well_behaved().component()?)
        .await?
        .ok()?;
    times(&host, CALLS, call).await?;
    let idle = p99(times(&host, CALLS, call).await?);

    let limits =
        json!({"limits": {"deadline_ms": u64::try_from(DEADLINE.as_millis())?, "fuel": u64::MAX}});
    let loops = join_all((0..LOOPS).map(|_| async {
        let begin = Instant::now();
        let answer = host.call("endless-run", json!({}), limits.clone()).await?;
        let code = answer.code().unwrap_or("ok").to_owned();
        ensure!(
            code == "timeout" || code == "fuel_exhausted",
            "{}",
            answer.body
        );
        Ok(begin.elapsed())
    }));
    let others = async {
        let probes = p99(times(&host, PROBES, probe).await?);
        let calls = p99(times(&host, CALLS, call).await?);
        anyhow::Ok((probes, calls))
    };
    let begin = Instant::now();
    let (ended, others) = tokio::join!(loops, async { (others.await, begin.elapsed()) });
    let (others, took) = others;
    let (probes, calls) = others?;
    let mut late: Vec<Duration> = ended
        .into_iter()
        .map(|end| Ok(end?.saturating_sub(DEADLINE)))
        .collect::<Result<_>>()?;
    late.sort();
    let (median, last) = (late[LOOPS / 2], late[LOOPS - 1]);
    show(&format!(
        "{LOOPS} loops: median {median:?}, last {last:?} after their deadline; meanwhile health p99 \
         {probes:?}, trivial calls p99 {calls:?} ({idle:?} at rest); probes and calls took {took:?}"
    ));
    ensure!(took < DEADLINE, "the loops were over before the calls were");
    ensure!(
        last <= Duration::from_millis(250),
        "the last loop ended {last:?} late"
    );
    ensure!(
        median <= Duration::from_millis(50),
        "half of the loops ended {median:?} late"
    );
    ensure!(probes < Duration::from_millis(50), "health took {probes:?}");
    ensure!(
        calls <= 10 * idle,
        "trivial calls took {calls:?}, {idle:?} at rest"
    );
    host.stop()
}

async fn probe(host: &Host) -> Result<()> {
    host.get("/api/v1/health").await?.ok().map(drop)
}

async fn call(host: &Host) -> Result<()> {
    host.call("guest-run", json!({}), json!({}))
        .await?
        .ok()
        .map(drop)
}

/// How long each of `count` requests took, one after the other.
async fn times(
    host: &Host,
    count: usize,
    request: impl AsyncFn(&Host) -> Result<()>,
) -> Result<Vec<Duration>> {
    let mut times = Vec::with_capacity(count);
    for _ in 0..count {
        let begin = Instant::now();
        request(host).await?;
        times.push(begin.elapsed());
    }
    Ok(times)
}

fn p99(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() * 99 / 100]
}
