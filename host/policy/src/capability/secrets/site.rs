use crate::capability::Fault;
use crate::capability::network::{Host, Origin, Scheme};

/// The servers that an entry names with one host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sites {
    /// Absent covers both schemes.
    scheme: Option<Scheme>,
    host: Host,
    /// Absent covers every port.
    port: Option<u16>,
}

impl Sites {
    /// Exactly one: `host`, on the scheme's own port, or `host:port`.
    pub(super) fn exactly(text: &str, scheme: Scheme) -> Result<Self, Fault> {
        let site = parse(text, scheme)?;
        Ok(Self {
            scheme: Some(scheme),
            host: site.host,
            port: Some(site.port),
        })
    }

    /// The same, where what is left out covers everything.
    pub(super) fn at_least(text: &str, scheme: Option<Scheme>) -> Result<Self, Fault> {
        let site = parse(text, Scheme::Https)?;
        // The scheme's own port may have been written or not.
        let has_port = site.port != Scheme::Https.default_port()
            || parse(text, Scheme::Http)?.port != Scheme::Http.default_port();
        Ok(Self {
            scheme,
            host: site.host,
            port: has_port.then_some(site.port),
        })
    }

    pub(super) fn covers(&self, site: &Origin) -> bool {
        self.host == site.host
            && self.port.is_none_or(|port| port == site.port)
            && self.scheme.is_none_or(|scheme| scheme == site.scheme)
    }

    /// The host, when it can be reached by these without encryption.
    pub(super) fn unencrypted(&self) -> Option<&Host> {
        (self.scheme != Some(Scheme::Https)).then_some(&self.host)
    }
}

fn parse(text: &str, scheme: Scheme) -> Result<Origin, Fault> {
    Origin::parse(scheme, text).map_err(|why| {
        let reason = format!(
            "`{text}` is not a host: {why}; expected `api.example.org` or `api.example.org:8443`, \
             exactly one and without a pattern"
        );
        Fault::at("", reason)
    })
}
