//! One request on its way to one server, and the next one when it is sent elsewhere.

use bytes::Bytes;
use cofferdam_policy::capability::network::{self, Malformed, Scheme, Target, header};
use cofferdam_types::call::{Denial, DenialCode};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, LOCATION};
use http::{HeaderMap, HeaderValue, Response, StatusCode};

use crate::body::RequestBody;
use crate::error::{Error, Limit};

/// A request as a guest hands it over: nothing of it is believed.
#[derive(Debug)]
pub struct Request {
    /// The method.
    pub method: String,
    /// `https` or `http`.
    pub scheme: String,
    /// Host and port, as they would stand in a URL.
    pub authority: String,
    /// Path and query, as they would stand in the first line.
    pub path_and_query: String,
    /// The headers. Those that the host alone sets are refused.
    pub headers: HeaderMap,
    /// The body; absent for none.
    pub body: Option<RequestBody>,
}

/// A request that is allowed, while secrets are put into it.
#[derive(Debug)]
pub struct Outgoing<'a> {
    /// Where it goes.
    pub target: &'a Target,
    /// Its headers.
    pub headers: &'a mut HeaderMap,
    /// Its query, without the question mark.
    pub query: &'a mut Option<String>,
}

/// One request to one server.
#[derive(Debug)]
pub(crate) struct Hop {
    pub(crate) target: Target,
    pub(crate) method: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Option<RequestBody>,
    /// The length that the tool announced.
    pub(crate) announced: Option<u64>,
    /// How many redirects led here.
    pub(crate) redirects: u32,
}

/// Most headers of a message, and most bytes of them: what common servers take.
pub(crate) const HEADERS_MAX: usize = 128;
pub(crate) const HEAD_BYTES_MAX: usize = 64 << 10;

impl Hop {
    /// The first one.
    ///
    /// **Errors**: a denial for what cannot be read one way only; too many headers.
    pub(crate) fn first(request: Request) -> Result<Self, Error> {
        let malformed = |why: Malformed| Error::from(network::malformed(why));
        let scheme: Scheme = request.scheme.parse().map_err(malformed)?;
        let target = Target::new(scheme, &request.authority, &request.path_and_query);
        let target = target.map_err(malformed)?;
        network::method(&request.method).map_err(malformed)?;
        let mut headers = request.headers;
        let bytes: usize = headers
            .iter()
            .map(|(name, value)| name.as_str().len() + value.len() + 4)
            .sum();
        if headers.len() > HEADERS_MAX {
            return Err(Error::limit(Limit::RequestHead, HEADERS_MAX as u64));
        }
        if bytes > HEAD_BYTES_MAX {
            return Err(Error::limit(Limit::RequestHead, HEAD_BYTES_MAX as u64));
        }
        let announced = announced(&headers)?;
        headers.remove(CONTENT_LENGTH);
        if let Some(name) = headers.keys().find(|name| header::is_never(name.as_str())) {
            return Err(forbidden(name.as_str()).into());
        }
        Ok(Self {
            target,
            method: request.method,
            headers,
            body: request.body,
            announced,
            redirects: 0,
        })
    }

    /// What is asked for it.
    pub(crate) fn ask(&self) -> network::Ask {
        let names = self.headers.keys().map(http::HeaderName::as_str);
        let mut headers: Vec<String> = names
            .filter(|name| !header::is_usual(name))
            .map(str::to_owned)
            .collect();
        headers.sort_unstable();
        network::Ask {
            target: self.target.clone(),
            method: self.method.clone(),
            headers,
            address: None,
        }
    }

