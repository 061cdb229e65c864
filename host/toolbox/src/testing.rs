//! What the tests of several modules need.

use std::path::Path;
use std::sync::Arc;

use cofferdam_policy::{Format, Grant, Policy, Request, Source};
use cofferdam_registry::{Entry, Registry};
use cofferdam_store_api::ToolRecord;
use cofferdam_types::authority::Authority;
use cofferdam_types::call::{Origin, ToolCall};
use cofferdam_types::caller::Caller;
use cofferdam_types::change::Commit;
use cofferdam_types::limits::LimitRequest;
use cofferdam_types::tool::{Contract, ToolSpec};
use cofferdam_types::{CallId, Digest, Payload, Tenant, Timestamp};
use serde_json::json;

use crate::decide::subject;

/// The policy of a text that is one.
pub(crate) fn policy(text: &str) -> Policy {
    let source = Source {
        file: None,
        format: Format::Yaml,
        workspaces: Path::new("/nonexistent"),
        reserved: &[],
    };
    Policy::parse(text.as_bytes(), &source).unwrap_or_else(|error| panic!("{error}"))
}

/// A tool that declares capabilities.
pub(crate) async fn entry(name: &str, capabilities: &[&str]) -> Arc<Entry> {
    let stores = cofferdam_store_memory::open();
    let declared: Vec<_> = capabilities
        .iter()
        .map(|kind| json!({"kind": kind}))
        .collect();
    let spec: ToolSpec = serde_json::from_value(json!({
        "name": name, "function": "run", "version": "1.0.0", "description": "A tool.",
        "args_schema": {"type": "object"}, "returns_schema": {}, "capabilities": declared,
    }))
    .expect("a spec");
    let record = ToolRecord {
        digest: Digest::of(name.as_bytes()),
        component: name.parse().expect("a name"),
        contract: Contract::Declared,
        imports: Vec::new(),
        created_at: Timestamp::from_millis(0),
        created_by: "key:test".to_owned(),
        spec,
    };
    let registered = stores.tools.register(&Tenant::default(), &[record]).await;
    assert_eq!(registered, Ok(true));
    let entries = Registry::new(stores).list(&Tenant::default()).await;
    entries.expect("a list").remove(0)
}

/// What a policy grants to a call of the tool by this machine's owner.
pub(crate) fn grant(policy: &Policy, entry: &Entry) -> Grant {
    let (caller, limits) = (Caller::local(), LimitRequest::default());
    let granted = policy.decide(&subject(entry), &Request::bare(&caller, &limits));
    granted.expect("a grant")
}

/// The id of the call with this number.
pub(crate) fn id(number: u32) -> CallId {
    let text = format!("call_0192f7a4-7c5e-7d2a-8f00-{number:012}");
    text.parse().expect("an id")
}

/// A call of a tool by this machine's owner.
pub(crate) fn call(number: u32, tool: &Entry) -> ToolCall {
    ToolCall {
        id: id(number),
        caller: Caller::local(),
        origin: Origin::Http,
        authority: Authority::default(),
        tool: tool.identity().name.as_str().parse().expect("a reference"),
        arguments: Payload::empty_object(),
        workspace: None,
        limits: LimitRequest::default(),
        commit: Commit::Apply,
    }
}
