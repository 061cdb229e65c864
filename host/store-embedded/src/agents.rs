use async_trait::async_trait;
use cofferdam_store_api::{Agents, StoreError};
use cofferdam_types::agent::Agent;
use cofferdam_types::{AgentId, Tenant};
use rusqlite::params;

use crate::embedded::Tables;
use crate::record::{self, RECORD_VERSION};

#[async_trait]
impl Agents for Tables {
    async fn put(&self, agent: &Agent) -> Result<(), StoreError> {
        let (tenant, id) = (agent.tenant.to_string(), agent.id.to_string());
        let text = record::encode(agent)?;
        self.write(move |connection| {
            let mut put = connection.prepare_cached(
                "INSERT OR REPLACE INTO agents (tenant, id, record_version, record)
                 VALUES (?1, ?2, ?3, ?4)",
            )?;
            put.execute(params![tenant, id, RECORD_VERSION, text])?;
            Ok(())
        })
        .await
    }

    async fn get(&self, tenant: &Tenant, id: &AgentId) -> Result<Option<Agent>, StoreError> {
        let key = [tenant.to_string(), id.to_string()];
        self.read(move |connection| {
            let mut get = connection.prepare_cached(
                "SELECT record_version, record FROM agents WHERE tenant = ?1 AND id = ?2",
            )?;
            record::one(&mut get, key, "agents")
        })
        .await
    }
}
