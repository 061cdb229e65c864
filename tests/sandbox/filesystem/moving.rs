use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use cofferdam_testing::{scale, show};
use futures::future::try_join;
use rustix::fs::{CWD, RenameFlags, renameat_with};

use super::*;

/// Attempts of the guest in one call, of each kind.
const ATTEMPTS: u32 = 250;
/// Between two swaps: less, and nobody else comes to the directory on a busy machine.
const PAUSE: Duration = Duration::from_micros(50);

/// Exchanges two names all the time, until it is dropped.
struct Swapping {
    stop: Arc<AtomicBool>,
    swaps: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

impl Swapping {
    fn start(one: PathBuf, other: PathBuf) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let swaps = Arc::new(AtomicU64::new(0));
        let (told, count) = (stop.clone(), swaps.clone());
        let thread = std::thread::spawn(move || {
            while !told.load(Ordering::Relaxed) {
                let swapped = renameat_with(CWD, &one, CWD, &other, RenameFlags::EXCHANGE);
                count.fetch_add(u64::from(swapped.is_ok()), Ordering::Relaxed);
                std::thread::sleep(PAUSE);
            }
        });
        Self {
            stop,
            swaps,
            thread: Some(thread),
        }
    }

    /// How often they were exchanged so far.
    fn swaps(&self) -> u64 {
        self.swaps.load(Ordering::Relaxed)
    }
}

impl Drop for Swapping {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // It can't have failed: nothing in it panics.
        drop(self.thread.take().map(JoinHandle::join));
    }
}

/// FS-07: a directory becomes a link to the canary's and back while the guest opens files in it.
#[tokio::test]
async fn a_swap_while_a_path_is_walked_leads_nowhere_else() -> Result<()> {
    let prober = Prober::start().await?;
    let turn = prober.workspace.join("turn");
    let decoy = prober.workspace.join("decoy");
    fs::create_dir(&turn)?;
    fs::write(turn.join("canary"), "harmless")?;
    symlink("../probe2", &decoy)?;
    let repeated = |op: &str, path: &str, flags: &[&str]| {
        json!({
            "op": op, "path": path, "flags": flags, "name": "f",
            "times": ATTEMPTS, "how": "whatever",
        })
    };
    let steps = json!([
        repeated("peek", "turn/canary", &["read", "follow"]),
        repeated("stat-at", "turn/canary", &["follow"]),
        repeated("open", "turn/canary", &["write", "truncate", "follow"]),
        repeated("mkdir", "turn/stray", &[]),
    ]);
    let swaps = u64::try_from(scale::of(100_000, 1_000))?;
    let (mut calls, mut was_raced) = (0, false);
    let swapping = Swapping::start(turn, decoy);
    while swapping.swaps() < swaps || calls < 2 {
        let came = prober.came("FS-07", &steps).await?;
        check_seen(&came)?;
        was_raced |= came[0].contains("harmless");
        calls += 1;
    }
    ensure!(was_raced, "the guest never came in");
    let swaps = swapping.swaps();
    show(&format!("{swaps} swaps during {calls} calls"));
    Ok(())
}

/// The guest saw its own files, or an error.
fn check_seen(came: &[String]) -> Result<()> {
    let own = ["harmless", "8", "ok", "ok"];
    let errors = [
        "not-permitted",
        "no-entry",
        "loop",
        "not-directory",
        "exist",
        "0",
    ];
    for (came, own) in came.iter().zip(own) {
        let mut all = came.split(',');
        let is_fine = all.all(|came| came == own || came.is_empty() || errors.contains(&came));
        ensure!(is_fine, "FS-07: {came}");
    }
    Ok(())
}

/// FS-08: a call goes on in the directory it was given, whatever takes over its name.
#[tokio::test]
async fn a_mount_is_the_directory_and_not_its_name() -> Result<()> {
    for is_parent in [false, true] {
        let prober = Prober::start().await?;
        fs::write(prober.workspace.join("mine"), "text")?;
        let steps = json!([
            {"op": "mkdir", "path": "begun"},
            {"op": "stat-at", "path": "go", "times": u32::MAX, "how": "until_it_works"},
            {"op": "peek", "path": "mine", "flags": ["read", "follow"]},
            {"op": "peek", "path": "canary", "flags": ["read", "follow"]},
            {"op": "open", "path": "new", "flags": ["create", "write"], "name": "f"},
            {"op": "list"},
        ]);
        let moving = async {
            let patience = Instant::now() + Duration::from_secs(20);
            while !prober.workspace.join("begun").exists() {
                ensure!(Instant::now() < patience, "the call never began");
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            let moved = moved(&prober, is_parent)?;
            fs::create_dir(moved.join("go"))?;
            Ok(moved)
        };
        let (answer, moved) = try_join(prober.call("probe", &steps), moving).await?;
        let body = answer.ok()?;
        let came = &body["result"];
        // The size of a directory, which comes second, is the file system's own affair.
        let words = [&came[0], &came[2], &came[3], &came[4], &came[5]];
        ensure!(
            words == ["ok", "text", "no-entry", "ok", "4"],
            "FS-08: {came}"
        );
        ensure!(moved.join("new").exists(), "FS-08: made elsewhere");
        put_back(&prober, is_parent, &moved)?;
        prober.check_after("FS-08", &body).await?;
    }
    Ok(())
}

/// Moves the workspace, or the directory above it, and puts the canary's in its place.
fn moved(prober: &Prober, is_parent: bool) -> Result<PathBuf> {
    let above = prober.host.data().join("workspaces");
    if is_parent {
        let data = prober.host.data();
        let moved = data.parent().context("a directory above")?.join("moved");
        fs::rename(&above, &moved)?;
        fs::create_dir(&above)?;
        symlink(moved.join("probe2"), &prober.workspace)?;
        return Ok(moved.join("probe"));
    }
    let moved = above.join("moved");
    fs::rename(&prober.workspace, &moved)?;
    symlink("probe2", &prober.workspace)?;
    Ok(moved)
}

/// Everything where it was, for the checks that follow every row.
fn put_back(prober: &Prober, is_parent: bool, moved: &std::path::Path) -> Result<()> {
    fs::remove_file(&prober.workspace)?;
    if is_parent {
        let above = moved.parent().context("a directory above")?;
        fs::remove_dir(prober.host.data().join("workspaces"))?;
        fs::rename(above, prober.host.data().join("workspaces"))?;
        return Ok(());
    }
    Ok(fs::rename(moved, &prober.workspace)?)
}
