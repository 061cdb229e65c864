//! One case of a table.

use std::collections::BTreeMap;

use cofferdam_types::call::DenialCode;
use cofferdam_types::caller::{Caller, Role};
use cofferdam_types::limits::LimitRequest;
use cofferdam_types::tool::ToolSpec;
use cofferdam_types::workspace::{Access, Offer, Place};
use cofferdam_types::{Digest, Tenant, Timestamp, ToolName, Version, WorkspaceName};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value as Json;

use super::asked::Use;
use super::tool::Description;
use super::{Checked, Decision, Expected, Said};
use crate::decision::Request;
use crate::delegation::{Carried, Delegation};
use crate::node::Node;
use crate::policy::Policy;
use crate::read::Format;
use crate::slice::Party;
use crate::subject::Subject;
use crate::walk::Walk;

/// A call, perhaps a use, and what is expected.
#[derive(Debug, Clone)]
pub(super) struct Case {
    name: String,
    line: u32,
    spec: ToolSpec,
    digest: Digest,
    tool: Description,
    caller: Caller,
    agent: Option<String>,
    environment: Option<String>,
    workspace: Option<Offer>,
    carried: Vec<(Party, Delegation)>,
    arguments: Json,
    now: Timestamp,
    asked: Option<Use>,
    expected: Expected,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    #[serde(default)]
    name: Option<String>,
    tool: ToolName,
    #[serde(default)]
    version: Option<Version>,
    #[serde(default)]
    digest: Option<Digest>,
    #[serde(default)]
    caller: CallerText,
    #[serde(default)]
    environment: Option<String>,
    #[serde(default)]
    workspace: Option<WorkspaceText>,
    #[serde(default, rename = "carries")]
    _carries: Option<IgnoredAny>,
    #[serde(default, rename = "arguments")]
    _arguments: Option<IgnoredAny>,
    #[serde(default)]
    at: Option<Timestamp>,
    #[serde(default, rename = "use")]
    _use: Option<IgnoredAny>,
    expect: Decision,
    #[serde(default)]
    code: Option<DenialCode>,
    #[serde(default)]
    rule: Option<String>,
}

/// Who calls. What is left out is a user of the tenant `default` whom no rule names.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct CallerText {
    #[serde(default)]
    role: Option<Role>,
    #[serde(default)]
    tenant: Option<Tenant>,
    #[serde(default)]
    principal: Option<String>,
    #[serde(default)]
    agent: Option<String>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum WorkspaceText {
    None,
    ReadOnly,
    ReadWrite,
}

impl Case {
    pub(super) fn read(
        node: &Node,
        tools: &BTreeMap<String, Description>,
        walk: &mut Walk,
    ) -> Option<Self> {
        let text = walk.read::<Text>(node);
        let asked = node.get("use").and_then(|node| Use::read(node, walk));
        let carried = carried(node, walk);
        let arguments = node.get("arguments");
        let text = text?;
        check(&text, node, walk);
        let tool = tools.get(text.tool.as_str()).cloned();
        let tool = tool.unwrap_or_else(|| Description::of_use(asked.as_ref()));
        let name = text.name.clone().unwrap_or_else(|| match &asked {
            Some(asked) => format!("{}: {asked}", text.tool),
            None => format!("{}: call", text.tool),
        });
        Some(Self {
            name,
            line: node.place.line,
            digest: text
                .digest
                .unwrap_or_else(|| tool.digest(text.tool.as_str())),
            workspace: offer(text.workspace, tool.files()),
            spec: tool.spec(text.tool, text.version),
            tool,
            caller: Caller {
                principal: text
                    .caller
                    .principal
                    .unwrap_or_else(|| "key:nobody".to_owned()),
                role: text.caller.role.unwrap_or(Role::User),
                tenant: text.caller.tenant.unwrap_or_default(),
            },
            agent: text.caller.agent,
            environment: text.environment,
            carried,
            arguments: arguments
                .map_or_else(|| Json::Object(serde_json::Map::new()), Node::to_json),
            now: text.at.unwrap_or_else(|| Timestamp::from_millis(0)),
            asked,
            expected: Expected {
                decision: text.expect,
                code: text.code,
                rule: text.rule,
            },
        })
    }

