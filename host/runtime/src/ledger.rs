use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cofferdam_policy::{Journal, Journaled};
use cofferdam_types::call::Denial;

/// What a call did with its grant, while it runs and after. Whoever made the call keeps it beside
/// the call's future, so that nothing is lost when that is dropped. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Ledger(Arc<Mutex<Journal>>);

impl Ledger {
    /// Notes a use that was allowed, in the words of its capability.
    pub fn used(&self, capability: &str, operation: String, resource: &str) {
        self.journal().used(capability, operation, resource, 0);
    }

    /// Notes a refusal.
    pub fn denied(&self, denial: Denial) {
        self.journal().denied(denial);
    }

    /// Takes out what there is to tell.
    pub fn take(&self) -> Journaled {
        std::mem::take(&mut *self.journal()).finish()
    }

    fn journal(&self) -> MutexGuard<'_, Journal> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
