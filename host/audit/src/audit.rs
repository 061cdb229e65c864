use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use cofferdam_store_api::{Audit as Table, AuditEntry, StoreError};
use cofferdam_types::audit::AuditRecord;
use cofferdam_types::page::{Page, PageRequest};
use cofferdam_types::{CallId, Digest, Tenant};
use thiserror::Error;
use tokio::sync::{Notify, RwLock, mpsc, oneshot};

use crate::chain::End;
use crate::gap::Gaps;
use crate::writer::{Message, Writer};

/// Records that wait to be written, at most; about 8 MB. When so many wait, the store is in trouble
/// and nothing more is done until it is out of it.
const WAITING_MAX: usize = 8_192;
/// Places that details leave free: a flood of them never refuses a call.
const KEPT_FOR_CALLS: usize = WAITING_MAX / 2;
/// How long a caller waits for a slot.
const SLOT_WAIT: Duration = Duration::from_secs(2);
/// How long a reader waits for what is being written. A store in trouble is read as it is.
const READ_WAIT: Duration = Duration::from_secs(2);

/// The audit: takes records, writes them in order. Cheap to clone.
#[derive(Clone)]
pub struct Audit {
    pub(crate) table: Arc<dyn Table>,
    messages: mpsc::Sender<Message>,
    gaps: Arc<Gaps>,
    hurry: Arc<Notify>,
    /// Calls are answered when their record is kept, not before.
    is_strict: Arc<AtomicBool>,
    /// Held for reading by whoever goes through the chain, for writing by whoever cuts its front.
    pub(crate) front: Arc<RwLock<()>>,
}

/// The audit can't take more now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the audit can't keep up")]
pub struct Full;

/// The right to write one record, taken before acting. Dropped unused, it is given back.
pub struct Slot {
    permit: mpsc::OwnedPermit<Message>,
    hurry: Arc<Notify>,
    is_strict: bool,
}

/// Resolves when a record is written as durably as the store writes.
pub struct Written(oneshot::Receiver<()>);

impl Slot {
    /// Writes the record. It is kept once its batch is; nobody waits for that.
    pub fn write(self, record: AuditRecord) {
        self.permit.send(Message::Record(record));
    }

    /// Writes the record of a call; what to wait for before it is answered, where the operator
    /// wants that.
    pub fn write_call(self, record: AuditRecord) -> Option<Written> {
        if self.is_strict {
            return Some(self.write_now(record));
        }
        self.write(record);
        None
    }

    /// Writes the record, without the pause that gathers others, for whoever answers only when it
    /// is kept.
    pub fn write_now(self, record: AuditRecord) -> Written {
        let (tell, told) = oneshot::channel();
        self.permit.send(Message::Strict(record, tell));
        self.hurry.notify_one();
        Written(told)
    }
}

impl Written {
    /// Waits until it is. **Errors**: [`Full`] when the writer ended before.
    pub async fn done(self) -> Result<(), Full> {
        self.0.await.map_err(|_| Full)
    }
}

impl Audit {
    /// The audit and the writer that has to run beside it.
    ///
    /// **Errors**: when the end of the chain can't be read.
    pub async fn new(table: Arc<dyn Table>) -> Result<(Self, Writer), StoreError> {
        let end = End::new(table.last().await?);
        let (messages, waiting) = mpsc::channel(WAITING_MAX);
        let (gaps, hurry) = (Arc::new(Gaps::default()), Arc::new(Notify::new()));
        let writer = Writer::new(table.clone(), end, waiting, gaps.clone(), hurry.clone());
        let (is_strict, front) = (Arc::default(), Arc::default());
        let audit = Self {
            table,
            messages,
            gaps,
            hurry,
            is_strict,
            front,
        };
        Ok((audit, writer))
    }

    /// From now on calls are answered only when their record is kept, or again at once.
    pub fn set_strict(&self, is_strict: bool) {
        self.is_strict.store(is_strict, Ordering::Relaxed);
    }

    /// The right to write one record. Waits a little for one.
    ///
    /// **Errors**: [`Full`] when the audit can't keep up: do not act.
    pub async fn slot(&self) -> Result<Slot, Full> {
        let slot = |permit| Slot {
            permit,
            hurry: self.hurry.clone(),
            is_strict: self.is_strict.load(Ordering::Relaxed),
        };
        // The first try costs no timer.
        match self.messages.clone().try_reserve_owned() {
            Ok(permit) => Ok(slot(permit)),
            Err(_) => {
                match tokio::time::timeout(SLOT_WAIT, self.messages.clone().reserve_owned()).await {
                    Ok(Ok(permit)) => Ok(slot(permit)),
                    _ => Err(Full),
                }
            }
        }
    }

    /// Writes a detail when there is room for it. When there is none, it is counted, and a record
    /// of the gap is written as soon as there is.
    pub fn offer(&self, record: AuditRecord) {
        if self.messages.capacity() <= KEPT_FOR_CALLS {
            return self.gaps.lost(&record);
        }
        if let Err(error) = self.messages.try_send(Message::Record(record))
            && let Message::Record(record) = error.into_inner()
        {
            self.gaps.lost(&record);
        }
    }

    /// Entries of one tenant, newest first, with every record that was given before: whoever made a
    /// call and then reads the audit finds it there.
    pub async fn list(
        &self,
        tenant: &Tenant,
        page: &PageRequest<u64>,
    ) -> Result<Page<AuditEntry, u64>, StoreError> {
        self.catch_up().await;
        self.table.list(tenant, page).await
    }

    /// Entries of one tenant about a call and the calls of its tree, oldest first, with every
    /// record that was given before.
    pub async fn of_call(
        &self,
        tenant: &Tenant,
        call: &CallId,
    ) -> Result<Vec<AuditEntry>, StoreError> {
        self.catch_up().await;
        self.table.of_call(tenant, call).await
    }

    /// The number and digest of the last entry, with every record that was given before: what to
    /// note elsewhere, so that a chain that was cut or written anew shows.
    pub async fn head(&self) -> Result<Option<(u64, Digest)>, StoreError> {
        self.catch_up().await;
        self.table.last().await
    }

    /// Waits until what was given before is written.
    pub(crate) async fn catch_up(&self) {
        let (tell, told) = oneshot::channel();
        let written = async {
            if self.messages.send(Message::Asked(tell)).await.is_ok() {
                self.hurry.notify_one();
                // It ends without a word only with the writer, and then there is nothing to wait for.
                told.await.ok();
            }
        };
        if tokio::time::timeout(READ_WAIT, written).await.is_err() {
            tracing::warn!("the audit is read without its newest records");
        }
    }
}
