mod model;

use std::path::PathBuf;
use std::sync::Arc;

use cofferdam_types::call::DenialCode;
use cofferdam_types::workspace::Access;
use serde_json::{Value, json};

use super::*;
use crate::origin::{Located, Origin};
use crate::slice::{Layer, Party, Slice};

fn allow(entry: Value) -> Result<Filesystem, String> {
    let entry = serde_json::from_value(entry).map_err(|error| error.to_string())?;
    Filesystem::allow(entry).map_err(|fault| format!("{}: {fault}", fault.pointer))
}

fn deny(entry: Value) -> Filesystem {
    Filesystem::deny(serde_json::from_value(entry).expect("an entry")).expect("a deny")
}

fn ask(right: Right, path: &str) -> FileAsk {
    let path = MountPath::root().joined(path).expect("a path");
    FileAsk::exact(&MountName::WORKSPACE, &path, right)
}

fn below(right: Right, path: &str) -> FileAsk {
    FileAsk {
        extent: Extent::Below,
        ..ask(right, path)
    }
}

/// The paths, of those given, that an allow with this glob covers.
fn covered<'a>(glob: &str, paths: &[&'a str]) -> Vec<&'a str> {
    let entry = allow(json!({"mount": "workspace", "paths": [glob]})).expect("an entry");
    let covers = |path: &&str| entry.covers(&ask(Right::Read, path));
    paths.iter().copied().filter(covers).collect()
}

/// FS-12, FS-18: names are compared whole and character by character.
#[test]
fn a_glob_means_what_it_says() {
    assert_eq!(covered("data/**", &["data", "data/a", "data/a/b"]).len(), 3);
    assert!(covered("data/**", &["data2", "database/x", "Data/a", "x/data", ""]).is_empty());
    assert_eq!(
        covered("*.rs", &["a.rs", ".rs", "src/a.rs", "a.rsx", "a.RS"]),
        ["a.rs", ".rs"]
    );
    assert_eq!(
        covered("src/**/*.rs", &["src/a.rs", "src/x/y/a.rs", "a.rs"]),
        ["src/a.rs", "src/x/y/a.rs"]
    );
    assert_eq!(covered("a*b*c", &["abc", "axbyc", "abb", "acb"]).len(), 2);
    assert_eq!(
        covered("ab*bc", &["abc", "abbc", "ab bc"]),
        ["abbc", "ab bc"]
    );
    assert_eq!(covered(".", &["", "a"]), [""]);
    assert_eq!(covered("*", &["", "a", "a/b"]), ["a"]);
    assert_eq!(covered("**", &["", "a", "a/b"]).len(), 3);
    assert!(covered("caf\u{e9}", &["cafe\u{301}"]).is_empty());
}

#[test]
fn a_glob_that_could_surprise_is_refused() {
    for bad in [
        "", "/data", "a//b", "a/", "../a", "a/./b", "[ab]", "{a,b}", "a?", "!a", "a\\*", "**.rs",
        "a**",
    ] {
        let refused = allow(json!({"mount": "workspace", "paths": ["ok", bad]}));
        let reason = refused.expect_err(bad);
        assert!(reason.starts_with("/paths/1: "), "{bad}: {reason}");
    }
}

#[test]
fn what_is_left_out_is_narrow_below_allow_and_wide_below_deny() {
    let entry = allow(json!({"mount": "workspace"})).expect("an entry");
    let given = Right::ALL.map(|right| entry.covers(&ask(right, "a")));
    assert_eq!(given, [true, false, false, false, true]);
    assert!(!entry.covers(&FileAsk {
        mount: MountName::SCRATCH,
        ..ask(Right::Read, "a")
    }));
    let all = deny(json!({}));
    assert!(
        Right::ALL
            .iter()
            .all(|right| all.covers(&ask(*right, "a/b")))
    );
    for nothing in [
        json!({"mount": "workspace", "rights": []}),
        json!({"mount": "workspace", "paths": []}),
    ] {
        let entry = allow(nothing).expect("an entry");
        assert!(
            Right::ALL
                .iter()
                .all(|right| !entry.covers(&ask(*right, "")))
        );
    }
}

