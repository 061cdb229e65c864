//! Tools as they are read.

use cofferdam_types::tool::ToolSpec;
use cofferdam_types::{ComponentName, Digest, Timestamp};
use serde::{Deserialize, Serialize};

/// One version of one tool: its contract and where it comes from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolView {
    /// The contract.
    #[serde(flatten)]
    pub spec: ToolSpec,
    /// The component it lives in.
    pub component: ComponentName,
    /// The component's bytes.
    pub digest: Digest,
    /// When it was registered.
    pub created_at: Timestamp,
    /// Who registered it.
    pub created_by: String,
}
