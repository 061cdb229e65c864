use cofferdam_store_api::StoreError;
use cofferdam_types::{Tenant, Timestamp};
use tokio::sync::OwnedRwLockReadGuard;

use crate::audit::Audit;
use crate::line::Line;

/// Entries read at once: with records of the usual kilobyte a quarter of a megabyte.
const STEP: u32 = 256;

/// The entries of a range, oldest first, for one tenant. While it is held, the front of the chain is
/// not cut.
pub struct Export {
    audit: Audit,
    tenant: Tenant,
    /// The first number and the last; empty when the first is greater.
    range: (u64, u64),
    after: u64,
    _front: OwnedRwLockReadGuard<()>,
}

impl Audit {
    /// The entries from number `from` to `to`, both included, with every record that was given
    /// before. A range that goes beyond the chain is cut to it.
    pub async fn export(
        &self,
        tenant: &Tenant,
        from: Option<u64>,
        to: Option<u64>,
    ) -> Result<Export, StoreError> {
        let front = self.front.clone().read_owned().await;
        let last = self.head().await?.map_or(0, |(seq, _)| seq);
        let first = self.table.read(0, 1).await?;
        let first = first.first().map_or(1, |entry| entry.seq);
        let range = (
            from.unwrap_or(first).max(first),
            to.unwrap_or(last).min(last),
        );
        Ok(Export {
            audit: self.clone(),
            tenant: tenant.clone(),
            range,
            after: range.0.saturating_sub(1),
            _front: front,
        })
    }

    /// The number of the first entry that was written at this time or later; one behind the last
    /// where none was. Entries are taken to be in the order of their times, which they are while
    /// nobody sets the clock back.
    pub async fn since(&self, time: Timestamp) -> Result<u64, StoreError> {
        let first = self.table.read(0, 1).await?;
        let mut low = first.first().map_or(1, |entry| entry.seq);
        let mut high = self.head().await?.map_or(0, |(seq, _)| seq) + 1;
        while low < high {
            let middle = low.midpoint(high);
            let entries = self.table.read(middle - 1, 1).await?;
            match entries.first() {
                Some(entry) if entry.record().at < time => low = entry.seq + 1,
                _ => high = middle,
            }
        }
        Ok(low)
    }
}

impl Export {
    /// The first number and the last; nothing is in it when the first is greater.
    pub fn range(&self) -> (u64, u64) {
        self.range
    }

    /// The next lines; empty at the end.
    pub async fn next(&mut self) -> Result<Vec<Line>, StoreError> {
        let (_, to) = self.range;
        if self.after >= to {
            return Ok(Vec::new());
        }
        let entries = self.audit.table.read(self.after, STEP).await?;
        let mut lines = Vec::with_capacity(entries.len());
        for entry in entries.into_iter().take_while(|entry| entry.seq <= to) {
            self.after = entry.seq;
            lines.push(Line::of(entry, &self.tenant));
        }
        if lines.is_empty() {
            // Those up to `to` are gone, which the chain will show.
            self.after = to;
        }
        Ok(lines)
    }
}
