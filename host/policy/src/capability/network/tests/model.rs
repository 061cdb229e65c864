//! The same questions answered by other means: paths as RFC 3986 §5.2.4 words it, hosts and URLs by
//! an implementation of the WHATWG's standard, addresses by the registries' tables.

use std::fmt::Write;
use std::net::IpAddr;

use ipnet::IpNet;
use proptest::prelude::*;

use super::*;
use crate::capability::network::address::canonical;
use crate::testing::cases;

/// The normal form of a path, or `None` where it has more than one reading.
pub(super) fn path_model(text: &str) -> Option<String> {
    if text.is_empty() {
        return Some("/".to_owned());
    }
    let mut once = String::new();
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        if character != '%' {
            let sub = "!$&'()*+,;=:@/-._~";
            let plain = character.is_ascii_alphanumeric() || sub.contains(character);
            once.push(Some(character).filter(|_| plain)?);
            continue;
        }
        let digits: String = characters.by_ref().take(2).collect();
        let plain = digits.len() == 2 && digits.chars().all(|digit| digit.is_ascii_hexdigit());
        let byte = u8::from_str_radix(&digits, 16).ok().filter(|_| plain)?;
        let decoded = char::from(byte);
        if byte < 0x20 || byte == 0x7f || decoded == '/' || decoded == '\\' {
            return None;
        }
        if decoded.is_ascii_alphanumeric() || "-._~".contains(decoded) {
            once.push(decoded);
        } else {
            write!(once, "%{byte:02X}").ok()?;
        }
    }
    let twice = |at: usize| {
        once.get(at + 3..at + 5)
            .is_some_and(|two| u8::from_str_radix(two, 16).is_ok() && !two.starts_with('+'))
    };
    let hides = once.match_indices("%25").any(|(at, _)| twice(at));
    let dotted = once
        .split('/')
        .any(|segment| segment.starts_with(".;") || segment.starts_with("..;"));
    if !once.starts_with('/') || once.contains("//") || hides || dotted {
        return None;
    }
    Some(remove_dot_segments(once))
}

/// RFC 3986, section 5.2.4, step by step.
fn remove_dot_segments(mut input: String) -> String {
    let mut output = String::new();
    while !input.is_empty() {
        if input.starts_with("/./") {
            input.replace_range(0..2, "");
        } else if input == "/." {
            input = "/".to_owned();
        } else if input.starts_with("/../") || input == "/.." {
            input = if input == "/.." {
                "/".to_owned()
            } else {
                input[3..].to_owned()
            };
            output.truncate(output.rfind('/').unwrap_or(0));
        } else {
            let end = input[1..].find('/').map_or(input.len(), |at| at + 1);
            output.push_str(&input[..end]);
            input.replace_range(0..end, "");
        }
    }
    output
}

pub(super) fn path_ours(text: &str) -> Option<String> {
    Path::normalised(text).ok().map(|path| path.to_string())
}

pub(super) fn host_ours(text: &str) -> Option<String> {
    text.parse().ok().map(|host: Host| host.to_string())
}

pub(super) fn host_model(text: &str) -> Option<String> {
    url::Host::parse(text).ok().map(|host| host.to_string())
}

/// Pieces that paths are made of, the dangerous ones as often as the others.
pub(super) fn paths() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        6 => Just("/"),
        3 => prop::sample::select(vec!["a", "v1", "admin", ".", "..", ";", ";x", "~", "A"]),
        3 => prop::sample::select(vec!["%2e", "%2E", "%41", "%c3%a9", "%20", "%3B", "%25"]),
        1 => prop::sample::select(vec!["%2f", "%5c", "%00", "%7f", "%", "%2", "%zz", "%252e"]),
        1 => prop::sample::select(vec!["\\", " ", "\r", "é", "|", "#", "%32%65", "//", "+"]),
    ];
    prop::collection::vec(piece, 0..9).prop_map(|pieces| format!("/{}", pieces.concat()))
}

