//! What a call did so far. It outlives the store, so that a call that is cut off still has a log
//! and a bill.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use cofferdam_types::Limits;
use cofferdam_types::call::{CallLog, Denial, LogRecord, Use};

use crate::stdio::Capture;

/// Most denials kept of one call; a guest that tries on is refused all the same.
const DENIALS_MAX: usize = 32;
/// Most kinds of uses kept of one call; those beyond are counted together.
const USES_MAX: usize = 64;

/// What a log record counts for besides its text, in bytes: an empty one is not free.
const RECORD_BYTES: u64 = 128;

/// Shared by the store of a call and whoever waits for it.
pub(crate) struct Meter {
    pub(crate) stdout: Capture,
    pub(crate) stderr: Capture,
    fuel: u64,
    fuel_left: AtomicU64,
    memory_peak: AtomicU64,
    memory_refused: AtomicBool,
    host_memory_refused: AtomicBool,
    log_bytes_max: u64,
    notes: Mutex<Notes>,
}

#[derive(Default)]
struct Notes {
    denials: Vec<Denial>,
    uses: Vec<Use>,
    records: Vec<LogRecord>,
    record_bytes: u64,
    record_bytes_dropped: u64,
}

impl Meter {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            stdout: Capture::new(limits.stdio_bytes),
            stderr: Capture::new(limits.stdio_bytes),
            fuel: limits.fuel,
            fuel_left: AtomicU64::new(limits.fuel),
            memory_peak: AtomicU64::new(0),
            memory_refused: AtomicBool::new(false),
            host_memory_refused: AtomicBool::new(false),
            log_bytes_max: limits.stdio_bytes,
            notes: Mutex::default(),
        }
    }

    fn notes(&self) -> std::sync::MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set_fuel_left(&self, fuel: u64) {
        self.fuel_left.store(fuel, Ordering::Relaxed);
    }

    pub(crate) fn fuel_used(&self) -> u64 {
        self.fuel
            .saturating_sub(self.fuel_left.load(Ordering::Relaxed))
    }

    pub(crate) fn saw_memory(&self, bytes: u64) {
        self.memory_peak.fetch_max(bytes, Ordering::Relaxed);
    }

    pub(crate) fn memory_peak(&self) -> u64 {
        self.memory_peak.load(Ordering::Relaxed)
    }

    pub(crate) fn refuse_memory(&self) {
        self.memory_refused.store(true, Ordering::Relaxed);
    }

    pub(crate) fn memory_refused(&self) -> bool {
        self.memory_refused.load(Ordering::Relaxed)
    }

    pub(crate) fn refuse_host_memory(&self) {
        self.host_memory_refused.store(true, Ordering::Relaxed);
    }

    pub(crate) fn host_memory_refused(&self) -> bool {
        self.host_memory_refused.load(Ordering::Relaxed)
    }

    pub(crate) fn deny(&self, denial: Denial) {
        let mut notes = self.notes();
        if notes.denials.len() < DENIALS_MAX && !notes.denials.contains(&denial) {
            notes.denials.push(denial);
        }
    }

    /// Counts one use of a capability.
    pub(crate) fn uses(&self, capability: &str, operation: String, resource: String) {
        let mut notes = self.notes();
        let known = notes.uses.iter_mut().find(|known| {
            known.capability == capability
                && known.operation == operation
                && known.resource == resource
        });
        if let Some(known) = known {
            known.count += 1;
            return;
        }
        // The last place is that of all that have none.
        match notes.uses.len() {
            USES_MAX.. => notes.uses[USES_MAX - 1].count += 1,
            len => notes.uses.push(Use {
                capability: capability.to_owned(),
                operation: if len + 1 == USES_MAX {
                    "more".to_owned()
                } else {
                    operation
                },
                resource: if len + 1 == USES_MAX {
                    "other".to_owned()
                } else {
                    resource
                },
                count: 1,
            }),
        }
    }

    /// Makes room for a log record of `bytes` of text, or counts it as dropped. True when there is
    /// room: then the record is to be kept with [`Self::keep`].
    pub(crate) fn has_room(&self, bytes: u64) -> bool {
        let mut notes = self.notes();
        if notes.record_bytes + bytes + RECORD_BYTES > self.log_bytes_max {
            notes.record_bytes_dropped += bytes;
            return false;
        }
        notes.record_bytes += bytes + RECORD_BYTES;
        true
    }

    /// Keeps a record that has room.
    pub(crate) fn keep(&self, record: LogRecord) {
        self.notes().records.push(record);
    }

    pub(crate) fn printed_bytes(&self) -> u64 {
        self.stdout.total() + self.stderr.total()
    }

    /// What is left to tell when the call is over.
    pub(crate) fn take_notes(&self) -> (CallLog, Vec<Use>, Vec<Denial>) {
        let (stdout_tail, stdout_dropped) = self.stdout.text();
        let (stderr_tail, stderr_dropped) = self.stderr.text();
        let notes = std::mem::take(&mut *self.notes());
        let log = CallLog {
            stdout_tail,
            stderr_tail,
            dropped_bytes: stdout_dropped + stderr_dropped + notes.record_bytes_dropped,
            records: notes.records,
        };
        (log, notes.uses, notes.denials)
    }
}
