use std::collections::BTreeMap;

use cofferdam_types::CallId;

use super::answer::Past;

/// Kinds of changes that are listed of each direction: more than anybody reads.
const SHIFTS_MAX: usize = 1_000;

/// What a candidate would have changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shadow {
    /// Calls that were looked at.
    pub calls: u64,
    /// Calls of which something depends on what the audit doesn't keep.
    pub undecidable: u64,
    /// What was allowed and would be denied, the most frequent first.
    pub newly_denied: Vec<Shift>,
    /// What was denied and would be allowed, the most frequent first.
    pub newly_allowed: Vec<Shift>,
    /// What went another way and is of kinds that are not listed.
    pub unlisted: u64,
}

/// A kind of call or use that would go the other way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shift {
    /// The tool, `http-fetch@1.2.0`.
    pub tool: String,
    /// Which capability; `tool` for the call as a whole.
    pub capability: String,
    /// What was done.
    pub operation: String,
    /// To what.
    pub resource: String,
    /// How often.
    pub count: u64,
    /// The first call where it happened.
    pub call: CallId,
}

type Kinds = BTreeMap<[String; 4], (u64, CallId)>;

/// Counts.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) calls: u64,
    pub(super) undecidable: u64,
    denied: Kinds,
    allowed: Kinds,
    unlisted: u64,
    /// The last call that counted as undecidable, which counts once.
    doubted: Option<CallId>,
}

impl Tally {
    pub(super) fn denied(
        &mut self,
        past: &Past<'_>,
        capability: &str,
        operation: &str,
        resource: &str,
        count: u64,
    ) {
        let kind = [&*past.tool, capability, operation, resource].map(str::to_owned);
        count_in(&mut self.denied, kind, count, past, &mut self.unlisted);
    }

    pub(super) fn allowed(
        &mut self,
        past: &Past<'_>,
        capability: &str,
        operation: &str,
        resource: &str,
        count: u64,
    ) {
        let kind = [&*past.tool, capability, operation, resource].map(str::to_owned);
        count_in(&mut self.allowed, kind, count, past, &mut self.unlisted);
    }

    /// Notes whether all of a call could be decided.
    pub(super) fn doubt(&mut self, past: &Past<'_>, is_certain: bool) {
        if !is_certain && self.doubted != Some(past.call_id) {
            self.doubted = Some(past.call_id);
            self.undecidable += 1;
        }
    }

    pub(super) fn finish(self) -> Shadow {
        Shadow {
            calls: self.calls,
            undecidable: self.undecidable,
            newly_denied: shifts(self.denied),
            newly_allowed: shifts(self.allowed),
            unlisted: self.unlisted,
        }
    }
}

fn count_in(kinds: &mut Kinds, kind: [String; 4], count: u64, past: &Past<'_>, unlisted: &mut u64) {
    if let Some((known, _)) = kinds.get_mut(&kind) {
        *known += count;
    } else if kinds.len() < SHIFTS_MAX {
        kinds.insert(kind, (count, past.call_id));
    } else {
        *unlisted += count;
    }
}

fn shifts(kinds: Kinds) -> Vec<Shift> {
    let mut shifts: Vec<_> = kinds
        .into_iter()
        .map(
            |([tool, capability, operation, resource], (count, call))| Shift {
                tool,
                capability,
                operation,
                resource,
                count,
                call,
            },
        )
        .collect();
    shifts.sort_by_key(|shift| std::cmp::Reverse(shift.count));
    shifts
}
