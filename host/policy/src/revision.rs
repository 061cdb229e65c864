use std::sync::{Arc, PoisonError, RwLock};

use crate::grant::Grant;

/// What later policies say of a grant that is in use. Shared by the call and whoever replaces the
/// policy; cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Revision(Arc<RwLock<Option<Arc<Grant>>>>);

impl Revision {
    /// From now on, nothing is allowed that `newer` doesn't allow.
    pub fn narrow_to(&self, newer: Arc<Grant>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some(newer);
    }

    pub(crate) fn current(&self) -> Option<Arc<Grant>> {
        self.0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}
