use std::fs::{DirBuilder, File, Permissions};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt, symlink};
use std::time::{Duration, SystemTime};

use rustix::fs::{CWD, FlockOperation, Mode, flock, mkfifoat};
use rustix::process::geteuid;
use wasmtime::Config;

use super::super::folder::Folder;
use super::super::seal::{HEADER_BYTES, Seal};
use super::super::{Fault, Shelf};
use super::*;

#[test]
fn every_changed_byte_and_every_length_is_noticed() {
    let world = World::new();
    let seal = Seal::new(&KEY, &world.engine);
    let (one, artifact) = (digest("one"), world.compiled(1));
    let header = seal.header(&one, artifact.code());
    let file = [&header, artifact.code()].concat();
    let opened = seal.open(&one, file.clone()).expect("as it was written");
    assert_eq!(opened.code(), artifact.code());
    assert!(opened.component(&world.engine).is_ok());
    for position in 0..file.len() {
        let mut changed = file.clone();
        changed[position] ^= 1 << (position % 8);
        assert!(seal.open(&one, changed).is_err(), "byte {position}");
        let cut = file[..position].to_vec();
        assert!(seal.open(&one, cut).is_err(), "length {position}");
    }
    let longer = [&*file, &[0]].concat();
    assert!(seal.open(&one, longer).is_err());
    // A cut file whose length field fits what is left.
    let mut shorter = file[..file.len() - 1].to_vec();
    let length = (shorter.len() - HEADER_BYTES) as u64;
    shorter[8..16].copy_from_slice(&length.to_le_bytes());
    assert!(seal.open(&one, shorter).is_err());
}

#[test]
fn an_artifact_is_taken_for_its_component_key_and_engine_alone() {
    let world = World::new();
    let (one, artifact) = (digest("one"), world.compiled(1));
    let mut config = Config::new();
    config.consume_fuel(false);
    let other_engine = wasmtime::Engine::new(&config).expect("an engine");
    let own = Seal::new(&KEY, &world.engine);
    let others = [
        (Seal::new(&[8; 32], &world.engine), one, "key"),
        (Seal::new(&KEY, &other_engine), one, "engine"),
        (Seal::new(&KEY, &world.engine), digest("two"), "component"),
    ];
    for (seal, digest, what) in &others {
        assert_ne!(seal.name(digest), own.name(&one), "{what}");
        let header = seal.header(digest, artifact.code());
        let file = [&header, artifact.code()].concat();
        assert!(seal.open(digest, file.clone()).is_ok(), "{what}");
        assert!(own.open(&one, file).is_err(), "{what}");
    }
    // The child and the host have two engines with the same settings.
    let child = crate::engine::compiler().expect("an engine");
    assert_eq!(Seal::new(&KEY, &child).name(&one), own.name(&one));
}

#[test]
fn what_is_damaged_is_removed_and_written_again() {
    let world = World::new();
    let (one, artifact) = (digest("one"), world.compiled(1));
    let shelf = world.shelf();
    assert!(shelf.load(&one).is_none());
    for position in [0, 7, 8, 16, 47, HEADER_BYTES, HEADER_BYTES + 1_000] {
        shelf.keep(&one, &artifact);
        let path = world.only_file();
        flip(&path, position);
        assert!(shelf.load(&one).is_none(), "byte {position}");
        assert!(!path.exists(), "byte {position}");
    }
    for bytes in [0, 1, HEADER_BYTES - 1, HEADER_BYTES, HEADER_BYTES + 5] {
        shelf.keep(&one, &artifact);
        let file = File::options().write(true).open(world.only_file());
        file.and_then(|file| file.set_len(bytes as u64))
            .expect("cut off");
        assert!(shelf.load(&one).is_none(), "{bytes} bytes");
    }
    shelf.keep(&one, &artifact);
    let loaded = world.shelf().load(&one).expect("written again");
    assert_eq!(loaded.code(), artifact.code());
}

#[test]
fn a_file_of_another_is_not_taken_in_its_place() {
    let world = World::new();
    let (one, two, artifact) = (digest("one"), digest("two"), world.compiled(1));
    let shelf = world.shelf();
    shelf.keep(&one, &artifact);
    let place = world.only_file();
    fs::remove_file(&place).expect("removed");
    for (stranger, digest) in [(world.shelf_with([8; 32]), one), (world.shelf(), two)] {
        stranger.keep(&digest, &artifact);
        fs::rename(world.only_file(), &place).expect("renamed");
        assert!(shelf.load(&one).is_none());
        assert!(!place.exists());
    }
}

#[test]
fn only_regular_files_of_our_own_are_read() {
    let world = World::new();
    let (one, artifact) = (digest("one"), world.compiled(1));
    let shelf = world.shelf();
    shelf.keep(&one, &artifact);
    let place = world.only_file();
    let elsewhere = world.root.path().join("elsewhere");
    fs::rename(&place, &elsewhere).expect("renamed");

    symlink(&elsewhere, &place).expect("a link");
    assert!(shelf.load(&one).is_none());
    assert!(place.symlink_metadata().is_err() && elsewhere.exists());

    mkfifoat(CWD, &place, Mode::RUSR | Mode::WUSR).expect("a pipe");
    assert!(shelf.load(&one).is_none());
    assert!(!place.exists());

    fs::copy(&elsewhere, &place).expect("copied");
    fs::set_permissions(&place, Permissions::from_mode(0o620)).expect("permissions");
    assert!(shelf.load(&one).is_none());
    assert!(!place.exists());

    // A directory stays where it is, and nothing else goes wrong for it.
    fs::create_dir(&place).expect("a directory");
    assert!(shelf.load(&one).is_none());
    shelf.keep(&one, &artifact);
    assert!(place.is_dir() && world.files().len() == 1);
    fs::remove_dir(&place).expect("removed");
    shelf.keep(&one, &artifact);
    assert!(shelf.load(&one).is_some());
}

