//! What an upload answers, at once or in the end.

use cofferdam_types::{ComponentName, Digest, Failure, Timestamp, ToolName, Version};
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

/// How far the adding of a component is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AdditionStatus {
    /// The file is read and checked.
    Inspecting,
    /// It is compiled, or waits for its turn.
    Compiling,
    /// Its tools are entered.
    Registering,
    /// Its tools can be called.
    Ready,
    /// It was not added.
    Failed,
}

impl AdditionStatus {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Inspecting => "inspecting",
            Self::Compiling => "compiling",
            Self::Registering => "registering",
            Self::Ready => "ready",
            Self::Failed => "failed",
        }
    }
}

/// A component that is being added, or was.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AdditionView {
    /// Its bytes.
    pub digest: Digest,
    /// How far it is.
    pub status: AdditionStatus,
    /// Since when.
    pub since: Timestamp,
    /// What was added, when ready.
    pub component: Option<ComponentView>,
    /// Why it was not, when failed.
    pub error: Option<Failure>,
}
