//! Paths, links and things that are no files.

use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::process::Command;

use super::*;

/// FS-01, FS-02: by `..` or by an absolute path, whatever the operation.
#[test]
fn paths_that_lead_out_lead_nowhere() {
    let world = World::open();
    let workspace = world.workspace();
    workspace.create_directory("a").expect("made");
    for path in [
        "../secret/canary",
        "a/../../secret/canary",
        "./../secret/canary",
        "a/../../workspace2/canary",
        "..",
        "a/../..",
        "/etc/passwd",
        "//etc/passwd",
        "/proc/self/environ",
        "/workspace/a",
    ] {
        assert_eq!(read(&workspace, path), Err(Error::NotPermitted), "{path}");
        assert_eq!(world.noted(), [format!("leaves {path}")]);
        assert_eq!(
            write(&workspace, path, "x"),
            Err(Error::NotPermitted),
            "{path}"
        );
        assert_eq!(workspace.create_directory(path), Err(Error::NotPermitted));
        assert_eq!(workspace.remove_file(path), Err(Error::NotPermitted));
        assert_eq!(
            workspace.rename("a", &workspace, path),
            Err(Error::NotPermitted)
        );
        world.noted();
    }
    let a = directory(workspace.open("a", READ).expect("opened"));
    assert_eq!(
        read(&a, "../a/x"),
        Err(Error::NotPermitted),
        "above its start"
    );
    world.check_untouched();
}

/// FS-03, FS-05, FS-16: whoever made the link, and however it is spelt.
#[test]
fn links_lead_inside_or_nowhere() {
    let world = World::open();
    let workspace = world.workspace();
    write(&workspace, "file", "text").expect("written");
    workspace.create_directory("a").expect("made");
    let plant = |target: &str, name: &str| {
        symlink(target, world.host("workspace").join(name)).expect("planted");
    };
    plant("../file", "a/inside");
    plant("inside", "a/twice");
    plant("../../secret/canary", "a/out");
    plant("../../secret", "a/dir-out");
    plant("../../secret/", "a/dir-out-slash");
    plant("..", "a/up");
    plant("up/../../secret/canary", "a/stairs");
    plant("/etc/passwd", "absolute");
    plant("/workspace/file", "guest-absolute");
    plant("loop-b", "loop-a");
    plant("loop-a", "loop-b");
    plant("self-link", "self-link");
    plant("/proc/self/root/etc/passwd", "magic");
    assert_eq!(read(&workspace, "a/inside"), Ok("text".to_owned()));
    assert_eq!(read(&workspace, "a/twice"), Ok("text".to_owned()));
    assert_eq!(read(&workspace, "a/up/a/up/file"), Ok("text".to_owned()));
    for path in [
        "a/out",
        "a/dir-out/canary",
        "a/dir-out-slash/canary",
        "a/stairs",
        "absolute",
        "absolute/",
        "guest-absolute",
        "magic",
        "a/dir-out/",
        "a/dir-out-slash/",
    ] {
        assert_eq!(read(&workspace, path), Err(Error::NotPermitted), "{path}");
        assert_eq!(
            write(&workspace, path, "x").err(),
            Some(Error::NotPermitted),
            "{path}"
        );
        let stat = workspace.stat_at(path, AtEnd::Target).err();
        assert_eq!(stat, Some(Error::NotPermitted), "{path}");
    }
    for path in ["loop-a", "self-link", "loop-a/x"] {
        assert_eq!(read(&workspace, path), Err(Error::Loop), "{path}");
    }
    assert_eq!(workspace.read_link("a/inside"), Ok("../file".to_owned()));
    assert_eq!(workspace.read_link("absolute"), Err(Error::NotPermitted));
    world.check_untouched();
}

/// FS-04: at the fortieth.
#[test]
fn chains_of_links_end() {
    let world = World::open();
    let workspace = world.workspace();
    write(&workspace, "link-0", "text").expect("written");
    for n in 1..=41 {
        workspace
            .symlink(&format!("link-{}", n - 1), &format!("link-{n}"))
            .expect("made");
    }
    assert_eq!(read(&workspace, "link-40"), Ok("text".to_owned()));
    assert_eq!(read(&workspace, "link-41"), Err(Error::Loop));
}

