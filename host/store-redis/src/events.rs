use async_trait::async_trait;
use cofferdam_store_api::{Events, StoreError};
use cofferdam_types::run::Event;
use cofferdam_types::{RunId, Tenant};
use redis::streams::StreamRangeReply;
use redis::{Cmd, cmd};

use crate::record;
use crate::store::Tables;

#[async_trait]
impl Events for Tables {
    async fn read(
        &self,
        tenant: &Tenant,
        run: &RunId,
        after: u64,
        limit: u32,
    ) -> Result<Vec<Event>, StoreError> {
        if limit == 0 {
            return Ok(Vec::new());
        }
        let mut fetch = redis::pipe();
        fetch.add_command(Cmd::hget(self.names.run(run), "tenant"));
        let mut range = cmd("XRANGE");
        range.arg(self.names.events(run));
        range.arg(behind(after)).arg("+").arg("COUNT").arg(limit);
        fetch.add_command(range);
        let (owner, log): (Option<String>, StreamRangeReply) = self.link.pipeline(&fetch).await?;
        if owner.as_deref() != Some(&tenant.to_string()) {
            return Ok(Vec::new());
        }
        let texts = log.ids.iter().map(|entry| entry.get::<Vec<u8>>("record"));
        let events = texts.map(|text| {
            let text = text.ok_or_else(|| record::unreadable("events", "it has no record"))?;
            record::decode("events", &text)
        });
        events.collect()
    }
}

/// The first id of a stream behind a number, for a stream whose ids are numbers; none is behind the
/// last number there is, as none is that high.
pub(crate) fn behind(after: u64) -> String {
    format!("{}-0", after.saturating_add(1))
}
