//! What people write below `network`.

use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;
use schemars::JsonSchema;
use serde::Deserialize;

use super::caps::{Caps, Rate};
use super::host::HostPattern;
use super::path::PathPattern;
use super::target::{Malformed, Scheme};
use super::{Network, Sense, address, header};
use crate::capability::Fault;
use crate::quantity::Bytes;

/// HTTP requests to a host.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NetworkEntry")]
pub struct Entry {
    /// Whom: `api.example.org`; `*.example.org` for every name of exactly one more label,
    /// `**.example.org` for any number of further labels, `**` for every host; or an address. An
    /// allow needs it unless it has `within`.
    host: Option<String>,
    /// `https` unless said otherwise.
    scheme: Option<Scheme>,
    /// That of the scheme unless said otherwise.
    port: Option<u16>,
    /// In capitals; `GET` and `HEAD` unless said otherwise.
    methods: Option<Vec<String>>,
    /// `/v1/*` for one segment, `/v1/**` for everything below; every path unless said otherwise.
    paths: Option<Vec<String>>,
    /// Request headers that the tool may set beyond the usual ones (`accept`, `content-type`, …).
    headers: Option<Vec<String>>,
    /// Ranges that may be reached although they are not public, as in `10.1.0.0/16`. A metadata
    /// service has to be named by its own address.
    addresses: Option<Vec<String>>,
    /// Connect to this address instead of what a look-up answers, with its port or without.
    at: Option<String>,
    /// Only to the server of the URL in this argument of the call: `args.url`.
    within: Option<String>,
    /// Largest body of one request; 1 MiB unless said otherwise.
    request_bytes: Option<Bytes>,
    /// Largest body of one response; 8 MiB unless said otherwise.
    response_bytes: Option<Bytes>,
    /// Redirects the host follows, each decided anew; 0, the tool sees them, up to 5.
    redirects: Option<u32>,
    /// Requests in one call; 100 unless said otherwise.
    requests: Option<u64>,
    /// Requests of one call at once; 8 unless said otherwise, at most 64.
    concurrent: Option<u32>,
    /// For each host, over all calls of this tool: `10/s`, or `10/s wait`.
    rate: Option<Rate>,
}

impl Entry {
    pub(super) fn allow(self) -> Result<Network, Fault> {
        if self.host.is_none() && self.within.is_none() {
            return Err(Fault::at(
                "",
                "an allow needs `host` (`**` is every host) or `within`",
            ));
        }
        let said = self.parts(Sense::Allow)?;
        let scheme = self.scheme.unwrap_or(Scheme::Https);
        let mut addresses = said.addresses.unwrap_or_default();
        // Whoever names an address as the host has named it.
        addresses.extend(said.host.address().map(IpNet::from));
        let reading = || vec!["GET".to_owned(), "HEAD".to_owned()];
        Ok(Network {
            scheme: Some(scheme),
            port: Some(self.port.unwrap_or(scheme.default_port())),
            methods: Some(said.methods.unwrap_or_else(reading)),
            headers: Some(said.headers.unwrap_or_default()),
            addresses: Some(addresses),
            caps: self.caps()?,
            ..said
        })
    }

    pub(super) fn deny(self) -> Result<Network, Fault> {
        let quantities = [
            ("/request_bytes", self.request_bytes.is_some()),
            ("/response_bytes", self.response_bytes.is_some()),
            ("/redirects", self.redirects.is_some()),
            ("/requests", self.requests.is_some()),
            ("/concurrent", self.concurrent.is_some()),
            ("/rate", self.rate.is_some()),
            ("/at", self.at.is_some()),
            ("/within", self.within.is_some()),
        ];
        match quantities.iter().find(|(_, is_said)| *is_said) {
            Some((pointer, _)) => Err(Fault::at(*pointer, "this has no meaning in a deny")),
            None => self.parts(Sense::Deny),
        }
    }

    /// What is said.
    fn parts(&self, sense: Sense) -> Result<Network, Fault> {
        let host = match &self.host {
            None => HostPattern::Any,
            Some(host) => host
                .parse()
                .map_err(|why| Fault::at("/host", format!("{why}")))?,
        };
        if self.port == Some(0) {
            return Err(Fault::at("/port", "there is no port 0"));
        }
        let verb = |text: &str| {
            let method = super::method(text).map_err(|why| why.to_string());
            method.map(str::to_owned)
        };
        let path = |text: &str| text.parse().map_err(|why: Malformed| why.to_string());
        let within = self.within.as_deref().map(str::parse).transpose();
        Ok(Network {
            sense,
            host,
            scheme: self.scheme,
            port: self.port,
            methods: each(self.methods.as_ref(), "/methods", verb)?,
            paths: each(self.paths.as_ref(), "/paths", path)?
                .unwrap_or_else(|| vec![PathPattern::any()]),
            headers: each(self.headers.as_ref(), "/headers", header::name)?,
            addresses: each(self.addresses.as_ref(), "/addresses", address::net)?,
            within: within.map_err(|why: &str| Fault::at("/within", why))?,
            origin: None,
            caps: Caps::DEFAULT,
        })
    }

    fn caps(&self) -> Result<Caps, Fault> {
        let most = |pointer, value: Option<u32>, default, max| match value {
            Some(value) if value > max => Err(Fault::at(pointer, format!("at most {max}"))),
            value => Ok(value.unwrap_or(default)),
        };
        let default = Caps::DEFAULT;
        Ok(Caps {
            request_bytes: self
                .request_bytes
                .map_or(default.request_bytes, |bytes| bytes.0),
            response_bytes: self
                .response_bytes
                .map_or(default.response_bytes, |bytes| bytes.0),
            redirects: most(
                "/redirects",
                self.redirects,
                default.redirects,
                Caps::REDIRECTS_MAX,
            )?,
            requests: self.requests.unwrap_or(default.requests),
            concurrent: most(
                "/concurrent",
                self.concurrent,
                default.concurrent,
                Caps::CONCURRENT_MAX,
            )?,
            rate: self.rate,
            at: self.at.as_deref().map(place).transpose()?,
        })
    }
}

/// Each text of a list, read; `None` where there is no list. An empty list stays empty.
fn each<T>(
    texts: Option<&Vec<String>>,
    pointer: &str,
    read: impl Fn(&str) -> Result<T, String>,
) -> Result<Option<Vec<T>>, Fault> {
    let Some(texts) = texts else { return Ok(None) };
    let read = |(at, text): (usize, &String)| {
        read(text).map_err(|why| Fault::at(format!("{pointer}/{at}"), why))
    };
    texts
        .iter()
        .enumerate()
        .map(read)
        .collect::<Result<_, _>>()
        .map(Some)
}

/// An address with or without its port; without is port 0, for that of the request.
fn place(text: &str) -> Result<SocketAddr, Fault> {
    text.parse()
        .or_else(|_| {
            text.parse()
                .map(|address: IpAddr| SocketAddr::new(address, 0))
        })
        .map_err(|_| {
            Fault::at(
                "/at",
                "expected an address, as in `10.1.2.3` or `10.1.2.3:8443`",
            )
        })
}
