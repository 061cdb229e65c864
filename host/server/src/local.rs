use std::path::PathBuf;
use std::sync::Arc;

use cofferdam_policy::Policy;
use cofferdam_registry::Entry;
use cofferdam_toolbox::{Fixed, Labels, Published, Skipped};
use cofferdam_types::authority::Authority;
use cofferdam_types::call::{Deaf, Origin, Outcome, ToolCall};
use cofferdam_types::caller::Caller;
use cofferdam_types::limits::LimitRequest;
use cofferdam_types::tool::ToolRef;
use cofferdam_types::workspace::{Access, Offer, Place};
use cofferdam_types::{CallId, Failure, Payload};
use cofferdam_wire::call::CallAnswer;
use cofferdam_wire::component::{ComponentView, SkippedView};
use cofferdam_wire::error::ErrorBody;
use cofferdam_wire::tool::ToolView;

use crate::ambient::System;
use crate::app::{Core, Sandbox};
use crate::error::Error;
use crate::secrets;

/// Guests at once of a one-shot host: one call, and one to describe the component.
const LIVE_CALLS: u32 = 8;

/// The same door without a server: for one-shot calls and tests of the person at the command line,
/// who may offer any directory. Remembers nothing.
pub struct Local {
    core: Core,
    caller: Caller,
}

/// A one-shot call.
#[derive(Debug, Clone)]
pub struct LocalCall {
    /// Which tool.
    pub tool: ToolRef,
    /// Its arguments, an object.
    pub arguments: serde_json::Value,
    /// The directory it may see, and what it may do there.
    pub workspace: Option<(PathBuf, Access)>,
    /// Tighter limits.
    pub limits: LimitRequest,
}

impl Local {
    /// Sets a small sandbox up.
    pub async fn open() -> Result<Self, Error> {
        let stores = cofferdam_store_memory::open();
        let policies = Arc::new(Fixed(Policy::builtin_local()));
        let vault = secrets::open(&stores, None).await?;
        let sandbox = Sandbox {
            live_calls: Some(LIVE_CALLS),
            ..Sandbox::default()
        };
        let core = Core::new(&stores, policies, vault, sandbox).await?;
        Ok(Self {
            core,
            caller: Caller::local(),
        })
    }

    /// Adds a component: the same checks as on a server.
    pub async fn add(&self, labels: Labels, bytes: &[u8]) -> Result<ComponentView, ErrorBody> {
        let published = self
            .core
            .toolbox
            .publish(&self.caller, labels, bytes)
            .await?;
        let Published {
            component,
            version,
            digest,
            tools,
            skipped,
            imports,
            created,
        } = published;
        let skipped = skipped
            .into_iter()
            .map(|Skipped { export, reason }| SkippedView { export, reason });
        Ok(ComponentView {
            component,
            version,
            digest,
            tools,
            skipped: skipped.collect(),
            imports,
            created,
        })
    }

    /// The tools that were added.
    pub async fn tools(&self) -> Result<Vec<ToolView>, ErrorBody> {
        let entries = self.core.toolbox.tools(&self.caller).await?;
        let view = |entry: &Arc<Entry>| {
            let record = entry.record().clone();
            ToolView {
                spec: record.spec,
                component: record.component,
                digest: record.digest,
                created_at: record.created_at,
                created_by: record.created_by,
            }
        };
        Ok(entries.iter().map(view).collect())
    }

    /// Calls a tool.
    pub async fn call(&self, call: LocalCall) -> Result<CallAnswer, ErrorBody> {
        let offer = |(directory, access)| Offer {
            place: Place::Directory(directory),
            access,
        };
        let call = ToolCall {
            id: CallId::generate(&System),
            caller: self.caller.clone(),
            origin: Origin::Cli,
            tool: call.tool,
            arguments: Payload::from(call.arguments),
            workspace: call.workspace.map(offer),
            limits: call.limits,
            authority: Authority::default(),
        };
        let outcome: Outcome = self.core.toolbox.call(call, Arc::new(Deaf)).await;
        CallAnswer::try_from(outcome).map_err(|failure: Failure| failure.into())
    }
}
