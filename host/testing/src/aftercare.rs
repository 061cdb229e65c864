//! What has to be true after an attack, whatever came of it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::host::Host;
use crate::leftovers::Leftovers;

/// How long a host may take to give back what it frees in the background, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(50);
/// What a host keeps in its data directory.
const KEPT: [&str; 9] = [
    "address",
    "admin.key",
    "cofferdam.db",
    "compiled",
    "compiled.key",
    "lock",
    "scratch",
    "secrets.key",
    "workspaces",
];
/// What the name of a file begins with that is being written beside its place.
const FRESH: &str = "new-";

/// Checks that the host answers, holds no more than `before`, has left no file behind, has shown no
/// canary in its log, and has one record of each call that was made by [`Host::call`].
///
/// Waits for what is freed in the background, and no longer than that takes.
pub async fn settled(host: &Host, before: &Leftovers) -> Result<()> {
    let patience = Instant::now() + PATIENCE;
    loop {
        let health = host.get("/api/v1/health").await?;
        ensure!(health.status == 200, "the host is not well: {health:?}");
        let held = Leftovers::of(host.pid())?.check(before);
        match held.and_then(|()| check_files(host)) {
            Ok(()) => break,
            Err(error) if Instant::now() > patience => return Err(error),
            Err(_) => tokio::time::sleep(LOOK).await,
        }
    }
    check_log(host)?;
    check_records(host).await
}

/// Nothing lies in the data directory but what the host keeps there.
fn check_files(host: &Host) -> Result<()> {
    let mut strays = Vec::new();
    let mut look = |folder: &str, is_kept: &dyn Fn(&str) -> bool| -> Result<()> {
        let path = host.data().join(folder);
        let entries = match std::fs::read_dir(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            entries => entries.with_context(|| path.display().to_string())?,
        };
        for entry in entries {
            let name = entry?.file_name().to_string_lossy().into_owned();
            if !is_kept(&name) {
                strays.push(PathBuf::from(folder).join(name));
            }
        }
        Ok(())
    };
    // The store's own companions have its name and more.
    look("", &|name| {
        KEPT.contains(&name) || name.starts_with("cofferdam.db-")
    })?;
    look("scratch", &|_| false)?;
    look("compiled", &|name| !name.starts_with(FRESH))?;
    ensure!(strays.is_empty(), "left in the data directory: {strays:?}");
    Ok(())
}

fn check_log(host: &Host) -> Result<()> {
    let log = host.log();
    for canary in host.canaries() {
        ensure!(!log.contains(&canary), "the log shows a canary:\n{log}");
    }
    Ok(())
}

/// Each call has one record, and there are no records of other calls. What tools and runs call has
/// records as well, which say so.
async fn check_records(host: &Host) -> Result<()> {
    let calls = host.calls();
    let mut records: BTreeMap<String, usize> = BTreeMap::new();
    let mut after = String::new();
    loop {
        let page = host
            .get(&format!("/api/v1/audit?limit=1000{after}"))
            .await?;
        let page = page.ok()?;
        let items = page["items"].as_array().context("records")?;
        let is_own = |item: &&serde_json::Value| {
            item["act"] == "call" && item["origin"]["door"] == "http" && item["parent"].is_null()
        };
        for id in items
            .iter()
            .filter(is_own)
            .filter_map(|item| item["call_id"].as_str())
        {
            *records.entry(id.to_owned()).or_default() += 1;
        }
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    for id in &calls {
        let count = records.get(id).copied().unwrap_or_default();
        ensure!(count == 1, "{count} records of the call {id}");
    }
    ensure!(
        records.len() == calls.len(),
        "{} calls have records, {} were made",
        records.len(),
        calls.len()
    );
    Ok(())
}
