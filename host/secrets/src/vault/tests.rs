use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::{AtomicU64, Ordering};

use cofferdam_store_memory as memory;
use rand::Rng;

use super::*;

/// The machine's randomness, and a clock that goes on with each look.
pub(crate) struct Random;

impl Ambient for Random {
    fn now(&self) -> Timestamp {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Timestamp::from_millis(NEXT.fetch_add(1, Ordering::Relaxed))
    }

    fn fill(&self, bytes: &mut [u8]) {
        rand::rng().fill_bytes(bytes);
    }
}

struct World {
    directory: tempfile::TempDir,
    table: Arc<dyn Secrets>,
}

impl World {
    fn new() -> Self {
        Self {
            directory: tempfile::tempdir().expect("a directory"),
            table: memory::open().secrets,
        }
    }

    fn file(&self) -> PathBuf {
        self.directory.path().join("secrets.key")
    }

    async fn try_open(&self, sources: Sources) -> Result<Vault, Error> {
        Vault::open(&self.file(), self.table.clone(), sources, Arc::new(Random)).await
    }

    async fn open(&self) -> Vault {
        self.try_open(Sources::none()).await.expect("an open vault")
    }
}

fn tenant(name: &str) -> Tenant {
    name.parse().expect("a tenant")
}

fn name(name: &str) -> SecretName {
    name.parse().expect("a name")
}

fn value(text: &str) -> SecretValue {
    SecretValue::new(text.to_owned()).expect("long enough")
}

async fn set(vault: &Vault, owner: &str, of: &str, text: &str) -> Stored {
    let set = vault.set(&tenant(owner), &name(of), &value(text)).await;
    set.expect("set")
}

async fn get(vault: &Vault, owner: &str, of: &str) -> Option<String> {
    let got = vault.get(&tenant(owner), &name(of)).await.expect("a look");
    got.map(|value| value.reveal().to_owned())
}

/// SE-04: encrypted in the store.
#[tokio::test]
async fn a_value_comes_back_after_a_restart_and_is_nowhere_in_the_clear() {
    let world = World::new();
    let vault = world.open().await;
    let first = set(&vault, "default", "token", "hunter2-hunter2").await;
    assert_eq!((first.version, first.created_at), (1, first.rotated_at));
    let second = set(&vault, "default", "token", "hunter3-hunter3").await;
    assert_eq!(second.version, 2);
    assert_eq!(second.created_at, first.created_at);
    assert!(second.rotated_at > first.rotated_at);
    drop(vault);
    let vault = world.open().await;
    let got = get(&vault, "default", "token").await;
    assert_eq!(got.as_deref(), Some("hunter3-hunter3"));
    let kept = world.table.get(&tenant("default"), &name("token")).await;
    let kept = format!("{:?}", kept.expect("readable").expect("there").sealed);
    let text = format!("{:?}", b"hunter3".as_slice());
    assert!(!kept.contains(text.trim_matches(['[', ']'])));
    let listed = vault.list(&tenant("default")).await.expect("a list");
    assert_eq!(
        listed,
        [Listed {
            name: name("token"),
            kind: Kind::Stored,
            stored: Some(second),
        }]
    );
}

/// SE-05, SE-07: another tenant's, and one that was removed.
#[tokio::test]
async fn what_is_removed_or_anothers_is_not_there() {
    let world = World::new();
    let vault = world.open().await;
    set(&vault, "alpha", "token", "the value of alpha").await;
    assert_eq!(get(&vault, "beta", "token").await, None);
    assert_eq!(get(&vault, "alpha", "tokem").await, None);
    let removed = |owner: &str| {
        let (owner, vault) = (tenant(owner), &vault);
        async move {
            vault
                .remove(&owner, &name("token"))
                .await
                .expect("an answer")
        }
    };
    assert!(!removed("beta").await);
    assert!(removed("alpha").await);
    assert!(!removed("alpha").await);
    assert_eq!(get(&vault, "alpha", "token").await, None);
    assert_eq!(
        set(&vault, "alpha", "token", "another one").await.version,
        1
    );
}

#[tokio::test]
async fn a_sealed_value_opens_in_no_other_place() {
    let world = World::new();
    let vault = world.open().await;
    set(&vault, "alpha", "token", "the value of alpha").await;
    let kept = world.table.get(&tenant("alpha"), &name("token")).await;
    let kept = kept.expect("readable").expect("there");
    for (owner, of, version) in [
        ("beta", "token", 1),
        ("alpha", "other", 1),
        ("alpha", "token", 2),
    ] {
        let head = SecretHead {
            tenant: tenant(owner),
            name: name(of),
            version,
            ..kept.head.clone()
        };
        let moved = SecretRecord {
            head,
            ..kept.clone()
        };
        let replaces = (owner == "alpha" && of == "token").then_some(&kept.head);
        world.table.put(&moved, replaces).await.expect("moved");
        let got = vault.get(&tenant(owner), &name(of)).await;
        assert!(matches!(got, Err(Error::Damaged(_))), "{owner} {of}");
    }
}

