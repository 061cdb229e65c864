use cofferdam_audit::{Flaw, FlawKind, Line, Summary, Verifier, digest};
use cofferdam_store_api::AuditEntry;
use cofferdam_types::Digest;
use cofferdam_types::audit::Act;
use cofferdam_types::page::PageRequest;
use proptest::prelude::*;

use crate::sample::{self, foreign, record, table, tenant};

/// What is wrong with a file of lines: with what is expected, as an auditor has it.
fn checked(text: &[u8], expected: Option<(u64, Digest)>) -> Result<Summary, String> {
    let mut verifier = Verifier::whole();
    if let Some((seq, digest)) = expected {
        verifier = verifier.expect(seq, digest);
    }
    let text = std::str::from_utf8(text).map_err(|error| error.to_string())?;
    for line in text.split_terminator('\n') {
        let line = Line::read(line).ok_or("no line of an export")?;
        verifier.push(&line).map_err(|flaw| flaw.to_string())?;
    }
    verifier.finish().map_err(|flaw| flaw.to_string())
}

fn verified(lines: &[Line], verifier: Verifier) -> Result<Summary, Flaw> {
    let mut verifier = verifier;
    for line in lines {
        verifier.push(line)?;
    }
    verifier.finish()
}

fn file(lines: &[Line]) -> Vec<u8> {
    let lines = lines.iter().map(|line| line.write() + "\n");
    lines.collect::<String>().into_bytes()
}

async fn chain(count: u64) -> Vec<Line> {
    let audit = sample::audit(table()).await;
    sample::write(&audit, 1..=count).await;
    sample::lines(&audit).await
}

#[tokio::test]
async fn every_changed_byte_shows() {
    let lines = chain(4).await;
    let head = lines.last().map(|line| (line.seq, line.digest));
    let whole = file(&lines);
    let summary = checked(&whole, head).expect("the chain is whole");
    assert_eq!((summary.entries, summary.head), (4, head));
    let mut seen = 0;
    for at in 0..whole.len() {
        for flip in [0x01, 0x02, 0x10, 0x20, 0x80] {
            let mut changed = whole.clone();
            changed[at] ^= flip;
            let answer = checked(&changed, head);
            assert!(answer.is_err(), "byte {at} ^ {flip:#x}: {answer:?}");
            seen += 1;
        }
    }
    assert!(seen > 5_000, "only {seen} changes");
}

#[tokio::test]
async fn what_is_dropped_moved_doubled_or_added_is_named() {
    let lines = chain(6).await;
    let flaw = |lines: &[Line]| {
        let flaw = verified(lines, Verifier::whole()).expect_err("a flaw");
        (flaw.seq, flaw.kind)
    };
    for at in 0..lines.len() {
        let seq = at as u64 + 1;
        let mut less = lines.clone();
        less.remove(at);
        if at == 0 {
            assert_eq!(flaw(&less), (2, FlawKind::Beginning));
        } else if at + 1 < lines.len() {
            assert_eq!(flaw(&less), (seq + 1, FlawKind::Missing(seq)));
        }
        let mut twice = lines.clone();
        twice.insert(at, lines[at].clone());
        assert_eq!(flaw(&twice), (seq, FlawKind::Repeated));
        for other in at + 1..lines.len() {
            let mut swapped = lines.clone();
            swapped.swap(at, other);
            assert!(verified(&swapped, Verifier::whole()).is_err());
        }
        // A forged one in its place that is right in itself shows at the next.
        let text = serde_json::to_string(&record(99)).expect("JSON");
        let mut forged = lines.clone();
        forged[at].digest = digest(seq, &forged[at].previous, &text);
        forged[at].record = Some(text);
        if at + 1 < lines.len() {
            assert_eq!(flaw(&forged), (seq + 1, FlawKind::Unlinked));
        }
        // One that hides behind another tenant is found by its link.
        let mut hidden = lines.clone();
        hidden[at].record = None;
        hidden[at].digest = sample::digest(7);
        if at + 1 < lines.len() {
            assert_eq!(flaw(&hidden), (seq + 1, FlawKind::Unlinked));
        }
    }
}

/// A chain that was cut at its end, or written anew from some record on, is whole in itself: only
/// a number and digest that were noted elsewhere tell.
#[tokio::test]
async fn a_noted_head_shows_what_the_chain_cannot() {
    let lines = chain(6).await;
    let head = (6, lines[5].digest);
    for kept in 0..6 {
        let cut = &lines[..kept];
        assert!(verified(cut, Verifier::whole()).is_ok());
        let flaw = verified(cut, Verifier::whole().expect(head.0, head.1));
        let kind = FlawKind::CutOff;
        assert_eq!(flaw, Err(Flaw { seq: 6, kind }), "{kept} kept");
    }
    let mut anew = lines.clone();
    for at in 2..6 {
        let text = serde_json::to_string(&record(99)).expect("JSON");
        anew[at].previous = anew[at - 1].digest;
        anew[at].digest = digest(anew[at].seq, &anew[at].previous, &text);
        anew[at].record = Some(text);
    }
    assert!(verified(&anew, Verifier::whole()).is_ok());
    for noted in 3..=6_u64 {
        let at = usize::try_from(noted).expect("small") - 1;
        let flaw = verified(&anew, Verifier::whole().expect(noted, lines[at].digest));
        let kind = FlawKind::Rewritten;
        assert_eq!(flaw, Err(Flaw { seq: noted, kind }));
    }
    assert!(verified(&anew, Verifier::whole().expect(2, lines[1].digest)).is_ok());
}

