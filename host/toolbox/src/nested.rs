//! Calls of tools by tools: they come in by the same door as all others, with a caller's grant above
//! them.

use std::sync::Arc;

use cofferdam_policy::Grant;
use cofferdam_policy::capability::tool_call::{ToolCall as ToolCallCapability, ToolUse};
use cofferdam_registry::Entry;
use cofferdam_runtime::{Depth, Finished, Nested, Tools};
use cofferdam_types::authority::Authority;
use cofferdam_types::call::{Deaf, Denial, Origin, Parent, ToolCall, Usage};
use cofferdam_types::caller::Caller;
use cofferdam_types::change::Commit;
use cofferdam_types::tool::{Identity, ToolRef};
use cofferdam_types::workspace::Offer;
use cofferdam_types::{CallId, Code, Failure, Payload};
use futures::FutureExt;
use futures::future::BoxFuture;

use crate::decide::subject;
use crate::toolbox::Toolbox;

/// Longest arguments of a call by a tool in bytes: the largest request body that the doors take.
const ARGUMENTS_BYTES_MAX: usize = 4 << 20;

/// What stands above a call that a tool makes.
#[derive(Clone)]
pub(crate) struct Above {
    /// The call that makes it.
    pub(crate) parent: Parent,
    /// Where it stands in the tree.
    pub(crate) depth: Depth,
    /// What its caller may do.
    pub(crate) grant: Arc<Grant>,
}

impl Above {
    /// What is left of the grant of the called tool: as the caller may call it and may do now.
    ///
    /// **Errors**: when a later policy took the call itself back from the caller, or what the tool
    /// can't do without.
    pub(crate) fn short_of(&self, grant: Grant, called: &Entry) -> Result<Grant, Vec<Denial>> {
        let Identity { name, version, .. } = called.identity();
        let ask = ToolUse {
            tool: name.clone(),
            version: Some(version.clone()),
        };
        let caps = self.grant.decide::<ToolCallCapability>(&ask);
        let caps = caps.map_err(|denial| vec![denial])?;
        grant.below(&subject(called), &self.grant, &caps)
    }
}

/// Runs the tools that the guest of one call calls, as whoever made that call.
pub(crate) struct Family {
    pub(crate) toolbox: Toolbox,
    pub(crate) caller: Caller,
    pub(crate) origin: Origin,
    pub(crate) authority: Authority,
    pub(crate) workspace: Option<Offer>,
    pub(crate) call_id: CallId,
    /// What stands above the call itself.
    pub(crate) above: Option<Parent>,
}

impl Family {
    /// For the guest of `call`.
    pub(crate) fn of(toolbox: &Toolbox, call: &ToolCall, above: Option<&Above>) -> Arc<Self> {
        Arc::new(Self {
            toolbox: toolbox.clone(),
            caller: call.caller.clone(),
            origin: call.origin.clone(),
            authority: call.authority.clone(),
            workspace: call.workspace.clone(),
            call_id: call.id,
            above: above.map(|above| above.parent),
        })
    }

    fn parent(&self) -> Parent {
        Parent {
            call_id: self.call_id,
            root_id: self.above.map_or(self.call_id, |above| above.root_id),
            depth: self.above.map_or(0, |above| above.depth) + 1,
        }
    }

    /// The call and what stands above it.
    fn call(&self, nested: Nested) -> Result<(ToolCall, Above), Failure> {
        let Nested {
            tool,
            arguments,
            limits,
            depth,
            caller,
        } = nested;
        if arguments.len() > ARGUMENTS_BYTES_MAX {
            let message = format!("arguments have at most {ARGUMENTS_BYTES_MAX} bytes");
            return Err(Failure::new(Code::TooLarge, message));
        }
        let arguments: Payload = serde_json::from_str(&arguments)
            .map_err(|error| Failure::invalid_at("/arguments", error.to_string()))?;
        if !arguments.as_value().is_object() {
            return Err(Failure::invalid_at("/arguments", "expected a JSON object"));
        }
        let exactly = format!("{}@{}", tool.name, tool.version);
        let tool = exactly.parse().map_err(|error| {
            tracing::error!(%error, exactly, "a tool of the catalogue has no reference");
            Failure::new(Code::Internal, "the host failed; its log says why")
        })?;
        let call = ToolCall {
            id: CallId::generate(&*self.toolbox.parts.ambient),
            caller: self.caller.clone(),
            origin: self.origin.clone(),
            authority: self.authority.clone(),
            tool,
            arguments,
            workspace: self.workspace.clone(),
            limits,
            // A call whose changes are to be told calls no tools.
            commit: Commit::Apply,
        };
        let above = Above {
            parent: self.parent(),
            depth,
            grant: caller,
        };
        Ok((call, above))
    }
}

impl Tools for Family {
    fn find<'a>(&'a self, tool: &'a ToolRef) -> BoxFuture<'a, Result<Identity, Failure>> {
        async move {
            let registry = &self.toolbox.parts.registry;
            let entry = registry.resolve(&self.caller.tenant, tool).await?;
            Ok(entry.identity().clone())
        }
        .boxed()
    }

    fn call(&self, nested: Nested) -> BoxFuture<'static, Finished> {
        let refused = |failure| Finished {
            result: Err(failure),
            usage: Usage::default(),
        };
        let (call, above) = match self.call(nested) {
            Ok(call) => call,
            Err(failure) => return futures::future::ready(refused(failure)).boxed(),
        };
        let toolbox = self.toolbox.clone();
        // Elsewhere than on the caller's stack, and not on a thread that takes requests.
        let running = self.toolbox.parts.runtime.spawn(async move {
            let outcome = toolbox.call_below(call, Arc::new(Deaf), &above).await;
            Finished {
                result: outcome.result.map(|result| result.to_string()),
                usage: outcome.usage,
            }
        });
        async move {
            match running.await {
                Ok(finished) => finished,
                Err(error) => refused(Failure::from(error)),
            }
        }
        .boxed()
    }
}

#[cfg(test)]
mod tests;
