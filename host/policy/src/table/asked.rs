//! What a case uses, once the call is allowed: one use of one capability, as short as it is said.

use std::fmt;
use std::net::SocketAddr;

use cofferdam_types::call::Denial;
use cofferdam_types::tool::Capability as Declared;
use cofferdam_types::workspace::Access;
use cofferdam_types::{ToolName, Version};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::capability::Capability;
use crate::capability::clocks::Clocks;
use crate::capability::environment::{self, Environment, Variable};
use crate::capability::filesystem::{FileAsk, Filesystem, MountName, MountPath, Right};
use crate::capability::key_value::{self, KeyUse, KeyValue};
use crate::capability::network::{self, Network, Target};
use crate::capability::random::Random;
use crate::capability::secrets::{self, Secret, Site, Way};
use crate::capability::sockets::{self, Connect, Protocol, Sockets, Tls};
use crate::capability::subprocess::{Argument, Place, Start, Subprocess};
use crate::capability::tool_call::{ToolCall, ToolUse};
use crate::grant::Grant;
use crate::node::{Node, Value};
use crate::origin::Origin;
use crate::walk::Walk;

/// A use, in a form that can be decided about.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    capability: &'static str,
    /// As it is written, for people.
    text: String,
    ask: Ask,
}

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

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RequestText {
    request: String,
    #[serde(default)]
    headers: Vec<String>,
    #[serde(default)]
    address: Option<std::net::IpAddr>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ConnectText {
    connect: String,
    #[serde(default)]
    names: Vec<String>,
    #[serde(default)]
    tls: Option<Tls>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct StartText {
    start: Vec<String>,
    #[serde(default)]
    cwd: Option<String>,
    #[serde(default)]
    stdin_bytes: u64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct VariableText {
    name: String,
    #[serde(default)]
    value: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct SecretText {
    name: String,
    #[serde(default)]
    expose: bool,
    #[serde(default)]
    header: Option<String>,
    #[serde(default)]
    query: Option<String>,
    #[serde(default)]
    to: Option<String>,
    #[serde(default)]
    stdin: Option<String>,
}

/// The mount in which a program starts when the case doesn't say.
const WORKSPACE: &str = "workspace";

impl Asked {
    pub(super) fn read(node: &Node, walk: &mut Walk) -> Option<Self> {
        let [(key, value)] = node.fields() else {
            walk.mistake(
                node.place,
                "one use of one capability, as in `network: GET https://example.org/`",
            );
            return None;
        };
        let text = shown(value);
        let (capability, ask) = match key.text.as_str() {
            Network::NAME => (Network::NAME, request(value, walk)),
            Sockets::NAME => (Sockets::NAME, socket(value, walk)),
            Filesystem::NAME => (Filesystem::NAME, file(value, walk)),
            Subprocess::NAME => (Subprocess::NAME, start(value, walk)),
            Environment::NAME => (Environment::NAME, variable(value, walk)),
            Secret::NAME => (Secret::NAME, secret(value, walk)),
            KeyValue::NAME => (KeyValue::NAME, key_use(value, walk)),
            ToolCall::NAME => (ToolCall::NAME, tool(value, walk)),
            Clocks::NAME => (Clocks::NAME, real(value, walk).map(|()| Ask::Clocks)),
            Random::NAME => (Random::NAME, real(value, walk).map(|()| Ask::Random)),
            word => {
                let known = crate::permissions::CAPABILITIES.join(", ");
                let reason = format!("`{word}` is no capability: expected one of {known}");
                walk.mistake(key.place, reason);
                return None;
            }
        };
        Some(Self {
            capability,
            text,
            ask: ask?,
        })
    }

    /// What a tool has to declare for it.
    pub(super) fn declared(&self) -> Option<Declared> {
        Some(match &self.ask {
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
        })
    }

    /// Asks the grant, and answers which entry allows it.
    pub(super) fn decide(&self, grant: &Grant) -> Result<Option<Origin>, Box<Denial>> {
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

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.capability, self.text)
    }
}

fn by<C: Capability>(grant: &Grant, ask: &C::Ask) -> Result<Option<Origin>, Box<Denial>> {
    grant.decide::<C>(ask)?;
    let allowed = C::slice(grant).decide(ask).ok();
    Ok(allowed.map(|allowed| allowed.by.clone()))
}

/// A value as its author wrote it, as far as it fits a line.
fn shown(node: &Node) -> String {
    let json = node.to_json();
    let text = json
        .as_str()
        .map_or_else(|| json.to_string(), str::to_owned);
    text.chars().take(120).collect()
}

/// The two words of a text.
fn pair<'a>(text: &'a str, form: &str) -> Result<(&'a str, &'a str), String> {
    text.split_once(' ')
        .ok_or_else(|| format!("expected `{form}`, found `{text}`"))
}

/// What `read` makes of the node's value.
fn read<T: DeserializeOwned, U>(
    node: &Node,
    walk: &mut Walk,
    read: impl FnOnce(T) -> Result<U, String>,
) -> Option<U> {
    let value = walk.read::<T>(node)?;
    made(node, walk, read(value))
}

/// The same of a map that says all, or of a text that is short for one.
fn short<T: DeserializeOwned, U>(
    node: &Node,
    walk: &mut Walk,
    from_text: impl FnOnce(String) -> T,
    read: impl FnOnce(T) -> Result<U, String>,
) -> Option<U> {
    let value = match &node.value {
        Value::Text(text) => from_text(text.clone()),
        _ => walk.read::<T>(node)?,
    };
    made(node, walk, read(value))
}

fn made<U>(node: &Node, walk: &mut Walk, read: Result<U, String>) -> Option<U> {
    read.map_err(|reason| walk.mistake(node.place, reason)).ok()
}

fn request(node: &Node, walk: &mut Walk) -> Option<Ask> {
    let from_text = |request| RequestText {
        request,
        headers: Vec::new(),
        address: None,
    };
    short(node, walk, from_text, |said| {
        let (method, url) = pair(&said.request, "GET https://example.org/path")?;
        let target = match Target::parse(url) {
            Ok(target) => target,
            Err(why) => return Ok(Ask::Malformed(Box::new(network::malformed(why)))),
        };
        let headers = said.headers.iter().map(|name| name.to_ascii_lowercase());
        Ok(Ask::Network(network::Ask {
            target,
            method: method.to_owned(),
            // Headers that every tool may set are no part of the question.
            headers: headers
                .filter(|name| !network::header::is_usual(name))
                .collect(),
            address: said.address,
        }))
    })
}

fn socket(node: &Node, walk: &mut Walk) -> Option<Ask> {
    const FORM: &str = "tcp 192.0.2.1:25` or `lookup example.org";
    let from_text = |connect| ConnectText {
        connect,
        names: Vec::new(),
        tls: None,
    };
    short(node, walk, from_text, |said| {
        let name = |text: &str| text.parse().map_err(|why| format!("`{text}`: {why}"));
        let (word, whom) = pair(&said.connect, FORM)?;
        let protocol = match word {
            "tcp" => Protocol::Tcp,
            "udp" => Protocol::Udp,
            "lookup" => return Ok(Ask::Sockets(sockets::Ask::Lookup(name(whom)?))),
            _ => return Err(format!("expected `{FORM}`, found `{word}`")),
        };
        let to: SocketAddr = whom
            .parse()
            .map_err(|_| format!("`{whom}` is no address with a port"))?;
        Ok(Ask::Sockets(sockets::Ask::Connect(Connect {
            protocol,
            address: to.ip(),
            port: to.port(),
            names: said
                .names
                .iter()
                .map(|text| name(text))
                .collect::<Result<_, _>>()?,
            tls: said.tls.unwrap_or(Tls::None),
        })))
    })
}

fn file(node: &Node, walk: &mut Walk) -> Option<Ask> {
    const FORM: &str = "read workspace:src/main.rs";
    read(node, walk, |said: String| {
        let (right, place) = pair(&said, FORM)?;
        let right = Right::ALL
            .into_iter()
            .find(|known| known.as_str() == right)
            .ok_or("what is done is `read`, `write`, `create`, `delete` or `list`")?;
        let (mount, path) = place
            .split_once(':')
            .ok_or_else(|| format!("expected `{FORM}`, found no colon"))?;
        let mount: MountName = mount.parse().map_err(|why| format!("{why}"))?;
        let (path, is_below) = match path.strip_suffix("/**") {
            Some(path) => (path, true),
            None => (path, false),
        };
        let path = match path {
            "." => MountPath::root(),
            path => MountPath::parse(path).map_err(|why| why.to_string())?,
        };
        Ok(Ask::Filesystem(if is_below {
            FileAsk::below(&mount, &path, right)
        } else {
            FileAsk::exact(&mount, &path, right)
        }))
    })
}

fn start(node: &Node, walk: &mut Walk) -> Option<Ask> {
    let said = match &node.value {
        Value::List(_) => StartText {
            start: walk.read(node)?,
            cwd: None,
            stdin_bytes: 0,
        },
        _ => walk.read(node)?,
    };
    let start = started(said);
    made(node, walk, start.map(Ask::Subprocess))
}

fn started(said: StartText) -> Result<Start, String> {
    let mut words = said.start.into_iter();
    let program = words.next().ok_or("say which program")?;
    let (mount, path) = match said.cwd.as_deref() {
        None => (WORKSPACE, ""),
        Some(cwd) => cwd.split_once(':').unwrap_or((cwd, "")),
    };
    let cwd = Place::new(mount, path).map_err(|why| why.to_string())?;
    let arguments = words.map(Argument::Text).collect();
    Start::new(program, arguments, said.stdin_bytes, cwd).map_err(|why| why.to_string())
}

fn variable(node: &Node, walk: &mut Walk) -> Option<Ask> {
    let from_text = |name| VariableText { name, value: None };
    short(node, walk, from_text, |said| {
        let source = match said.value {
            None => environment::Source::Host,
            Some(value) => environment::Source::Value(value.as_str().into()),
        };
        let name = said.name.parse().map_err(|why| format!("{why}"))?;
        Ok(Ask::Environment(Variable { name, source }))
    })
}

fn secret(node: &Node, walk: &mut Walk) -> Option<Ask> {
    let from_text = |name| SecretText {
        name,
        ..SecretText::default()
    };
    short(node, walk, from_text, |said| {
        let site = said.to.as_deref().map(|to| {
            let url = url::Url::parse(to).map_err(|why| format!("`{to}`: {why}"))?;
            Site::of(&url).ok_or_else(|| format!("`{to}` is no address of HTTP"))
        });
        let site = site.transpose()?;
        let way = match (said.expose, said.header, said.query, site, said.stdin) {
            (false, None, None, None, None) => Way::Hold,
            (true, None, None, None, None) => Way::Expose,
            (false, Some(name), None, Some(site), None) => Way::Header {
                site,
                name: name.to_ascii_lowercase(),
            },
            (false, None, Some(name), Some(site), None) => Way::Query { site, name },
            (false, None, None, None, Some(program)) => Way::Stdin { program },
            _ => {
                return Err(
                    "beside `name` stands `expose: true`, or `header` or `query` with \
                            `to`, or `stdin` with a program"
                        .to_owned(),
                );
            }
        };
        Ok(Ask::Secret(secrets::Use {
            name: said.name,
            way,
        }))
    })
}

fn key_use(node: &Node, walk: &mut Walk) -> Option<Ask> {
    const FORM: &str = "read tool:some/key";
    read(node, walk, |said: String| {
        let (right, place) = pair(&said, FORM)?;
        let right = match right {
            "read" => key_value::Right::Read,
            "write" => key_value::Right::Write,
            "delete" => key_value::Right::Delete,
            "list" => key_value::Right::List,
            _ => return Err("what is done is `read`, `write`, `delete` or `list`".to_owned()),
        };
        let (scope, key) = match place.split_once(':') {
            Some(("tool", key)) => (key_value::Scope::Tool, key),
            Some(("agent", key)) => (key_value::Scope::Agent, key),
            _ => return Err(format!("expected `{FORM}`; whose is `tool` or `agent`")),
        };
        Ok(Ask::KeyValue(KeyUse {
            scope,
            right,
            key: key.to_owned(),
        }))
    })
}

fn tool(node: &Node, walk: &mut Walk) -> Option<Ask> {
    read(node, walk, |said: String| {
        let (name, version) = match said.split_once('@') {
            Some((name, version)) => (name, Some(version)),
            None => (said.as_str(), None),
        };
        let tool: ToolName = name.parse().map_err(|why| format!("{why}"))?;
        let version = version.map(str::parse::<Version>).transpose();
        let version = version.map_err(|why| format!("`{said}`: {why}"))?;
        Ok(Ask::ToolCall(ToolUse { tool, version }))
    })
}

fn real(node: &Node, walk: &mut Walk) -> Option<()> {
    read(node, walk, |said: String| match said.as_str() {
        "real" => Ok(()),
        _ => Err("expected `real`; what is used is the same whatever the policy gives".to_owned()),
    })
}
