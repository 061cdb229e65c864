//! HTTP requests, by scheme, host, port, method, path, headers and the address they lead to.

pub mod address;
pub mod caps;
pub mod entry;
pub mod header;
pub mod host;
pub mod path;
pub mod target;

use std::net::IpAddr;

use cofferdam_types::call::{Denial, DenialCode};
use ipnet::IpNet;
use serde_json::Value;

pub use address::Place;
pub use caps::{Caps, Rate};
pub use entry::Entry;
pub use host::{Host, HostPattern, Name};
pub use path::{Path, PathPattern};
pub use target::{Malformed, Origin, Scheme, Target};

use super::{Argument, Capability, Fault};
use crate::grant::Grant;
use crate::slice::{Pattern, Slice};

/// One request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// Where to.
    pub target: Target,
    /// In capitals.
    pub method: String,
    /// Names, in lower case, of those headers the tool sets that are not usual.
    pub headers: Vec<String>,
    /// The address it would be sent to; absent before the name is looked up.
    pub address: Option<IpAddr>,
}

/// The requests that one entry covers. What is absent is everything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Network {
    sense: Sense,
    host: HostPattern,
    scheme: Option<Scheme>,
    port: Option<u16>,
    methods: Option<Vec<String>>,
    paths: Vec<PathPattern>,
    headers: Option<Vec<String>>,
    addresses: Option<Vec<IpNet>>,
    within: Option<Argument>,
    /// What `within` came to for this call.
    origin: Option<Origin>,
    caps: Caps,
}

/// Which of the two an entry stands for: what cannot be told yet is not allowed, and not denied;
/// what several servers read differently is denied if any of them would be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sense {
    Allow,
    Deny,
}

impl Pattern for Network {
    type Ask = Ask;
    type Caps = Caps;

    fn covers(&self, ask: &Ask) -> bool {
        let origin = &ask.target.origin;
        self.scheme.is_none_or(|scheme| scheme == origin.scheme)
            && self.port.is_none_or(|port| port == origin.port)
            && is_listed(self.methods.as_ref(), &ask.method)
            && match self.sense {
                Sense::Allow => self.allows(ask),
                Sense::Deny => self.denies(ask),
            }
    }

    fn caps(&self) -> Caps {
        self.caps.clone()
    }
}

impl Network {
    fn allows(&self, ask: &Ask) -> bool {
        let target = &ask.target;
        let mut addresses = ask.address.into_iter().chain(target.origin.host.address());
        let is_within = self.within.is_none() || self.origin.as_ref() == Some(&target.origin);
        is_within
            && self.host.covers(&target.origin.host)
            && self.paths.iter().any(|path| path.covers(&target.path))
            && ask
                .headers
                .iter()
                .all(|name| is_listed(self.headers.as_ref(), name))
            && addresses.all(|address| self.reaches(address))
    }

    fn denies(&self, ask: &Ask) -> bool {
        let target = &ask.target;
        let mut addresses = ask.address.into_iter().chain(target.origin.host.address());
        let headers = self.headers.as_ref();
        let nets = self.addresses.as_ref();
        self.host.spans(&target.origin.host)
            && self.paths.iter().any(|path| path.spans(&target.path))
            && headers.is_none_or(|headers| ask.headers.iter().any(|name| headers.contains(name)))
            && nets.is_none_or(|nets| addresses.any(|to| address::contains(nets, to)))
    }

    /// True when a request may be sent to this address.
    fn reaches(&self, address: IpAddr) -> bool {
        if let Some(at) = self.caps.at {
            return at.ip() == address;
        }
        let nets = self.addresses.as_deref().unwrap_or_default();
        Place::of(address) == Place::Public || address::named(nets, address)
    }
}

/// True for a value on the list, and for every value where there is no list.
fn is_listed(list: Option<&Vec<String>>, value: &str) -> bool {
    list.is_none_or(|list| list.iter().any(|known| known == value))
}

impl Capability for Network {
    const NAME: &'static str = "network";

    type Entry = Entry;

    fn slice(grant: &Grant) -> &Slice<Self> {
        grant.network()
    }

    fn allow(entry: Entry) -> Result<Self, Fault> {
        entry.allow()
    }

    fn deny(entry: Entry) -> Result<Self, Fault> {
        entry.deny()
    }