pub(super) fn hosts() -> impl Strategy<Value = String> {
    let label = prop_oneof![
        4 => "[a-zA-Z0-9_-]{1,4}",
        2 => prop::sample::select(vec!["good", "test", "127", "0x7f", "08", "256", "xn--bcher-kva"])
            .prop_map(str::to_owned),
        1 => prop::sample::select(vec!["", "１", "bücher", "аpi", "xn--a", "a%2e", "a b", "@"])
            .prop_map(str::to_owned),
    ];
    let group = prop_oneof![3 => Just(0), 1 => any::<u16>()];
    let bracketed = prop::array::uniform8(group).prop_map(|groups: [u16; 8]| {
        let groups = groups.map(|group| format!("{group:X}"));
        format!("[{}]", groups.join(":"))
    });
    let dotted = any::<[u8; 4]>().prop_map(|parts| std::net::Ipv4Addr::from(parts).to_string());
    prop_oneof![
        8 => prop::collection::vec(label, 1..5).prop_map(|labels| labels.join(".")),
        1 => bracketed,
        1 => dotted,
    ]
}

pub(super) fn urls() -> impl Strategy<Value = String> {
    let scheme = prop::sample::select(vec!["https://", "http://", "HTTP://", "ftp://", "https:"]);
    let port = prop::sample::select(vec![
        "", ":80", ":443", ":8080", ":", ":0443", ":65536", ":-1",
    ]);
    let user = prop::sample::select(vec!["", "", "", "", "u@", "u:p@"]);
    let query = prop::sample::select(vec!["", "?", "?a=b&c=%2e", "?a b", "#f", "?q#@evil.test"]);
    (
        scheme,
        user,
        hosts(),
        port,
        prop_oneof![paths(), Just(String::new())],
        query,
    )
        .prop_map(|(scheme, user, host, port, path, query)| {
            format!("{scheme}{user}{host}{port}{path}{query}")
        })
}

/// A URL's scheme, host, port, path and query.
pub(super) type Parts = (String, String, u16, String, Option<String>);

/// What the WHATWG's algorithm makes of a URL. One with a user name is refused: it is written to
/// show another host than the one it leads to.
pub(super) fn url_model(text: &str) -> Option<Parts> {
    let url = url::Url::parse(text).ok()?;
    if !url.username().is_empty() || url.password().is_some() {
        return None;
    }
    let port = url.port_or_known_default()?;
    let path = path_model(url.path())?;
    let (scheme, host) = (url.scheme().to_owned(), url.host_str()?.to_owned());
    Some((scheme, host, port, path, url.query().map(str::to_owned)))
}

pub(super) fn url_ours(text: &str) -> Option<Parts> {
    let target = Target::parse(text).ok()?;
    let Origin { scheme, host, port } = &target.origin;
    let (scheme, host) = (scheme.as_str().to_owned(), host.to_string());
    let query = target.query().map(str::to_owned);
    Some((scheme, host, *port, target.path.to_string(), query))
}

/// Whether ours and the model say the same of a host: what ours takes is what the model reads, and
/// what is spelt plainly and read as it stands is taken.
pub(super) fn hosts_agree(text: &str, ours: Option<&str>, model: Option<&str>) -> bool {
    let label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
    };
    let is_plain = text.split('.').all(label) && model == Some(text.to_ascii_lowercase().as_str());
    if is_plain || ours.is_some() {
        ours == model
    } else {
        true
    }
}

/// The registries' tables: the most specific line of an address decides.
const FORBIDDEN: [&str; 40] = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
    "168.63.129.16/32",
    "::/3",
    "2001::/23",
    "2001:db8::/32",
    "2002::/16",
    "3fff::/20",
    "4000::/3",
    "6000::/3",
    "8000::/3",
    "a000::/3",
    "c000::/3",
    "e000::/4",
    "f000::/5",
    "f800::/6",
    "fc00::/7",
    "fe00::/9",
    "fe80::/10",
    "fec0::/10",
    "ff00::/8",
    "64:ff9b:1::/48",
    "100::/64",
    "5f00::/16",
    "::1/128",
    "::/128",
    "fd20:ce::254/128",
];
const WRAPPED: [&str; 4] = ["::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b::/96", "::/96"];