#[test]
fn entries_that_make_no_sense_are_refused() {
    for (entry, part) in [
        (json!({"paths": ["**"]}), "names its mount"),
        (json!({"mount": "No Such"}), "/mount"),
        (json!({"mount": "../x"}), "/mount"),
        (json!({"mount": "workspace", "path": "x"}), "unknown field"),
        (
            json!({"mount": "workspace", "rights": ["execute"]}),
            "unknown variant",
        ),
        (json!({"mount": "workspace", "under": "dir"}), "/under"),
        (json!({"mount": "workspace", "under": "args."}), "/under"),
        (
            json!({"mount": "workspace", "quota": {"bytes": 1}}),
            "unknown field",
        ),
        (
            json!({"mount": "workspace", "quota": {"write_bytes": "10"}}),
            "a size",
        ),
    ] {
        let reason = allow(entry).expect_err(part);
        assert!(reason.contains(part), "{part}: {reason}");
    }
    let quota: Entry = serde_json::from_value(json!({"quota": {}})).expect("an entry");
    assert!(Filesystem::deny(quota).is_err());
}

#[test]
fn an_argument_narrows_and_one_that_is_missing_gives_nothing() {
    let entry = allow(json!({"mount": "workspace", "under": "args.where.dir"})).expect("an entry");
    assert!(entry.is_bound_by_arguments());
    assert!(!entry.covers(&ask(Right::Read, "a")), "not yet of any call");
    let covers = |dir: Value, path: &str| {
        entry
            .bound(&json!({"where": {"dir": dir}}))
            .is_some_and(|bound| bound.covers(&ask(Right::Read, path)))
    };
    for dir in [
        "a/b",
        "./a//b/",
        "a/c/../b",
        "/workspace/a/b",
        "//workspace/./a/b",
    ] {
        assert!(covers(json!(dir), "a/b"), "{dir}");
        assert!(covers(json!(dir), "a/b/c"), "{dir}");
        assert!(!covers(json!(dir), "a/bc"), "{dir}");
        assert!(!covers(json!(dir), "a"), "{dir}");
    }
    for nothing in [
        json!(""),
        json!("../a"),
        json!("/a"),
        json!("/"),
        json!("/scratch/a"),
        json!("a\0"),
        json!(["a"]),
        json!(null),
        json!(7),
    ] {
        assert!(!covers(nothing.clone(), "a"), "{nothing}");
    }
    assert!(entry.bound(&json!({})).is_none());
    let shut = deny(json!({"under": "args.dir"}));
    let bound = shut.bound(&json!({})).expect("a deny stays");
    assert!(bound.covers(&ask(Right::Read, "a")));
}

#[test]
fn a_rename_of_a_directory_needs_all_below_it() {
    let entry = |paths: Value| {
        allow(json!({"mount": "workspace", "paths": paths, "rights": ["delete"]})).expect("ok")
    };
    let covers = |paths: Value, path: &str| entry(paths).covers(&below(Right::Delete, path));
    assert!(covers(json!(["a/**"]), "a"));
    assert!(covers(json!(["a/**"]), "a/b"));
    assert!(!covers(json!(["a/**"]), ""));
    assert!(!covers(json!(["a/*"]), "a"));
    assert!(!covers(json!(["a", "a/*", "a/**/x"]), "a"));
    let shut = deny(json!({"paths": ["a/**/key.pem"]}));
    assert!(shut.covers(&below(Right::Delete, "a")));
    assert!(shut.covers(&below(Right::Delete, "a/b/c")));
    assert!(shut.covers(&below(Right::Delete, "")));
    assert!(!shut.covers(&below(Right::Delete, "b")));
    assert!(!shut.covers(&ask(Right::Delete, "a")));
    let bound = deny(json!({"under": "args.dir"})).bound(&json!({"dir": "a/b"}));
    let bound = bound.expect("bound");
    assert!(bound.covers(&below(Right::Delete, "a")));
    assert!(bound.covers(&below(Right::Delete, "a/b/c")));
    assert!(!bound.covers(&below(Right::Delete, "b")));
}