/// FS-03: not to be followed later by another either.
#[test]
fn a_guest_plants_no_link_that_leads_out() {
    let world = World::open();
    let workspace = world.workspace();
    workspace.create_directory("a").expect("made");
    for target in [
        "/etc/passwd",
        "..",
        "../secret",
        "a/../../secret",
        "../workspace/../secret",
        "a/../a",
        "../",
        "//x",
    ] {
        assert_eq!(
            workspace.symlink(target, "link"),
            Err(Error::NotPermitted),
            "{target}"
        );
    }
    assert_eq!(workspace.symlink("", "link"), Err(Error::NoEntry));
    assert_eq!(workspace.symlink("x\0", "link"), Err(Error::Invalid));
    workspace.symlink("../a/x", "a/link").expect("inside");
    assert_eq!(workspace.symlink("a", "link/"), Err(Error::NoEntry));
    let link = |name: &str| workspace.stat_at(name, AtEnd::Link).map(|stat| stat.kind);
    assert_eq!(link("a/link"), Ok(crate::Kind::Link));
    assert_eq!(link("link"), Err(Error::NoEntry));
}

/// A link that stays inside where it was made would lead out from a place with fewer names above it:
/// to whatever follows it natively, a person or a program of the machine.
#[test]
fn no_link_comes_to_lead_out_by_being_moved() {
    let world = World::open();
    let workspace = world.workspace();
    for path in ["a", "a/b", "a/c", "d", "d/e"] {
        workspace.create_directory(path).expect("made");
    }
    workspace
        .symlink("../../d", "a/b/link")
        .expect("as deep as it climbs");
    for to in ["link", "a/link"] {
        assert_eq!(
            workspace.rename("a/b/link", &workspace, to),
            Err(Error::CrossDevice)
        );
    }
    let inner = directory(workspace.open("a/b", READ).expect("opened"));
    assert_eq!(
        inner.rename("link", &workspace, "link"),
        Err(Error::CrossDevice)
    );
    assert_eq!(
        workspace.rename("a/b", &workspace, "b"),
        Err(Error::CrossDevice)
    );
    workspace
        .rename("a/b/link", &workspace, "a/c/link")
        .expect("as deep as before");
    workspace
        .rename("a/c", &workspace, "d/c")
        .expect("as deep as before");
    let target = world.host("workspace/d/c/link").canonicalize();
    let root = world.host("workspace").canonicalize().expect("there");
    assert!(target.is_ok_and(|target| target.starts_with(root)));
    workspace.create_directory("d/e/f").expect("made");
    workspace
        .rename("d/c/link", &workspace, "d/e/f/link")
        .expect("deeper");
}

/// FS-05, FS-06: a slash behind a link moves and opens nothing behind it.
#[test]
fn a_slash_at_the_end_makes_nothing_of_a_link() {
    let world = World::open();
    let workspace = world.workspace();
    write(&workspace, "file", "text").expect("written");
    workspace.create_directory("a").expect("made");
    symlink("../secret", world.host("workspace/out")).expect("planted");
    workspace.symlink("a", "inside").expect("made");
    let no_follow = OpenHow {
        at_end: AtEnd::Link,
        ..READ
    };
    assert!(workspace.open("out/", no_follow).is_err());
    assert!(workspace.open("file/", READ).is_err());
    assert_eq!(workspace.remove_file("inside/"), Err(Error::NotDirectory));
    assert!(workspace.remove_directory("inside/").is_err());
    assert_eq!(
        workspace.rename("out/", &workspace, "b"),
        Err(Error::NotDirectory)
    );
    assert_eq!(
        workspace.rename("out", &workspace, "b/"),
        Err(Error::NotDirectory)
    );
    assert_eq!(
        workspace.rename("file", &workspace, "b/"),
        Err(Error::NotDirectory)
    );
    assert!(workspace.stat_at("out/", AtEnd::Link).is_err());
    workspace
        .rename("a/", &workspace, "b/")
        .expect("a directory may be spelt so");
    assert_eq!(
        tree(&world.host("workspace")),
        ["b", "file", "inside", "out"]
    );
    world.check_untouched();
}

/// FS-15: what would wait is refused at once.
#[test]
fn only_files_and_directories_are_opened() {
    let world = World::open();
    let workspace = world.workspace();
    let pipe = world.host("workspace/pipe");
    let made = Command::new("mkfifo").arg(&pipe).status().expect("runs");
    assert!(made.success());
    let socket = world.host("workspace/socket");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).expect("bound");
    for name in ["pipe", "socket"] {
        for how in [READ, WRITE, REPLACE] {
            assert_eq!(
                workspace.open(name, how).err(),
                Some(Error::NotPermitted),
                "{name}"
            );
        }
        let kind = workspace.stat_at(name, AtEnd::Link).map(|stat| stat.kind);
        assert_eq!(kind, Ok(crate::Kind::Other));
        let moved = workspace.rename(name, &workspace, "moved");
        assert_eq!(moved, Err(Error::NotPermitted));
        workspace.remove_file(name).expect("may go");
    }
}

