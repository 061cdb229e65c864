//! Agents: who drives runs.

use serde::{Deserialize, Serialize};

use crate::{AgentId, Tenant, Timestamp};

/// What an agent is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AgentType {
    /// Carries out the plan of a task.
    Executor,
}

/// An agent of a host. Each start of a host makes new ones, so that a dead host's agents are
/// never taken for living ones.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agent {
    /// Names this incarnation.
    pub id: AgentId,
    /// Whose it is.
    pub tenant: Tenant,
    /// Stays the same over restarts.
    pub name: String,
    /// What it is good for.
    pub agent_type: AgentType,
    /// When its host started it.
    pub started_at: Timestamp,
}
