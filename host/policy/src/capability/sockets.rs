//! Raw connections and datagrams, and the names that are looked up for them.
//!
//! Listening is not here: nothing grants it.

use std::net::IpAddr;
use std::str::FromStr;

use cofferdam_types::call::DenialCode;
use ipnet::IpNet;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::network::address::{self, Place};
use super::network::{Host, HostPattern, Malformed, Name, quoted};
use super::{Capability, Fault};
use crate::grant::Grant;
use crate::quantity::Bytes;
use crate::slice::{self, Pattern, Slice};

/// One entry below `sockets`, as people write it.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "SocketsEntry")]
pub struct Entry {
    /// Whom: a name as in `network`, an address, or a range of addresses (`10.1.2.0/24`). An allow
    /// needs it.
    host: Option<String>,
    /// One port, or a range as in `"8000-8010"`. An allow needs it.
    port: Option<PortEntry>,
    /// `tcp` unless said otherwise.
    protocol: Option<Protocol>,
    /// Who speaks TLS: `none` is the tool's own bytes; with the others the host connects, encrypts
    /// and verifies, and the tool sees what is inside. `none` unless said otherwise.
    tls: Option<Tls>,
    /// Ranges that may be reached by a name although they are not public.
    addresses: Option<Vec<String>>,
    /// Bytes the tool may send in one call where the host speaks TLS; 8 MiB unless said otherwise.
    sent_bytes: Option<Bytes>,
    /// Bytes the tool may receive in one call where the host speaks TLS; 64 MiB unless said
    /// otherwise.
    received_bytes: Option<Bytes>,
    /// Connections in one call; 16 unless said otherwise.
    connections: Option<u32>,
}

#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(
    untagged,
    expecting = "expected a port, as in `443`, or a range of ports, as in \"8000-8010\""
)]
enum PortEntry {
    One(u16),
    Range(String),
}

/// How bytes travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    /// As a stream.
    Tcp,
    /// As datagrams.
    Udp,
}

impl Protocol {
    /// The word in policies and denials.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        }
    }
}

/// Who speaks TLS on a connection, and how it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Tls {
    /// Nobody but the tool: its bytes go out as they are.
    None,
    /// The host, from the first byte.
    Required,
    /// The host, after the upgrade that RFC 3207 describes for mail that is sent.
    StarttlsSmtp,
    /// The host, after the upgrade that RFC 3501 describes for mail that is read.
    StarttlsImap,
}

impl Tls {
    /// The word in policies and denials.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Required => "required",
            Self::StarttlsSmtp => "starttls-smtp",
            Self::StarttlsImap => "starttls-imap",
        }
    }
}

/// One use of sockets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// A name is looked up.
    Lookup(Name),
    /// A connection is opened or a datagram sent.
    Connect(Connect),
}

/// A connection or a datagram.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connect {
    /// How.
    pub protocol: Protocol,
    /// Where to.
    pub address: IpAddr,
    /// Which port there.
    pub port: u16,
    /// The names whose look-up in this call answered this address.
    pub names: Vec<Name>,
    /// Who speaks TLS.
    pub tls: Tls,
}

/// How much of its connections one call may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caps {
    /// Bytes sent in one call, where the host speaks TLS.
    pub sent_bytes: u64,
    /// Bytes received in one call, where the host speaks TLS.
    pub received_bytes: u64,
    /// Connections in one call; for datagrams, places sent to.
    pub connections: u32,
}

impl Caps {
    const DEFAULT: Self = Self {
        sent_bytes: 8 << 20,
        received_bytes: 64 << 20,
        connections: 16,
    };
    /// Most connections anyone can grant one call: each holds a descriptor.
    pub const CONNECTIONS_MAX: u32 = 256;
}

impl slice::Caps for Caps {
    fn widest(self, other: Self) -> Self {
        Self {
            sent_bytes: self.sent_bytes.max(other.sent_bytes),
            received_bytes: self.received_bytes.max(other.received_bytes),
            connections: self.connections.max(other.connections),
        }
    }

    fn narrowest(self, other: Self) -> Self {
        Self {
            sent_bytes: self.sent_bytes.min(other.sent_bytes),
            received_bytes: self.received_bytes.min(other.received_bytes),
            connections: self.connections.min(other.connections),
        }
    }
}

/// The uses of sockets that one entry covers. What is absent is everything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sockets {
    is_deny: bool,
    whom: Whom,
    ports: (u16, u16),
    protocol: Option<Protocol>,
    tls: Option<Tls>,
    addresses: Option<Vec<IpNet>>,
    caps: Caps,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Whom {
    Host(HostPattern),
    Range(IpNet),
}

