//! One chain that several hosts write to.

use std::sync::Arc;

use cofferdam_audit::Verifier;
use cofferdam_store_api::StoreError;

use crate::double::Forgetful;
use crate::sample::{self, record, table};

/// How many hosts write at once, and how many records each.
const HOSTS: u64 = 4;
const RECORDS: u64 = 50;

async fn checked(audit: &cofferdam_audit::Audit) -> usize {
    let lines = sample::lines(audit).await;
    let mut verifier = Verifier::whole();
    for line in &lines {
        verifier.push(line).expect("a whole chain");
    }
    verifier.finish().expect("a whole chain");
    lines.len()
}

/// Each finds that another was faster, and links behind it: one chain, with every record once.
#[tokio::test]
async fn hosts_share_one_chain() {
    let table = table();
    let mut hosts = Vec::new();
    for _ in 0..HOSTS {
        hosts.push(sample::audit(table.clone()).await);
    }
    let writing = hosts.iter().enumerate().map(|(index, host)| {
        let (host, first) = (host.clone(), index as u64 * 1_000);
        tokio::spawn(async move { sample::write(&host, first..first + RECORDS).await })
    });
    for written in writing.collect::<Vec<_>>() {
        written.await.expect("written");
    }
    assert_eq!(checked(&hosts[0]).await as u64, HOSTS * RECORDS);
}

/// A write whose answer was lost is not made again, also when others have written behind it.
#[tokio::test(start_paused = true)]
async fn a_lost_answer_doubles_nothing() {
    let table = table();
    let forgetful = Arc::new(Forgetful::new(
        table.clone(),
        StoreError::Unavailable("gone".to_owned()),
    ));
    let (first, second) = (
        sample::audit(forgetful).await,
        sample::audit(table.clone()).await,
    );
    for round in 0..5 {
        let slot = first.slot().await.expect("a place");
        let waiting = slot.write_now(record(round * 10));
        sample::write(&second, [round * 10 + 1]).await;
        waiting.done().await.expect("a writer");
    }
    assert_eq!(checked(&second).await, 10);
}
