//! The audit's chain in a real file: after `kill -9`, after somebody edited the file, and in a file
//! of an older version.
//!
//! The process that is killed is this same test binary, started again with [`STORE`] set.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use cofferdam_audit::{Audit, Flaw, FlawKind, Line, Summary, Verifier};
use cofferdam_store_api::StoreError;
use cofferdam_store_embedded::{Durability, open};
use cofferdam_types::audit::{Act, AuditRecord, SecretChange};
use cofferdam_types::page::PageRequest;
use cofferdam_types::{Tenant, Timestamp};
use rusqlite::Connection;
use tempfile::TempDir;

/// Where the child writes; set only for the child.
const STORE: &str = "AUDIT_CRASH_TEST_FILE";
/// Writers at once.
const WRITERS: u64 = 8;
/// Kills.
const KILLS: usize = 8;

fn record(name: String) -> AuditRecord {
    let act = Act::Secret {
        change: SecretChange::Set,
        name,
    };
    AuditRecord::new(Tenant::default(), Timestamp::from_millis(1), "key:1", act)
}

async fn audit(path: &Path) -> Audit {
    let stores = open(path, Durability::Safe)
        .expect("a readable file")
        .stores();
    let (audit, writer) = Audit::new(stores.audit).await.expect("a readable chain");
    tokio::spawn(writer.run());
    audit
}

async fn lines(audit: &Audit) -> Result<Vec<Line>, StoreError> {
    let mut export = audit.export(&Tenant::default(), None, None).await?;
    let mut lines = Vec::new();
    loop {
        let next = export.next().await?;
        if next.is_empty() {
            return Ok(lines);
        }
        lines.extend(next);
    }
}

fn verify(lines: &[Line]) -> Result<Summary, Flaw> {
    let mut verifier = Verifier::whole();
    for line in lines {
        verifier.push(line)?;
    }
    verifier.finish()
}

/// Writes until it is killed. Each line on standard output names a record that is kept.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn child() {
    #[expect(
        clippy::disallowed_methods,
        reason = "how the parent tells the child apart"
    )]
    let Ok(store) = std::env::var(STORE) else {
        return;
    };
    let audit = audit(Path::new(&store)).await;
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| tokio::spawn(write(audit.clone(), writer)))
        .collect();
    for writer in writers {
        writer.await.expect("a writer");
    }
}

async fn write(audit: Audit, writer: u64) {
    let process = std::process::id();
    for n in 0.. {
        let name = format!("{process}-{writer}-{n}");
        let slot = audit.slot().await.expect("a place");
        // Every other one is not waited for, as a call's is not.
        if n % 2 == 0 {
            slot.write(record(name));
            continue;
        }
        slot.write_now(record(name.clone()))
            .done()
            .await
            .expect("a writer");
        let mut out = std::io::stdout();
        out.write_all(format!("kept {name}\n").as_bytes())
            .expect("a parent");
        out.flush().expect("a parent");
    }
}

#[tokio::test]
async fn a_kill_breaks_no_chain_and_loses_nothing_that_was_answered() {
    let directory = TempDir::new().expect("a temporary directory");
    let path = directory.path().join("store.db");
    let mut kept = Vec::new();
    for kill in 0..KILLS {
        let binary = std::env::current_exe().expect("this binary");
        let mut child = Command::new(binary)
            .args(["child", "--exact", "--nocapture", "--test-threads=1"])
            .env(STORE, &path)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the child starts");
        let before = kept.len();
        let out = child.stdout.take().expect("a pipe");
        for line in BufReader::new(out).lines() {
            let line = line.expect("text");
            let Some((_, name)) = line.split_once("kept ") else {
                continue;
            };
            kept.push(name.to_owned());
            if kept.len() == before + 1 + kill * 17 {
                // SIGKILL; what is still in the pipe was answered too.
                child.kill().expect("a child to kill");
            }
        }
        child.wait().expect("a child that is gone");
        assert!(kept.len() > before);
        let audit = audit(&path).await;
        let lines = lines(&audit).await.expect("a readable chain");
        verify(&lines).unwrap_or_else(|flaw| panic!("after kill {kill}: {flaw}"));
        let texts: Vec<_> = lines
            .iter()
            .filter_map(|line| line.record.as_deref())
            .collect();
        let all = texts.concat();
        for name in &kept {
            assert!(all.contains(&format!("\"{name}\"")), "{name} is gone");
        }
    }
}

/// A file with six entries, closed.
async fn filled(path: &Path) {
    let audit = audit(path).await;
    for n in 0..6 {
        let slot = audit.slot().await.expect("a place");
        slot.write_now(record(format!("token-{n}")))
            .done()
            .await
            .expect("a writer");
    }
}

/// What is said of a file after somebody edited it.
async fn edited(edit: &str) -> Result<Summary, Flaw> {
    let directory = TempDir::new().expect("a temporary directory");
    let path = directory.path().join("store.db");
    filled(&path).await;
    let connection = Connection::open(&path).expect("the file");
    connection.execute_batch(edit).expect(edit);
    drop(connection);
    let audit = audit(&path).await;
    verify(&lines(&audit).await.expect("a readable chain"))
}

