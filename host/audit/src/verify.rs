use std::fmt;

use cofferdam_types::Digest;
use cofferdam_types::audit::{Act, AuditRecord};

use crate::chain::{beginning, digest};
use crate::line::Line;

/// Goes through a chain, entry by entry, and says whether it is whole.
///
/// A chain is whole when its numbers follow each other, each entry names the digest of the one
/// before, each digest is that of its entry, and the first entry is number 1 or follows one that a
/// record in the chain says was pruned. What a chain can't show by itself: whoever can write the
/// store can also write a whole new chain, or cut its end. Both show against a number and digest
/// that was noted elsewhere, see [`Verifier::expect`].
#[derive(Debug, Default)]
pub struct Verifier {
    /// What the first entry has to follow; `None` when it has to show that itself.
    is_part: bool,
    first: Option<(u64, Digest)>,
    last: Option<(u64, Digest)>,
    /// The beginning is shown to be right.
    is_anchored: bool,
    expected: Vec<(u64, Digest)>,
    met: Vec<u64>,
    summary: Summary,
}

/// What was gone through.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// The first number.
    pub first: Option<u64>,
    /// The digest that the first entry names as the one before.
    pub before: Option<Digest>,
    /// The last number and its digest, to be noted elsewhere.
    pub head: Option<(u64, Digest)>,
    /// How many entries.
    pub entries: u64,
    /// How many of them are another tenant's: only their links could be checked.
    pub withheld: u64,
    /// How many details were lost, as records in the chain say.
    pub lost: u64,
}

/// The first thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaw {
    /// The number where it shows.
    pub seq: u64,
    /// What.
    pub kind: FlawKind,
}

/// What can be wrong with a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FlawKind {
    /// The entries from this number to the one before are not there.
    Missing(u64),
    /// The number was there already, or a later one was.
    Repeated,
    /// The record, its number or one of its digests is not what was written.
    Changed,
    /// It does not follow the entry before it.
    Unlinked,
    /// It is the first one, and no record says that those before it were pruned.
    Beginning,
    /// It has not the digest that is expected of it: the chain was written anew.
    Rewritten,
    /// It is expected, and the chain ends before it.
    CutOff,
    /// It is expected, and was not among what was gone through, which begins after it.
    NotShown,
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seq, kind } = self;
        match kind {
            FlawKind::Missing(from) if *from + 1 == *seq => {
                write!(f, "entry {from} is missing: {seq} follows")
            }
            FlawKind::Missing(from) => {
                write!(f, "entries {from} to {} are missing", seq.saturating_sub(1))
            }
            FlawKind::Repeated => write!(f, "entry {seq} stands at the wrong place, or twice"),
            FlawKind::Changed => write!(f, "entry {seq} is not what was written"),
            FlawKind::Unlinked => write!(f, "entry {seq} does not follow the one before it"),
            FlawKind::Beginning => write!(
                f,
                "the chain begins with entry {seq}, and no record says that those before it were \
                 pruned"
            ),
            FlawKind::Rewritten => write!(
                f,
                "entry {seq} has not the digest that is expected of it: the chain was written anew"
            ),
            FlawKind::CutOff => write!(f, "the chain ends before entry {seq}, which is expected"),
            FlawKind::NotShown => write!(
                f,
                "entry {seq} is expected and stands before the first that is shown"
            ),
        }
    }
}

impl Verifier {
    /// Of a whole chain, from its beginning or from where it was pruned.
    pub fn whole() -> Self {
        Self::default()
    }

    /// Of a part, whose first entry is taken to follow what it names.
    pub fn part() -> Self {
        Self {
            is_part: true,
            ..Self::default()
        }
    }

    /// The chain has to hold the entry of this number with this digest.
    pub fn expect(mut self, seq: u64, digest: Digest) -> Self {
        self.expected.push((seq, digest));
        self
    }

    /// The next entry.
    ///
    /// **Errors**: the first flaw; what comes after can't be judged.
    pub fn push(&mut self, line: &Line) -> Result<(), Flaw> {
        let seq = line.seq;
        let flaw = |kind| Err(Flaw { seq, kind });
        match self.last {
            None => self.begin(line),
            Some((last, _)) if seq <= last => return flaw(FlawKind::Repeated),
            Some((last, _)) if seq > last + 1 => return flaw(FlawKind::Missing(last + 1)),
            Some((_, before)) if line.previous != before => return flaw(FlawKind::Unlinked),
            Some(_) => {}
        }
        match &line.record {
            Some(text) if digest(seq, &line.previous, text) != line.digest => {
                return flaw(FlawKind::Changed);
            }
            Some(text) => self.heed(text),
            None => self.summary.withheld += 1,
        }
        self.meet(seq, line.digest)?;
        self.last = Some((seq, line.digest));
        self.summary.entries += 1;
        Ok(())
    }

    /// What was gone through, when nothing is wrong.
    ///
    /// **Errors**: a beginning that nothing explains, or an expected entry that was not there.
    pub fn finish(mut self) -> Result<Summary, Flaw> {
        if let Some((first, _)) = self.first
            && !self.is_anchored
            && !self.is_part
        {
            return Err(Flaw {
                seq: first,
                kind: FlawKind::Beginning,
            });
        }
        let missed = self
            .expected
            .iter()
            .find(|(seq, _)| !self.met.contains(seq));
        if let Some((seq, _)) = missed {
            let is_before = self.first.is_some_and(|(first, _)| *seq < first);
            let kind = if is_before {
                FlawKind::NotShown
            } else {
                FlawKind::CutOff
            };
            return Err(Flaw { seq: *seq, kind });
        }
        self.summary.head = self.last;
        Ok(self.summary)
    }

    fn begin(&mut self, line: &Line) {
        self.first = Some((line.seq, line.previous));
        self.summary.first = Some(line.seq);
        self.summary.before = Some(line.previous);
        self.is_anchored = line.seq == 1 && line.previous == beginning();
    }

    /// Takes from a record what it says about the chain itself.
    fn heed(&mut self, text: &str) {
        let Ok(record) = serde_json::from_str::<AuditRecord>(text) else {
            return;
        };
        match record.act {
            Act::Pruned {
                through, digest, ..
            } => {
                let before = (through.saturating_add(1), digest);
                self.is_anchored |= self.first == Some(before);
            }
            Act::Gap { records, .. } => {
                self.summary.lost = self.summary.lost.saturating_add(records);
            }
            _ => {}
        }
    }

    /// Compares an entry, and for the first also the one before it, with what is expected.
    fn meet(&mut self, seq: u64, own: Digest) -> Result<(), Flaw> {
        let before = self.first.filter(|(first, _)| *first == seq);
        let before = before.map(|(first, digest)| (first.saturating_sub(1), digest));
        for (seq, found) in before.into_iter().chain([(seq, own)]) {
            for (_, digest) in self.expected.iter().filter(|(number, _)| *number == seq) {
                if *digest != found {
                    let kind = FlawKind::Rewritten;
                    return Err(Flaw { seq, kind });
                }
                self.met.push(seq);
            }
        }
        Ok(())
    }
}
