//! Host names and addresses, in one spelling.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};

use super::address::canonical;
use super::target::Malformed;

/// Whom a request goes to.
///
/// **Shape**: a name in lower-case ASCII (`api.example.org`, `xn--bcher-kva.example`), or an address
/// in its usual spelling (`192.0.2.1`, `[2001:db8::1]`). There is one text for each value.
///
/// **Errors** of parsing: whatever another parser could read as another host. Names of more than
/// 253 characters or labels of more than 63, empty labels and so a dot at the end, anything that
/// ends in a number without being four plain decimal ones, zones, percent signs, user names, and
/// Unicode that is not spelt as it is shown (full-width letters, other dots).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Host {
    /// To be looked up.
    Name(Name),
    /// Already known.
    Address(IpAddr),
}

/// A host name in lower-case ASCII.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name(String);

impl Name {
    /// Most characters of a name, as the DNS has it.
    const MAX: usize = 253;
    /// Most characters between two dots.
    const LABEL_MAX: usize = 63;

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Name {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let fault = Malformed("the host name is not spelt the one plain way");
        let lower = text.to_ascii_lowercase();
        let needs_idna =
            !lower.is_ascii() || lower.split('.').any(|label| label.starts_with("xn--"));
        let ascii = if needs_idna {
            in_ascii(&lower).ok_or(fault)?
        } else {
            lower
        };
        let plain = |label: &str| {
            (1..=Self::LABEL_MAX).contains(&label.len())
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label
                    .bytes()
                    .all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_'))
        };
        let last = ascii.rsplit('.').next().unwrap_or_default();
        if ascii.len() > Self::MAX || !ascii.split('.').all(plain) || is_number(last) {
            return Err(fault);
        }
        Ok(Self(ascii))
    }
}

impl Host {
    /// The address, where it is one.
    pub fn address(&self) -> Option<IpAddr> {
        match self {
            Self::Name(_) => None,
            Self::Address(address) => Some(*address),
        }
    }
}

impl FromStr for Host {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        if let Some(inside) = text.strip_prefix('[') {
            return inside
                .strip_suffix(']')
                .and_then(|inside| inside.parse::<Ipv6Addr>().ok())
                .map(|v6| Self::Address(v6.into()))
                .ok_or(Malformed("the host in brackets is not an IPv6 address"));
        }
        if let Ok(v4) = text.parse::<Ipv4Addr>() {
            return Ok(Self::Address(v4.into()));
        }
        text.parse().map(Self::Name)
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => name.fmt(f),
            Self::Address(IpAddr::V4(v4)) => v4.fmt(f),
            Self::Address(IpAddr::V6(v6)) => write!(f, "[{v6}]"),
        }
    }
}

/// The ASCII form of a name that is already spelt as it is shown; `None` for any other spelling.
fn in_ascii(lower: &str) -> Option<String> {
    let idna = Uts46::new();
    let ascii = idna
        .to_ascii(
            lower.as_bytes(),
            AsciiDenyList::URL,
            Hyphens::Allow,
            DnsLength::Verify,
        )
        .ok()?;
    let (shown, valid) = idna.to_unicode(ascii.as_bytes(), AsciiDenyList::URL, Hyphens::Allow);
    (valid.is_ok() && (shown == lower || ascii == lower)).then(|| ascii.into_owned())
}

/// True for a last label that some parsers take for the end of an IPv4 address.
fn is_number(label: &str) -> bool {
    label.bytes().all(|b| b.is_ascii_digit())
        || label
            .strip_prefix("0x")
            .is_some_and(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// Which hosts an entry covers.
///
/// **Shape**: `api.example.org` is itself; `*.example.org` is every name of one more label, and not
/// `example.org`; `**.example.org` is every name of one or more further labels; `**` is every host,
/// addresses included; an address is itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HostPattern {
    /// One host.
    Exactly(Host),
    /// Names one label longer than this.
    Child(Name),
    /// Names longer than this by any number of labels.
    Below(Name),
    /// Every host.
    Any,
}

impl HostPattern {
    /// Names of metadata services: nothing but the name itself covers them.
    const METADATA: [&'static str; 4] = [
        "metadata.google.internal",
        "metadata.goog",
        "metadata.internal",
        "instance-data.ec2.internal",
    ];

    /// True when this pattern covers the host. A metadata service is covered by its name alone.
    pub fn covers(&self, host: &Host) -> bool {
        let is_metadata =
            matches!(host, Host::Name(name) if Self::METADATA.contains(&name.as_str()));
        match self {
            Self::Exactly(own) => own == host,
            _ if is_metadata => false,
            _ => self.spans(host),
        }
    }

    /// True when this pattern, read as a deny, covers the host.
    pub fn spans(&self, host: &Host) -> bool {
        match (self, host) {
            (Self::Any, _) => true,
            (Self::Exactly(Host::Address(own)), Host::Address(other)) => {
                canonical(*own) == canonical(*other)
            }
            (Self::Exactly(own), host) => own == host,
            (Self::Child(parent), Host::Name(name)) => {
                above(name, parent).is_some_and(|label| !label.contains('.'))
            }
            (Self::Below(parent), Host::Name(name)) => above(name, parent).is_some(),
            (Self::Child(_) | Self::Below(_), Host::Address(_)) => false,
        }
    }

    /// The address, where it covers one address alone.
    pub fn address(&self) -> Option<IpAddr> {
        match self {
            Self::Exactly(host) => host.address(),
            _ => None,
        }
    }

    /// True when it covers more than one host.
    pub fn is_open(&self) -> bool {
        !matches!(self, Self::Exactly(_))
    }
}

/// The labels of `name` in front of those of `parent`, without the dot between.
fn above<'a>(name: &'a Name, parent: &Name) -> Option<&'a str> {
    let front = name.0.strip_suffix(parent.as_str())?.strip_suffix('.')?;
    (!front.is_empty()).then_some(front)
}

impl FromStr for HostPattern {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        if text == "**" {
            return Ok(Self::Any);
        }
        if text == "*" {
            return Err(Malformed("`*` stands for one label; `**` is every host"));
        }
        match (text.strip_prefix("**."), text.strip_prefix("*.")) {
            (Some(parent), _) => parent.parse().map(Self::Below),
            (None, Some(parent)) => parent.parse().map(Self::Child),
            (None, None) => text.parse().map(Self::Exactly),
        }
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exactly(host) => host.fmt(f),
            Self::Child(parent) => write!(f, "*.{parent}"),
            Self::Below(parent) => write!(f, "**.{parent}"),
            Self::Any => f.write_str("**"),
        }
    }
}
