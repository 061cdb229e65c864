//! Each operation needs its own rights on the path it reaches.

use std::os::unix::fs::symlink;

use super::*;
use crate::{NewTime, Stat};

const OUTCOME: Error = Error::NotPermitted;

/// `workspace` with these rights on all of it, `file` and `a/` in it.
fn with(rights: &Value) -> World {
    let world = World::new(
        &json!([{"mount": "workspace", "rights": rights}]),
        &json!([]),
    );
    fs::write(world.host("workspace/file"), "text").expect("written");
    fs::create_dir(world.host("workspace/a")).expect("made");
    world
}

/// FS-09: by opening, by name and by descriptor.
#[test]
fn a_read_only_mount_stays_as_it_is() {
    let world = with(&json!(["read", "list"]));
    let workspace = world.workspace();
    let metadata = || fs::metadata(world.host("workspace/file")).expect("there");
    let before = (metadata().modified().expect("a time"), metadata().len());
    let truncate = OpenHow {
        truncate: true,
        ..READ
    };
    let create = OpenHow {
        create: true,
        ..READ
    };
    for how in [WRITE, REPLACE, truncate, create] {
        assert_eq!(workspace.open("file", how).err(), Some(OUTCOME), "{how:?}");
        assert_eq!(workspace.open("new", how).err(), Some(OUTCOME), "{how:?}");
    }
    let now = NewTime::Now;
    assert_eq!(
        workspace.set_times_at("file", AtEnd::Link, now, now),
        Err(OUTCOME)
    );
    assert_eq!(workspace.create_directory("b"), Err(OUTCOME));
    assert_eq!(workspace.remove_file("file"), Err(OUTCOME));
    assert_eq!(workspace.remove_directory("a"), Err(OUTCOME));
    assert_eq!(workspace.rename("file", &workspace, "b"), Err(OUTCOME));
    assert_eq!(workspace.symlink("file", "b"), Err(OUTCOME));
    assert_eq!(workspace.link("file", &workspace, "b"), Err(OUTCOME));
    let open = file(workspace.open("file", READ).expect("opened"));
    assert_eq!(open.set_size(0), Err(Error::BadDescriptor));
    assert_eq!(open.set_times(now, now), Err(Error::BadDescriptor));
    assert_eq!(open.write(b"x", 0), Err(Error::BadDescriptor));
    assert_eq!(open.append(b"x"), Err(Error::BadDescriptor));
    assert_eq!(
        (metadata().modified().expect("a time"), metadata().len()),
        before
    );
    assert_eq!(tree(&world.host("workspace")), ["a", "file"]);
    assert_eq!(read(&workspace, "file"), Ok("text".to_owned()));
}

/// FS-11: an open file gives no more than it was opened for.
#[test]
fn to_write_is_not_to_see() {
    let world = with(&json!(["write", "create"]));
    let workspace = world.workspace();
    let open = file(workspace.open("file", WRITE).expect("opened"));
    assert_eq!(open.write(b"more", 0), Ok(4));
    assert_eq!(open.read(4, 0), Err(Error::BadDescriptor));
    assert_eq!(open.stat().map(|stat: Stat| stat.size), Err(OUTCOME));
    assert_eq!(open.identity().err(), Some(OUTCOME));
    assert_eq!(workspace.stat_at("file", AtEnd::Link).err(), Some(OUTCOME));
    assert_eq!(workspace.stat().err(), Some(OUTCOME));
    assert_eq!(list(&workspace).err(), Some(OUTCOME));
    assert_eq!(read(&workspace, "file"), Err(OUTCOME));
    assert_eq!(workspace.remove_file("file"), Err(OUTCOME));
    let exclusive = OpenHow {
        create: true,
        exclusive: true,
        ..WRITE
    };
    assert_eq!(workspace.open("file", exclusive).err(), Some(Error::Exist));
}

#[test]
fn to_write_is_not_to_create() {
    let world = with(&json!(["read", "write", "list"]));
    let workspace = world.workspace();
    assert_eq!(write(&workspace, "file", "new"), Ok(()));
    assert_eq!(write(&workspace, "other", "new"), Err(OUTCOME));
    assert_eq!(world.noted(), ["create /workspace/other"]);
}

#[test]
fn to_create_is_to_fill_what_was_made_once() {
    let world = with(&json!(["create"]));
    let workspace = world.workspace();
    assert_eq!(write(&workspace, "new", "text"), Ok(()));
    assert_eq!(write(&workspace, "new", "again"), Err(OUTCOME));
    assert_eq!(write(&workspace, "file", "again"), Err(OUTCOME));
    assert_eq!(
        fs::read_to_string(world.host("workspace/new")).expect("there"),
        "text"
    );
}

