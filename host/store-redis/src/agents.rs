use async_trait::async_trait;
use cofferdam_store_api::{Agents, StoreError};
use cofferdam_types::agent::Agent;
use cofferdam_types::{AgentId, Tenant};
use redis::Cmd;

use crate::record;
use crate::store::Tables;

#[async_trait]
impl Agents for Tables {
    async fn put(&self, agent: &Agent) -> Result<(), StoreError> {
        let key = self.names.agent(&agent.tenant, &agent.id);
        self.link
            .command(&Cmd::set(key, record::encode(agent)?))
            .await
    }

    async fn get(&self, tenant: &Tenant, id: &AgentId) -> Result<Option<Agent>, StoreError> {
        let key = self.names.agent(tenant, id);
        let text: Option<Vec<u8>> = self.link.command(&Cmd::get(key)).await?;
        text.map(|text| record::decode("agents", &text)).transpose()
    }
}
