//! One use of one capability, as short as it is said: what a case of a table asks about once the
//! call is allowed, and what somebody wants explained.

mod forms;

use std::fmt;
use std::str::FromStr;

use cofferdam_types::call::Denial;
use cofferdam_types::tool::Capability as Declared;
use cofferdam_types::workspace::Access;

use crate::capability::Capability;
use crate::capability::clocks::Clocks;
use crate::capability::environment::{Environment, Variable};
use crate::capability::filesystem::{FileAsk, Filesystem};
use crate::capability::key_value::{KeyUse, KeyValue};
use crate::capability::network::{self, Network};
use crate::capability::random::Random;
use crate::capability::secrets::{self, Secret};
use crate::capability::sockets::{self, Sockets};
use crate::capability::subprocess::{Start, Subprocess};
use crate::capability::tool_call::{ToolCall, ToolUse};
use crate::denial;
use crate::error::{Mistake, PolicyError};
use crate::explain::UseExplanation;
use crate::grant::Grant;
use crate::node::{Node, Place};
use crate::origin::Origin;
use crate::read::{self, Format};
use crate::walk::Walk;

/// One use of one capability, in a form that can be decided about.
///
/// **Shape**: a map of one key in YAML, as below `use` in a table: `network: GET https://example.org/`,
/// `filesystem: read workspace:src/main.rs`, `subprocess: [git, status]`. `docs/policy-tests.md` has
/// all forms.
#[derive(Debug, Clone)]
pub struct Use {
    capability: &'static str,
    /// As it is written.
    written: serde_json::Value,
    ask: Ask,
}

/// What is said about a text that is none.
const ONE_USE: &str =
    "expected one use of one capability, as in `network: GET https://example.org/`";

#[derive(Debug, Clone)]
enum Ask {
    Network(network::Ask),
    /// A request that no policy could allow.
    Malformed(Box<Denial>),
    Sockets(sockets::Ask),
    Filesystem(FileAsk),
    Subprocess(Start),
    Environment(Variable),
    Secret(secrets::Use),
    KeyValue(KeyUse),
    ToolCall(ToolUse),
    Clocks,
    Random,
}

impl Use {
    pub(super) fn read(node: &Node, walk: &mut Walk) -> Option<Self> {
        let [(key, value)] = node.fields() else {
            walk.mistake(node.place, ONE_USE);
            return None;
        };
        let (capability, ask) = match key.text.as_str() {
            Network::NAME => (Network::NAME, forms::request(value, walk)),
            Sockets::NAME => (Sockets::NAME, forms::socket(value, walk)),
            Filesystem::NAME => (Filesystem::NAME, forms::file(value, walk)),
            Subprocess::NAME => (Subprocess::NAME, forms::start(value, walk)),
            Environment::NAME => (Environment::NAME, forms::variable(value, walk)),
            Secret::NAME => (Secret::NAME, forms::secret(value, walk)),
            KeyValue::NAME => (KeyValue::NAME, forms::key_use(value, walk)),
            ToolCall::NAME => (ToolCall::NAME, forms::tool(value, walk)),
            Clocks::NAME => (Clocks::NAME, forms::real(value, walk).map(|()| Ask::Clocks)),
            Random::NAME => (Random::NAME, forms::real(value, walk).map(|()| Ask::Random)),
            word => {
                let known = crate::permissions::CAPABILITIES.join(", ");
                let reason = format!("`{word}` is no capability: expected one of {known}");
                walk.mistake(key.place, reason);
                return None;
            }
        };
        Some(Self {
            capability,
            written: value.to_json(),
            ask: ask?,
        })
    }

