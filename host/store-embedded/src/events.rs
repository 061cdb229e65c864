use async_trait::async_trait;
use cofferdam_store_api::{Events, StoreError};
use cofferdam_types::run::{Event, Run};
use cofferdam_types::{RunId, Tenant};
use rusqlite::{Connection, params};

use crate::embedded::Tables;
use crate::error::Fault;
use crate::record::{self, RECORD_VERSION};

#[async_trait]
impl Events for Tables {
    async fn read(
        &self,
        tenant: &Tenant,
        run: &RunId,
        after: u64,
        limit: u32,
    ) -> Result<Vec<Event>, StoreError> {
        let (tenant, run) = (tenant.to_string(), run.to_string());
        let after = record::number(after);
        self.read(move |connection| {
            let mut read = connection.prepare_cached(
                "SELECT record_version, record FROM events
                 WHERE run_id = ?1 AND tenant = ?2 AND seq > ?3 ORDER BY seq LIMIT ?4",
            )?;
            record::all(&mut read, params![run, tenant, after, limit], "events")
        })
        .await
    }
}

/// Events of one run as their rows hold them.
pub(crate) struct Rows {
    run_id: String,
    tenant: String,
    /// Number and text of each.
    events: Vec<(u64, String)>,
}

impl Rows {
    pub(crate) fn of(run: &Run, events: &[Event]) -> Result<Self, StoreError> {
        let rows = events
            .iter()
            .map(|event| Ok((event.seq, record::encode(event)?)));
        Ok(Self {
            run_id: run.id.to_string(),
            tenant: run.tenant.to_string(),
            events: rows.collect::<Result<_, StoreError>>()?,
        })
    }

    /// The number of the first; 0 when there is none.
    pub(crate) fn first(&self) -> u64 {
        self.events.first().map_or(0, |(seq, _)| *seq)
    }

    /// Adds them to the log.
    pub(crate) fn add(&self, connection: &Connection) -> Result<(), Fault> {
        let mut add = connection.prepare_cached(
            "INSERT INTO events (run_id, seq, tenant, record_version, record)
             VALUES (?1, ?2, ?3, ?4, ?5)",
        )?;
        for (seq, text) in &self.events {
            let seq = record::number(*seq);
            add.execute(params![self.run_id, seq, self.tenant, RECORD_VERSION, text])?;
        }
        Ok(())
    }
}