#[test]
fn what_is_denied_is_not_reached_by_another_name() {
    let all = json!(["read", "write", "create", "delete", "list"]);
    let world = World::new(
        &json!([{"mount": "workspace", "rights": all}]),
        &json!([{"paths": ["a/secret/**"]}]),
    );
    let workspace = world.workspace();
    fs::create_dir_all(world.host("workspace/a/secret")).expect("made");
    fs::write(world.host("workspace/a/secret/x"), CANARY).expect("written");
    symlink("a/secret/x", world.host("workspace/link")).expect("planted");
    symlink("a", world.host("workspace/to-a")).expect("planted");
    for path in [
        "a/secret/x",
        "a/./secret//x",
        "link",
        "to-a/secret/x",
        "b/../a/secret/x",
    ] {
        assert!(read(&workspace, path).is_err(), "{path}");
    }
    assert_eq!(workspace.rename("a", &workspace, "b"), Err(OUTCOME));
    assert_eq!(workspace.rename("a/secret", &workspace, "b"), Err(OUTCOME));
    assert_eq!(workspace.link("a/secret/x", &workspace, "b"), Err(OUTCOME));
    assert_eq!(workspace.symlink("a/secret/x", "b"), Err(OUTCOME));
    write(&workspace, "free", "x").expect("written");
    assert_eq!(
        workspace.rename("free", &workspace, "a/secret/y"),
        Err(OUTCOME)
    );
    assert_eq!(tree(&world.host("workspace/a")), ["secret", "secret/x"]);
}

#[test]
fn a_part_of_a_mount_is_that_part() {
    let world = World::new(
        &json!([
            {"mount": "workspace", "paths": ["data/**"]},
            {"mount": "workspace", "paths": ["in/*.txt"], "rights": ["write", "create", "delete"]},
            {"mount": "workspace", "paths": ["out/**"], "rights": ["read", "create", "write"]},
        ]),
        &json!([]),
    );
    let workspace = world.workspace();
    for name in ["data", "data2", "database", "in", "out"] {
        fs::create_dir(world.host("workspace").join(name)).expect("made");
        fs::write(world.host("workspace").join(name).join("x.txt"), "text").expect("written");
    }
    symlink("../data2/x.txt", world.host("workspace/data/link")).expect("planted");
    assert_eq!(read(&workspace, "data/x.txt"), Ok("text".to_owned()));
    for path in [
        "data2/x.txt",
        "database/x.txt",
        "data/link",
        "data/../data2/x.txt",
        "in/x.txt",
    ] {
        assert_eq!(read(&workspace, path), Err(OUTCOME), "{path}");
    }
    assert_eq!(list(&workspace), Err(OUTCOME));
    // What can't be read where it is can't be made readable by moving it.
    assert_eq!(
        workspace.rename("in/x.txt", &workspace, "out/y.txt"),
        Err(OUTCOME)
    );
    assert_eq!(write(&workspace, "in/new.txt", "x"), Ok(()));
    assert_eq!(write(&workspace, "in/new.rs", "x"), Err(OUTCOME));
}

/// FS-10: no name leads from one mount into the other.
#[test]
fn mounts_do_not_mix() {
    let world = World::open();
    let (workspace, other) = (world.workspace(), world.root("other"));
    write(&workspace, "file", "text").expect("written");
    assert_eq!(
        workspace.rename("file", &other, "file"),
        Err(Error::CrossDevice)
    );
    assert_eq!(
        workspace.link("file", &other, "file"),
        Err(Error::CrossDevice)
    );
    assert_eq!(
        other.link("canary", &workspace, "mine"),
        Err(Error::CrossDevice)
    );
    workspace
        .link("file", &workspace, "second")
        .expect("linked");
    let identity = |name: &str| workspace.identity_at(name, AtEnd::Link).expect("there");
    assert_eq!(identity("file"), identity("second"));
    write(&workspace, "third", "text").expect("written");
    assert_ne!(identity("file"), identity("third"));
}

#[test]
fn a_refused_path_tells_nothing_of_what_is_there() {
    let world = World::new(&json!([{"mount": "workspace", "paths": ["a"]}]), &json!([]));
    let workspace = world.workspace();
    fs::write(world.host("workspace/there"), "x").expect("written");
    for path in ["there", "missing", "missing/x", "there/x"] {
        assert_eq!(read(&workspace, path), Err(OUTCOME), "{path}");
        assert_eq!(
            workspace.stat_at(path, AtEnd::Target).err(),
            Some(OUTCOME),
            "{path}"
        );
        assert_eq!(workspace.read_link(path), Err(OUTCOME), "{path}");
    }
}

#[test]
fn a_listing_that_is_taken_back_ends() {
    let world = World::open();
    for n in 0..3_000 {
        fs::write(world.host("workspace").join(format!("file-{n}")), "").expect("written");
    }
    let mut listing = world.workspace().list().expect("begun");
    assert!(listing.next().expect("a page").is_some());
    let taken = (Right::List, "");
    world.gate.taken.lock().expect("no panic").push(taken);
    while listing.pop().is_some() {}
    assert_eq!(listing.next(), Err(Error::NotPermitted));
    assert_eq!(world.noted(), ["list /workspace"]);
}
