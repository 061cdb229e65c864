//! A request, made of the tool's arguments and made anew for each redirect.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cofferdam_sdk::http::{self, Response};
use cofferdam_sdk::{ToolError, data};
use url::{Origin, Url};

/// What a server is told when the caller says nothing of it.
const USER_AGENT: &str = concat!("cofferdam-http/", env!("CARGO_PKG_VERSION"));

/// Headers of the connection, which the host writes.
const HOST_HEADERS: [&str; 11] = [
    "accept-encoding",
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
];

/// Headers that a redirect may take to another host. Any other may carry a key.
const PUBLIC_HEADERS: [&str; 5] = [
    "accept",
    "accept-language",
    "content-type",
    "range",
    "user-agent",
];

/// What to do with what the address names.
#[data]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum Method {
    Get,
    Head,
    Post,
    Put,
    Patch,
    Delete,
    Options,
}

impl Method {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
            Self::Options => "OPTIONS",
        }
    }
}

/// A checked request.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) url: Url,
    pub(crate) method: Method,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

impl Request {
    /// **Errors**: `invalid_request` with what to write instead.
    pub(crate) fn new(
        url: &str,
        method: Method,
        headers: BTreeMap<String, String>,
        body: Option<String>,
        body_base64: Option<String>,
    ) -> Result<Self, ToolError> {
        let url = Url::parse(url).map_err(|error| invalid(format!("{url:?}: {error}")))?;
        check(&url)?;
        let body = match (body, body_base64) {
            (Some(_), Some(_)) => {
                return Err(invalid("give `body` or `body_base64`, not both"));
            }
            (Some(text), None) => text.into_bytes(),
            (None, Some(text)) => STANDARD
                .decode(text)
                .map_err(|error| invalid(format!("`body_base64` is not base64: {error}")))?,
            (None, None) => Vec::new(),
        };
        if !body.is_empty() && matches!(method, Method::Get | Method::Head) {
            let method = method.as_str();
            return Err(invalid(format!("{method} has no body; use POST or PUT")));
        }
        Ok(Self {
            url,
            method,
            headers: lower(headers)?,
            body,
        })
    }

    /// Sends it.
    ///
    /// **Errors**: the client's own.
    pub(crate) fn send(&self) -> Result<Response, http::Error> {
        let mut url = self.url.clone();
        url.set_fragment(None);
        let mut request = http::Request::new(self.method.as_str(), url.as_str())?
            .header("accept-encoding", "identity")
            .body(self.body.clone());
        for (name, value) in [("accept", "*/*"), ("user-agent", USER_AGENT)] {
            if !self.headers.contains_key(name) {
                request = request.header(name, value);
            }
        }
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        request.send()
    }

    /// The request that a redirect asks for. As everybody does it, and RFC 9110 (15.4) allows: 303
    /// turns everything but HEAD into GET, 301 and 302 only POST. To another origin go no headers
    /// that may hold a secret.
    ///
    /// **Errors**: `invalid_request` for an address that can't be asked; `insecure_redirect` for one
    /// that leaves the encrypted connection.
    pub(crate) fn redirected(&self, status: u16, location: &str) -> Result<Self, ToolError> {
        let url = self
            .url
            .join(location)
            .map_err(|error| invalid(format!("redirected to {location:?}: {error}")))?;
        check(&url)?;
        if self.url.scheme() == "https" && url.scheme() == "http" {
            let message = format!(
                "{} redirects to unencrypted HTTP, which is not followed; fetch {} itself if you \
                 trust it",
                shown(&self.url),
                shown(&url)
            );
            return Err(ToolError::new("insecure_redirect", message));
        }
        let mut next = self.clone();
        let becomes_get = match status {
            303 => self.method != Method::Head,
            301 | 302 => self.method == Method::Post,
            _ => false,
        };
        if becomes_get {
            next.method = Method::Get;
            next.body.clear();
            next.headers.retain(|name, _| !name.starts_with("content-"));
        }
        if !is_same_origin(&self.url, &url) {
            next.headers
                .retain(|name, _| PUBLIC_HEADERS.contains(&name.as_str()));
        }
        next.url = url;
        Ok(next)
    }
}

/// An address without what may be a secret in it.
pub(crate) fn shown(url: &Url) -> String {
    match url.origin() {
        origin @ Origin::Tuple(..) => format!("{}{}", origin.ascii_serialization(), url.path()),
        Origin::Opaque(_) => format!("{}:…", url.scheme()),
    }
}

fn is_same_origin(one: &Url, other: &Url) -> bool {
    one.origin() == other.origin()
}

fn check(url: &Url) -> Result<(), ToolError> {
    if !matches!(url.scheme(), "https" | "http") {
        let scheme = url.scheme();
        return Err(invalid(format!(
            "{scheme}: addresses can't be fetched; only https: and http:"
        )));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(invalid(
            "an address with a user name would show it in records; send the header `authorization`",
        ));
    }
    Ok(())
}

fn lower(headers: BTreeMap<String, String>) -> Result<BTreeMap<String, String>, ToolError> {
    let mut lower = BTreeMap::new();
    for (name, value) in headers {
        let name = name.to_ascii_lowercase();
        if HOST_HEADERS.contains(&name.as_str()) || name.starts_with("proxy-") {
            return Err(invalid(format!(
                "the header `{name}` is for the host to set"
            )));
        }
        if lower.insert(name.clone(), value).is_some() {
            return Err(invalid(format!("the header `{name}` is given twice")));
        }
    }
    Ok(lower)
}

fn invalid(message: impl Into<String>) -> ToolError {
    ToolError::new("invalid_request", message)
}
