use std::sync::Arc;

use async_trait::async_trait;
use cofferdam_engine::Tools;
use cofferdam_toolbox::Toolbox;
use cofferdam_types::Tenant;
use cofferdam_types::call::{Observer, Outcome, ToolCall};
use cofferdam_types::tool::{SafetyFlags, ToolRef};

/// The toolbox, as the engine sees it.
pub(crate) struct Door(pub(crate) Toolbox);

#[async_trait]
impl Tools for Door {
    async fn call(&self, call: ToolCall, observer: Arc<dyn Observer>) -> Outcome {
        self.0.call(call, observer).await
    }

    async fn safety(&self, tenant: &Tenant, tool: &ToolRef) -> Option<SafetyFlags> {
        self.0.safety(tenant, tool).await
    }
}
