use async_trait::async_trait;
use cofferdam_store_api::{Events, StoreError};
use cofferdam_types::run::Event;
use cofferdam_types::{RunId, Tenant};

use crate::tables::Memory;

#[async_trait]
impl Events for Memory {
    async fn read(
        &self,
        tenant: &Tenant,
        run: &RunId,
        after: u64,
        limit: u32,
    ) -> Result<Vec<Event>, StoreError> {
        let tables = self.tables();
        let log = tables.runs.get(run);
        let events = log
            .filter(|log| log.head.tenant == *tenant)
            .map_or(&[][..], |log| &log.events);
        let begin = events.partition_point(|event| event.seq <= after);
        let rest = events.get(begin..).unwrap_or_default();
        Ok(rest.iter().take(limit as usize).cloned().collect())
    }
}
