//! Changes that are seen by the call and by nobody else until they are applied.

use super::*;
use crate::{ChangeKind, CommitError, Pending};

fn world() -> World {
    let all = json!(["read", "write", "create", "delete", "list"]);
    let world = World::new(
        &json!([{"mount": "workspace", "rights": all, "writes": "overlay"}]),
        &json!([]),
    );
    let at = world.host("workspace");
    fs::create_dir_all(at.join("a/deep")).expect("made");
    fs::write(at.join("keep"), "keep").expect("written");
    fs::write(at.join("change"), "before").expect("written");
    fs::write(at.join("gone"), "gone").expect("written");
    fs::write(at.join("a/x"), "x").expect("written");
    fs::write(at.join("a/deep/y"), "y").expect("written");
    world
}

/// Every file below a directory of the host, with its text.
fn contents(of: &Path) -> Vec<String> {
    let read = |path: String| match fs::read_to_string(of.join(&path)) {
        Ok(text) => format!("{path}: {text}"),
        Err(_) => path,
    };
    tree(of).into_iter().map(read).collect()
}

fn changed(pending: &Pending) -> Vec<String> {
    let show = |change: crate::Change| {
        let kind = match change.kind {
            ChangeKind::Created => "+",
            ChangeKind::Changed => "~",
            ChangeKind::Deleted => "-",
        };
        format!("{kind}{} {}", change.path, change.bytes)
    };
    pending.changes().into_iter().map(show).collect()
}

/// The new text of each change, which is none where something is gone or a directory.
fn new_contents(pending: &Pending) -> Vec<String> {
    let text = |change: crate::Change| {
        let mut bytes = Vec::new();
        let read = pending.read(&change, |piece| bytes.extend_from_slice(piece));
        read.expect("read");
        String::from_utf8(bytes).expect("a text")
    };
    pending.changes().into_iter().map(text).collect()
}

fn work(workspace: &Directory) {
    write(workspace, "new", "new").expect("written");
    write(workspace, "change", "after").expect("written");
    workspace.remove_file("gone").expect("removed");
    workspace.create_directory("b").expect("made");
    write(workspace, "b/z", "z").expect("written");
    workspace.rename("a/x", workspace, "b/x").expect("moved");
    workspace.remove_file("a/deep/y").expect("removed");
    workspace.remove_directory("a/deep").expect("removed");
    write(workspace, "a/deep", "a file now").expect("written");
}

const WORKED: [&str; 9] = [
    "a",
    "a/deep: a file now",
    "b",
    "b/x: x",
    "b/z: z",
    "change: after",
    "keep: keep",
    "new: new",
    "",
];

#[test]
fn nothing_happens_until_it_is_applied_and_then_all_does() {
    let world = world();
    let before = contents(&world.host("workspace"));
    let workspace = world.workspace();
    work(&workspace);
    assert_eq!(contents(&world.host("workspace")), before);
    assert_eq!(read(&workspace, "change"), Ok("after".to_owned()));
    assert_eq!(read(&workspace, "gone"), Err(Error::NoEntry));
    assert_eq!(read(&workspace, "a/x"), Err(Error::NoEntry));
    assert_eq!(read(&workspace, "keep"), Ok("keep".to_owned()));
    assert_eq!(
        list(&workspace).expect("listed"),
        ["a", "b", "change", "keep", "new"]
    );
    let b = directory(workspace.open("b", READ).expect("opened"));
    assert_eq!(list(&b).expect("listed"), ["x", "z"]);
    let pending = world.view.pending().expect("an overlay");
    let expected = [
        "~a/deep 10",
        "-a/deep/y 0",
        "-a/x 0",
        "+b 0",
        "+b/x 1",
        "+b/z 1",
        "~change 5",
        "-gone 0",
        "+new 3",
    ];
    assert_eq!(changed(&pending), expected);
    assert_eq!(
        new_contents(&pending),
        ["a file now", "", "", "", "x", "z", "after", "", "new"]
    );
    pending.commit().expect("applied");
    assert_eq!(contents(&world.host("workspace")), WORKED[..8]);
}

#[test]
fn dropped_it_never_happened() {
    let world = world();
    let before = contents(&world.host("workspace"));
    work(&world.workspace());
    let World { temp, view, .. } = world;
    drop(view.pending());
    drop(view);
    assert_eq!(contents(&temp.path().join("workspace")), before);
    assert!(tree(&temp.path().join("private")).is_empty());
}