/// FS-17, FS-18: each name is that very name.
#[test]
fn odd_names_are_literal_or_clean_errors() {
    let world = World::open();
    let workspace = world.workspace();
    let long = "n".repeat(255);
    let odd = [
        "new\nline",
        "CON",
        "COM\u{b9}",
        "a:b",
        "file.",
        "\u{202e}txt.exe",
        " ",
        "-rf",
        "back\\slash",
        "..x",
        "...",
        "caf\u{e9}",
        "cafe\u{301}",
        "A",
        "a",
        &long,
    ];
    for name in odd {
        write(&workspace, name, name).expect(name);
    }
    for name in odd {
        assert_eq!(read(&workspace, name).as_deref(), Ok(name));
    }
    assert_eq!(list(&workspace).expect("listed").len(), odd.len());
    assert_eq!(write(&workspace, "n\0ul", ""), Err(Error::Invalid));
    assert_eq!(write(&workspace, "", ""), Err(Error::NoEntry));
    assert_eq!(
        write(&workspace, &"n".repeat(256), ""),
        Err(Error::NameTooLong)
    );
    assert_eq!(
        write(&workspace, &"a/".repeat(2_048), ""),
        Err(Error::NameTooLong)
    );
    let deep = format!("{}x", "./".repeat(2_047));
    assert_eq!(write(&workspace, &deep, "deep"), Ok(()));
    let raw = std::ffi::OsStr::from_bytes(b"not \xff utf8");
    fs::write(world.host("other").join(raw), "").expect("written");
    assert_eq!(list(&world.root("other")), Err(Error::IllegalByteSequence));
}

/// FS-08: whatever becomes of its name.
#[test]
fn a_mount_stays_the_directory_that_was_opened() {
    let world = World::open();
    let workspace = world.workspace();
    write(&workspace, "mine", "text").expect("written");
    fs::rename(world.host("workspace"), world.host("moved")).expect("moved");
    symlink(world.host("secret"), world.host("workspace")).expect("planted");
    assert_eq!(read(&workspace, "mine"), Ok("text".to_owned()));
    assert_eq!(read(&workspace, "canary"), Err(Error::NoEntry));
    write(&workspace, "new", "text").expect("written");
    assert!(world.host("moved/new").exists());
}

/// FS-24: neither for its owner nor for others.
#[test]
fn what_is_made_is_never_executable() {
    use std::os::unix::fs::PermissionsExt;
    let world = World::open();
    let workspace = world.workspace();
    write(&workspace, "file", "x").expect("written");
    workspace.create_directory("a").expect("made");
    let mode = |name: &str| {
        let metadata = fs::metadata(world.host("workspace").join(name)).expect("there");
        metadata.permissions().mode() & 0o7777
    };
    assert_eq!(mode("file") & !0o644, 0);
    assert_eq!(mode("a") & !0o755, 0);
}

/// FS-23: before 1970 and far beyond.
#[test]
fn times_of_any_age_are_told_or_left_out() {
    use crate::{Moment, NewTime};
    let world = World::open();
    let workspace = world.workspace();
    write(&workspace, "old", "x").expect("written");
    let old = Command::new("touch")
        .args(["-d", "1901-12-14"])
        .arg(world.host("workspace/old"))
        .status();
    assert!(old.expect("runs").success());
    let stat = workspace.stat_at("old", AtEnd::Link).expect("there");
    assert_eq!(stat.modified, None, "before 1970");
    for seconds in [0, 1 << 33, 1 << 40, i64::MAX as u64] {
        let time = NewTime::At(Moment {
            seconds,
            nanoseconds: 999_999_999,
        });
        workspace
            .set_times_at("old", AtEnd::Link, time, NewTime::Keep)
            .expect("set");
        workspace.stat_at("old", AtEnd::Link).expect("there");
    }
    for (seconds, nanoseconds) in [
        (u64::MAX, 0),
        (1 << 63, 0),
        (0, 1_000_000_000),
        (0, u32::MAX),
    ] {
        let time = NewTime::At(Moment {
            seconds,
            nanoseconds,
        });
        let refused = workspace.set_times_at("old", AtEnd::Link, time, NewTime::Now);
        assert_eq!(refused, Err(Error::Invalid));
    }
}
