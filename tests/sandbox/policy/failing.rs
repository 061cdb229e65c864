use cofferdam_testing::{binary, show};
use futures::future::join_all;
use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit};

use super::*;

/// Calls at once.
const CROWD: usize = 200;
/// How long it may take until as many records wait as may, or until they are written.
const LONG: Duration = Duration::from_mins(2);

/// A host whose disk can be full: it is told of a file that can't grow, and not killed for it.
fn host_of_a_small_disk(directory: &Path, arguments: &[&str]) -> Result<Host> {
    let program = binary()?;
    let program = program.to_str().context("a plain path")?;
    let script = directory.join("host");
    fs::write(
        &script,
        format!("#!/bin/sh\ntrap '' XFSZ\nexec '{program}' \"$@\"\n"),
    )?;
    fs::set_permissions(&script, fs::Permissions::from_mode(0o700))?;
    Host::by(&script, &directory.join("data"), arguments, &[])
}

/// From here on no file of the host can be written, or each as before.
fn fill_disk(host: &Host, is_full: bool) -> Result<()> {
    let pid = Pid::from_raw(i32::try_from(host.pid())?).context("a process")?;
    let now = getrlimit(Resource::Fsize);
    let current = if is_full { Some(0) } else { now.current };
    let limit = Rlimit {
        current,
        maximum: now.maximum,
    };
    prlimit(Some(pid), Resource::Fsize, limit)?;
    Ok(())
}

/// What came of a crowd of calls: how many ran, how many were denied, how many were not taken.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Came {
    ran: usize,
    denied: usize,
    refused: usize,
}

async fn crowd(host: &Host) -> Result<Came> {
    let path = "/api/v1/tools/guest-run/call";
    let nothing = json!({});
    let answers = join_all((0..CROWD).map(|_| host.post(path, &nothing))).await;
    let mut came = Came::default();
    for answer in answers {
        let answer = answer?;
        *match (answer.status, answer.code()) {
            (200, None) => &mut came.ran,
            (403, Some("policy_denied")) => &mut came.denied,
            (503, Some("unavailable")) => &mut came.refused,
            _ => anyhow::bail!("{answer:?}"),
        } += 1;
    }
    Ok(came)
}

/// PO-14: when the store takes no records, a call is taken only while there is a place for its
/// record, and then none is; what was taken away meanwhile stays so, and each call that was
/// taken has its record in the end.
#[tokio::test]
async fn what_can_t_be_recorded_is_not_done() -> Result<()> {
    let directory = TempDir::new()?;
    let file = directory.path().join("policy.yaml");
    replace(&file, OPEN)?;
    let policy = file.to_str().context("a plain path")?;
    let host = host_of_a_small_disk(directory.path(), &["--policy", policy])?;
    host.upload(Guest::well_behaved().component()?)
        .await?
        .ok()?;
    let mut all = crowd(&host).await?;
    ensure!(all.ran == CROWD, "{all:?}");

    fill_disk(&host, true)?;
    let patience = Instant::now() + LONG;
    loop {
        let came = crowd(&host).await?;
        all.ran += came.ran;
        if came.refused == CROWD {
            break;
        }
        ensure!(Instant::now() < patience, "the calls go on: {all:?}");
    }
    replace(&file, CLOSED)?;
    for _ in 0..3 {
        let came = crowd(&host).await?;
        ensure!(came.refused == CROWD, "{came:?}");
    }
    let health = host.get("/api/v1/health").await?;
    ensure!(health.status == 200, "{health:?}");

    fill_disk(&host, false)?;
    let patience = Instant::now() + LONG;
    loop {
        let came = crowd(&host).await?;
        all.ran += came.ran;
        all.denied += came.denied;
        if came.denied == CROWD {
            break;
        }
        ensure!(Instant::now() < patience, "it never came back: {all:?}");
    }
    let records = records(&host, "call").await?;
    let ran = records.iter().filter(|it| it["code"].is_null()).count();
    ensure!(
        (ran, records.len() - ran) == (all.ran, all.denied),
        "{ran} of {} records say that it ran, {all:?}",
        records.len()
    );
    show(&format!("{all:?} around a full disk"));
    Ok(())
}

/// PO-14: where a call is answered only when its record is kept, none is answered without.
#[tokio::test]
async fn what_is_not_recorded_is_not_answered() -> Result<()> {
    let directory = TempDir::new()?;
    let host = host_of_a_small_disk(directory.path(), &["--audit-strict"])?;
    host.upload(Guest::well_behaved().component()?)
        .await?
        .ok()?;
    host.call("guest-run", json!({}), json!({})).await?.ok()?;
    fill_disk(&host, true)?;
    let call = host.call("guest-run", json!({}), json!({}));
    tokio::pin!(call);
    let early = tokio::time::timeout(Duration::from_secs(1), &mut call).await;
    ensure!(early.is_err(), "answered without a record: {early:?}");
    fill_disk(&host, false)?;
    call.await?.ok()?;
    let kept = records(&host, "call").await?;
    ensure!(kept.len() == 2, "{kept:?}");
    Ok(())
}
