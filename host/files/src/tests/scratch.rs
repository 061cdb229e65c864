//! What a call has for itself goes with it.

use cofferdam_testing::scale;

use super::*;

fn scratch(temp: &TempDir) -> Arc<Scratch> {
    Arc::new(Scratch::open(&temp.path().join("scratch")).expect("opened"))
}

fn left(temp: &TempDir) -> usize {
    fs::read_dir(temp.path().join("scratch"))
        .expect("there")
        .count()
}

/// FS-25: each call has its own, whoever makes it.
#[test]
fn two_calls_share_nothing_and_leave_nothing() {
    let temp = tempfile::tempdir().expect("a directory");
    let scratch = scratch(&temp);
    let first = scratch.make("call-1").expect("made");
    let second = scratch.make("call-2").expect("made");
    assert!(scratch.make("call-1").is_err(), "one of each name");
    fs::write(temp.path().join("scratch/call-1/x"), CANARY).expect("written");
    assert!(!temp.path().join("scratch/call-2/x").exists());
    drop(first);
    assert_eq!(left(&temp), 1);
    drop(second);
    assert_eq!(left(&temp), 0);
}

/// FS-19: what was made goes away without a stack of its depth.
#[test]
fn a_tree_of_any_depth_and_width_is_removed() {
    use rustix::fs::{CWD, Mode, OFlags, mkdirat, openat};
    let temp = tempfile::tempdir().expect("a directory");
    let scratch = scratch(&temp);
    let private = scratch.make("call").expect("made");
    let mode = Mode::from_raw_mode(0o700);
    let flags = OFlags::PATH | OFlags::DIRECTORY;
    let mut here = openat(CWD, temp.path().join("scratch/call"), flags, mode).expect("opened");
    for _ in 0..scale::of(10_000, 3_000) {
        mkdirat(&here, "a", mode).expect("made");
        here = openat(&here, "a", flags, mode).expect("opened");
    }
    drop(here);
    for n in 0..scale::of(1_000_000, 3_000) {
        fs::write(temp.path().join(format!("scratch/call/{n}")), "").expect("written");
    }
    std::os::unix::fs::symlink("/", temp.path().join("scratch/call/link")).expect("linked");
    fs::write(temp.path().join("kept"), CANARY).expect("written");
    drop(private);
    assert_eq!(left(&temp), 0);
    assert!(temp.path().join("kept").exists());
}

#[test]
fn what_a_killed_host_left_is_swept() {
    let temp = tempfile::tempdir().expect("a directory");
    let scratch = scratch(&temp);
    std::mem::forget(scratch.make("call").expect("made"));
    fs::create_dir_all(temp.path().join("scratch/call/a/b")).expect("made");
    fs::write(temp.path().join("scratch/stray"), "").expect("written");
    scratch.sweep().expect("swept");
    assert_eq!(left(&temp), 0);
    assert!(Scratch::open(&temp.path().join("kept/none")).is_err());
}

#[test]
fn a_link_is_no_place_for_it() {
    let temp = tempfile::tempdir().expect("a directory");
    fs::create_dir(temp.path().join("elsewhere")).expect("made");
    let link = temp.path().join("scratch");
    std::os::unix::fs::symlink(temp.path().join("elsewhere"), &link).expect("linked");
    assert!(Scratch::open(&link).is_err());
}

#[test]
fn a_mount_of_its_own_is_private_and_empty() {
    let all = json!(["read", "write", "create", "delete", "list"]);
    let world = World::new(&json!([{"mount": "scratch", "rights": all}]), &json!([]));
    let mine = world.root("scratch");
    assert_eq!(list(&mine), Ok(Vec::new()));
    write(&mine, "x", "text").expect("written");
    let World { temp, view, .. } = world;
    assert!(!tree(&temp.path().join("private")).is_empty());
    drop((mine, view));
    assert!(tree(&temp.path().join("private")).is_empty());
}
