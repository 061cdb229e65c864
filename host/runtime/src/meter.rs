//! What a call did so far. It outlives the store, so that a call that is cut off still has a log
//! and a bill.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use cofferdam_policy::Journaled;
use cofferdam_types::Limits;
use cofferdam_types::call::{CallLog, Denial, LogRecord};

use crate::ledger::Ledger;
use crate::stdio::Capture;

/// What a log record counts for besides its text, in bytes: an empty one is not free.
const RECORD_BYTES: u64 = 128;

/// Shared by the store of a call and whoever waits for it.
pub(crate) struct Meter {
    pub(crate) stdout: Capture,
    pub(crate) stderr: Capture,
    fuel: u64,
    fuel_left: AtomicU64,
    /// Fuel that host functions cost and that the store has not paid yet.
    fuel_owed: AtomicU64,
    memory_peak: AtomicU64,
    /// With the tools that it called.
    tree_memory_peak: AtomicU64,
    memory_refused: AtomicBool,
    host_memory_refused: AtomicBool,
    log_bytes_max: u64,
    ledger: Ledger,
    notes: Mutex<Notes>,
}

#[derive(Default)]
struct Notes {
    records: Vec<LogRecord>,
    record_bytes: u64,
    record_bytes_dropped: u64,
}

impl Meter {
    pub(crate) fn new(limits: &Limits, ledger: Ledger) -> Self {
        Self {
            stdout: Capture::new(limits.stdio_bytes),
            stderr: Capture::new(limits.stdio_bytes),
            fuel: limits.fuel,
            fuel_left: AtomicU64::new(limits.fuel),
            fuel_owed: AtomicU64::new(0),
            memory_peak: AtomicU64::new(0),
            tree_memory_peak: AtomicU64::new(0),
            memory_refused: AtomicBool::new(false),
            host_memory_refused: AtomicBool::new(false),
            log_bytes_max: limits.stdio_bytes,
            ledger,
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

    /// Has the call pay for a host function, at the latest at its end.
    pub(crate) fn charge(&self, fuel: u64) {
        self.fuel_owed.fetch_add(fuel, Ordering::Relaxed);
    }

    /// What is left of `left` after all that is owed; that is paid then. `None` when it is not
    /// enough: then nothing is left.
    pub(crate) fn settle(&self, left: u64) -> Option<u64> {
        let owed = self.fuel_owed.swap(0, Ordering::Relaxed);
        let rest = left.checked_sub(owed);
        self.set_fuel_left(rest.unwrap_or(0));
        rest
    }

    /// As [`Self::settle`], and nothing is paid: for where the guest has its fuel in a register, and
    /// what the store is told is overwritten.
    pub(crate) fn can_settle(&self, left: u64) -> bool {
        let rest = left.checked_sub(self.fuel_owed.load(Ordering::Relaxed));
        self.set_fuel_left(rest.unwrap_or(0));
        rest.is_some()
    }

    pub(crate) fn saw_memory(&self, bytes: u64) {
        self.memory_peak.fetch_max(bytes, Ordering::Relaxed);
    }

    pub(crate) fn memory_peak(&self) -> u64 {
        self.memory_peak.load(Ordering::Relaxed)
    }

    /// While a tool that it called ran, both held so much together.
    pub(crate) fn saw_tree_memory(&self, bytes: u64) {
        self.tree_memory_peak.fetch_max(bytes, Ordering::Relaxed);
    }

    pub(crate) fn tree_memory_peak(&self) -> u64 {
        let below = self.tree_memory_peak.load(Ordering::Relaxed);
        self.memory_peak().max(below)
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
        self.ledger.denied(denial);
    }

    /// Counts one use of a capability.
    pub(crate) fn uses(&self, capability: &str, operation: String, resource: &str) {
        self.ledger.used(capability, operation, resource);
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
    pub(crate) fn take_notes(&self) -> (CallLog, Journaled) {
        let (stdout_tail, stdout_dropped) = self.stdout.text();
        let (stderr_tail, stderr_dropped) = self.stderr.text();
        let notes = std::mem::take(&mut *self.notes());
        let log = CallLog {
            stdout_tail,
            stderr_tail,
            dropped_bytes: stdout_dropped + stderr_dropped + notes.record_bytes_dropped,
            records: notes.records,
        };
        (log, self.ledger.take())
    }
}