#[test]
fn a_directory_that_others_can_change_is_not_used() {
    let world = World::new();
    let path = world.directory();
    let opened = |mode: u32| {
        fs::set_permissions(&path, Permissions::from_mode(mode)).expect("permissions");
        Shelf::open(&world.artifacts(KEY), &world.engine)
    };
    DirBuilder::new().create(&path).expect("a directory");
    for mode in [0o777, 0o770, 0o702, 0o1777] {
        assert!(opened(mode).is_none(), "{mode:o}");
    }
    assert!(opened(0o755).is_some());
    let mode = fs::metadata(&path).expect("metadata").permissions().mode();
    assert_eq!(mode & 0o777, 0o700, "others may not read either");

    fs::rename(&path, world.root.path().join("real")).expect("renamed");
    symlink("real", &path).expect("a link");
    assert!(Shelf::open(&world.artifacts(KEY), &world.engine).is_none());

    // Somebody else's: this user can give a directory away only as root, and else finds one.
    let foreign = if geteuid().is_root() {
        let given = world.root.path().join("given");
        DirBuilder::new().mode(0o700).create(&given).expect("made");
        std::os::unix::fs::chown(&given, Some(12_345), None).expect("given away");
        given
    } else {
        "/".into()
    };
    assert!(matches!(Folder::open(&foreign), Err(Fault::Foreign)));
}

#[test]
fn what_went_unused_for_longest_makes_room() {
    let world = World::new();
    let artifact = world.compiled(1);
    let bytes = (HEADER_BYTES + artifact.code().len()) as u64;
    let mut artifacts = world.artifacts(KEY);
    artifacts.bytes_max = 3 * bytes;
    let open = || Shelf::open(&artifacts, &world.engine).expect("a directory");
    let shelf = open();
    fs::write(world.directory().join("README"), vec![0; 1 << 20]).expect("a file");
    let digests: Vec<_> = ["a", "b", "c", "d"].map(digest).into();
    for (age, digest) in digests[..3].iter().enumerate() {
        shelf.keep(digest, &artifact);
        let place = world.directory().join(shelf.seal.name(digest));
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(age as u64);
        let file = File::options().write(true).open(place);
        file.and_then(|file| file.set_modified(time)).expect("aged");
    }
    // The oldest is used, so the one after it goes.
    assert!(shelf.load(&digests[0]).is_some());
    shelf.keep(&digests[3], &artifact);
    let kept = |shelf: &Shelf| -> Vec<bool> {
        let is_there = |digest| world.directory().join(shelf.seal.name(digest)).exists();
        digests.iter().map(is_there).collect()
    };
    assert_eq!(kept(&shelf), [true, false, true, true]);
    // A smaller bound takes effect at the next start, for what others wrote as well.
    world.shelf_with([8; 32]).keep(&digests[1], &artifact);
    artifacts.bytes_max = bytes;
    let shelf = Shelf::open(&artifacts, &world.engine).expect("a directory");
    assert_eq!(kept(&shelf), [false; 4]);
    assert_eq!(
        world.files().len(),
        2,
        "the last one, and a file that is no artifact"
    );
    // One that is larger than everything is not kept, and drives nothing out.
    artifacts.bytes_max = bytes - 1;
    let shelf = Shelf {
        bytes_max: bytes - 1,
        ..shelf
    };
    shelf.keep(&digests[0], &artifact);
    assert_eq!(world.files().len(), 2);
}

#[test]
fn what_a_killed_host_left_is_removed_and_what_a_living_one_writes_is_not() {
    let world = World::new();
    drop(world.shelf());
    let (dead, living) = (
        world.directory().join("new-1-0"),
        world.directory().join("new-2-0"),
    );
    fs::write(&dead, "half an arti").expect("a file");
    let file = File::create(&living).expect("a file");
    flock(&file, FlockOperation::NonBlockingLockExclusive).expect("locked");
    drop(world.shelf());
    assert!(!dead.exists() && living.exists());
    drop(file);
    drop(world.shelf());
    assert!(!living.exists());
}

#[test]
fn hosts_that_share_a_directory_do_each_other_no_harm() {
    let world = World::new();
    let artifacts = [world.compiled(1), world.compiled(2)];
    let digests = [digest("one"), digest("two")];
    std::thread::scope(|scope| {
        for thread in 0..6_usize {
            let (world, artifacts, digests) = (&world, &artifacts, &digests);
            scope.spawn(move || {
                for round in 0..60 {
                    // Two installations; each start cleans up and counts.
                    let shelf = world.shelf_with([u8::from(thread % 2 == 0); 32]);
                    let which = (thread + round) % 2;
                    let (digest, artifact) = (&digests[which], &artifacts[which]);
                    match (thread + round) % 7 {
                        0 => shelf.remove(digest),
                        1 | 2 => shelf.keep(digest, artifact),
                        _ => {
                            if let Some(found) = shelf.load(digest) {
                                assert!(found.code() == artifact.code());
                            }
                        }
                    }
                }
            });
        }
    });
    let is_whole = |path: &PathBuf| path.extension().is_some_and(|end| end == "cwasm");
    assert!(world.files().iter().all(is_whole), "{:?}", world.files());
}
