use std::sync::Arc;
use std::time::Duration;

use cofferdam_store_api::{Audit as Table, AuditEntry, StoreError};
use cofferdam_types::audit::AuditRecord;
use tokio::sync::{Notify, mpsc, oneshot};

use crate::chain::End;
use crate::gap::Gaps;

/// Records of one write, at most.
const BATCH_MAX: usize = 512;
/// Pause after a write: what comes meanwhile is written together, and whoever brings it doesn't wake
/// the writer each time, which would cost as much as the rest of a short call.
const BATCH_PAUSE: Duration = Duration::from_millis(5);
/// Pause before a failed write is tried again.
const RETRY_PAUSE: Duration = Duration::from_millis(250);

/// What the writer is told.
pub(crate) enum Message {
    /// To be written.
    Record(AuditRecord),
    /// To be written, and somebody waits for it.
    Strict(AuditRecord, oneshot::Sender<()>),
    /// Somebody wants to know when all before it is written.
    Asked(oneshot::Sender<()>),
}

/// Writes what the audit takes. Ends, with everything written, when the last clone of the audit is
/// gone; dropped before, it loses what waits.
pub struct Writer {
    table: Arc<dyn Table>,
    end: End,
    waiting: mpsc::Receiver<Message>,
    gaps: Arc<Gaps>,
    hurry: Arc<Notify>,
}

impl Writer {
    pub(crate) fn new(
        table: Arc<dyn Table>,
        end: End,
        waiting: mpsc::Receiver<Message>,
        gaps: Arc<Gaps>,
        hurry: Arc<Notify>,
    ) -> Self {
        Self {
            table,
            end,
            waiting,
            gaps,
            hurry,
        }
    }

    /// Runs until the last clone of the audit is gone.
    pub async fn run(mut self) {
        let mut messages = Vec::with_capacity(BATCH_MAX);
        while self.waiting.recv_many(&mut messages, BATCH_MAX).await > 0 {
            let mut records = Vec::with_capacity(messages.len());
            let mut told = Vec::new();
            for message in messages.drain(..) {
                match message {
                    Message::Record(record) => records.push(record),
                    Message::Strict(record, tell) => {
                        records.push(record);
                        told.push(tell);
                    }
                    Message::Asked(tell) => told.push(tell),
                }
            }
            self.mark_gaps(&mut records);
            self.append(&records).await;
            for tell in told {
                // Whoever asked may have gone away.
                tell.send(()).ok();
            }
            // A call of `notify_one` before is remembered; one too many costs one short batch.
            tokio::time::timeout(BATCH_PAUSE, self.hurry.notified())
                .await
                .ok();
        }
        let mut records = Vec::new();
        self.mark_gaps(&mut records);
        self.append(&records).await;
    }

    /// Says what was lost, behind what was not.
    fn mark_gaps(&mut self, records: &mut Vec<AuditRecord>) {
        for record in self.gaps.take() {
            tracing::warn!(tenant = %record.tenant, "details are missing in the audit");
            records.push(record);
        }
    }

    /// Writes records, however long the store takes. Where another host has written meanwhile, they
    /// are linked to what it wrote.
    async fn append(&mut self, records: &[AuditRecord]) {
        if records.is_empty() {
            return;
        }
        loop {
            let mut end = self.end.clone();
            let entries: Vec<_> = records.iter().map(|record| end.link(record)).collect();
            let answer = self.table.append(&entries).await;
            let Err(error) = answer else {
                self.end = end;
                return;
            };
            if is_written(&*self.table, &entries).await {
                self.end = end;
                return;
            }
            if error == StoreError::Conflict
                && let Ok(last) = self.table.last().await
            {
                self.end = End::new(last);
                continue;
            }
            tracing::error!(%error, records = entries.len(), "the audit can't be written; trying again");
            tokio::time::sleep(RETRY_PAUSE).await;
        }
    }
}

/// True when a write that was answered with an error happened after all: others may have written
/// behind it, so the place of its first entry tells.
async fn is_written(table: &dyn Table, entries: &[AuditEntry]) -> bool {
    let Some(first) = entries.first() else {
        return true;
    };
    let kept = table.read(first.seq - 1, 1).await;
    kept.is_ok_and(|kept| kept.first() == Some(first))
}
