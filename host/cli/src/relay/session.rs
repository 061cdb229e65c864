//! The session of a client, where the revision has one.

use std::sync::{Mutex, MutexGuard, PoisonError};

use reqwest::header::HeaderValue;

/// What a handshake settled on; nothing before it, and none in the revisions without one.
#[derive(Default)]
pub(super) struct Session(Mutex<Option<Settled>>);

#[derive(Clone)]
pub(super) struct Settled {
    /// A host may do without.
    pub(super) id: Option<HeaderValue>,
    pub(super) version: String,
}

impl Session {
    pub(super) fn settle(&self, settled: Option<Settled>) {
        *self.lock() = settled;
    }

    pub(super) fn settled(&self) -> Option<Settled> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Option<Settled>> {
        // Nothing that holds the lock can panic.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