    fn bound(&self, arguments: &Value) -> Option<Self> {
        let Some(within) = &self.within else {
            return Some(self.clone());
        };
        let target = Target::parse(within.text(arguments)?).ok()?;
        Some(Self {
            origin: Some(target.origin),
            ..self.clone()
        })
    }

    fn is_bound_by_arguments(&self) -> bool {
        self.within.is_some()
    }

    fn dangers(&self) -> Vec<String> {
        let mut dangers = Vec::new();
        let host = &self.host;
        if self.within.is_none() && *host == HostPattern::Any {
            dangers.push(
                "`**` is every host: a tool can send whatever it reads to anybody".to_owned(),
            );
        } else if host.is_open() && *host != HostPattern::Any {
            dangers.push(format!(
                "`{host}` lets a tool send a little data in the names it makes up"
            ));
        }
        if self.scheme == Some(Scheme::Http) {
            dangers.push("`http` can be read and changed on its way".to_owned());
        }
        for net in self.addresses.iter().flatten() {
            dangers.extend(address::danger(net));
        }
        if let Some(at) = self.caps.at {
            dangers.extend(address::danger(&IpNet::from(at.ip())));
        }
        dangers
    }

    fn ungranted(ask: &Ask) -> DenialCode {
        let mut addresses = ask
            .address
            .into_iter()
            .chain(ask.target.origin.host.address());
        if addresses.all(|address| Place::of(address) == Place::Public) {
            DenialCode::NotGranted
        } else {
            DenialCode::ForbiddenAddress
        }
    }

    fn operation(ask: &Ask) -> String {
        ask.method.clone()
    }

    fn resource(ask: &Ask) -> String {
        let to = match ask.address {
            Some(address) if Place::of(address) != Place::Public => {
                format!(" at {address}, which is {}", Place::of(address).as_str())
            }
            _ => String::new(),
        };
        format!("{}{to}", ask.target)
    }

    fn smallest(ask: &Ask) -> String {
        let origin = &ask.target.origin;
        let mut fields = vec![format!("host: {}", quoted(&origin.host.to_string()))];
        if origin.scheme == Scheme::Http {
            fields.push("scheme: http".to_owned());
        }
        if origin.port != origin.scheme.default_port() {
            fields.push(format!("port: {}", origin.port));
        }
        fields.push(format!("methods: [{}]", ask.method));
        fields.push(format!("paths: [{}]", quoted(ask.target.path.as_str())));
        if !ask.headers.is_empty() {
            let headers: Vec<String> = ask.headers.iter().map(|name| quoted(name)).collect();
            fields.push(format!("headers: [{}]", headers.join(", ")));
        }
        let forbidden = ask.address.map(address::canonical);
        if let Some(address) = forbidden.filter(|to| Place::of(*to) != Place::Public) {
            let net = IpNet::from(address).to_string();
            fields.push(format!("addresses: [{}]", quoted(&net)));
        }
        format!("{{{}}}", fields.join(", "))
    }
}

/// A scalar for a YAML flow mapping, in quotes where it could be read as something else.
pub(crate) fn quoted(text: &str) -> String {
    let is_plain = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/')
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"/-._~".contains(&b));
    if is_plain
        && !matches!(
            text,
            "true" | "false" | "null" | "yes" | "no" | "on" | "off"
        )
    {
        text.to_owned()
    } else {
        Value::from(text).to_string()
    }
}

/// A method as it is sent, or why it is none that could be allowed: only capitals, so that there is
/// one spelling.
pub fn method(text: &str) -> Result<&str, Malformed> {
    if matches!(text, "CONNECT" | "TRACE") {
        return Err(Malformed("`CONNECT` and `TRACE` are never allowed"));
    }
    let plain =
        (1..=20).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_uppercase() || b == b'-');
    plain
        .then_some(text)
        .ok_or(Malformed("the method is not in capitals, as in `POST`"))
}

/// The denial of a request that could not be read as one: nothing could allow it.
pub fn malformed(why: Malformed) -> Denial {
    Denial {
        capability: Network::NAME.to_owned(),
        operation: "request".to_owned(),
        resource: "a malformed target".to_owned(),
        code: DenialCode::Malformed,
        rule: "the form of requests".to_owned(),
        file: None,
        line: None,
        reason: why.to_string(),
        smallest_grant: "a request that is spelt the plain way; no policy lifts this".to_owned(),
    }
}

#[cfg(test)]
mod tests;
