use std::sync::Arc;

use async_trait::async_trait;
use cofferdam_types::Tenant;
use cofferdam_types::call::{Observer, Outcome, ToolCall};
use cofferdam_types::tool::{SafetyFlags, ToolRef};

/// The one door to running a tool, as the engine sees it.
///
/// Calls come from many runs at once; how many guests run at a time is the implementation's
/// business.
#[async_trait]
pub trait Tools: Send + Sync + 'static {
    /// Runs a call. It ends by its own deadline; the engine sets no second one.
    ///
    /// **Cancel**: dropping the future stops the guest. **Observer**: is called while the guest
    /// runs and never blocks. A panic counts as an `internal` failure of the call.
    async fn call(&self, call: ToolCall, observer: Arc<dyn Observer>) -> Outcome;

    /// What the author says about the tool's effects; `None` when the tool is not known. Asked
    /// only about a call that a crash interrupted.
    async fn safety(&self, tenant: &Tenant, tool: &ToolRef) -> Option<SafetyFlags>;
}