    pub(super) fn run(&self, policy: &Policy) -> Checked {
        Checked {
            name: self.name.clone(),
            line: self.line,
            expected: self.expected.clone(),
            said: self.decide(policy),
        }
    }

    fn decide(&self, policy: &Policy) -> Said {
        let subject = Subject {
            digest: self.digest,
            spec: &self.spec,
            owner: self.tool.owner.as_deref(),
            imports: &self.tool.imports,
            kind: self.tool.kind,
        };
        let layers = self.carried.iter().map(|(party, delegation)| Carried {
            party: *party,
            delegation,
        });
        let layers: Vec<_> = layers.collect();
        let request = Request {
            caller: &self.caller,
            agent: self.agent.as_deref(),
            environment: self.environment.as_deref(),
            workspace: self.workspace.as_ref(),
            limits: &LimitRequest::default(),
            layers: &layers,
            arguments: &self.arguments,
            now: self.now,
        };
        let grant = match policy.decide(&subject, &request) {
            Ok(grant) => grant,
            Err(denials) => return Said::Denied(denials),
        };
        let decided = self.asked.as_ref().map(|asked| asked.decide(&grant));
        match decided {
            None => Said::Allowed(None),
            Some(Ok(by)) => Said::Allowed(by),
            Some(Err(denial)) => Said::Denied(vec![*denial]),
        }
    }
}

/// What could never come true.
fn check(text: &Text, node: &Node, walk: &mut Walk) {
    let place = |key: &str| node.at(key).place;
    match text.expect {
        Decision::Allow if text.code.is_some() => {
            walk.mistake(place("/code"), "only a denial has a code");
        }
        Decision::Allow if text.rule.is_some() && node.get("use").is_none() => {
            walk.mistake(
                place("/rule"),
                "a call alone is allowed by no single rule: say what it uses",
            );
        }
        Decision::Allow | Decision::Deny => {}
    }
    if let Some(arguments) = node.get("arguments")
        && !arguments.to_json().is_object()
    {
        walk.mistake(arguments.place, "the arguments of a call are a map");
    }
}

/// What agent, task and caller pass on.
fn carried(node: &Node, walk: &mut Walk) -> Vec<(Party, Delegation)> {
    let Some(node) = node.get("carries") else {
        return Vec::new();
    };
    let mut carried = Vec::new();
    for (key, node) in node.fields() {
        let party = match key.text.as_str() {
            "agent" => Party::Agent,
            "task" => Party::Task,
            "caller" => Party::Caller,
            _ => {
                walk.mistake(key.place, "who carries is `agent`, `task` or `caller`");
                continue;
            }
        };
        let text = node.to_json().to_string();
        match Delegation::parse(text.as_bytes(), Format::Json, &key.text) {
            Ok(delegation) => carried.push((party, delegation)),
            Err(error) => {
                for mistake in error.mistakes() {
                    walk.mistake(node.place, mistake.reason.clone());
                }
            }
        }
    }
    carried
}

/// The workspace that the call offers; as much as the tool needs where the case says nothing.
fn offer(said: Option<WorkspaceText>, needed: Option<Access>) -> Option<Offer> {
    let access = match said {
        None => needed?,
        Some(WorkspaceText::None) => return None,
        Some(WorkspaceText::ReadOnly) => Access::ReadOnly,
        Some(WorkspaceText::ReadWrite) => Access::ReadWrite,
    };
    let name: WorkspaceName = "workspace".parse().ok()?;
    Some(Offer {
        place: Place::Named(name),
        access,
    })
}