#[test]
fn the_smallest_grant_allows_the_use_and_nothing_beside_it() {
    for ask in [
        ask(Right::Write, "src/main.rs"),
        ask(Right::List, ""),
        below(Right::Delete, "a b/c"),
        ask(Right::Read, "odd [1]/\"quoted\": {x}"),
        ask(Right::Read, "stars**\n"),
    ] {
        let text = Filesystem::smallest(&ask);
        let entry: Entry = serde_saphyr::from_str(&text).expect(&text);
        let entry = Filesystem::allow(entry).expect(&text);
        assert!(entry.covers(&ask), "{text}");
        assert!(
            !entry.covers(&super::tests::ask(ask.right, "other")),
            "{text}"
        );
    }
}

/// FS-13, FS-14: mounts that are no plain directory, and those that show the machine.
#[test]
fn mounts_that_mean_something_else_than_they_say_are_refused() {
    let own = [PathBuf::from("/var/lib/cofferdam"), PathBuf::from("/keys")];
    let define = |name: &str, path: &str, dangerous: bool| {
        let entry = json!({"path": path, "dangerous": dangerous});
        let entry = serde_json::from_value(entry).expect("an entry");
        let name = name.parse().expect("a name");
        Mounts::default().define(&name, &entry, &own)
    };
    for bad in [
        "",
        "srv",
        "./srv",
        "~/srv",
        "/home/~me",
        "$HOME/x",
        "/srv/../etc",
        "/srv/.",
        "/srv/./x",
        "/s\0v",
    ] {
        assert!(define("refs", bad, true).is_err(), "{bad:?}");
    }
    for bad in [
        "/",
        "//",
        "/proc",
        "/proc/self",
        "/sys/kernel",
        "/dev/shm",
        "/run",
        "/var",
        "/var/run/x",
        "/var/lib",
        "/var/lib/cofferdam",
        "/var/lib/cofferdam/x/",
        "/keys",
    ] {
        assert!(define("refs", bad, false).is_err(), "{bad:?}");
        assert!(define("refs", bad, true).is_ok(), "{bad:?}");
    }
    for good in [
        "/srv",
        "/srv//refs/",
        "/procfiles",
        "/var/library",
        "/keys2",
    ] {
        assert!(define("refs", good, false).is_ok(), "{good:?}");
    }
    assert!(define("workspace", "/srv", false).is_err());
    assert!(define("scratch", "/srv", false).is_err());
}

#[test]
fn a_link_does_not_hide_where_a_mount_is() {
    let mut mounts = Mounts::default();
    let name: MountName = "refs".parse().expect("a name");
    let entry = serde_json::from_value(json!({"path": "/srv/refs"})).expect("an entry");
    mounts.define(&name, &entry, &[]).expect("defined");
    assert!(
        mounts
            .check_resolved(&name, "/srv/other".as_ref(), &[])
            .is_ok()
    );
    assert!(
        mounts
            .check_resolved(&name, "/proc/1".as_ref(), &[])
            .is_err()
    );
    assert!(mounts.check_resolved(&name, "/".as_ref(), &[]).is_err());
}

/// Files of a call under one layer for each list of entries.
fn files(layers: &[Value], declared: Access, offered: Option<Access>) -> Files {
    let layer = |entries: &Value| Layer {
        party: Party::Policy,
        allows: entries
            .as_array()
            .expect("a list")
            .iter()
            .map(|entry| Located {
                value: allow(entry.clone()).expect("an entry"),
                origin: Origin::builtin("test"),
            })
            .collect(),
    };
    let mut layers = layers.iter().map(layer);
    let first = layers.next().expect("a layer");
    let slice = layers.fold(Slice::new(first, Arc::new([])), Slice::within);
    let workspace = offered.map(|access| Workspace {
        path: PathBuf::from("/data/w"),
        access,
    });
    let mut mounts = Mounts::default();
    let entry = serde_json::from_value(json!({"path": "/srv/refs"})).expect("an entry");
    let name = "refs".parse().expect("a name");
    mounts.define(&name, &entry, &[]).expect("defined");
    Files::new(slice, declared, workspace.as_ref(), &mounts)
}

