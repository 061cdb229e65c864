//! What is behind both transports: the methods.

use std::sync::Arc;

use cofferdam_access::{Permission, require};
use cofferdam_toolbox::Toolbox;
use cofferdam_types::authority::Authority;
use cofferdam_types::call::{Observer, Origin, ToolCall};
use cofferdam_types::caller::Caller;
use cofferdam_types::limits::LimitRequest;
use cofferdam_types::tool::ToolRef;
use cofferdam_types::workspace::Offer;
use cofferdam_types::{Ambient, CallId, Failure};
use rmcp::model::{
    DiscoverResult, ErrorCode, ErrorData, Implementation, InitializeResult, ProtocolVersion,
    ServerCapabilities,
};
use serde_json::{Map, Value};

use crate::answer::{self, Answer};
use crate::call::{self, Call};
use crate::changes::Changes;
use crate::listing::{self, Listings};
use crate::message::Request;
use crate::{error, version};

/// How the host calls itself.
const NAME: &str = "cofferdam";

/// For the model, once.
const INSTRUCTIONS: &str = "Tools of this host run in a sandbox and reach only what policy grants \
    them. A result with `isError` holds `error.code`, `error.message` and `error.details` as JSON: \
    `policy_denied` says which grant is missing, `invalid_input` points at each wrong argument.";

/// The MCP door. Cheap to clone.
#[derive(Clone)]
pub struct Door(Arc<Inner>);

struct Inner {
    toolbox: Toolbox,
    ambient: Arc<dyn Ambient>,
    listings: Listings,
}

/// Who asks, and in which terms.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    pub(crate) caller: Caller,
    /// The directory that calls may be shown.
    pub(crate) workspace: Option<Offer>,
    pub(crate) version: ProtocolVersion,
}

/// Method names that transports look at.
pub(crate) const INITIALIZE: &str = "initialize";
pub(crate) const LISTEN: &str = "subscriptions/listen";
pub(crate) const CALL: &str = "tools/call";
const DISCOVER: &str = "server/discover";

impl Door {
    /// In front of this toolbox; ids of calls are made from `ambient`.
    pub fn new(toolbox: Toolbox, ambient: Arc<dyn Ambient>) -> Self {
        Self(Arc::new(Inner {
            toolbox,
            ambient,
            listings: Listings::default(),
        }))
    }

    pub(crate) fn ambient(&self) -> &dyn Ambient {
        &*self.0.ambient
    }

    /// Tells when the tools of the caller's tenant are others than those of this generation.
    pub(crate) fn changes(&self, caller: &Caller, known: Option<u64>) -> Changes {
        Changes::new(self.0.toolbox.clone(), caller.clone(), known)
    }

    /// The generation of the caller's tools; nothing when the store can't be asked.
    pub(crate) async fn generation(&self, caller: &Caller) -> Option<u64> {
        self.0.toolbox.generation(caller).await.ok()
    }

    /// Answers any request but those that settle or keep a connection: `initialize` and
    /// `subscriptions/listen`.
    ///
    /// **Cancel**: dropping the future stops the guest.
    pub(crate) async fn answer(
        &self,
        client: &Client,
        request: Request,
        observer: Arc<dyn Observer>,
    ) -> Answer {
        let Request { method, params, .. } = request;
        match method.as_str() {
            CALL => self.call(client, params, observer).await,
            "tools/list" => self.list(client, &params).await,
            "ping" if client.version.has_initialize() => Ok(b"{}".to_vec()),
            DISCOVER if client.version.has_initialize() => Err(version::unsaid()),
            DISCOVER => Ok(discovered()),
            _ => Err(error::unknown_method(&method)),
        }
    }

    async fn list(&self, client: &Client, params: &Map<String, Value>) -> Answer {
        let allowed = require(&client.caller, Permission::ReadTools);
        allowed.map_err(|refused| error::of(refused.into()))?;
        let after = match params.get("cursor") {
            None => None,
            Some(Value::String(cursor)) => match cursor.parse() {
                Ok(name) => Some(name),
                Err(_) => return Err(error::invalid_params("/cursor", "no cursor of this host")),
            },
            Some(_) => return Err(error::invalid_params("/cursor", "expected a text")),
        };
        let listing = self.0.listings.get(&self.0.toolbox, &client.caller).await;
        Ok(listing
            .map_err(error::of)?
            .page(after.as_ref(), &client.version))
    }

    async fn call(
        &self,
        client: &Client,
        params: Map<String, Value>,
        observer: Arc<dyn Observer>,
    ) -> Answer {
        let Call {
            tool,
            arguments,
            commit,
        } = Call::read(params)?;
        if let Err(refused) = require(&client.caller, Permission::CallTools) {
            return Ok(answer::json(&call::failed(&Failure::from(refused))));
        }
        let toolbox = &self.0.toolbox;
        let tool = ToolRef {
            name: tool,
            range: None,
        };
        let entry = toolbox.tool(&client.caller, &tool).await;
        let call = ToolCall {
            id: CallId::generate(&*self.0.ambient),
            caller: client.caller.clone(),
            origin: Origin::Mcp,
            tool,
            arguments,
            workspace: client.workspace.clone(),
            limits: LimitRequest::default(),
            authority: Authority::default(),
            commit,
        };
        // Also when there is no such tool: the audit says who asked for it.
        let outcome = toolbox.call(call, observer).await;
        let entry = match (&outcome.tool, entry) {
            (Some(ran), Ok(entry)) if entry.identity() == ran => entry,
            // Another version was added in between.
            (Some(ran), _) => {
                let exactly = format!("{}@{}", ran.name, ran.version);
                let exactly = exactly.parse().map_err(|_| unreadable())?;
                let entry = toolbox.tool(&client.caller, &exactly).await;
                entry.map_err(error::of)?
            }
            (None, Ok(entry)) => entry,
            (None, Err(failure)) => return Err(error::of(failure)),
        };
        let told = call::told(outcome, &entry, &client.version)?;
        Ok(answer::json(&told))
    }
}

/// The result of `initialize`, and the revision that it settles on.
pub(crate) fn initialized(
    params: &Map<String, Value>,
) -> Result<(ProtocolVersion, Vec<u8>), ErrorData> {
    let version = version::negotiated(params)?;
    let result = InitializeResult::new(capabilities())
        .with_protocol_version(version.clone())
        .with_server_info(implementation())
        .with_instructions(INSTRUCTIONS);
    Ok((version, answer::json(&result)))
}

fn discovered() -> Vec<u8> {
    let mut result = DiscoverResult::new(ProtocolVersion::KNOWN_VERSIONS.to_vec(), capabilities())
        .with_server_info(implementation());
    result.instructions = Some(INSTRUCTIONS.to_owned());
    result.ttl_ms = listing::FRESH_MS;
    answer::json(&result)
}

fn capabilities() -> ServerCapabilities {
    ServerCapabilities::builder()
        .enable_tools()
        .enable_tool_list_changed()
        .build()
}

fn implementation() -> Implementation {
    Implementation::new(NAME, env!("CARGO_PKG_VERSION"))
}

/// A name and version that the registry gave and can't be read back.
fn unreadable() -> ErrorData {
    ErrorData::new(ErrorCode::INTERNAL_ERROR, "the tool has no name", None)
}
