use std::time::Duration;

use cofferdam_audit::{FlawKind, Line, PruneError, Verifier};
use cofferdam_types::Timestamp;

use crate::sample::{self, table};

const DAY: u64 = 24 * 60 * 60 * 1_000;

fn time(days: u64) -> Timestamp {
    Timestamp::from_millis(days * DAY)
}

fn days(days: u64) -> Duration {
    Duration::from_millis(days * DAY)
}

fn verify(lines: &[Line]) -> Result<u64, FlawKind> {
    let mut verifier = Verifier::whole();
    for line in lines {
        verifier.push(line).map_err(|flaw| flaw.kind)?;
    }
    let summary = verifier.finish().map_err(|flaw| flaw.kind)?;
    Ok(summary.entries)
}

#[tokio::test]
async fn what_is_left_after_pruning_verifies() {
    let audit = sample::audit(table()).await;
    // One a day, more of them than are removed in one step.
    sample::write(&audit, (1..=2_500).map(|day| day * DAY)).await;
    assert_eq!(audit.prune(time(2_500), days(9_999)).await, Ok(0));
    assert_eq!(audit.prune(time(2_500), days(400)).await, Ok(2_099));
    let lines = sample::lines(&audit).await;
    assert_eq!(lines[0].seq, 2_100);
    assert_eq!(verify(&lines), Ok(402));
    // Nothing more is old, and nothing is written about that.
    assert_eq!(audit.prune(time(2_500), days(400)).await, Ok(0));
    assert_eq!(sample::lines(&audit).await.len(), 402);
    // Later the record of the first pruning goes too.
    sample::write(&audit, [2_600 * DAY]).await;
    assert_eq!(audit.prune(time(2_601), days(50)).await, Ok(402));
    let lines = sample::lines(&audit).await;
    assert_eq!(verify(&lines), Ok(2));
}

/// An entry that a pruning did not take can't be taken under its name.
#[tokio::test]
async fn more_than_was_pruned_shows() {
    let audit = sample::audit(table()).await;
    sample::write(&audit, (1..=20).map(|day| day * DAY)).await;
    assert_eq!(audit.prune(time(20), days(10)).await, Ok(9));
    let lines = sample::lines(&audit).await;
    assert_eq!(verify(&lines), Ok(12));
    for more in 1..lines.len() {
        assert_eq!(verify(&lines[more..]), Err(FlawKind::Beginning), "{more}");
    }
    // Without the record of the pruning nothing explains the beginning.
    assert_eq!(verify(&lines[..lines.len() - 1]), Err(FlawKind::Beginning));
}

/// Whoever goes through the chain is not overtaken by its pruning.
#[tokio::test]
async fn an_export_keeps_the_front() {
    let audit = sample::audit(table()).await;
    sample::write(&audit, (1..=600).map(|day| day * DAY)).await;
    let tenant = sample::tenant("default");
    let mut export = audit
        .export(&tenant, Some(2), Some(400))
        .await
        .expect("an export");
    assert_eq!(export.range(), (2, 400));
    let mut lines = export.next().await.expect("lines");
    let pruned = audit.prune(time(600), days(10)).await;
    assert_eq!(pruned, Err(PruneError::Busy));
    loop {
        let next = export.next().await.expect("lines");
        if next.is_empty() {
            break;
        }
        lines.extend(next);
    }
    let numbers: Vec<_> = lines.iter().map(|line| line.seq).collect();
    assert_eq!(numbers, (2..=400).collect::<Vec<_>>());
    drop(export);
    assert_eq!(audit.prune(time(600), days(10)).await, Ok(589));
    for (from, to, range) in [
        (None, None, (590, 601)),
        (Some(1), Some(9_999), (590, 601)),
        (Some(595), Some(596), (595, 596)),
        (Some(700), None, (700, 601)),
    ] {
        let mut export = audit.export(&tenant, from, to).await.expect("an export");
        assert_eq!(export.range(), range);
        let count = export.next().await.expect("lines").len() as u64;
        assert_eq!(count, (range.1 + 1).saturating_sub(range.0));
    }
}

#[tokio::test]
async fn a_time_is_found_in_the_chain() {
    let audit = sample::audit(table()).await;
    assert_eq!(audit.since(time(1)).await, Ok(1));
    sample::write(&audit, (1..=30).map(|day| day * DAY)).await;
    for (from, seq) in [(0, 1), (1, 1), (2, 2), (17, 17), (30, 30), (31, 31)] {
        assert_eq!(audit.since(time(from)).await, Ok(seq), "day {from}");
    }
    assert_eq!(audit.prune(time(30), days(10)).await, Ok(19));
    for (from, seq) in [(0, 20), (20, 20), (25, 25), (30, 30)] {
        assert_eq!(audit.since(time(from)).await, Ok(seq), "day {from}");
    }
}
