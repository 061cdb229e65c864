use async_trait::async_trait;
use cofferdam_types::tool::{Contract, ToolSpec};
use cofferdam_types::{ComponentName, Digest, Tenant, Timestamp, ToolName, Version};
use serde::{Deserialize, Serialize};

use crate::StoreError;

/// One version of one tool.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolRecord {
    /// The contract.
    pub spec: ToolSpec,
    /// The component it lives in.
    pub component: ComponentName,
    /// The component's bytes.
    pub digest: Digest,
    /// How it is known what the tool needs.
    #[serde(default)]
    pub contract: Contract,
    /// What the component imports, as in `wasi:http/outgoing-handler@0.2.6`.
    #[serde(default)]
    pub imports: Vec<String>,
    /// When it was registered.
    pub created_at: Timestamp,
    /// Who registered it, as [`cofferdam_types::caller::Caller::principal`].
    pub created_by: String,
}

/// Tool specs by name and version. Records never change.
#[async_trait]
pub trait Tools: Send + Sync {
    /// Adds all tools of one component, or none.
    ///
    /// **Atomic.** **Idempotent** for records of the same digest: those that are there stay as they
    /// are, and the answer is `Ok(false)` when all were.
    /// **Errors**: [`StoreError::Conflict`] when a name and version is taken by another digest.
    async fn register(&self, tenant: &Tenant, records: &[ToolRecord]) -> Result<bool, StoreError>;

    /// One version of one tool.
    async fn get(
        &self,
        tenant: &Tenant,
        name: &ToolName,
        version: &Version,
    ) -> Result<Option<ToolRecord>, StoreError>;

    /// All versions of all tools, by name, then by ascending version.
    ///
    /// Not paged: a catalogue is kept in memory as a whole by its one reader, the registry.
    async fn list(&self, tenant: &Tenant) -> Result<Vec<ToolRecord>, StoreError>;
}
