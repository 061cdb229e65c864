//! How each capability's use is written: short as a text, or as a map that says more.

use std::net::{IpAddr, SocketAddr};

use cofferdam_types::{ToolName, Version};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::Ask;
use crate::capability::environment::{self, Variable};
use crate::capability::filesystem::{FileAsk, MountName, MountPath, Right};
use crate::capability::key_value::{self, KeyUse};
use crate::capability::network::{self, Target};
use crate::capability::secrets::{self, Way};
use crate::capability::sockets::{self, Connect, Protocol, Tls};
use crate::capability::subprocess::{Argument, Place, Start};
use crate::capability::tool_call::ToolUse;
use crate::node::{Node, Value};
use crate::walk::Walk;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RequestText {
    request: String,
    #[serde(default)]
    headers: Vec<String>,
    #[serde(default)]
    address: Option<IpAddr>,
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

/// The two words of a text.
fn pair<'a>(text: &'a str, form: &str) -> Result<(&'a str, &'a str), String> {
    text.split_once(' ')
        .ok_or_else(|| format!("expected `{form}`, found `{text}`"))
}

/// What `read` makes of the node's value.
fn whole<T: DeserializeOwned, U>(
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

pub(super) fn request(node: &Node, walk: &mut Walk) -> Option<Ask> {
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

pub(super) fn socket(node: &Node, walk: &mut Walk) -> Option<Ask> {
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

pub(super) fn file(node: &Node, walk: &mut Walk) -> Option<Ask> {
    const FORM: &str = "read workspace:src/main.rs";
    whole(node, walk, |said: String| {
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

pub(super) fn start(node: &Node, walk: &mut Walk) -> Option<Ask> {
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

pub(super) fn variable(node: &Node, walk: &mut Walk) -> Option<Ask> {
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

pub(super) fn secret(node: &Node, walk: &mut Walk) -> Option<Ask> {
    let from_text = |name| SecretText {
        name,
        ..SecretText::default()
    };
    short(node, walk, from_text, |said| {
        let site = said.to.as_deref().map(|to| {
            let target = Target::parse(to).map_err(|why| format!("`{to}`: {why}"))?;
            Ok::<_, String>(target.origin)
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

pub(super) fn key_use(node: &Node, walk: &mut Walk) -> Option<Ask> {
    const FORM: &str = "read tool:some/key";
    whole(node, walk, |said: String| {
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

pub(super) fn tool(node: &Node, walk: &mut Walk) -> Option<Ask> {
    whole(node, walk, |said: String| {
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

pub(super) fn real(node: &Node, walk: &mut Walk) -> Option<()> {
    whole(node, walk, |said: String| match said.as_str() {
        "real" => Ok(()),
        _ => Err("expected `real`; what is used is the same whatever the policy gives".to_owned()),
    })
}
