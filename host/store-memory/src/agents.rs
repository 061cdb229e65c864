use async_trait::async_trait;
use cofferdam_store_api::{Agents, StoreError};
use cofferdam_types::agent::Agent;
use cofferdam_types::{AgentId, Tenant};

use crate::tables::Memory;

#[async_trait]
impl Agents for Memory {
    async fn put(&self, agent: &Agent) -> Result<(), StoreError> {
        let key = (agent.tenant.clone(), agent.id);
        self.tables().agents.insert(key, agent.clone());
        Ok(())
    }

    async fn get(&self, tenant: &Tenant, id: &AgentId) -> Result<Option<Agent>, StoreError> {
        Ok(self.tables().agents.get(&(tenant.clone(), *id)).cloned())
    }
}
