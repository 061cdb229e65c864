use std::sync::Arc;

use cofferdam_types::SecretName;
use schemars::JsonSchema;
use serde::Deserialize;

use super::site::Sites;
use super::{Part, Places, Secret};
use crate::capability::Fault;
use crate::capability::network::Scheme;

/// Longest name of a query parameter or program, and longest format, in bytes.
const TEXT_BYTES_MAX: usize = 256;

/// Headers that say how a message is framed or where it goes. A secret in one of them could turn
/// one request into two, or send it elsewhere.
const FRAMING: [&str; 12] = [
    "connection",
    "content-length",
    "expect",
    "host",
    "http2-settings",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
];

/// One secret and what may be done with it:
/// `{name: github-token, inject: {hosts: [api.github.com], header: authorization, format: "Bearer {}"}}`.
/// For several places write several entries.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "SecretEntry")]
pub struct Entry {
    /// The secret's name, exactly. It is looked up among those of the call's tenant.
    #[schemars(regex(pattern = r"^[a-z][a-z0-9]*(-[a-z0-9]+)*(/[a-z][a-z0-9]*(-[a-z0-9]+)*)?$"))]
    name: Option<String>,
    /// Where the host puts the value in. The tool never sees it.
    inject: Option<Inject>,
    /// True when the tool may see the value itself. Prefer `inject`.
    #[serde(default)]
    expose: bool,
}

/// Where a value is put in: a header or a query parameter of requests to hosts, or the input of a
/// program.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "SecretInject")]
pub(super) struct Inject {
    /// `https` unless stated. With `http` everybody on the way can read the secret.
    scheme: Option<Scheme>,
    /// Hosts whose requests carry it: `api.example.org`, or `api.example.org:8443`; no patterns.
    hosts: Option<Vec<String>>,
    /// The header that carries it, as `authorization`.
    header: Option<String>,
    /// The header's value, with `{}` where the secret goes; the secret alone unless stated.
    format: Option<String>,
    /// The query parameter that carries it, as `api_key`.
    query: Option<String>,
    /// The registered program that gets it.
    program: Option<String>,
    /// True: as its input.
    stdin: Option<bool>,
}

impl Entry {
    pub(super) fn allow(self) -> Result<Secret, Fault> {
        let name = self.name()?;
        if name.is_none() {
            return Err(Fault::at("", "say which secret: `name: github-token`"));
        }
        let inject = match self.inject {
            Some(inject) => inject.parse(true)?,
            None => Places::Nowhere,
        };
        Ok(Secret {
            name,
            hold: true,
            expose: self.expose,
            inject,
        })
    }

    pub(super) fn deny(self) -> Result<Secret, Fault> {
        let name = self.name()?;
        let all = self.inject.is_none() && !self.expose;
        let inject = match self.inject {
            Some(inject) => inject.parse(false)?,
            None if all => Places::Everywhere,
            None => Places::Nowhere,
        };
        Ok(Secret {
            name,
            hold: all,
            expose: all || self.expose,
            inject,
        })
    }

    fn name(&self) -> Result<Option<SecretName>, Fault> {
        let parse = |name: &String| {
            name.parse()
                .map_err(|error| Fault::at("/name", format!("{error}")))
        };
        self.name.as_ref().map(parse).transpose()
    }
}

impl Inject {
    /// `complete` when what is left out is missing, as below `allow`, and doesn't mean everything.
    fn parse(self, complete: bool) -> Result<Places, Fault> {
        let request = self.scheme.is_some()
            || self.hosts.is_some()
            || self.header.is_some()
            || self.format.is_some()
            || self.query.is_some();
        let program = self.program.is_some() || self.stdin.is_some();
        match (request, program) {
            (true, true) => {
                let reason = "an entry is about requests or about a program: write two";
                Err(Fault::at("/inject", reason))
            }
            (true, false) => self.request(complete),
            (false, true) => self.stdin(complete),
            (false, false) if complete => {
                let reason =
                    "say where: `hosts` with `header` or `query`, or `program` with `stdin`";
                Err(Fault::at("/inject", reason))
            }
            (false, false) => Ok(Places::Everywhere),
        }
    }

