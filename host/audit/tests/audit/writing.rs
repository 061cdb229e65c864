use cofferdam_audit::{Full, Line, Verifier};
use cofferdam_types::audit::{Act, AuditRecord, Class};
use cofferdam_types::page::PageRequest;
use cofferdam_types::{Tenant, Timestamp};

use crate::double::Stalling;
use crate::sample::{self, record, table, tenant};

fn act(line: &Line) -> Act {
    let text = line.record.as_deref().expect("an own record");
    let record: AuditRecord = serde_json::from_str(text).expect("a record");
    record.act
}

/// While the store stalls, details are counted and calls get their places; then calls are refused
/// as well; and when it goes on, every record that had a place and a record of the gap are there.
#[tokio::test(start_paused = true)]
async fn a_stalled_store_loses_nothing_silently() {
    let store = Stalling::new(table());
    let audit = sample::audit(store.clone()).await;
    let (details, mut calls) = (20_000_u64, 0_u64);
    for at in 1..=details {
        audit.offer(record(at));
    }
    let mut other = record(5);
    other.tenant = tenant("other");
    audit.offer(other);
    while let Ok(slot) = audit.slot().await {
        calls += 1;
        slot.write(record(1_000_000 + calls));
    }
    assert!(calls >= 4_096, "calls have places of their own: {calls}");
    assert_eq!(audit.slot().await.err(), Some(Full));
    store.resume();
    // Everything that had a place, and then what says that the rest is lost.
    sample::write(&audit, [2_000_000]).await;
    let lines = sample::lines(&audit).await;
    let mut verifier = Verifier::whole();
    for line in &lines {
        verifier.push(line).expect("a whole chain");
    }
    let lost = verifier.finish().expect("a whole chain").lost;
    let gaps: Vec<_> = lines
        .iter()
        .filter(|line| line.record.is_some())
        .map(act)
        .collect();
    let gaps: Vec<_> = gaps
        .into_iter()
        .filter(|act| matches!(act, Act::Gap { .. }))
        .collect();
    let kept = lines.len() as u64 - gaps.len() as u64 - calls - 2;
    assert_eq!(lost + kept, details, "{kept} kept, {lost} lost");
    assert!(lost > 0 && kept > 0);
    let [
        Act::Gap {
            class: Class::Detail,
            records,
            from,
            to,
        },
    ] = gaps[..]
    else {
        panic!("one gap for each tenant: {gaps:?}");
    };
    assert_eq!(records, lost);
    assert_eq!(to, Timestamp::from_millis(details));
    assert_eq!(to.as_millis() - from.as_millis() + 1, lost);
    let (other, first) = (tenant("other"), PageRequest::first());
    let page = audit.list(&other, &first).await.expect("a page");
    assert_eq!(page.items.len(), 1);
    assert!(matches!(
        page.items[0].record().act,
        Act::Gap { records: 1, .. }
    ));
}

/// A gap that is noted when nothing more comes is written when the audit ends.
#[tokio::test(start_paused = true)]
async fn the_last_gap_is_written_at_the_end() {
    let store = Stalling::new(table());
    let (audit, writer) = cofferdam_audit::Audit::new(store.clone())
        .await
        .expect("a chain");
    let writer = tokio::spawn(writer.run());
    for at in 1..=9_000 {
        audit.offer(record(at));
    }
    store.resume();
    drop(audit);
    writer.await.expect("a writer that ends");
    let audit = sample::audit(store).await;
    let lines = sample::lines(&audit).await;
    let lost: u64 = lines
        .iter()
        .map(|line| match act(line) {
            Act::Gap { records, .. } => records,
            _ => 0,
        })
        .sum();
    let gaps = lines
        .iter()
        .filter(|line| matches!(act(line), Act::Gap { .. }))
        .count();
    assert_eq!(lines.len() as u64 - gaps as u64 + lost, 9_000);
    assert!(lost > 0);
}

/// Who waits for a record doesn't wait for the pause that gathers others.
#[tokio::test(start_paused = true)]
async fn a_record_that_somebody_waits_for_is_hurried() {
    let audit = sample::audit(table()).await;
    let begin = tokio::time::Instant::now();
    sample::write(&audit, 1..=100).await;
    assert_eq!(begin.elapsed(), std::time::Duration::ZERO);
    let lines = sample::lines(&audit).await;
    assert_eq!(lines.len(), 100);
}

/// A slot that is given back leaves nothing, and one that is used is the next record.
#[tokio::test]
async fn slots_are_given_back() {
    let audit = sample::audit(table()).await;
    drop(audit.slot().await.expect("a place"));
    sample::write(&audit, [1]).await;
    let lines = sample::lines(&audit).await;
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0].seq, 1);
    assert_eq!(audit.head().await, Ok(Some((1, lines[0].digest))));
    assert_eq!(Tenant::default(), tenant("default"));
}