    /// Where `response` sends this request. `None` when it is an answer, or a redirect that only the
    /// tool can follow, since a body that was sent is gone.
    ///
    /// **Errors**: a denial for a place that cannot be read one way only.
    pub(crate) fn next<B>(&self, response: &Response<B>) -> Result<Option<Self>, Error> {
        let reads = matches!(self.method.as_str(), "GET" | "HEAD");
        let method = match response.status() {
            StatusCode::SEE_OTHER if !reads => "GET",
            StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND if self.method == "POST" => "GET",
            StatusCode::MOVED_PERMANENTLY
            | StatusCode::FOUND
            | StatusCode::SEE_OTHER
            | StatusCode::TEMPORARY_REDIRECT
            | StatusCode::PERMANENT_REDIRECT
                if reads =>
            {
                self.method.as_str()
            }
            _ => return Ok(None),
        };
        let mut places = response.headers().get_all(LOCATION).iter();
        let (Some(location), None) = (places.next(), places.next()) else {
            return Ok(None);
        };
        let target = location
            .to_str()
            .map_err(|_| self.misled("a place in unreadable characters"))
            .and_then(|location| {
                let joined = self.target.join(location);
                joined.map_err(|why| self.misled(&why.to_string()))
            })?;
        let mut headers = self.headers.clone();
        headers.remove(CONTENT_TYPE);
        if target.origin != self.target.origin {
            strip(&mut headers);
        }
        Ok(Some(Self {
            target,
            method: method.to_owned(),
            headers,
            body: None,
            announced: None,
            redirects: self.redirects + 1,
        }))
    }

    fn misled(&self, why: &str) -> Error {
        let mut denial = refusal(DenialCode::Malformed, "redirect");
        denial.resource = format!("redirect from {}", self.target.origin);
        denial.reason = format!("the server sends the request on: {why}");
        denial.into()
    }
}

/// Says which redirect was refused: the tool never asked for that place itself.
pub(crate) fn on_the_way(mut denial: Denial, redirects: u32) -> Denial {
    if redirects > 0 {
        denial.reason = format!("redirect {redirects} leads there: {}", denial.reason);
    }
    denial
}

/// The denial when a server sends a request on more often than is allowed.
pub(crate) fn too_often(hop: &Hop, most: u32) -> Denial {
    let mut denial = refusal(DenialCode::Quota, "redirect");
    denial.resource = hop.target.to_string();
    denial.reason = format!("the request was sent on more than {most} times");
    denial
}

/// A denial that no entry of a policy lifts.
pub(crate) fn refusal(code: DenialCode, operation: &str) -> Denial {
    Denial {
        capability: "network".to_owned(),
        operation: operation.to_owned(),
        resource: String::new(),
        code,
        rule: "the form of requests".to_owned(),
        file: None,
        line: None,
        reason: String::new(),
        smallest_grant: "no policy lifts this".to_owned(),
    }
}

/// Leaves what every tool may send to anybody.
fn strip(headers: &mut HeaderMap) {
    let names: Vec<_> = headers
        .keys()
        .filter(|name| !header::is_usual(name.as_str()))
        .cloned()
        .collect();
    for name in names {
        headers.remove(name);
    }
}

fn announced(headers: &HeaderMap) -> Result<Option<u64>, Error> {
    let mut lengths = headers.get_all(CONTENT_LENGTH).iter();
    match (lengths.next(), lengths.next()) {
        (None, _) => Ok(None),
        (Some(length), None) => Ok(Some(plain_number(length).ok_or(Error::RequestBody)?)),
        (Some(_), Some(_)) => Err(forbidden(CONTENT_LENGTH.as_str()).into()),
    }
}

/// A length in plain digits.
pub(crate) fn plain_number(value: &HeaderValue) -> Option<u64> {
    let text = value.to_str().ok()?;
    let plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|_| plain)
}

fn forbidden(name: &str) -> Denial {
    let mut denial = refusal(DenialCode::Malformed, "set_header");
    name.clone_into(&mut denial.resource);
    denial.reason = format!("the host alone sets the header `{name}`");
    denial
}

/// The request as it is written to the wire.
pub(crate) fn written(
    hop: &Hop,
    headers: HeaderMap,
    query: Option<&str>,
) -> Result<http::request::Builder, Error> {
    let malformed = |why: Malformed| Error::from(network::malformed(why));
    let target = hop.target.with_query(query).map_err(malformed)?;
    let mut request = http::Request::builder()
        .method(hop.method.as_str())
        .uri(target.path_and_query());
    if let Some(all) = request.headers_mut() {
        *all = headers;
        let host = HeaderValue::try_from(target.origin.authority());
        let host = host.map_err(|_| Error::from(refusal(DenialCode::Malformed, "request")))?;
        all.insert(http::header::HOST, host);
    }
    Ok(request)
}

/// An empty body.
pub(crate) fn empty() -> http_body_util::Empty<Bytes> {
    http_body_util::Empty::new()
}
