//! `kill -9` in the middle of a rotation of the key: every secret opens afterwards, with the value
//! that it had.
//!
//! The rotating process is this same test binary, started again with [`DIRECTORY`] set.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use cofferdam_secrets::{Sources, Vault};
use cofferdam_store_embedded::{Durability, Embedded, open};
use cofferdam_types::{Ambient, SecretName, SecretValue, Tenant, Timestamp};
use rand::{Rng, RngExt};

/// Where the child works; set only for the child.
const DIRECTORY: &str = "SECRETS_CRASH_TEST_DIRECTORY";
/// Secrets that are resealed by each rotation.
const SECRETS: u32 = 24;
/// Kills; each comes at another moment.
const KILLS: u32 = 60;
/// A kill comes after so long at most: some rotations.
const MICROS_MAX: u64 = 60_000;

struct System;

impl Ambient for System {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(0)
    }

    fn fill(&self, bytes: &mut [u8]) {
        rand::rng().fill_bytes(bytes);
    }
}

async fn vault(directory: &Path) -> (Embedded, Vault) {
    // Fast: what a kill can do is the same, and it comes in the middle of more.
    let store = open(&directory.join("store.db"), Durability::Fast).expect("a readable file");
    let (table, ambient) = (store.stores().secrets, Arc::new(System));
    let file = directory.join("secrets.key");
    let vault = Vault::open(&file, table, Sources::none(), ambient).await;
    (store, vault.expect("an open vault"))
}

fn tenant(n: u32) -> Tenant {
    ["alpha", "beta"][n as usize % 2].parse().expect("a tenant")
}

fn name(n: u32) -> SecretName {
    format!("token-{n}").parse().expect("a name")
}

/// Rotates until it is killed; says when it begins and after each.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn child() {
    #[expect(
        clippy::disallowed_methods,
        reason = "how the parent tells the child apart"
    )]
    let Ok(directory) = std::env::var(DIRECTORY) else {
        return;
    };
    let (_store, vault) = vault(Path::new(&directory)).await;
    loop {
        say("rotates");
        vault.rotate_key().await.expect("rotated");
    }
}

fn say(line: &str) {
    let mut out = std::io::stdout();
    out.write_all(format!("{line}\n").as_bytes())
        .and_then(|()| out.flush())
        .expect("a parent who listens");
}

#[test]
fn a_kill_during_a_rotation_loses_nothing() {
    let directory = tempfile::tempdir().expect("a directory");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .build()
        .expect("a runtime");
    let mut values = BTreeMap::new();
    runtime.block_on(async {
        let (_store, vault) = vault(directory.path()).await;
        for n in 0..SECRETS {
            let value = SecretValue::new(format!("the value of {n}")).expect("long enough");
            vault.set(&tenant(n), &name(n), &value).await.expect("set");
            values.insert(n, value);
        }
    });
    let mut cut_off = 0;
    for _ in 0..KILLS {
        kill_one(directory.path());
        cut_off += u32::from(keys(directory.path()) > 1);
        runtime.block_on(async {
            let (_store, vault) = vault(directory.path()).await;
            for (n, value) in &values {
                let got = vault.get(&tenant(*n), &name(*n)).await;
                assert_eq!(got.expect("readable").as_ref(), Some(value), "{n}");
            }
        });
        assert_eq!(
            keys(directory.path()),
            1,
            "a start brings the rotation to its end"
        );
    }
    assert!(cut_off > 0, "no kill came in the middle of a rotation");
}

/// Starts a child, and kills it at some moment after its first rotation has begun.
fn kill_one(directory: &Path) {
    let program: OsString = std::env::current_exe().expect("this binary").into();
    let mut child = Command::new(program)
        .args(["--exact", "child", "--nocapture"])
        .env(DIRECTORY, directory)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("a child");
    wait_for_begin(&mut child);
    // The moment is the test's input; nothing waits for something to have happened.
    thread::sleep(Duration::from_micros(
        rand::rng().random_range(0..MICROS_MAX),
    ));
    child.kill().expect("killed");
    child.wait().expect("ended");
}

fn wait_for_begin(child: &mut Child) {
    let out = child.stdout.take().expect("a pipe");
    let mut lines = BufReader::new(out).lines();
    let begun = lines.any(|line| line.is_ok_and(|line| line.ends_with("rotates")));
    assert!(begun, "the child rotates");
    // Read on, so that the child never waits for its reader.
    thread::spawn(move || lines.for_each(drop));
}

/// How many keys the file has.
fn keys(directory: &Path) -> usize {
    let text = std::fs::read_to_string(directory.join("secrets.key")).expect("a key file");
    text.matches("created_at").count()
}
