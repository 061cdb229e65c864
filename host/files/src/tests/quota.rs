//! What a call may use up.

use cofferdam_testing::scale;

use super::*;
use crate::Limit;

fn with(quota: &Value) -> World {
    let all = json!(["read", "write", "create", "delete", "list"]);
    World::new(
        &json!([{"mount": "workspace", "rights": all, "quota": quota}]),
        &json!([]),
    )
}

/// FS-20: written, appended, as a hole, or as a size.
#[test]
fn bytes_are_counted_however_they_come() {
    let world = with(&json!({"write_bytes": 100}));
    let workspace = world.workspace();
    let reached = Error::Limit(Limit::Disk, 100);
    let open = file(workspace.open("file", REPLACE).expect("opened"));
    assert_eq!(open.set_size(1 << 62), Err(reached));
    assert_eq!(open.set_size(u64::MAX), Err(reached));
    assert_eq!(open.write(b"x", 1 << 40), Err(reached), "a hole counts");
    assert_eq!(open.write(b"x", u64::MAX - 1), Err(Error::FileTooLarge));
    assert_eq!(open.write(&[0; 60], 0), Ok(60));
    assert_eq!(open.write(&[0; 60], 0), Err(reached), "written over counts");
    assert_eq!(open.append(&[0; 40]), Ok(40));
    assert_eq!(open.append(&[0; 1]), Err(reached));
    assert_eq!(
        fs::metadata(world.host("workspace/file"))
            .expect("there")
            .len(),
        100
    );
    open.set_size(0).expect("smaller costs nothing");
    assert_eq!(open.append(&[0; 1]), Err(reached), "nothing is given back");
}

/// FS-19: files, directories and links, and how deep they lie.
#[test]
fn what_is_made_is_counted() {
    let world = with(&json!({"files": 3, "depth": 2}));
    let workspace = world.workspace();
    write(&workspace, "a", "").expect("first");
    write(&workspace, "a", "").expect("the same again");
    workspace.create_directory("b").expect("second");
    assert_eq!(workspace.create_directory("b"), Err(Error::Exist));
    workspace.create_directory("b/c").expect("third");
    let files = Error::Limit(Limit::Files, 3);
    assert_eq!(write(&workspace, "d", ""), Err(files));
    assert_eq!(workspace.symlink("a", "d"), Err(files));
    assert_eq!(workspace.link("a", &workspace, "d"), Err(files));
    let deep = Error::Limit(Limit::Depth, 2);
    assert_eq!(workspace.create_directory("b/c/d"), Err(deep));
    assert_eq!(write(&workspace, "b/c/d", ""), Err(deep));
    assert_eq!(workspace.rename("a", &workspace, "b/c/a"), Err(deep));
}

#[test]
fn a_tree_does_not_come_to_lie_deeper() {
    let world = with(&json!({"depth": 4}));
    let workspace = world.workspace();
    for path in ["a", "a/b", "c", "c/d"] {
        workspace.create_directory(path).expect("made");
    }
    assert_eq!(
        workspace.rename("a", &workspace, "c/d/a"),
        Err(Error::CrossDevice)
    );
    workspace
        .rename("a", &workspace, "e")
        .expect("as deep as before");
    assert_eq!(
        workspace.rename("c", &workspace, "c/d/c"),
        Err(Error::CrossDevice)
    );
}

/// FS-21: at the limit there are no more.
#[test]
fn open_descriptors_are_counted_and_given_back() {
    let world = with(&json!({"open": 2}));
    let workspace = world.workspace();
    write(&workspace, "file", "").expect("written");
    let first = workspace.open("file", READ).expect("first");
    let _second = workspace.open(".", READ).expect("second");
    assert_eq!(
        workspace.open("file", READ).err(),
        Some(Error::Limit(Limit::Handles, 2))
    );
    drop(first);
    workspace.open("file", READ).expect("a place is free");
}

/// FS-22: no page is larger than another.
#[test]
fn a_large_directory_is_listed_in_pages() {
    let world = with(&json!({}));
    let workspace = world.workspace();
    let names = scale::of(1_000_000, 5_000);
    for n in 0..names {
        fs::write(world.host("workspace").join(format!("file-{n}")), "").expect("written");
    }
    let mut listing = workspace.list().expect("begun");
    let mut seen = std::collections::HashSet::new();
    while let Some(entry) = listing.next().expect("read") {
        assert!(seen.insert(entry.name.expect("UTF-8")));
        assert!(listing.held() < 2_000, "a page at a time");
    }
    assert_eq!(seen.len(), names);
}
