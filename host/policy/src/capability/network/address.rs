//! Which addresses everybody may be sent to, and which have to be named.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

/// What kind of place an address leads to.
///
/// **Source**: the IANA special-purpose address registries (RFC 6890 and its updates), and the
/// documents of the cloud providers for their metadata services.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Place {
    /// The internet.
    Public,
    /// A cloud's metadata service, which gives the machine's credentials to whoever asks.
    Metadata,
    /// This machine.
    Loopback,
    /// No address, or "this network".
    Unspecified,
    /// A network of one's own: RFC 1918, unique local, site-local.
    Private,
    /// The network segment this machine is on.
    LinkLocal,
    /// A provider's network, behind its address translation.
    Shared,
    /// Kept for benchmarks.
    Benchmarking,
    /// Kept for examples.
    Documentation,
    /// Many machines at once.
    Multicast,
    /// IPv4 carried inside IPv6 through relays that nobody vouches for: 6to4, Teredo.
    Relayed,
    /// Not given out, or for protocols' own use.
    Reserved,
}

impl Place {
    /// In words, for denials.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Metadata => "metadata service",
            Self::Loopback => "loopback",
            Self::Unspecified => "unspecified",
            Self::Private => "private",
            Self::LinkLocal => "link-local",
            Self::Shared => "provider-internal",
            Self::Benchmarking => "benchmarking",
            Self::Documentation => "documentation",
            Self::Multicast => "multicast",
            Self::Relayed => "relayed",
            Self::Reserved => "reserved",
        }
    }

    /// Of this address, after an IPv4 address that it carries was taken out.
    pub fn of(address: IpAddr) -> Self {
        match canonical(address) {
            IpAddr::V4(v4) => of_v4(v4),
            IpAddr::V6(v6) => of_v6(v6),
        }
    }
}

/// The address that is really reached: an IPv6 address that only wraps an IPv4 one (mapped,
/// compatible, NAT64) is that IPv4 address.
pub fn canonical(address: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = address else {
        return address;
    };
    let [prefix @ .., high, low] = v6.segments();
    let wraps = match prefix {
        [0, 0, 0, 0, 0, 0xffff] | [0, 0, 0, 0, 0xffff, 0] | [0x64, 0xff9b, 0, 0, 0, 0] => true,
        [0, 0, 0, 0, 0, 0] => (high, low) != (0, 0) && (high, low) != (0, 1),
        _ => false,
    };
    if wraps {
        IpAddr::V4(v4(high, low))
    } else {
        address
    }
}

/// True when one of the ranges contains the address, or the IPv4 address that it wraps.
pub(in crate::capability) fn contains(nets: &[IpNet], address: IpAddr) -> bool {
    let reached = canonical(address);
    nets.iter()
        .any(|net| net.contains(&reached) || net.contains(&address))
}

/// True when `nets` names the address. A metadata service is named by its own address alone.
pub(in crate::capability) fn named(nets: &[IpNet], address: IpAddr) -> bool {
    if Place::of(address) != Place::Metadata {
        return contains(nets, address);
    }
    let single = |net: &&IpNet| net.prefix_len() == net.max_prefix_len();
    nets.iter()
        .filter(single)
        .any(|net| net.addr() == address || net.addr() == canonical(address))
}

/// A range, or one address, as people write it.
pub(in crate::capability) fn net(text: &str) -> Result<IpNet, String> {
    let net: IpNet = text
        .parse()
        .or_else(|_| text.parse::<IpAddr>().map(IpNet::from))
        .map_err(|_| "expected a range of addresses, as in `10.1.0.0/16`".to_owned())?;
    if net.addr() == net.network() {
        Ok(net)
    } else {
        let aligned = net.trunc();
        Err(format!("the range is not aligned; it would be `{aligned}`"))
    }
}

/// What there is to say about naming this range.
pub(in crate::capability) fn danger(net: &IpNet) -> Option<String> {
    match Place::of(net.addr()) {
        Place::Public if net.prefix_len() > 0 => None,
        Place::Metadata => Some(format!(
            "`{net}` is a metadata service, which gives this machine's credentials to the tool"
        )),
        Place::Loopback => Some(format!(
            "`{net}` is this machine: whatever listens there takes the tool for a local program"
        )),
        place => Some(format!("`{net}` is not the internet: {}", place.as_str())),
    }
}

fn v4(high: u16, low: u16) -> Ipv4Addr {
    Ipv4Addr::from((u32::from(high) << 16) | u32::from(low))
}

fn of_v4(address: Ipv4Addr) -> Place {
    match address.octets() {
        [169, 254, 169, 254]
        | [169, 254, 170, 2 | 23]
        | [100, 100, 100, 200]
        | [168, 63, 129, 16]
        | [192, 0, 0, 192] => Place::Metadata,
        [0, ..] => Place::Unspecified,
        [127, ..] => Place::Loopback,
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => Place::Private,
        [100, 64..=127, ..] => Place::Shared,
        [169, 254, ..] => Place::LinkLocal,
        [198, 18 | 19, ..] => Place::Benchmarking,
        [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _] => Place::Documentation,
        [192, 0, 0, _] | [192, 88, 99, _] | [240..=255, ..] => Place::Reserved,
        [224..=239, ..] => Place::Multicast,
        _ => Place::Public,
    }
}

fn of_v6(address: Ipv6Addr) -> Place {
    match address.segments() {
        [0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254] | [0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254] => {
            Place::Metadata
        }
        [0, 0, 0, 0, 0, 0, 0, 0] => Place::Unspecified,
        [0, 0, 0, 0, 0, 0, 0, 1] => Place::Loopback,
        [0xfc00..=0xfdff | 0xfec0..=0xfeff, ..] | [0x64, 0xff9b, 1, ..] => Place::Private,
        [0xfe80..=0xfebf, ..] => Place::LinkLocal,
        [0xff00..=0xffff, ..] => Place::Multicast,
        [0x2001, 0xdb8, ..] | [0x3fff, 0..=0x0fff, ..] => Place::Documentation,
        [0x2001, 2, 0, ..] => Place::Benchmarking,
        [0x2002, high, low, ..] => relayed(v4(high, low)),
        [0x2001, 0, _, _, _, _, high, low] => relayed(v4(!high, !low)),
        // Of the global unicast block, what is kept for protocols.
        [0x2001, 0..=0x1ff, ..] => Place::Reserved,
        [0x2000..=0x3fff, ..] => Place::Public,
        _ => Place::Reserved,
    }
}

/// What a relay leads to is as forbidden as where it ends, and never public.
fn relayed(end: Ipv4Addr) -> Place {
    match of_v4(end) {
        Place::Public => Place::Relayed,
        forbidden => forbidden,
    }
}
