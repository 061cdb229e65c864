use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use cofferdam_testing::scale;
use futures::future::try_join;
use rustix::fs::{CWD, RenameFlags, renameat_with};

use super::*;

/// Between two swaps: less, and nobody else comes to the directory on a busy machine.
const PAUSE: Duration = Duration::from_micros(50);

/// Exchanges two names all the time, until it is dropped.
struct Swapping {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<u64>>,
}

impl Swapping {
    fn start(one: PathBuf, other: PathBuf) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let told = stop.clone();
        let thread = std::thread::spawn(move || {
            let mut swaps = 0;
            while !told.load(Ordering::Relaxed) {
                let swapped = renameat_with(CWD, &one, CWD, &other, RenameFlags::EXCHANGE);
                swaps += u64::from(swapped.is_ok());
                std::thread::sleep(PAUSE);
            }
            swaps
        });
        Self {
            stop,
            thread: Some(thread),
        }
    }

    /// How often they were exchanged.
    fn end(mut self) -> Result<u64> {
        self.stop.store(true, Ordering::Relaxed);
        let thread = self.thread.take().context("it ends once")?;
        thread.join().ok().context("the swapping thread")
    }
}

impl Drop for Swapping {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
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
    let attempts = scale::of(100_000, 500);
    let repeated = |op: &str, path: &str, flags: &[&str]| {
        json!({
            "op": op, "path": path, "flags": flags, "name": "f",
            "times": attempts, "how": "whatever",
        })
    };
    let steps = json!([
        repeated("peek", "turn/canary", &["read", "follow"]),
        repeated("stat-at", "turn/canary", &["follow"]),
        repeated("open", "turn/canary", &["write", "truncate", "follow"]),
        repeated("mkdir", "turn/stray", &[]),
    ]);
    let swapping = Swapping::start(turn, decoy);
    let came = prober.came("FS-07", &steps).await?;
    let swaps = swapping.end()?;
    ensure!(usize::try_from(swaps)? > attempts, "only {swaps} swaps");
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
    ensure!(came[0].contains("harmless"), "nothing was raced: {came:?}");
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
