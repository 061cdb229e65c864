//! Which hosts and origins a mounted door answers to.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, HOST,
    HeaderMap, HeaderValue, ORIGIN, VARY,
};
use axum::http::uri::Authority;
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use cofferdam_types::{Code, Failure};

use crate::body::only;
use crate::error::Refusal;
use crate::guard::is_same_origin;

/// What a page of an allowed origin may send and read.
const METHODS: HeaderValue = HeaderValue::from_static("GET, POST, DELETE");
const HEADERS: HeaderValue = HeaderValue::from_static(
    "Authorization, Content-Type, Accept, Last-Event-ID, Mcp-Session-Id, MCP-Protocol-Version, \
     Mcp-Method, Mcp-Name",
);
const EXPOSED: HeaderValue = HeaderValue::from_static("Mcp-Session-Id, WWW-Authenticate");
/// How long a browser need not ask again, in seconds.
const ASKED_FOR: HeaderValue = HeaderValue::from_static("600");

/// The names under which this host may be addressed, and the origins of web pages that may do so.
///
/// A page of another site reaches a host of this machine by making its own name point here; the
/// name it uses then is not one of these. An address in numbers can't be made to point elsewhere.
#[derive(Debug, Clone)]
pub struct Allow(Arc<Lists>);

#[derive(Debug)]
struct Lists {
    /// Names with or without a port, lower case.
    hosts: Vec<String>,
    /// Whole origins, lower case.
    origins: Vec<String>,
    listen: IpAddr,
}

impl Allow {
    /// The names of this machine's loopback and the address that is listened on, and `hosts`, each
    /// with a port or for any; pages of the same host and port, and of `origins`.
    pub fn new(listen: SocketAddr, hosts: &[String], origins: &[String]) -> Self {
        let lower = |list: &[String]| {
            list.iter()
                .map(|entry| entry.to_ascii_lowercase())
                .collect()
        };
        Self(Arc::new(Lists {
            hosts: lower(hosts),
            origins: lower(origins),
            listen: listen.ip(),
        }))
    }

    fn allows_host(&self, authority: &str) -> bool {
        let authority = authority.to_ascii_lowercase();
        let Ok(parsed) = authority.parse::<Authority>() else {
            return false;
        };
        let name = parsed.host();
        if authority.contains('@') {
            return false;
        }
        let listed = |entry: &String| *entry == authority || entry == name;
        if name == "localhost" || self.0.hosts.iter().any(listed) {
            return true;
        }
        let bare = name.strip_prefix('[').and_then(|n| n.strip_suffix(']'));
        match bare.unwrap_or(name).parse::<IpAddr>() {
            Ok(ip) => ip.is_loopback() || ip == self.0.listen || self.0.listen.is_unspecified(),
            Err(_) => false,
        }
    }

    /// The origin, if it is one of another site that is allowed.
    fn other_origin<'h>(&self, headers: &'h HeaderMap) -> Option<&'h HeaderValue> {
        let origin = only(headers, &ORIGIN)?.to_ascii_lowercase();
        let listed = origin != "null" && self.0.origins.contains(&origin);
        headers.get(ORIGIN).filter(|_| listed)
    }

    /// Whether a request with this address and these headers may pass.
    fn check(&self, authority: Option<&str>, headers: &HeaderMap) -> Result<(), Failure> {
        let refused = |what: &str| Failure::new(Code::Forbidden, what);
        let named = only(headers, &HOST).is_some_and(|host| self.allows_host(host));
        if !named || authority.is_some_and(|authority| !self.allows_host(authority)) {
            return Err(refused(
                "this host is not addressed by that name: its operator lists names with \
                 `--allowed-host`",
            ));
        }
        if is_same_origin(headers) || self.other_origin(headers).is_some() {
            return Ok(());
        }
        Err(refused(
            "the request comes from a web page of another site: the operator of this host lists \
             origins with `--allowed-origin`",
        ))
    }
}

/// Lets a request pass, or refuses it before anything else looks at it; answers browsers that ask
/// first.
pub(crate) async fn guard(State(allow): State<Allow>, request: Request, next: Next) -> Response {
    let authority = request.uri().authority().map(Authority::as_str);
    if let Err(failure) = allow.check(authority, request.headers()) {
        return Refusal::from(failure).into_response();
    }
    let Some(origin) = allow.other_origin(request.headers()).cloned() else {
        return next.run(request).await;
    };
    let asks = request.method() == Method::OPTIONS
        && request
            .headers()
            .contains_key(ACCESS_CONTROL_REQUEST_METHOD);
    let mut response = if asks {
        StatusCode::NO_CONTENT.into_response()
    } else {
        next.run(request).await
    };
    let headers = response.headers_mut();
    if asks {
        headers.insert(ACCESS_CONTROL_ALLOW_METHODS, METHODS);
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, HEADERS);
        headers.insert(ACCESS_CONTROL_MAX_AGE, ASKED_FOR);
    }
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    headers.append(VARY, HeaderValue::from_static("Origin"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allow(listen: &str) -> Allow {
        let listen = listen.parse().expect("an address");
        let hosts = ["Tools.example.org".to_owned(), "box:9000".to_owned()];
        Allow::new(listen, &hosts, &["https://App.example.org".to_owned()])
    }

    #[test]
    fn hosts() {
        let own = allow("10.0.0.7:8000");
        for (host, allowed) in [
            ("localhost", true),
            ("LOCALHOST:8000", true),
            ("localhost:1", true),
            ("127.0.0.1:8000", true),
            ("127.9.9.9", true),
            ("[::1]:8000", true),
            ("10.0.0.7:8000", true),
            ("10.0.0.8:8000", false),
            ("tools.example.org", true),
            ("tools.example.org:443", true),
            ("box:9000", true),
            ("box:9001", false),
            ("box", false),
            ("evil.example.org", false),
            ("localhost.evil.org", false),
            ("tools.example.org.", false),
            ("localhost@evil.org", false),
            ("evil@localhost", false),
            ("", false),
            ("local host", false),
        ] {
            assert_eq!(own.allows_host(host), allowed, "{host}");
        }
        let everywhere = allow("0.0.0.0:8000");
        assert!(everywhere.allows_host("192.0.2.1:8000"));
        assert!(!everywhere.allows_host("evil.example.org"));
    }

    #[test]
    fn origins() {
        let allow = allow("127.0.0.1:8000");
        for (origin, allowed) in [
            (None, true),
            (Some("http://localhost:8000"), true),
            (Some("http://localhost:6274"), false),
            (Some("https://app.example.org"), true),
            (Some("http://app.example.org"), false),
            (Some("https://app.example.org:444"), false),
            (Some("https://evil.example.org"), false),
            (Some("null"), false),
            (Some(""), false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(HOST, HeaderValue::from_static("localhost:8000"));
            if let Some(origin) = origin {
                headers.insert(ORIGIN, HeaderValue::from_static(origin));
            }
            assert_eq!(allow.check(None, &headers).is_ok(), allowed, "{origin:?}");
            assert!(allow.check(Some("evil.example.org"), &headers).is_err());
            headers.append(HOST, HeaderValue::from_static("localhost:8000"));
            assert!(allow.check(None, &headers).is_err(), "two hosts");
        }
        assert!(allow.check(None, &HeaderMap::new()).is_err(), "no host");
    }
}