#[test]
fn nothing_is_changed_that_is_not_declared_or_not_offered() {
    let all = json!([{"mount": "workspace", "rights": ["read", "write", "create", "delete"]}]);
    let decide = |declared, offered, right| {
        files(std::slice::from_ref(&all), declared, offered)
            .decide("t", "p", &ask(right, "a"))
            .map_err(|denial| denial.code)
            .err()
    };
    let (ro, rw) = (Access::ReadOnly, Access::ReadWrite);
    for right in [Right::Write, Right::Create, Right::Delete] {
        assert_eq!(decide(rw, Some(rw), right), None);
        assert_eq!(decide(ro, Some(rw), right), Some(DenialCode::NotDeclared));
        assert_eq!(decide(rw, Some(ro), right), Some(DenialCode::NotOffered));
        assert_eq!(decide(rw, None, right), Some(DenialCode::NotOffered));
    }
    assert_eq!(decide(ro, Some(ro), Right::Read), None);
    assert_eq!(
        decide(rw, Some(rw), Right::List),
        Some(DenialCode::NotGranted)
    );
}

#[test]
fn a_mount_is_seen_when_every_party_gives_something_of_it() {
    let both = json!([{"mount": "workspace"}, {"mount": "refs"}, {"mount": "scratch"}]);
    let less = json!([
        {"mount": "refs"}, {"mount": "workspace", "rights": []},
        {"mount": "scratch", "rights": ["write"], "writes": "overlay"},
    ]);
    let seen = |layers: &[Value]| -> Vec<String> {
        files(layers, Access::ReadWrite, Some(Access::ReadWrite))
            .words()
            .collect()
    };
    let read_only = |name: &str| format!("filesystem:{name}:read_only");
    assert_eq!(
        seen(std::slice::from_ref(&both)),
        ["refs", "scratch", "workspace"].map(read_only)
    );
    assert_eq!(
        seen(&[both, less.clone()]),
        ["refs", "scratch"].map(read_only)
    );
    let over = files(&[less], Access::ReadWrite, None);
    assert_eq!(over.mounts()[1].writes(), Writes::Overlay);
    assert_eq!(over.quota(&MountName::SCRATCH), Quota::DEFAULT);
    assert_eq!(over.quota(&MountName::WORKSPACE).write_bytes, 0);
}

#[test]
fn a_change_is_direct_where_nothing_keeps_it_back() {
    let directly = |entries: Value, declared, offered| {
        let files = files(&[entries], declared, offered);
        files.changed_directly().map(ToString::to_string)
    };
    let (ro, rw) = (Access::ReadOnly, Access::ReadWrite);
    let rights = json!(["read", "write"]);
    let direct = json!([{"mount": "workspace", "rights": rights}]);
    let workspace = Some("workspace".to_owned());
    assert_eq!(directly(direct.clone(), rw, Some(rw)), workspace);
    assert_eq!(directly(direct.clone(), ro, Some(rw)), None);
    assert_eq!(directly(direct.clone(), rw, Some(ro)), None);
    assert_eq!(directly(direct, rw, None), None);
    for kept in [
        json!([{"mount": "workspace", "rights": rights, "writes": "overlay"}]),
        json!([{"mount": "workspace"}]),
        json!([{"mount": "scratch", "rights": rights}]),
    ] {
        assert_eq!(directly(kept.clone(), rw, Some(rw)), None, "{kept}");
    }
    let other = json!([
        {"mount": "workspace", "rights": rights, "writes": "overlay"},
        {"mount": "refs", "rights": rights},
    ]);
    assert_eq!(directly(other, rw, Some(rw)), Some("refs".to_owned()));
}
