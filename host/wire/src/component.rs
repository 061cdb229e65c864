//! What an upload answers.

use cofferdam_types::{ComponentName, Digest, ToolName, Version};
use serde::{Deserialize, Serialize};

/// A component that is in the registry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComponentView {
    /// Its name.
    pub component: ComponentName,
    /// Its version.
    pub version: Version,
    /// Its bytes.
    pub digest: Digest,
    /// Its tools: what became callable.
    pub tools: Vec<ToolName>,
    /// What it exports and is no tool.
    #[serde(default)]
    pub skipped: Vec<SkippedView>,
    /// The interfaces it imports: all that it could ask for.
    pub imports: Vec<String>,
    /// False when the same bytes were there before.
    pub created: bool,
}

/// An export that did not become a tool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SkippedView {
    /// The function or interface, as the component names it: `docs:calc/ops@0.1.0#open`.
    pub export: String,
    /// Why, and what the author could do about it.
    pub reason: String,
}
