use std::fmt;
use std::sync::Arc;

use url::Url;

use crate::capability::Fault;

/// Where a request goes: the scheme, the host and the port, all three exactly.
///
/// **Shape**: `https://api.example.org:443`. The host is in the form that the `url` crate gives it:
/// lower case, internationalised names in their ASCII form, addresses normalised.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Site {
    encrypted: bool,
    host: Arc<str>,
    port: u16,
}

impl Site {
    /// Of a request to this URL; `None` for one that isn't HTTP or has no host.
    pub fn of(url: &Url) -> Option<Self> {
        let encrypted = match url.scheme() {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        Some(Self {
            encrypted,
            host: url.host_str()?.into(),
            port: url.port_or_known_default()?,
        })
    }

    /// True for https.
    pub fn is_encrypted(&self) -> bool {
        self.encrypted
    }

    /// As an entry writes it: with the port where it isn't the scheme's own.
    pub fn authority(&self) -> String {
        let usual = if self.encrypted { 443 } else { 80 };
        if self.port == usual {
            self.host.to_string()
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

/// The sites that an entry names with one host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sites {
    /// Absent covers both schemes.
    encrypted: Option<bool>,
    host: Arc<str>,
    /// Absent covers every port.
    port: Option<u16>,
}

impl Sites {
    /// Exactly one: `host`, on the scheme's own port, or `host:port`.
    pub(super) fn exactly(text: &str, encrypted: bool) -> Result<Self, Fault> {
        let (site, _) = parse(text, encrypted)?;
        Ok(Self {
            encrypted: Some(encrypted),
            host: site.host,
            port: Some(site.port),
        })
    }

    /// The same, where what is left out covers everything.
    pub(super) fn at_least(text: &str, encrypted: Option<bool>) -> Result<Self, Fault> {
        let (site, has_port) = parse(text, encrypted.unwrap_or(true))?;
        Ok(Self {
            encrypted,
            host: site.host,
            port: has_port.then_some(site.port),
        })
    }

    pub(super) fn covers(&self, site: &Site) -> bool {
        self.host == site.host
            && self.port.is_none_or(|port| port == site.port)
            && self.encrypted.is_none_or(|it| it == site.encrypted)
    }

    /// The host, when it can be reached by these without encryption.
    pub(super) fn unencrypted(&self) -> Option<&str> {
        (self.encrypted != Some(true)).then_some(&self.host)
    }
}

/// The site of `host` or `host:port`, and whether a port was written.
fn parse(text: &str, encrypted: bool) -> Result<(Site, bool), Fault> {
    let fault = || {
        let reason = format!(
            "`{text}` is not a host: expected `api.example.org` or `api.example.org:8443`, \
             exactly one and without a pattern"
        );
        Fault::at("", reason)
    };
    let unlikely = |c: char| c.is_whitespace() || c.is_control() || "/\\?#@*%".contains(c);
    if text.is_empty() || text.ends_with(['.', ':']) || text.contains(unlikely) {
        return Err(fault());
    }
    let scheme = if encrypted { "https" } else { "http" };
    let url = Url::parse(&format!("{scheme}://{text}")).map_err(|_| fault())?;
    let site = Site::of(&url).ok_or_else(fault)?;
    if site.host.ends_with('.') {
        return Err(fault());
    }
    // The `url` crate drops a port that is the scheme's own, so the text has to tell.
    let has_port = text
        .rsplit_once(':')
        .is_some_and(|(_, port)| !port.contains(']'));
    Ok((site, has_port))
}

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.encrypted { "https" } else { "http" };
        write!(f, "{scheme}://{}", self.authority())
    }
}
