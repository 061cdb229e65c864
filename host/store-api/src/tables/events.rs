use async_trait::async_trait;
use cofferdam_types::run::Event;
use cofferdam_types::{RunId, Tenant};

use crate::StoreError;

/// Reading of runs' logs.
#[async_trait]
pub trait Events: Send + Sync {
    /// At most `limit` events of a run that come after number `after`, in order, without a gap.
    /// Empty when there is no such run.
    async fn read(
        &self,
        tenant: &Tenant,
        run: &RunId,
        after: u64,
        limit: u32,
    ) -> Result<Vec<Event>, StoreError>;
}
