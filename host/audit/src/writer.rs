use std::sync::Arc;
use std::time::Duration;

use cofferdam_store_api::{Audit as Table, AuditEntry, StoreError};
use cofferdam_types::Tenant;
use cofferdam_types::audit::AuditRecord;
use cofferdam_types::page::{Page, PageRequest};
use thiserror::Error;
use tokio::sync::{mpsc, oneshot};

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
/// How long a reader waits for what is being written. A store in trouble is read as it is.
const READ_WAIT: Duration = Duration::from_secs(2);
/// Pause before a failed write is tried again.
const RETRY_PAUSE: Duration = Duration::from_millis(250);

/// The audit: takes records, writes them in order. Cheap to clone.
#[derive(Clone)]
pub struct Audit {
    table: Arc<dyn Table>,
    messages: mpsc::Sender<Message>,
}

/// What the writer is told.
enum Message {
    /// To be written.
    Record(AuditRecord),
    /// Somebody wants to know when all before it is written.
    Asked(oneshot::Sender<()>),
}

/// The audit can't take more now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the audit can't keep up")]
pub struct Full;

/// The right to write one record, taken before acting. Dropped unused, it is given back.
pub struct Slot(mpsc::OwnedPermit<Message>);

impl Slot {
    /// Writes the record. It is kept once its batch is; nobody waits for that.
    pub fn write(self, record: AuditRecord) {
        self.0.send(Message::Record(record));
    }
}

impl Audit {
    /// The audit and the writer that has to run beside it.
    ///
    /// **Errors**: when the end of the chain can't be read.
    pub async fn new(table: Arc<dyn Table>) -> Result<(Self, Writer), StoreError> {
        let end = End::new(table.last().await?);
        let (messages, waiting) = mpsc::channel(WAITING_MAX);
        let writer = Writer {
            table: table.clone(),
            end,
            waiting,
        };
        Ok((Self { table, messages }, writer))
    }

    /// The right to write one record. Waits a little for one.
    ///
    /// **Errors**: [`Full`] when the audit can't keep up: do not act.
    pub async fn slot(&self) -> Result<Slot, Full> {
        // The first try costs no timer.
        match self.messages.clone().try_reserve_owned() {
            Ok(permit) => Ok(Slot(permit)),
            Err(_) => {
                match tokio::time::timeout(SLOT_WAIT, self.messages.clone().reserve_owned()).await {
                    Ok(Ok(permit)) => Ok(Slot(permit)),
                    _ => Err(Full),
                }
            }
        }
    }

    /// Entries of one tenant, newest first, with every record that was given before: whoever made a
    /// call and then reads the audit finds it there.
    pub async fn list(
        &self,
        tenant: &Tenant,
        page: &PageRequest<u64>,
    ) -> Result<Page<AuditEntry, u64>, StoreError> {
        let (tell, told) = oneshot::channel();
        let written = async {
            if self.messages.send(Message::Asked(tell)).await.is_ok() {
                // It ends without a word only with the writer, and then there is nothing to wait for.
                told.await.ok();
            }
        };
        if tokio::time::timeout(READ_WAIT, written).await.is_err() {
            tracing::warn!("the audit is read without its newest records");
        }
        self.table.list(tenant, page).await
    }
}

/// Writes what the audit takes. Ends, with everything written, when the last clone of the audit is
/// gone; dropped before, it loses what waits.
pub struct Writer {
    table: Arc<dyn Table>,
    end: End,
    waiting: mpsc::Receiver<Message>,
}

impl Writer {
    /// Runs until the last clone of the audit is gone.
    pub async fn run(mut self) {
        let mut messages = Vec::with_capacity(BATCH_MAX);
        while self.waiting.recv_many(&mut messages, BATCH_MAX).await > 0 {
            let mut entries = Vec::with_capacity(messages.len());
            let mut asked = Vec::new();
            for message in messages.drain(..) {
                match message {
                    Message::Record(record) => entries.push(self.end.link(record)),
                    Message::Asked(tell) => asked.push(tell),
                }
            }
            self.append(&entries).await;
            for tell in asked {
                // Whoever asked may have gone away.
                tell.send(()).ok();
            }
            tokio::time::sleep(BATCH_PAUSE).await;
        }
    }

    /// Writes entries, however long the store takes.
    async fn append(&self, entries: &[AuditEntry]) {
        if entries.is_empty() {
            return;
        }
        while let Err(error) = self.table.append(entries).await {
            if is_written(&*self.table, entries).await {
                break;
            }
            tracing::error!(%error, records = entries.len(), "the audit can't be written; trying again");
            tokio::time::sleep(RETRY_PAUSE).await;
        }
    }
}

/// True when a write that was answered with an error happened after all.
async fn is_written(table: &dyn Table, entries: &[AuditEntry]) -> bool {
    let last = entries.last().map(|entry| (entry.seq, entry.digest));
    matches!(table.last().await, Ok(kept) if kept == last)
}
