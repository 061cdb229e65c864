use std::time::Duration;

use cofferdam_store_api::StoreError;
use cofferdam_types::audit::{Act, AuditRecord};
use cofferdam_types::page::PAGE_ITEMS_MAX;
use cofferdam_types::{Digest, Tenant, Timestamp};
use thiserror::Error;

use crate::audit::{Audit, Full};
use crate::gap::HOST;

/// Entries removed in one write: a store is not held up for long.
const STEP: u64 = 1_000;

/// Why the audit was not pruned. All pass by themselves.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PruneError {
    /// Somebody reads through the chain.
    #[error("the audit is being read")]
    Busy,
    /// The record of the pruning can't be written.
    #[error(transparent)]
    Full(#[from] Full),
    /// The store doesn't do it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Audit {
    /// Removes the entries from the front that are older than `keep`, up to the first that is not,
    /// and says how many. Before the first goes, a record is kept that says up to which number and
    /// digest, so that the rest can still be verified.
    ///
    /// **Cancel**: leaves entries that the record calls removed; the next time takes them too.
    pub async fn prune(&self, now: Timestamp, keep: Duration) -> Result<u64, PruneError> {
        let before = Timestamp::from_millis(
            now.as_millis()
                .saturating_sub(u64::try_from(keep.as_millis()).unwrap_or(u64::MAX)),
        );
        let _front = self.front.try_write().map_err(|_| PruneError::Busy)?;
        let Some((first, through, digest)) = self.old(before).await? else {
            return Ok(0);
        };
        let act = Act::Pruned {
            through,
            digest,
            before,
        };
        let record = AuditRecord::new(Tenant::default(), now, HOST, act);
        self.slot().await?.write_now(record).done().await?;
        let (mut removed, mut step) = (0, first - 1);
        while step < through {
            step = step.saturating_add(STEP).min(through);
            removed += self.table.prune(step).await?;
        }
        Ok(removed)
    }

    /// The first entry, and the last one before the first that was written at `before` or later.
    async fn old(&self, before: Timestamp) -> Result<Option<(u64, u64, Digest)>, StoreError> {
        let mut old: Option<(u64, u64, Digest)> = None;
        let mut after = 0;
        loop {
            let entries = self.table.read(after, PAGE_ITEMS_MAX).await?;
            let Some(last) = entries.last() else {
                return Ok(old);
            };
            after = last.seq;
            for entry in entries {
                let record = entry.record();
                // A text that can't be read has no time. It goes only with a later one that is old:
                // it is evidence.
                if record.schema == 0 {
                    continue;
                }
                if record.at >= before {
                    return Ok(old);
                }
                let first = old.map_or(entry.seq, |(first, ..)| first);
                old = Some((first, entry.seq, entry.digest));
            }
        }
    }
}
