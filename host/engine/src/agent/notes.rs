//! What a tool says while it runs: on its way from the guest's thread to the run's log.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cofferdam_types::StepName;
use cofferdam_types::call::{LogRecord, Observer, Progress};
use cofferdam_types::run::EventKind;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::plan::template::text_bytes;

/// Shortest time between two writes of progress and logs of one step: people don't read faster,
/// and each write waits for the disk.
const PACE: Duration = Duration::from_millis(200);
/// Most progress and log events of one step; further ones are dropped. Keeps a chatty tool from
/// burying the run's other events.
pub(crate) const NOTES_MAX: u32 = 1_000;
/// Log records that wait to be written; further ones are dropped.
const WAITING_MAX: usize = 256;
/// Longest progress message or log record, in bytes; longer ones are dropped.
const NOTE_BYTES_MAX: usize = 16 << 10;

/// Takes what a tool says without ever making it wait: keeps the latest progress and a bounded
/// number of log records.
pub(crate) struct Notes {
    kept: Mutex<Kept>,
    news: Notify,
}

struct Kept {
    progress: Option<Progress>,
    records: Vec<LogRecord>,
    /// How many more events the step may have.
    left: u32,
}

impl Notes {
    /// Of a step that has `used` up so many of its events in earlier attempts.
    pub(crate) fn new(used: u32) -> Self {
        Self {
            kept: Mutex::new(Kept {
                progress: None,
                records: Vec::new(),
                left: NOTES_MAX.saturating_sub(used),
            }),
            news: Notify::new(),
        }
    }

    /// Waits until there is something to write and `last`, the time of the last write, is
    /// [`PACE`] ago.
    pub(crate) async fn due(&self, last: Option<Instant>) {
        self.news.notified().await;
        if let Some(last) = last {
            tokio::time::sleep_until(last + PACE).await;
        }
    }

    /// Takes at most `most` events out: the latest progress, then logs in their order.
    pub(crate) fn take(&self, step: &StepName, most: usize) -> Vec<EventKind> {
        let mut kept = self.lock();
        let most = most.min(kept.left as usize);
        let mut events = Vec::new();
        if most > 0
            && let Some(progress) = kept.progress.take()
        {
            let step = step.clone();
            events.push(EventKind::StepProgress { step, progress });
        }
        let count = kept.records.len().min(most - events.len());
        events.extend(
            kept.records
                .drain(..count)
                .map(|record| EventKind::StepLog {
                    step: step.clone(),
                    record,
                }),
        );
        // `most` was at most `left`, so the count fits.
        kept.left -= u32::try_from(events.len()).unwrap_or(kept.left);
        if !kept.records.is_empty() {
            self.news.notify_one();
        }
        events
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        // Nothing that holds the lock can panic half-way through a change.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for Notes {
    fn progress(&self, progress: Progress) {
        if progress.message.len() > NOTE_BYTES_MAX {
            return;
        }
        let mut kept = self.lock();
        if kept.left > 0 {
            kept.progress = Some(progress);
            self.news.notify_one();
        }
    }

    fn log(&self, record: &LogRecord) {
        let fields = text_bytes(record.fields.as_value(), NOTE_BYTES_MAX);
        if fields.is_none_or(|bytes| bytes + record.message.len() > NOTE_BYTES_MAX) {
            return;
        }
        let mut kept = self.lock();
        if kept.records.len() < WAITING_MAX.min(kept.left as usize) {
            kept.records.push(record.clone());
            self.news.notify_one();
        }
    }
}