#[test]
fn a_file_that_somebody_else_changed_stops_all() {
    for (path, text) in [
        ("change", Some("theirs")),
        ("gone", Some("theirs")),
        ("new", Some("theirs")),
        ("b", Some("theirs")),
        ("a/x", None),
        ("change", None),
    ] {
        let world = world();
        work(&world.workspace());
        let place = world.host("workspace").join(path);
        match text {
            Some(text) => fs::write(place, text).expect("written"),
            None => fs::remove_file(place).expect("removed"),
        }
        let theirs = contents(&world.host("workspace"));
        let conflict = world.view.pending().expect("an overlay").commit();
        let Err(CommitError::Conflict { path: found, .. }) = conflict else {
            panic!("{path}: {conflict:?}");
        };
        assert_eq!(found.as_str(), path);
        assert_eq!(contents(&world.host("workspace")), theirs, "{path}");
    }
}

/// Each change of `work`, and the rights without which it is not applied.
#[test]
fn what_was_taken_back_meanwhile_is_not_applied() {
    for (path, taken, refused) in [
        ("new", &[Right::Create][..], Some(Right::Create)),
        ("change", &[Right::Write, Right::Create], Some(Right::Write)),
        ("change", &[Right::Write], None),
        ("change", &[Right::Delete], None),
        ("gone", &[Right::Delete], Some(Right::Delete)),
        ("b", &[Right::Create], Some(Right::Create)),
        ("a/x", &[Right::Delete], Some(Right::Delete)),
        ("b/x", &[Right::Create], Some(Right::Create)),
        ("a/deep", &[Right::Delete], Some(Right::Delete)),
        ("a/deep", &[Right::Create], Some(Right::Create)),
        ("keep", &[Right::Write, Right::Create, Right::Delete], None),
    ] {
        let world = world();
        work(&world.workspace());
        let before = contents(&world.host("workspace"));
        let taken = taken.iter().map(|right| (*right, path));
        world.gate.taken.lock().expect("no panic").extend(taken);
        let done = world.view.pending().expect("an overlay").commit();
        let after = contents(&world.host("workspace"));
        match (refused, done) {
            (None, Ok(())) => assert_eq!(after, WORKED[..8], "{path}"),
            (Some(right), Err(CommitError::Refused(ask))) => {
                assert_eq!((ask.path.as_str(), ask.right), (path, right));
                assert_eq!(after, before, "{path}");
            }
            (_, done) => panic!("{path}: {done:?}"),
        }
    }
}

#[test]
fn what_an_overlay_does_not_do_it_says() {
    let world = world();
    let workspace = world.workspace();
    std::os::unix::fs::symlink("keep", world.host("workspace/link")).expect("planted");
    assert_eq!(workspace.symlink("keep", "second"), Err(Error::Unsupported));
    assert_eq!(
        workspace.link("keep", &workspace, "second"),
        Err(Error::Unsupported)
    );
    assert_eq!(
        workspace.rename("a", &workspace, "c"),
        Err(Error::CrossDevice)
    );
    assert_eq!(read(&workspace, "link"), Err(Error::Loop));
    assert_eq!(read(&workspace, "link/x"), Err(Error::Loop));
    assert_eq!(workspace.read_link("link"), Ok("keep".to_owned()));
    assert_eq!(
        read(&workspace, "../secret/canary"),
        Err(Error::NotPermitted)
    );
    assert_eq!(workspace.remove_directory("a"), Err(Error::NotEmpty));
    assert_eq!(workspace.create_directory("no/where"), Err(Error::NoEntry));
    assert_eq!(write(&workspace, "keep/x", ""), Err(Error::NotDirectory));
    workspace.remove_file("link").expect("a link may go");
    assert!(changed(&world.view.pending().expect("an overlay")).contains(&"-link 0".to_owned()));
}

#[test]
fn a_directory_of_the_call_moves_with_what_is_in_it() {
    let world = world();
    let workspace = world.workspace();
    workspace.create_directory("b").expect("made");
    workspace.create_directory("b/c").expect("made");
    write(&workspace, "b/c/x", "x").expect("written");
    workspace.rename("b", &workspace, "d").expect("moved");
    assert_eq!(read(&workspace, "d/c/x"), Ok("x".to_owned()));
    assert_eq!(read(&workspace, "b/c/x"), Err(Error::NoEntry));
    workspace.remove_file("d/c/x").expect("removed");
    workspace.remove_directory("d/c").expect("removed");
    workspace.remove_directory("d").expect("removed");
    assert!(changed(&world.view.pending().expect("an overlay")).is_empty());
}

#[test]
fn what_is_copied_counts_as_written() {
    let all = json!(["read", "write", "create", "delete", "list"]);
    let world = World::new(
        &json!([{
            "mount": "workspace", "rights": all, "writes": "overlay", "quota": {"write_bytes": 10},
        }]),
        &json!([]),
    );
    fs::write(world.host("workspace/large"), [0; 100]).expect("written");
    let refused = world.workspace().open("large", WRITE).err();
    assert_eq!(refused, Some(Error::Limit(crate::Limit::Disk, 10)));
    write(&world.workspace(), "large", "short").expect("nothing is copied that is cut off");
}