#[tokio::test]
async fn edits_of_the_file_show() {
    let zeros = "0".repeat(64);
    let cases = [
        (
            "UPDATE audit SET record = replace(record, 'key:1', 'key:2') WHERE seq = 4".to_owned(),
            4,
            FlawKind::Changed,
        ),
        (
            "UPDATE audit SET record = record || ' ' WHERE seq = 1".to_owned(),
            1,
            FlawKind::Changed,
        ),
        (
            "UPDATE audit SET record = 'no JSON' WHERE seq = 5".to_owned(),
            5,
            FlawKind::Changed,
        ),
        (
            "UPDATE audit SET record = replace(record, 'default', 'other') WHERE seq = 3"
                .to_owned(),
            3,
            FlawKind::Changed,
        ),
        (
            format!("UPDATE audit SET digest = 'sha256:{zeros}' WHERE seq = 2"),
            2,
            FlawKind::Changed,
        ),
        (
            format!("UPDATE audit SET previous = 'sha256:{zeros}' WHERE seq = 3"),
            3,
            FlawKind::Unlinked,
        ),
        (
            "UPDATE audit SET tenant = 'other', record = replace(record, 'default', 'other')
             WHERE seq = 3"
                .to_owned(),
            4,
            FlawKind::Unlinked,
        ),
        (
            "DELETE FROM audit WHERE seq = 3".to_owned(),
            4,
            FlawKind::Missing(3),
        ),
        (
            "DELETE FROM audit WHERE seq = 1".to_owned(),
            2,
            FlawKind::Beginning,
        ),
        (
            "UPDATE audit SET seq = 100 WHERE seq = 2; UPDATE audit SET seq = 2 WHERE seq = 3;
             UPDATE audit SET seq = 3 WHERE seq = 100"
                .to_owned(),
            2,
            FlawKind::Unlinked,
        ),
    ];
    for (edit, seq, kind) in cases {
        assert_eq!(edited(&edit).await, Err(Flaw { seq, kind }), "{edit}");
    }
    // What is filed under another tenant is still the record it was.
    let refiled = edited("UPDATE audit SET tenant = 'other' WHERE seq = 3").await;
    assert_eq!(refiled.map(|summary| summary.withheld), Ok(0));
    // The chain alone can't tell that it was cut at its end: what was noted elsewhere does.
    let cut = edited("DELETE FROM audit WHERE seq > 4").await;
    assert_eq!(cut.map(|summary| summary.entries), Ok(4));
}

/// A row that is none says where it is.
#[tokio::test]
async fn an_unreadable_row_is_named() {
    let directory = TempDir::new().expect("a temporary directory");
    let path = directory.path().join("store.db");
    filled(&path).await;
    let connection = Connection::open(&path).expect("the file");
    let edit = "UPDATE audit SET digest = 'none' WHERE seq = 4";
    connection.execute_batch(edit).expect(edit);
    let audit = audit(&path).await;
    let error = lines(&audit).await.expect_err("no chain").to_string();
    assert!(error.contains("entry 4 of the audit"), "{error}");
}

/// A file of version 1 is brought to this one's, and its chain goes on.
#[tokio::test]
async fn a_chain_of_an_older_version_goes_on() {
    let directory = TempDir::new().expect("a temporary directory");
    let path = directory.path().join("store.db");
    drop(open(&path, Durability::Safe).expect("a new file"));
    let old = Connection::open(&path).expect("the file");
    old.execute_batch(include_str!("version_1.sql"))
        .expect("a file of version 1");
    drop(old);
    let stores = open(&path, Durability::Safe)
        .expect("an older file")
        .stores();
    let table = Arc::clone(&stores.audit);
    let audit = {
        let (audit, writer) = Audit::new(stores.audit).await.expect("a chain");
        tokio::spawn(writer.run());
        audit
    };
    let slot = audit.slot().await.expect("a place");
    slot.write_now(record("token".to_owned()))
        .done()
        .await
        .expect("a writer");
    let summary = verify(&lines(&audit).await.expect("a chain")).expect("whole");
    assert_eq!(summary.entries, 3);
    let call = "call_0192f7a4-7c5e-7d2a-8f00-0123456789ab"
        .parse()
        .expect("an id");
    let found = table
        .of_call(&Tenant::default(), &call)
        .await
        .expect("a tree");
    assert_eq!(found.iter().map(|entry| entry.seq).collect::<Vec<_>>(), [2]);
    let page = audit
        .list(&Tenant::default(), &PageRequest::first())
        .await
        .expect("a page");
    let Act::Call(old) = page.items[1].record().act else {
        panic!("a call: {:?}", page.items[1]);
    };
    assert_eq!(
        (old.asked.as_str(), old.denials[0].count),
        ("files-read", 1)
    );
    assert_eq!(page.items[1].record().schema, 1);
}