impl FromStr for Whom {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.contains('/') || text.parse::<IpAddr>().is_ok() {
            return address::net(text).map(Self::Range);
        }
        match text.parse() {
            Ok(HostPattern::Exactly(Host::Address(address))) => Ok(Self::Range(address.into())),
            Ok(pattern) => Ok(Self::Host(pattern)),
            Err(why) => Err(Malformed::to_string(&why)),
        }
    }
}

impl Pattern for Sockets {
    type Ask = Ask;
    type Caps = Caps;

    fn covers(&self, ask: &Ask) -> bool {
        match ask {
            Ask::Lookup(name) => self.looks_up(name),
            Ask::Connect(connect) => {
                (self.ports.0..=self.ports.1).contains(&connect.port)
                    && self.protocol.is_none_or(|own| own == connect.protocol)
                    && self.tls.is_none_or(|own| own == connect.tls)
                    && self.leads_to(connect)
            }
        }
    }

    fn caps(&self) -> Caps {
        self.caps
    }
}

impl Sockets {
    fn looks_up(&self, name: &Name) -> bool {
        // A deny of some connections to a name is no deny of asking where it is.
        let is_partial = self.ports != (1, u16::MAX)
            || self.protocol.is_some()
            || self.tls.is_some()
            || self.addresses.is_some();
        let host = Host::Name(name.clone());
        match &self.whom {
            Whom::Range(_) => false,
            Whom::Host(pattern) if self.is_deny => !is_partial && pattern.spans(&host),
            Whom::Host(pattern) => pattern.covers(&host),
        }
    }

    fn leads_to(&self, connect: &Connect) -> bool {
        let to = connect.address;
        let nets = self.addresses.as_ref();
        match &self.whom {
            Whom::Range(net) if self.is_deny => address::contains(&[*net], to),
            // A range names what is in it; a metadata service has to be named alone.
            Whom::Range(net) => {
                address::contains(&[*net], to)
                    && (Place::of(to) != Place::Metadata || address::named(&[*net], to))
            }
            Whom::Host(pattern) => {
                let mut hosts = connect.names.iter().cloned().map(Host::Name);
                if self.is_deny {
                    let is_everyone = *pattern == HostPattern::Any;
                    (is_everyone || hosts.any(|host| pattern.spans(&host)))
                        && nets.is_none_or(|nets| address::contains(nets, to))
                } else {
                    let nets = nets.map(Vec::as_slice).unwrap_or_default();
                    hosts.any(|host| pattern.covers(&host))
                        && (Place::of(to) == Place::Public || address::named(nets, to))
                }
            }
        }
    }
}

impl Entry {
    fn read(&self, is_deny: bool) -> Result<Sockets, Fault> {
        let whom = match &self.host {
            None if is_deny => Whom::Host(HostPattern::Any),
            None => return Err(Fault::at("", "an allow needs `host`")),
            Some(host) => host
                .parse()
                .map_err(|why: String| Fault::at("/host", why))?,
        };
        let ports = match &self.port {
            None if is_deny => (1, u16::MAX),
            None => return Err(Fault::at("", "an allow needs `port`")),
            Some(port) => ports(port)?,
        };
        if self.protocol == Some(Protocol::Udp) && self.tls.is_some_and(|tls| tls != Tls::None) {
            return Err(Fault::at("/tls", "the host speaks TLS over tcp alone"));
        }
        let net = |(at, text): (usize, &String)| {
            address::net(text).map_err(|why| Fault::at(format!("/addresses/{at}"), why))
        };
        let addresses = self.addresses.as_ref();
        let addresses = addresses
            .map(|texts| texts.iter().enumerate().map(net).collect())
            .transpose()?;
        if addresses.is_some() && matches!(whom, Whom::Range(_)) {
            return Err(Fault::at(
                "/addresses",
                "the host is a range of addresses itself",
            ));
        }
        Ok(Sockets {
            is_deny,
            whom,
            ports,
            protocol: self.protocol.or((!is_deny).then_some(Protocol::Tcp)),
            tls: self.tls.or((!is_deny).then_some(Tls::None)),
            addresses,
            caps: self.caps(is_deny)?,
        })
    }

    fn caps(&self, is_deny: bool) -> Result<Caps, Fault> {
        // What the tool's own sockets carry passes nobody who could count it.
        if !is_deny && self.tls.is_none_or(|tls| tls == Tls::None) {
            let said = [
                ("/sent_bytes", self.sent_bytes.is_some()),
                ("/received_bytes", self.received_bytes.is_some()),
            ];
            if let Some((pointer, _)) = said.iter().find(|(_, is_said)| *is_said) {
                return Err(Fault::at(
                    *pointer,
                    "only counted where the host speaks `tls`",
                ));
            }
        }
        let connections = self.connections.unwrap_or(Caps::DEFAULT.connections);
        if connections > Caps::CONNECTIONS_MAX {
            let most = format!("at most {}", Caps::CONNECTIONS_MAX);
            return Err(Fault::at("/connections", most));
        }
        let bytes = |bytes: Option<Bytes>, default| bytes.map_or(default, |bytes| bytes.0);
        Ok(Caps {
            sent_bytes: bytes(self.sent_bytes, Caps::DEFAULT.sent_bytes),
            received_bytes: bytes(self.received_bytes, Caps::DEFAULT.received_bytes),
            connections,
        })
    }
}

