//! Where a request goes, parsed once for the check and for the use.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use super::host::Host;
use super::path::Path;

/// Why a text is no target that could be allowed. Says what is wrong, never the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct Malformed(pub(super) &'static str);

/// How a request travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scheme {
    /// In the clear.
    Http,
    /// Over TLS.
    Https,
}

impl Scheme {
    /// As in a URL.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    /// The port that a URL without one means.
    pub fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

impl FromStr for Scheme {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        match text {
            "http" => Ok(Self::Http),
            "https" => Ok(Self::Https),
            _ => Err(Malformed("the scheme is neither `https` nor `http`")),
        }
    }
}

/// Scheme, host and port.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Origin {
    /// How.
    pub scheme: Scheme,
    /// Whom.
    pub host: Host,
    /// Where there.
    pub port: u16,
}

impl Origin {
    /// From an authority: `api.example.org`, `[2001:db8::1]:8443`.
    ///
    /// **Errors**: user names, ports that are not 1 to 65535 in plain digits, and what [`Host`]
    /// refuses.
    pub fn parse(scheme: Scheme, authority: &str) -> Result<Self, Malformed> {
        let (host, port) = match authority.rfind(']') {
            Some(end) => {
                let (host, rest) = authority.split_at(end + 1);
                match rest.strip_prefix(':') {
                    Some(port) => (host, Some(port)),
                    None if rest.is_empty() => (host, None),
                    None => return Err(Malformed("something follows the host in brackets")),
                }
            }
            None => match authority.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (authority, None),
            },
        };
        Ok(Self {
            scheme,
            host: host.parse()?,
            port: port.map_or(Ok(scheme.default_port()), port_number)?,
        })
    }

    /// `host:port`, or the host alone where the port is the scheme's own: the `Host` header.
    pub fn authority(&self) -> String {
        if self.port == self.scheme.default_port() {
            self.host.to_string()
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme.as_str(), self.authority())
    }
}

fn port_number(text: &str) -> Result<u16, Malformed> {
    let plain = text.bytes().all(|b| b.is_ascii_digit()) && !text.starts_with('0');
    text.parse()
        .ok()
        .filter(|_| plain)
        .ok_or(Malformed("the port is not a plain number from 1 to 65535"))
}

/// Where a request goes. What was decided about is what is sent.
///
/// `Debug` and `Display` leave the query out: it may hold a secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Target {
    /// The server.
    pub origin: Origin,
    /// The path there.
    pub path: Path,
    query: Option<String>,
}

impl Target {
    /// Most bytes of a query.
    const QUERY_MAX: usize = 32 << 10;

    /// From the parts of a request; `path_and_query` is what stands in its first line.
    ///
    /// **Errors**: what [`Origin::parse`] and [`Path::normalised`] refuse; a fragment; characters
    /// in the query that have to be encoded.
    pub fn new(scheme: Scheme, authority: &str, path_and_query: &str) -> Result<Self, Malformed> {
        let (path, query) = match path_and_query.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (path_and_query, None),
        };
        Ok(Self {
            origin: Origin::parse(scheme, authority)?,
            path: Path::normalised(path)?,
            query: query.map(plain_query).transpose()?,
        })
    }

    /// From an absolute URL. A fragment is dropped: it is never sent.
    ///
    /// **Errors**: as [`Self::new`]; another scheme, or one in capitals.
    pub fn parse(url: &str) -> Result<Self, Malformed> {
        let (scheme, rest) = url
            .split_once("://")
            .ok_or(Malformed("the text is not an absolute URL"))?;
        let rest = rest.split('#').next().unwrap_or_default();
        let end = rest.find(['/', '?', '\\']).unwrap_or(rest.len());
        let (authority, rest) = rest.split_at(end);
        Self::new(scheme.parse()?, authority, rest)
    }

    /// Where a `Location` leads from here: an absolute URL, `//host/path`, or a path.
    ///
    /// **Errors**: as [`Self::parse`].
    pub fn join(&self, location: &str) -> Result<Self, Malformed> {
        let location = location.split('#').next().unwrap_or_default();
        let scheme = self.origin.scheme.as_str();
        if has_scheme(location) {
            return Self::parse(location);
        }
        if location.starts_with("//") {
            return Self::parse(&format!("{scheme}:{location}"));
        }
        let authority = self.origin.authority();
        let own = self.path.as_str();
        let path = if location.starts_with('/') {
            location.to_owned()
        } else if location.is_empty() || location.starts_with('?') {
            format!("{own}{location}")
        } else {
            let folder = own.rfind('/').map_or("/", |end| &own[..=end]);
            format!("{folder}{location}")
        };
        Self::new(self.origin.scheme, &authority, &path)
    }

    /// The query, without its question mark.
    pub fn query(&self) -> Option<&str> {
        self.query.as_deref()
    }

    /// The same with another query.
    ///
    /// **Errors**: characters in it that have to be encoded.
    pub fn with_query(&self, query: Option<&str>) -> Result<Self, Malformed> {
        Ok(Self {
            query: query.map(plain_query).transpose()?,
            ..self.clone()
        })
    }

    /// What stands in the first line of the request.
    pub fn path_and_query(&self) -> String {
        match &self.query {
            Some(query) => format!("{}?{query}", self.path),
            None => self.path.to_string(),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.origin, self.path)
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn has_scheme(location: &str) -> bool {
    let end = location.find(['/', '?', ':']).unwrap_or(location.len());
    location[end..].starts_with(':')
}

fn plain_query(query: &str) -> Result<String, Malformed> {
    let plain = |b: u8| b.is_ascii_graphic() && !matches!(b, b'#' | b'"' | b'<' | b'>');
    if query.len() > Target::QUERY_MAX {
        return Err(Malformed("the query is too long"));
    }
    if !query.bytes().all(plain) {
        return Err(Malformed(
            "a character of the query has to be percent-encoded",
        ));
    }
    Ok(query.to_owned())
}
