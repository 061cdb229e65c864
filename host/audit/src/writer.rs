use std::sync::Arc;
use std::time::Duration;

use cofferdam_store_api::{Audit as Table, AuditEntry, StoreError};
use cofferdam_types::Tenant;
use cofferdam_types::audit::AuditRecord;
use cofferdam_types::page::{Page, PageRequest};
use thiserror::Error;
use tokio::sync::mpsc;

use crate::chain::End;

/// Records that wait to be written, at most; about 8 MB. When so many wait, the store is in trouble
/// and nothing more is done until it is out of it.
const WAITING_MAX: usize = 8_192;
/// Records of one write, at most.
const BATCH_MAX: usize = 512;
/// How long a caller waits for a slot.
const SLOT_WAIT: Duration = Duration::from_secs(2);
/// Pause after a write: what comes meanwhile is written together, and whoever brings it doesn't wake
/// the writer each time, which would cost as much as the rest of a short call.
const BATCH_PAUSE: Duration = Duration::from_millis(5);
/// Pause before a failed write is tried again.
const RETRY_PAUSE: Duration = Duration::from_millis(250);

/// The audit: takes records, writes them in order. Cheap to clone.
#[derive(Clone)]
pub struct Audit {
    table: Arc<dyn Table>,
    records: mpsc::Sender<AuditRecord>,
}

/// The audit can't take more now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the audit can't keep up")]
pub struct Full;

/// The right to write one record, taken before acting. Dropped unused, it is given back.
pub struct Slot(mpsc::OwnedPermit<AuditRecord>);

impl Slot {
    /// Writes the record. It is kept once its batch is; nobody waits for that.
    pub fn write(self, record: AuditRecord) {
        self.0.send(record);
    }
}

impl Audit {
    /// The audit and the writer that has to run beside it.
    ///
    /// **Errors**: when the end of the chain can't be read.
    pub async fn new(table: Arc<dyn Table>) -> Result<(Self, Writer), StoreError> {
        let end = End::new(table.last().await?);
        let (records, waiting) = mpsc::channel(WAITING_MAX);
        let writer = Writer {
            table: table.clone(),
            end,
            waiting,
        };
        Ok((Self { table, records }, writer))
    }

    /// The right to write one record. Waits a little for one.
    ///
    /// **Errors**: [`Full`] when the audit can't keep up: do not act.
    pub async fn slot(&self) -> Result<Slot, Full> {
        // The first try costs no timer.
        match self.records.clone().try_reserve_owned() {
            Ok(permit) => Ok(Slot(permit)),
            Err(_) => {
                match tokio::time::timeout(SLOT_WAIT, self.records.clone().reserve_owned()).await {
                    Ok(Ok(permit)) => Ok(Slot(permit)),
                    _ => Err(Full),
                }
            }
        }
    }

    /// Entries of one tenant, newest first.
    pub async fn list(
        &self,
        tenant: &Tenant,
        page: &PageRequest<u64>,
    ) -> Result<Page<AuditEntry, u64>, StoreError> {
        self.table.list(tenant, page).await
    }
}

/// Writes what the audit takes. Ends, with everything written, when the last clone of the audit is
/// gone; dropped before, it loses what waits.
pub struct Writer {
    table: Arc<dyn Table>,
    end: End,
    waiting: mpsc::Receiver<AuditRecord>,
}

impl Writer {
    /// Runs until the last clone of the audit is gone.
    pub async fn run(mut self) {
        let mut records = Vec::with_capacity(BATCH_MAX);
        while self.waiting.recv_many(&mut records, BATCH_MAX).await > 0 {
            let entries: Vec<_> = records
                .drain(..)
                .map(|record| self.end.link(record))
                .collect();
            while let Err(error) = self.table.append(&entries).await {
                if is_written(&*self.table, &entries).await {
                    break;
                }
                tracing::error!(%error, records = entries.len(), "the audit can't be written; trying again");
                tokio::time::sleep(RETRY_PAUSE).await;
            }
            tokio::time::sleep(BATCH_PAUSE).await;
        }
    }
}

/// True when a write that was answered with an error happened after all.
async fn is_written(table: &dyn Table, entries: &[AuditEntry]) -> bool {
    let last = entries.last().map(|entry| (entry.seq, entry.digest));
    matches!(table.last().await, Ok(kept) if kept == last)
}
