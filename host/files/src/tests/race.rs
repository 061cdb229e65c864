//! A directory that becomes a link and back while a guest opens files in it.

use std::os::unix::fs::symlink;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::{CWD, RenameFlags, renameat_with};

use super::*;

/// Swaps; a hundredth of what the catalogue asks for at full size.
const SWAPS: u32 = 10_000;

/// Swaps `turn` and `decoy` until told to stop, at least [`SWAPS`] times.
fn swap(world: &World, stop: &AtomicBool) {
    let (turn, decoy) = (world.host("workspace/turn"), world.host("workspace/decoy"));
    let mut swaps = 0;
    while swaps < SWAPS || !stop.load(Ordering::Relaxed) {
        renameat_with(CWD, &turn, CWD, &decoy, RenameFlags::EXCHANGE).expect("swapped");
        swaps += 1;
    }
}

/// What a guest got from `attempt` while the directory kept changing; it may fail as it likes.
fn raced(world: &World, target: &str, attempt: impl Fn(&Directory) -> Option<String>) -> u32 {
    fs::create_dir(world.host("workspace/turn")).expect("made");
    fs::write(world.host("workspace/turn/canary"), "harmless").expect("written");
    symlink(target, world.host("workspace/decoy")).expect("planted");
    let stop = AtomicBool::new(false);
    let mut reads = 0;
    std::thread::scope(|scope| {
        let swapping = scope.spawn(|| swap(world, &stop));
        let workspace = world.workspace();
        for n in 0.. {
            if let Some(text) = attempt(&workspace) {
                assert_ne!(text, CANARY, "after {n} attempts");
                reads += 1;
            }
            if n >= SWAPS {
                stop.store(true, Ordering::Relaxed);
            }
            if swapping.is_finished() {
                break;
            }
        }
        swapping.join().expect("swapped to the end");
    });
    world.check_untouched();
    reads
}

/// FS-07: to read.
#[test]
fn swaps_never_lead_out() {
    let world = World::open();
    let reads = raced(&world, "../secret", |from| read(from, "turn/canary").ok());
    assert!(
        reads > 0,
        "the harmless file was never read: nothing was raced"
    );
}

/// FS-07: to write, create and remove.
#[test]
fn swaps_never_lead_a_write_out() {
    let world = World::open();
    let writes = raced(&world, "../secret", |from| {
        let written = write(from, "turn/canary", "harmless");
        // Removed and made anew, so that creation is raced as well.
        from.remove_file("turn/canary").ok();
        written.ok().map(|()| "harmless".to_owned())
    });
    assert!(writes > 0, "nothing was raced");
}

/// FS-07: into a part of the mount that is denied.
#[test]
fn swaps_never_lead_to_a_refused_part() {
    let all = json!(["read", "write", "create", "delete", "list"]);
    let world = World::new(
        &json!([{"mount": "workspace", "rights": all}]),
        &json!([{"mount": "workspace", "paths": ["hidden/**"]}]),
    );
    fs::create_dir(world.host("workspace/hidden")).expect("made");
    fs::write(world.host("workspace/hidden/canary"), CANARY).expect("written");
    let reads = raced(&world, "hidden", |from| read(from, "turn/canary").ok());
    assert!(reads > 0, "nothing was raced");
}