    fn request(self, complete: bool) -> Result<Places, Fault> {
        let sites = self.sites(complete)?;
        let part = match (self.header, self.query) {
            (Some(_), Some(_)) => {
                let reason = "an entry names a header or a query parameter: write two";
                return Err(Fault::at("/inject/query", reason));
            }
            (Some(name), None) => Some(Part::Header {
                name: header(&name)?,
                format: format(self.format)?,
            }),
            (None, _) if self.format.is_some() => {
                return Err(Fault::at("/inject/format", "only a header has a format"));
            }
            (None, Some(name)) => Some(Part::Query {
                name: text(&name, "/inject/query")?,
            }),
            (None, None) => None,
        };
        if complete && sites.is_none() {
            let reason = "say to which hosts it goes: `hosts: [api.example.org]`";
            return Err(Fault::at("/inject", reason));
        }
        if complete && part.is_none() {
            let reason = "say where it goes: `header: authorization` or `query: api_key`";
            return Err(Fault::at("/inject", reason));
        }
        Ok(Places::Request { sites, part })
    }

    fn sites(&self, complete: bool) -> Result<Option<Arc<[Sites]>>, Fault> {
        let Some(hosts) = &self.hosts else {
            return match self.scheme {
                None => Ok(None),
                Some(_) => Err(Fault::at("/inject/scheme", "a scheme needs its `hosts`")),
            };
        };
        let sites = |(at, host): (usize, &String)| {
            let sites = if complete {
                Sites::exactly(host, self.scheme.unwrap_or(Scheme::Https))
            } else {
                Sites::at_least(host, self.scheme)
            };
            sites.map_err(|fault| Fault::at(format!("/inject/hosts/{at}"), fault.reason))
        };
        let all: Result<Arc<[Sites]>, Fault> = hosts.iter().enumerate().map(sites).collect();
        all.map(Some)
    }

    fn stdin(self, complete: bool) -> Result<Places, Fault> {
        if self.stdin == Some(false) || (complete && self.stdin.is_none()) {
            let reason = "a program gets a secret as its input alone: `stdin: true`";
            return Err(Fault::at("/inject/stdin", reason));
        }
        if complete && self.program.is_none() {
            let reason = "say which program gets it: `program: git`";
            return Err(Fault::at("/inject", reason));
        }
        let parse = |program: &String| text(program, "/inject/program");
        let program = self.program.as_ref().map(parse).transpose()?;
        Ok(Places::Stdin { program })
    }
}

fn header(name: &str) -> Result<Arc<str>, Fault> {
    let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    let name = name.to_ascii_lowercase();
    let at = |reason: &str| Err(Fault::at("/inject/header", reason));
    if name.is_empty() || name.len() > TEXT_BYTES_MAX || !name.bytes().all(token) {
        return at("expected the name of a header");
    }
    if FRAMING.contains(&name.as_str()) {
        return at("this header frames or routes the request and carries no secret");
    }
    Ok(name.into())
}

fn format(format: Option<String>) -> Result<Arc<str>, Fault> {
    let format = format.unwrap_or_else(|| "{}".to_owned());
    let good = format.matches("{}").count() == 1
        && format.len() <= TEXT_BYTES_MAX
        && format.bytes().all(|b| (b' '..=b'~').contains(&b));
    if good {
        Ok(format.into())
    } else {
        let reason = "expected visible ASCII with `{}` once, where the secret goes: `Bearer {}`";
        Err(Fault::at("/inject/format", reason))
    }
}

fn text(text: &str, pointer: &str) -> Result<Arc<str>, Fault> {
    if text.is_empty() || text.len() > TEXT_BYTES_MAX || text.contains(char::is_control) {
        return Err(Fault::at(pointer, "expected a name of 1 to 256 bytes"));
    }
    Ok(text.into())
}