fn net(text: &&str) -> IpNet {
    text.parse().expect("a range")
}

fn is_forbidden_by_table(address: IpAddr) -> bool {
    let is_wrapped = WRAPPED.iter().map(net).any(|net| net.contains(&address));
    let address = match address {
        IpAddr::V6(v6) if is_wrapped && v6.to_bits() > 1 => {
            let low = u32::try_from(v6.to_bits() & 0xffff_ffff).expect("32 bits");
            IpAddr::V4(low.into())
        }
        other => other,
    };
    FORBIDDEN.iter().map(net).any(|net| net.contains(&address))
}

/// Addresses everywhere, and on both sides of each border.
fn addresses() -> impl Strategy<Value = IpAddr> {
    let borders: Vec<IpNet> = FORBIDDEN.iter().chain(&WRAPPED).map(net).collect();
    let near =
        (prop::sample::select(borders), any::<bool>(), -2_i8..=2).prop_map(|(net, last, by)| {
            let edge = if last { net.broadcast() } else { net.network() };
            match edge {
                IpAddr::V4(v4) => IpAddr::V4(v4.to_bits().wrapping_add_signed(by.into()).into()),
                IpAddr::V6(v6) => IpAddr::V6(v6.to_bits().wrapping_add_signed(by.into()).into()),
            }
        });
    let wrapped = (any::<u32>(), prop::sample::select(WRAPPED.to_vec())).prop_map(|(low, net)| {
        let net: IpNet = net.parse().expect("a range");
        let IpAddr::V6(high) = net.network() else {
            unreachable!("a range of IPv6")
        };
        IpAddr::V6((high.to_bits() | u128::from(low)).into())
    });
    prop_oneof![
        any::<u32>().prop_map(|bits| IpAddr::V4(bits.into())),
        any::<u128>().prop_map(|bits| IpAddr::V6(bits.into())),
        near,
        wrapped,
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases()))]

    /// NET-18: against a model by another algorithm.
    #[test]
    fn paths_agree(text in paths()) {
        prop_assert_eq!(path_ours(&text), path_model(&text));
    }

    #[test]
    fn a_normal_form_is_its_own(text in paths()) {
        if let Some(once) = path_ours(&text) {
            prop_assert_eq!(path_ours(&once), Some(once));
        }
    }

    #[test]
    fn hosts_are_read_as_the_standard_reads_them(text in hosts()) {
        let (ours, model) = (host_ours(&text), host_model(&text));
        prop_assert!(hosts_agree(&text, ours.as_deref(), model.as_deref()), "{ours:?} {model:?}");
    }

    #[test]
    fn urls_are_read_as_the_standard_reads_them(text in urls()) {
        if let Some(ours) = url_ours(&text) {
            prop_assert_eq!(Some(ours), url_model(&text));
        }
    }

    #[test]
    fn anything_is_survived(text in any::<String>(), more in "[ -~]{0,40}") {
        for text in [text, more.clone(), format!("https://{more}"), format!("https://a.test/{more}")] {
            drop(text.parse::<HostPattern>());
            drop(text.parse::<PathPattern>());
            prop_assert!(text.parse::<Rate>().is_err() || text.contains('/'));
            if let Ok(target) = Target::parse(&text) {
                prop_assert_eq!(Target::parse(&target.to_string()).map(|again| again.path), Ok(target.path.clone()));
                drop(target.join(&more));
            }
        }
    }

    #[test]
    fn addresses_agree(address in addresses()) {
        let ours = Place::of(address) != Place::Public;
        prop_assert_eq!(ours, is_forbidden_by_table(address), "{}", address);
        prop_assert_eq!(Place::of(canonical(address)), Place::of(address));
    }
}