#[tokio::test]
async fn a_part_says_what_it_begins_behind() {
    let lines = chain(6).await;
    let part = &lines[3..];
    let whole = verified(part, Verifier::whole());
    let kind = FlawKind::Beginning;
    assert_eq!(whole, Err(Flaw { seq: 4, kind }));
    let summary = verified(part, Verifier::part()).expect("whole in itself");
    assert_eq!((summary.first, summary.entries), (Some(4), 3));
    assert_eq!(summary.before, Some(lines[2].digest));
    for (seq, digest, kind) in [
        (3, lines[2].digest, None),
        (5, lines[4].digest, None),
        (3, sample::digest(0), Some(FlawKind::Rewritten)),
        (2, lines[1].digest, Some(FlawKind::NotShown)),
        (7, sample::digest(0), Some(FlawKind::CutOff)),
    ] {
        let answer = verified(part, Verifier::part().expect(seq, digest));
        assert_eq!(answer.err().map(|flaw| flaw.kind), kind, "{seq}");
    }
}

/// Other tenants' records are withheld, and their links are still checked.
#[tokio::test]
async fn others_records_are_withheld() {
    let audit = sample::audit(table()).await;
    for at in 1..=6 {
        let mut record = record(at);
        if at % 3 == 0 {
            record.tenant = tenant("other");
        }
        audit.slot().await.expect("a place").write(record);
    }
    let lines = sample::lines(&audit).await;
    let kept: Vec<_> = lines.iter().map(|line| line.record.is_some()).collect();
    assert_eq!(kept, [true, true, false, true, true, false]);
    let summary = verified(&lines, Verifier::whole()).expect("whole");
    assert_eq!((summary.entries, summary.withheld), (6, 2));
    let text = file(&lines);
    assert!(checked(&text, None).is_ok());
    assert!(!String::from_utf8_lossy(&text).contains("other"));
}

/// A record of a later version, or one with fields that nobody knows, is listed, exported as it
/// stands and verified.
#[tokio::test]
async fn what_a_later_version_wrote_still_verifies() {
    let table = table();
    let audit = sample::audit(table.clone()).await;
    sample::write(&audit, 1..=2).await;
    drop(audit);
    let (_, previous) = table.last().await.expect("a table").expect("an end");
    let text = foreign(7);
    let entry = AuditEntry {
        seq: 3,
        previous,
        digest: digest(3, &previous, &text),
        tenant: tenant("default"),
        call: None,
        text: text.clone(),
    };
    table.append(&[entry]).await.expect("an append");
    let audit = sample::audit(table).await;
    sample::write(&audit, 4..=5).await;
    let lines = sample::lines(&audit).await;
    assert_eq!(lines[2].record.as_deref(), Some(text.as_str()));
    assert!(checked(&file(&lines), None).is_ok());
    let page = audit.list(&tenant("default"), &PageRequest::first()).await;
    let acts: Vec<_> = page
        .expect("a page")
        .items
        .iter()
        .map(|entry| entry.record().act)
        .collect();
    assert_eq!(acts.len(), 5);
    assert_eq!(acts[2], Act::Unknown);
}

/// The digests of the form that the first release wrote: a file of it still verifies.
#[test]
fn the_digest_is_the_one_it_always_was() {
    let text = r#"{"tenant":"default","at":"2026-01-02T03:04:05.678Z","actor":"key:1","act":"publish","component":"files@1.0.0","digest":"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}"#;
    let first = digest(1, &Digest::of(b""), text);
    assert_eq!(
        first.to_string(),
        "sha256:18c639bf20863d43b271d720bcf07af2591de07d42141e8c738ea2cca6b3c89e"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// Whatever stands in the records, lines come back as they were and verify.
    #[test]
    fn lines_come_back(
        texts in prop::collection::vec("\\PC{0,40}|.{0,20}", 1..12),
        withheld in any::<u16>(),
    ) {
        let mut previous = Digest::of(b"");
        let mut lines = Vec::new();
        for (seq, text) in (1..).zip(&texts) {
            let text = serde_json::json!({ "any": text, "act": "x" }).to_string();
            let own = digest(seq, &previous, &text);
            let record = (withheld >> seq & 1 == 0).then_some(text);
            lines.push(Line { seq, previous, digest: own, record });
            previous = own;
        }
        for line in &lines {
            let read = Line::read(&line.write());
            prop_assert_eq!(read.as_ref(), Some(line));
        }
        let text = file(&lines);
        let summary = checked(&text, Some((texts.len() as u64, previous)));
        prop_assert_eq!(summary.map(|summary| summary.entries), Ok(texts.len() as u64));
    }

    /// No text makes the reader panic, and what it takes it also writes.
    #[test]
    fn any_text_is_read_or_refused(text in "(\\{\"seq\":)?.{0,80}") {
        if let Some(line) = Line::read(&text) {
            prop_assert_eq!(line.write(), text);
        }
    }
}