fn ports(entry: &PortEntry) -> Result<(u16, u16), Fault> {
    let plain = |text: &str| {
        let is_plain = text.bytes().all(|b| b.is_ascii_digit()) && !text.starts_with('0');
        text.parse().ok().filter(|_| is_plain)
    };
    let range = match entry {
        PortEntry::One(port) => Some((*port, *port)),
        PortEntry::Range(text) => match text.split_once('-') {
            Some((first, last)) => plain(first).zip(plain(last)),
            None => plain(text).map(|port| (port, port)),
        },
    };
    range
        .filter(|(first, last)| *first > 0 && first <= last)
        .ok_or_else(|| Fault::at("/port", "expected a port, or a range as in `8000-8010`"))
}

impl Capability for Sockets {
    const NAME: &'static str = "sockets";

    type Entry = Entry;

    fn slice(grant: &Grant) -> &Slice<Self> {
        grant.sockets()
    }

    fn allow(entry: Entry) -> Result<Self, Fault> {
        entry.read(false)
    }

    fn deny(entry: Entry) -> Result<Self, Fault> {
        let quantities = [
            ("/sent_bytes", entry.sent_bytes.is_some()),
            ("/received_bytes", entry.received_bytes.is_some()),
            ("/connections", entry.connections.is_some()),
        ];
        match quantities.iter().find(|(_, is_said)| *is_said) {
            Some((pointer, _)) => Err(Fault::at(*pointer, "this has no meaning in a deny")),
            None => entry.read(true),
        }
    }

    fn bound(&self, _: &Value) -> Option<Self> {
        Some(self.clone())
    }

    fn is_bound_by_arguments(&self) -> bool {
        false
    }

    fn dangers(&self) -> Vec<String> {
        let mut dangers =
            vec!["raw bytes are not looked into: whoever answers can be told anything".to_owned()];
        match &self.whom {
            Whom::Host(HostPattern::Any) => {
                dangers.push("`**` is every host: a tool can send what it reads to anybody".into());
            }
            Whom::Host(host) if host.is_open() => dangers.push(format!(
                "`{host}` lets a tool send a little data in the names it makes up"
            )),
            Whom::Host(_) => {}
            Whom::Range(net) => dangers.extend(address::danger(net)),
        }
        dangers.extend(self.addresses.iter().flatten().filter_map(address::danger));
        dangers
    }

    fn ungranted(ask: &Ask) -> DenialCode {
        match ask {
            Ask::Connect(connect) if Place::of(connect.address) != Place::Public => {
                DenialCode::ForbiddenAddress
            }
            _ => DenialCode::NotGranted,
        }
    }

    fn operation(ask: &Ask) -> String {
        match ask {
            Ask::Lookup(_) => "look_up".to_owned(),
            Ask::Connect(connect) => match connect.protocol {
                Protocol::Tcp => "connect".to_owned(),
                Protocol::Udp => "send".to_owned(),
            },
        }
    }

    fn resource(ask: &Ask) -> String {
        match ask {
            Ask::Lookup(name) => name.to_string(),
            Ask::Connect(connect) => {
                let Connect {
                    protocol,
                    address,
                    port,
                    ..
                } = connect;
                let place = match Place::of(*address) {
                    Place::Public => String::new(),
                    place => format!(", which is {}", place.as_str()),
                };
                let name = connect.names.first();
                let name = name.map(|name| format!("{name} at ")).unwrap_or_default();
                let to = std::net::SocketAddr::new(*address, *port);
                format!("{}:{name}{to}{place}", protocol.as_str())
            }
        }
    }

    fn smallest(ask: &Ask) -> String {
        match ask {
            Ask::Lookup(name) => format!("{{host: {name}, port: 443}}"),
            Ask::Connect(connect) => {
                let address = address::canonical(connect.address);
                let host = match connect.names.first() {
                    Some(name) => name.to_string(),
                    None => quoted(&address.to_string()),
                };
                let mut fields = vec![format!("host: {host}"), format!("port: {}", connect.port)];
                if connect.protocol == Protocol::Udp {
                    fields.push("protocol: udp".to_owned());
                }
                if connect.tls != Tls::None {
                    fields.push(format!("tls: {}", connect.tls.as_str()));
                }
                if !connect.names.is_empty() && Place::of(address) != Place::Public {
                    let net = IpNet::from(address).to_string();
                    fields.push(format!("addresses: [{}]", quoted(&net)));
                }
                format!("{{{}}}", fields.join(", "))
            }
        }
    }
}

#[cfg(test)]
mod tests;
