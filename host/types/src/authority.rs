//! On whose authority a call is made, besides its caller's role.

use serde::{Deserialize, Serialize};

use crate::Payload;

/// What narrows a call beyond the policy. Every part that is there has to allow a use as well; a
/// part that is absent passes on whatever policy gives.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Authority {
    /// The name of the agent at work, for rules that name agents.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// The profile that the call or its task runs in; absent: `isolated`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// What the agent carries, in the form of a rule's `allow`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_carries: Option<Payload>,
    /// What the task allows, in the same form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task_carries: Option<Payload>,
    /// What the caller passes on, in the same form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caller_delegates: Option<Payload>,
}
