//! A directory that becomes a link and back while a guest opens files in it.

use std::os::unix::fs::symlink;
use std::sync::atomic::{AtomicBool, Ordering};

use proptest::test_runner::Config;
use rustix::fs::{CWD, RenameFlags, renameat_with};

use super::*;

/// Times that the directory is swapped: 10,000, or `PROPTEST_CASES` when that is more. At full size
/// they are a million.
fn swaps() -> u32 {
    Config::default().cases.max(10_000)
}

/// What was read, or written, or neither.
#[derive(Debug, Default)]
struct Seen {
    harmless: u32,
    canary: u32,
    refused: u32,
}

/// Swaps `turn` and `decoy` until told to stop, at least so many times as asked.
fn swap(world: &World, stop: &AtomicBool) {
    let (turn, decoy) = (world.host("workspace/turn"), world.host("workspace/decoy"));
    let mut done = 0;
    while done < swaps() || !stop.load(Ordering::Relaxed) {
        renameat_with(CWD, &turn, CWD, &decoy, RenameFlags::EXCHANGE).expect("swapped");
        done += 1;
    }
}

/// What came of `attempt`, again and again, while `turn` was a directory with a harmless file and a
/// link to `target` with the canary in turn. It may fail as it likes. Goes on until there were as
/// many attempts as swaps and `is_enough`, or a hundred times as many attempts.
fn raced(
    world: &World,
    target: &str,
    is_enough: impl Fn(&Seen) -> bool,
    attempt: impl Fn() -> Option<String>,
) -> Seen {
    fs::create_dir(world.host("workspace/turn")).expect("made");
    fs::write(world.host("workspace/turn/canary"), "harmless").expect("written");
    symlink(target, world.host("workspace/decoy")).expect("planted");
    let stop = AtomicBool::new(false);
    let mut seen = Seen::default();
    std::thread::scope(|scope| {
        let swapping = scope.spawn(|| swap(world, &stop));
        for n in 0.. {
            match attempt() {
                Some(text) if text == CANARY => seen.canary += 1,
                Some(_) => seen.harmless += 1,
                None => seen.refused += 1,
            }
            if n >= swaps() && (is_enough(&seen) || n / 100 >= swaps()) {
                stop.store(true, Ordering::Relaxed);
            }
            if swapping.is_finished() {
                break;
            }
        }
        swapping.join().expect("swapped to the end");
    });
    world.check_untouched();
    seen
}

/// True when both states of the directory were met.
fn both_met(seen: &Seen) -> bool {
    seen.harmless > 0 && seen.refused > 0
}

/// FS-07: to read.
#[test]
fn swaps_never_lead_out() {
    let world = World::open();
    let workspace = world.workspace();
    let seen = raced(&world, "../secret", both_met, || {
        read(&workspace, "turn/canary").ok()
    });
    assert!(both_met(&seen), "nothing was raced: {seen:?}");
    assert_eq!(seen.canary, 0, "{seen:?}");
}

/// The race is one: who looks first and then opens what was looked at is led out.
#[test]
fn swaps_lead_out_who_looks_before_opening() {
    let world = World::open();
    let turn = world.host("workspace/turn");
    let led_out = |seen: &Seen| seen.canary > 0;
    let seen = raced(&world, "../secret", led_out, || {
        let is_link = fs::symlink_metadata(&turn).ok()?.is_symlink();
        let text = || fs::read_to_string(turn.join("canary")).ok();
        if is_link { None } else { text() }
    });
    assert!(led_out(&seen), "nothing was raced: {seen:?}");
}

/// FS-07: to write, create and remove.
#[test]
fn swaps_never_lead_a_write_out() {
    let world = World::open();
    let workspace = world.workspace();
    let seen = raced(&world, "../secret", both_met, || {
        let written = write(&workspace, "turn/canary", "harmless");
        // Removed and made anew, so that creation is raced as well.
        workspace.remove_file("turn/canary").ok();
        written.ok().map(|()| "harmless".to_owned())
    });
    assert!(both_met(&seen), "nothing was raced: {seen:?}");
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
    let workspace = world.workspace();
    let seen = raced(&world, "hidden", both_met, || {
        read(&workspace, "turn/canary").ok()
    });
    assert!(both_met(&seen), "nothing was raced: {seen:?}");
    assert_eq!(seen.canary, 0, "{seen:?}");
}
