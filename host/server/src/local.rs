use std::path::PathBuf;
use std::sync::Arc;

use cofferdam_policy::{Lesson, Policy};
use cofferdam_registry::Entry;
use cofferdam_runtime::Scratch;
use cofferdam_toolbox::{Labels, Published, Skipped};
use cofferdam_types::authority::Authority;
use cofferdam_types::call::{Deaf, Denial, Origin, Outcome, ToolCall};
use cofferdam_types::caller::Caller;
use cofferdam_types::change::Commit;
use cofferdam_types::limits::LimitRequest;
use cofferdam_types::tool::ToolRef;
use cofferdam_types::workspace::{Access, Offer, Place};
use cofferdam_types::{CallId, Failure, Payload};
use cofferdam_wire::call::CallAnswer;
use cofferdam_wire::component::{ComponentView, SkippedView};
use cofferdam_wire::error::ErrorBody;
use cofferdam_wire::tool::ToolView;
use tempfile::TempDir;

use crate::ambient::System;
use crate::app::{Core, Sandbox};
use crate::config::Rules;
use crate::error::Error;
use crate::policy::Policies;
use crate::secrets;

/// Guests at once of a one-shot host: one call, and one to describe the component.
const LIVE_CALLS: u32 = 8;

/// The same door without a server: for one-shot calls and tests of the person at the command line,
/// who may offer any directory. Remembers nothing.
pub struct Local {
    core: Core,
    caller: Caller,
    /// Where files lie that are private to a call.
    _scratch: TempDir,
}

/// What came of a one-shot call.
#[derive(Debug)]
pub struct LocalCalled {
    /// Its answer.
    pub answer: Result<CallAnswer, ErrorBody>,
    /// What the policy refused it on the way.
    pub denials: Vec<Denial>,
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
    /// What becomes of its changes.
    pub commit: Commit,
}

impl Local {
    /// Sets a small sandbox up, under the rules of a host; its calls may bring any directory.
    pub async fn open(rules: Rules) -> Result<Self, Error> {
        let stores = cofferdam_store_memory::open();
        let temporary = TempDir::with_prefix("cofferdam-").map_err(Error::Temporary)?;
        let scratch = Scratch::open(&temporary.path().join("scratch"));
        let authorities = rules.read_authorities()?;
        let policies = Arc::new(Policies::one_shot(rules.file, rules.narrowing));
        let vault = secrets::open(&stores, None).await?;
        let sandbox = Sandbox {
            live_calls: Some(LIVE_CALLS),
            scratch: Some(Arc::new(
                scratch.map_err(|errno| Error::Temporary(errno.into()))?,
            )),
            authorities,
            artifacts: None,
        };
        let core = Core::new(&stores, policies, vault, sandbox).await?;
        Ok(Self {
            core,
            caller: Caller::local(),
            _scratch: temporary,
        })
    }

    /// Puts a policy in force for the calls to come.
    pub fn rule(&self, policy: &Policy) {
        self.core
            .toolbox
            .replace_policy(policy.with_any_directory());
    }

    /// What the tools that were added may be granted, to begin with: nothing.
    pub async fn lesson(&self, base: Option<&Policy>) -> Result<Lesson, ErrorBody> {
        let entries = self.core.toolbox.tools(&self.caller).await?;
        let tools = entries
            .iter()
            .map(|entry| cofferdam_toolbox::subject(entry));
        Ok(Lesson::new(tools, base))
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
    pub async fn call(&self, call: LocalCall) -> LocalCalled {
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
            commit: call.commit,
        };
        let outcome: Outcome = self.core.toolbox.call(call, Arc::new(Deaf)).await;
        let denials = outcome.denials.clone();
        let answer = CallAnswer::try_from(outcome).map_err(|failure: Failure| failure.into());
        LocalCalled { answer, denials }
    }
}
