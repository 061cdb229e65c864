use async_trait::async_trait;
use cofferdam_types::agent::Agent;
use cofferdam_types::{AgentId, Tenant};

use crate::StoreError;

/// Agents of hosts.
#[async_trait]
pub trait Agents: Send + Sync {
    /// Adds an agent or replaces the tenant's own of that id.
    async fn put(&self, agent: &Agent) -> Result<(), StoreError>;

    /// One agent.
    async fn get(&self, tenant: &Tenant, id: &AgentId) -> Result<Option<Agent>, StoreError>;
}
