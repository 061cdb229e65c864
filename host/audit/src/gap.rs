use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use cofferdam_types::audit::{Act, AuditRecord, Class};
use cofferdam_types::{Tenant, Timestamp};

/// Who is named for what the host does by itself.
pub(crate) const HOST: &str = "host";

/// Details that could not be written, by whose they were. There are as many tenants as the operator
/// made, and each holds a few numbers.
#[derive(Default)]
pub(crate) struct Gaps(Mutex<BTreeMap<Tenant, Gap>>);

struct Gap {
    records: u64,
    from: Timestamp,
    to: Timestamp,
}

impl Gaps {
    /// Counts a record that is lost.
    pub(crate) fn lost(&self, record: &AuditRecord) {
        let mut gaps = self.gaps();
        let gap = gaps.entry(record.tenant.clone()).or_insert(Gap {
            records: 0,
            from: record.at,
            to: record.at,
        });
        gap.records += 1;
        gap.from = gap.from.min(record.at);
        gap.to = gap.to.max(record.at);
    }

    /// The records that say what was lost since this was asked last.
    pub(crate) fn take(&self) -> Vec<AuditRecord> {
        let gaps = std::mem::take(&mut *self.gaps());
        let record = |(tenant, gap): (Tenant, Gap)| {
            let act = Act::Gap {
                class: Class::Detail,
                records: gap.records,
                from: gap.from,
                to: gap.to,
            };
            AuditRecord::new(tenant, gap.to, HOST, act)
        };
        gaps.into_iter().map(record).collect()
    }

    fn gaps(&self) -> MutexGuard<'_, BTreeMap<Tenant, Gap>> {
        // Every change of a count is one step, so that a panic leaves none half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