    /// The same in JSON: a map of one key.
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::json!({ self.capability: self.written })
    }

    /// What a tool has to declare for it.
    pub(super) fn declared(&self) -> Declared {
        match &self.ask {
            Ask::Network(_) | Ask::Malformed(_) | Ask::Sockets(_) => Declared::Network,
            Ask::Filesystem(ask) => Declared::Workspace {
                access: if ask.right.is_change() {
                    Access::ReadWrite
                } else {
                    Access::ReadOnly
                },
                optional: false,
            },
            Ask::Subprocess(_) => Declared::Subprocess,
            Ask::Environment(_) => Declared::Environment,
            Ask::Secret(_) => Declared::Secret,
            Ask::KeyValue(_) => Declared::KeyValue,
            Ask::ToolCall(_) => Declared::ToolCall,
            Ask::Clocks => Declared::Clocks,
            Ask::Random => Declared::Random,
        }
    }

    /// What the grant says about it, party by party.
    pub fn explain(&self, grant: &Grant) -> UseExplanation {
        match &self.ask {
            Ask::Network(ask) => grant.explain::<Network>(ask),
            Ask::Malformed(denial) => UseExplanation {
                layers: Vec::new(),
                denied_by: None,
                decision: Err(Denial::clone(denial)),
            },
            Ask::Sockets(ask) => grant.explain::<Sockets>(ask),
            Ask::Filesystem(ask) => grant.explain::<Filesystem>(ask),
            Ask::Subprocess(ask) => grant.explain::<Subprocess>(ask),
            Ask::Environment(ask) => grant.explain::<Environment>(ask),
            Ask::Secret(ask) => grant.explain::<Secret>(ask),
            Ask::KeyValue(ask) => grant.explain::<KeyValue>(ask),
            Ask::ToolCall(ask) => grant.explain::<ToolCall>(ask),
            Ask::Clocks => grant.explain::<Clocks>(&()),
            Ask::Random => grant.explain::<Random>(&()),
        }
    }

    /// The rule that lets `subject` (`http-fetch@1.2.0`) run and do this and nothing else, as YAML:
    /// what to add to a policy that doesn't let it run at all. Empty for what no policy can allow.
    pub fn patch(&self, subject: &str) -> String {
        let smallest = match &self.ask {
            Ask::Network(ask) => Network::smallest(ask),
            Ask::Malformed(_) => return String::new(),
            Ask::Sockets(ask) => Sockets::smallest(ask),
            Ask::Filesystem(ask) => Filesystem::smallest(ask),
            Ask::Subprocess(ask) => Subprocess::smallest(ask),
            Ask::Environment(ask) => Environment::smallest(ask),
            Ask::Secret(ask) => Secret::smallest(ask),
            Ask::KeyValue(ask) => KeyValue::smallest(ask),
            Ask::ToolCall(ask) => ToolCall::smallest(ask),
            Ask::Clocks => Clocks::smallest(&()),
            Ask::Random => Random::smallest(&()),
        };
        let name = self.capability;
        denial::patch(subject, &format!("\n      {name}:\n        - {smallest}"))
    }

    /// The words under which the audit keeps it: capability, operation, resource.
    #[cfg(test)]
    pub(crate) fn recorded(&self) -> (&'static str, String, String) {
        fn of<C: Capability>(ask: &C::Ask) -> (&'static str, String, String) {
            (C::NAME, C::operation(ask), C::resource(ask))
        }
        match &self.ask {
            Ask::Network(ask) => of::<Network>(ask),
            Ask::Malformed(denial) => (
                Network::NAME,
                denial.operation.clone(),
                denial.resource.clone(),
            ),
            Ask::Sockets(ask) => of::<Sockets>(ask),
            Ask::Filesystem(ask) => of::<Filesystem>(ask),
            Ask::Subprocess(ask) => of::<Subprocess>(ask),
            Ask::Environment(ask) => of::<Environment>(ask),
            Ask::Secret(ask) => of::<Secret>(ask),
            Ask::KeyValue(ask) => of::<KeyValue>(ask),
            Ask::ToolCall(ask) => of::<ToolCall>(ask),
            Ask::Clocks => of::<Clocks>(&()),
            Ask::Random => of::<Random>(&()),
        }
    }

    /// Asks the grant, and answers which entry allows it.
    pub(crate) fn decide(&self, grant: &Grant) -> Result<Option<Origin>, Box<Denial>> {
        match &self.ask {
            Ask::Network(ask) => by::<Network>(grant, ask),
            Ask::Malformed(denial) => Err(denial.clone()),
            Ask::Sockets(ask) => by::<Sockets>(grant, ask),
            Ask::Filesystem(ask) => by::<Filesystem>(grant, ask),
            Ask::Subprocess(ask) => by::<Subprocess>(grant, ask),
            Ask::Environment(ask) => by::<Environment>(grant, ask),
            Ask::Secret(ask) => by::<Secret>(grant, ask),
            Ask::KeyValue(ask) => by::<KeyValue>(grant, ask),
            Ask::ToolCall(ask) => by::<ToolCall>(grant, ask),
            Ask::Clocks => by::<Clocks>(grant, &()),
            Ask::Random => by::<Random>(grant, &()),
        }
    }
}

impl FromStr for Use {
    type Err = PolicyError;

    /// **Errors**: [`PolicyError::Invalid`] with what is wrong in the text, and where.
    fn from_str(text: &str) -> Result<Self, PolicyError> {
        let invalid = |mistakes| PolicyError::invalid("use", mistakes);
        if text.trim().is_empty() {
            return Err(invalid(vec![Mistake::new(Place::START, ONE_USE)]));
        }
        let node = read::read(text.as_bytes(), Format::Yaml).map_err(invalid)?;
        let mut walk = Walk::default();
        let used = Self::read(&node, &mut walk);
        used.ok_or_else(|| PolicyError::invalid("use", walk.finish()))
    }
}

impl fmt::Display for Use {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.capability, shown(&self.written))
    }
}

fn by<C: Capability>(grant: &Grant, ask: &C::Ask) -> Result<Option<Origin>, Box<Denial>> {
    grant.decide::<C>(ask)?;
    let allowed = C::slice(grant).decide(ask).ok();
    Ok(allowed.map(|allowed| allowed.by.clone()))
}

/// A value as its author wrote it, as far as it fits a line.
fn shown(written: &serde_json::Value) -> String {
    let text = written
        .as_str()
        .map_or_else(|| written.to_string(), str::to_owned);
    text.chars().take(120).collect()
}