/// Versions begin anew after a removal, and what was sealed as the same version before stays shut.
#[tokio::test]
async fn a_value_from_before_a_removal_does_not_open_again() {
    let world = World::new();
    let vault = world.open().await;
    let (owner, of) = (tenant("alpha"), name("token"));
    let kept = || async {
        let kept = world.table.get(&owner, &of).await;
        kept.expect("readable").expect("there")
    };
    set(&vault, "alpha", "token", "the first value").await;
    let before = kept().await;
    assert!(vault.remove(&owner, &of).await.expect("removed"));
    set(&vault, "alpha", "token", "the second value").await;
    let after = kept().await;
    assert_eq!(before.head.version, after.head.version);
    let swapped = SecretRecord {
        head: after.head.clone(),
        sealed: before.sealed,
    };
    let put = world.table.put(&swapped, Some(&after.head)).await;
    put.expect("swapped");
    let got = vault.get(&owner, &of).await;
    assert!(matches!(got, Err(Error::Damaged(_))));
}

/// SE-11: a key file that others can read opens nothing.
#[tokio::test]
async fn the_keys_have_to_be_there_and_the_owners_alone() {
    let world = World::new();
    let vault = world.open().await;
    set(&vault, "alpha", "token", "the value of alpha").await;
    drop(vault);
    let mode = |mode| fs::Permissions::from_mode(mode);
    for open in [0o640, 0o604, 0o620] {
        fs::set_permissions(world.file(), mode(open)).expect("a mode");
        let refused = world.try_open(Sources::none()).await.err();
        let source = FileFault::Open;
        assert!(
            matches!(refused, Some(Error::KeyFile { source: ref s, .. }) if s.to_string() == source.to_string()),
            "{refused:?}"
        );
    }
    fs::set_permissions(world.file(), mode(0o600)).expect("a mode");
    let away = world.directory.path().join("away");
    fs::rename(world.file(), &away).expect("moved");
    let refused = world.try_open(Sources::none()).await.err();
    assert!(
        matches!(refused, Some(Error::KeysGone { .. })),
        "{refused:?}"
    );
    assert!(!world.file().exists(), "no key is made in its place");
    fs::rename(&away, world.file()).expect("moved back");
    let got = get(&world.open().await, "alpha", "token").await;
    assert_eq!(got.as_deref(), Some("the value of alpha"));
}

#[tokio::test]
async fn a_rotation_reseals_everything_and_forgets_the_old_key() {
    let world = World::new();
    let vault = world.open().await;
    for n in 0..30 {
        set(
            &vault,
            ["alpha", "beta"][n % 2],
            &format!("token-{n}"),
            &format!("value {n}-{n}"),
        )
        .await;
    }
    let before = fs::read_to_string(world.file()).expect("a key file");
    let old = vault.ring.read().await.active().id;
    let rotation = vault.rotate_key().await.expect("rotated");
    assert_eq!(rotation.resealed, 30);
    assert_ne!(rotation.key, old);
    let after = fs::read_to_string(world.file()).expect("a key file");
    assert!(after.contains(&rotation.key.to_string()) && !after.contains(&old.to_string()));
    for vault in [&vault, &world.open().await] {
        for n in 0..30 {
            let got = get(vault, ["alpha", "beta"][n % 2], &format!("token-{n}")).await;
            assert_eq!(got, Some(format!("value {n}-{n}")));
        }
    }
    // Versions count values, not seals.
    let listed = vault.list(&tenant("alpha")).await.expect("a list");
    assert!(
        listed
            .iter()
            .all(|one| one.stored.as_ref().is_some_and(|s| s.version == 1))
    );
    file_with(&world, &before);
    let got = world
        .open()
        .await
        .get(&tenant("alpha"), &name("token-0"))
        .await;
    assert!(
        matches!(got, Err(Error::Damaged(_))),
        "the old key opens nothing"
    );
}

fn file_with(world: &World, content: &str) {
    crate::file::write_own(&world.file(), content.as_bytes()).expect("written");
}

#[tokio::test]
async fn a_rotation_that_was_cut_off_goes_on_at_the_next_start() {
    let world = World::new();
    let vault = world.open().await;
    for n in 0..5 {
        set(&vault, "alpha", &format!("token-{n}"), "the value of it").await;
    }
    let fresh = vault.ring.read().await.with_fresh(&Random).expect("room");
    let key = fresh.active().id;
    *vault.ring.write().await = vault.keep(fresh).await.expect("kept");
    let heads = world.table.list(&tenant("alpha")).await.expect("a list");
    assert!(vault.reseal_one(&heads[2]).await.expect("resealed"));
    // Once more does nothing: the head is not the one that is there.
    assert!(!vault.reseal_one(&heads[2]).await.expect("an answer"));
    drop(vault);
    let vault = world.open().await;
    assert!(!vault.ring.read().await.has_old_keys());
    let heads = world.table.list(&tenant("alpha")).await.expect("a list");
    assert!(heads.iter().all(|head| head.key == key));
    for n in 0..5 {
        let got = get(&vault, "alpha", &format!("token-{n}")).await;
        assert_eq!(got.as_deref(), Some("the value of it"));
    }
}

