//! What a call has beside its grant: its place among all calls, its state, the tools that it calls.

use std::sync::Arc;
use std::time::Instant;

use cofferdam_policy::Grant;
use cofferdam_registry::Entry;
use cofferdam_runtime::{Depth, Invocation, Ledger, Secrets, Spaces, Tools};
use cofferdam_types::Failure;
use cofferdam_types::call::{Observer, ToolCall};
use cofferdam_types::key_value::{Owner, Space};

use crate::admission::{Arrival, Place};
use crate::nested::{Above, Family};
use crate::policies::Ruling;
use crate::secrets::{CallSecrets, Discreet};
use crate::toolbox::Toolbox;

/// A call that was decided about.
#[derive(Clone, Copy)]
pub(crate) struct Links<'a> {
    pub(crate) call: &'a ToolCall,
    pub(crate) above: Option<&'a Above>,
    pub(crate) entry: &'a Arc<Entry>,
    pub(crate) grant: &'a Arc<Grant>,
    /// What decided, whose limits over many calls hold for it too.
    pub(crate) ruling: &'a Ruling,
    /// The secrets it may use; absent when there are none.
    pub(crate) secrets: Option<&'a Arc<CallSecrets>>,
    /// Where what it does with its grant is noted.
    pub(crate) ledger: &'a Ledger,
}

impl Links<'_> {
    fn agent(&self) -> Option<&str> {
        self.call.authority.agent.as_deref()
    }
}

impl Toolbox {
    /// A place for the call under the limits over many calls, held while it runs.
    pub(crate) async fn admit(&self, links: &Links<'_>) -> Result<Place, Failure> {
        let arrival = Arrival {
            tool: &links.entry.identity().name,
            tenant: &links.call.caller.tenant,
            agent: links.agent(),
            memory_bytes: links.grant.limits().memory_bytes,
            deadline: links.grant.limits().deadline(),
            is_nested: links.above.is_some(),
        };
        let loads = links.ruling.policy.loads();
        self.admission.enter(loads, arrival).await
    }

    /// What the sandbox is to run.
    pub(crate) fn invocation(
        &self,
        links: &Links<'_>,
        arguments: String,
        observer: Arc<dyn Observer>,
        begun: Instant,
    ) -> Invocation {
        let may_call = !links.grant.tool_call().is_nothing();
        let tools =
            may_call.then(|| -> Arc<dyn Tools> { Family::of(self, links.call, links.above) });
        let observer = match links.secrets {
            Some(secrets) => Arc::new(Discreet {
                secrets: secrets.clone(),
                inner: observer,
            }),
            None => observer,
        };
        let spec = &links.entry.record().spec;
        Invocation {
            call: links.call.id,
            owner: cofferdam_runtime::Owner {
                tenant: links.call.caller.tenant.to_string(),
                tool: spec.name.to_string(),
            },
            secrets: links
                .secrets
                .map(|secrets| secrets.clone() as Arc<dyn Secrets>),
            function: spec.function.clone(),
            arguments,
            observer,
            spaces: self.spaces(links),
            tools,
            depth: links.above.map_or(Depth::ROOT, |above| above.depth),
            ledger: links.ledger.clone(),
            begun,
        }
    }

    /// Where the call's state is; nowhere when it may keep none.
    fn spaces(&self, links: &Links<'_>) -> Option<Spaces> {
        let may_keep = !links.grant.key_value().is_nothing();
        let values = self.parts.key_values.clone().filter(|_| may_keep)?;
        let space = |owner| Space {
            tenant: links.call.caller.tenant.clone(),
            owner,
        };
        let agent = links
            .agent()
            .map(|name| space(Owner::Agent(name.to_owned())));
        Some(Spaces {
            values,
            tool: space(Owner::Tool(links.entry.record().component.clone())),
            agent,
        })
    }
}