#[tokio::test]
async fn a_damaged_value_keeps_the_old_key_and_harms_no_other() {
    let world = World::new();
    let vault = world.open().await;
    set(&vault, "alpha", "broken", "the value of it").await;
    set(&vault, "alpha", "sound", "the value of it").await;
    let kept = world.table.get(&tenant("alpha"), &name("broken")).await;
    let mut kept = kept.expect("readable").expect("there");
    kept.sealed[20] ^= 1;
    let head = kept.head.clone();
    world.table.put(&kept, Some(&head)).await.expect("broken");
    let rotated = vault.rotate_key().await;
    assert!(matches!(rotated, Err(Error::Damaged(ref of)) if *of == name("broken")));
    assert!(vault.ring.read().await.has_old_keys());
    drop(vault);
    let vault = world.open().await;
    assert!(get(&vault, "alpha", "sound").await.is_some());
    assert!(vault.get(&tenant("alpha"), &name("broken")).await.is_err());
    assert!(
        vault
            .remove(&tenant("alpha"), &name("broken"))
            .await
            .expect("removed")
    );
    vault.rotate_key().await.expect("rotated");
    assert!(get(&vault, "alpha", "sound").await.is_some());
    assert!(!vault.ring.read().await.has_old_keys());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whoever_sets_while_keys_change_loses_nothing() {
    const ROUNDS: u32 = 100;
    let world = World::new();
    let vault = Arc::new(world.open().await);
    let writers: Vec<_> = (0..4)
        .map(|writer| {
            let vault = Arc::clone(&vault);
            tokio::spawn(async move {
                let of = format!("token-{writer}");
                for n in 0..ROUNDS {
                    set(&vault, "alpha", &of, &format!("value {n:08}")).await;
                    let got = get(&vault, "alpha", &of).await;
                    assert_eq!(got, Some(format!("value {n:08}")));
                }
            })
        })
        .collect();
    let mut rotations = 0;
    while writers.iter().any(|writer| !writer.is_finished()) {
        vault.rotate_key().await.expect("rotated");
        rotations += 1;
    }
    for writer in writers {
        writer.await.expect("a writer");
    }
    assert!(rotations > 0);
    drop(vault);
    let vault = world.open().await;
    for writer in 0..4 {
        let got = get(&vault, "alpha", &format!("token-{writer}")).await;
        assert_eq!(got, Some(format!("value {:08}", ROUNDS - 1)));
    }
}

#[tokio::test]
async fn the_environment_goes_first_for_the_default_tenant() {
    let world = World::new();
    let vault = world.open().await;
    for owner in ["default", "beta"] {
        set(&vault, owner, "token", "the stored value").await;
    }
    drop(vault);
    let variable = OsString::from("COFFERDAM_SECRET_TOKEN");
    let sources = Sources::from_variables([(variable, "the given value".into())]);
    let vault = world
        .try_open(sources.expect("a source"))
        .await
        .expect("open");
    let got = get(&vault, "default", "token").await;
    assert_eq!(got.as_deref(), Some("the given value"));
    let got = get(&vault, "beta", "token").await;
    assert_eq!(got.as_deref(), Some("the stored value"));
    let (own, of) = (tenant("default"), name("token"));
    let refused = vault.set(&own, &of, &value("another value")).await;
    assert!(matches!(refused, Err(Error::FromEnvironment(_))));
    let refused = vault.remove(&own, &of).await;
    assert!(matches!(refused, Err(Error::FromEnvironment(_))));
    let listed = vault.list(&own).await.expect("a list");
    assert_eq!(listed.len(), 1);
    assert_eq!((listed[0].kind, &listed[0].stored), (Kind::Variable, &None));
    assert_eq!(vault.list(&tenant("beta")).await.expect("a list").len(), 1);
}

#[tokio::test]
async fn a_tenant_has_a_bounded_number() {
    let world = World::new();
    let vault = world.open().await;
    for n in 0..Vault::SECRETS_MAX {
        set(&vault, "alpha", &format!("token-{n}"), "the value of it").await;
    }
    let refused = vault
        .set(&tenant("alpha"), &name("more"), &value("one too many"))
        .await;
    assert!(matches!(refused, Err(Error::Full)));
    set(&vault, "alpha", "token-1", "another value").await;
    set(&vault, "beta", "more", "the value of it").await;
}

#[test]
fn errors_and_lists_hold_no_value() {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.expect("a runtime").block_on(async {
        let world = World::new();
        let vault = world.open().await;
        set(&vault, "alpha", "token", "hunter2-hunter2").await;
        let listed = vault.list(&tenant("alpha")).await;
        let refused = vault.get(&tenant("alpha"), &name("other")).await;
        let shown = format!("{listed:?} {refused:?}");
        assert!(!shown.contains("hunter2"), "{shown}");
    });
}
