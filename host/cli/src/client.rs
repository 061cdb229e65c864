//! The HTTP API as a client sees it.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use cofferdam_server::Inside;
use cofferdam_server::types::{Code, Failure};
use cofferdam_wire::error::ErrorBody;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue};
use reqwest::{Method, RequestBuilder, Response, StatusCode, Url};
use serde::de::DeserializeOwned;

use crate::error::{Error, Result, broken, usage};

/// For the handshake with a host, which as a rule is near.
const CONNECT_TIME: Duration = Duration::from_secs(5);
/// For an answer. A store that is written to the disk answers in milliseconds.
const ANSWER_TIME: Duration = Duration::from_mins(1);
/// For an answer that waits for a guest: the longest deadline of a tool, and some to queue.
pub(crate) const CALL_TIME: Duration = Duration::from_secs(330);
/// For a component, which the host compiles before it answers.
pub(crate) const UPLOAD_TIME: Duration = Duration::from_mins(11);
/// Silence of a stream of events; the host says every 15 s that it lives.
const SILENCE_MAX: Duration = Duration::from_secs(45);
const PREFER: HeaderName = HeaderName::from_static("prefer");
const RESPOND_ASYNC: HeaderValue = HeaderValue::from_static("respond-async");
/// Most bytes of an answer: a full page of large tasks.
const ANSWER_BYTES_MAX: usize = 256 << 20;

/// How the host inside this process is called, which nobody connects to.
const INSIDE: &str = "http://localhost";

/// Speaks to one host. Cheap to make, keeps its connections.
pub(crate) struct Client {
    http: reqwest::Client,
    /// The host, where it is in this process: it gets the same requests without a connection.
    inside: Option<Arc<Inside>>,
    base: Url,
    key: Option<HeaderValue>,
}

/// A request: where to, and what with.
pub(crate) struct Request<'a> {
    method: Method,
    path: &'a [&'a str],
    query: Vec<(&'static str, String)>,
    body: Option<(&'static str, Vec<u8>)>,
    is_async: bool,
    time: Duration,
}

/// What a host answered: its text for programs, its meaning for people.
pub(crate) struct Answer<T> {
    pub(crate) text: String,
    pub(crate) value: T,
}

impl<'a> Request<'a> {
    /// Reads what is at this path below `/api/v1`.
    pub(crate) fn get(path: &'a [&'a str]) -> Self {
        Self {
            method: Method::GET,
            path,
            query: Vec::new(),
            body: None,
            is_async: false,
            time: ANSWER_TIME,
        }
    }

    /// Does what this path stands for.
    pub(crate) fn post(path: &'a [&'a str]) -> Self {
        let method = Method::POST;
        Self {
            method,
            ..Self::get(path)
        }
    }

    /// Puts something at this path.
    pub(crate) fn put(path: &'a [&'a str]) -> Self {
        let method = Method::PUT;
        Self {
            method,
            ..Self::get(path)
        }
    }

    /// Removes what is at this path.
    pub(crate) fn delete(path: &'a [&'a str]) -> Self {
        let method = Method::DELETE;
        Self {
            method,
            ..Self::get(path)
        }
    }

    /// With a parameter, when there is one.
    pub(crate) fn with(mut self, name: &'static str, value: Option<impl ToString>) -> Self {
        self.query
            .extend(value.map(|value| (name, value.to_string())));
        self
    }

    /// With a JSON document.
    pub(crate) fn json(mut self, body: Vec<u8>) -> Self {
        self.body = Some(("application/json", body));
        self
    }

    /// With a component.
    pub(crate) fn wasm(mut self, body: Vec<u8>) -> Self {
        self.body = Some(("application/wasm", body));
        self
    }

    /// Preferring an answer before the work is done; a host may wait for it all the same.
    pub(crate) fn without_waiting(self) -> Self {
        Self {
            is_async: true,
            ..self
        }
    }

    /// With another patience.
    pub(crate) fn within(self, time: Duration) -> Self {
        Self { time, ..self }
    }
}

impl Client {
    /// A client of the host at this address, which has to be `http://` and an authority, and may
    /// have a path.
    pub(crate) fn new(server: &str) -> Result<Self> {
        let base = Url::parse(server)
            .map_err(|error| usage(format!("`{server}` is not the URL of a host: {error}")))?;
        match base.scheme() {
            "http" if base.host().is_some() => {}
            "https" => {
                return Err(usage(
                    "this program speaks plain HTTP only, for a host on this machine or behind a \
                     tunnel: TLS arrives with the doors",
                ));
            }
            _ => return Err(usage(format!("`{server}` is not an http:// URL"))),
        }
        if !base.username().is_empty() || base.query().is_some() || base.fragment().is_some() {
            let rule = "the URL of a host has no user, query or fragment; a key goes to --api-key";
            return Err(usage(rule));
        }
        // A proxy of the environment would see the key, and a host of this machine is not its
        // business.
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT_TIME)
            .user_agent(concat!("cofferdam/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| broken("make an HTTP client", &error))?;
        Ok(Self {
            http,
            inside: None,
            base,
            key: None,
        })
    }

    /// A client of the host in this process.
    pub(crate) fn inside(host: Arc<Inside>) -> Result<Self> {
        Ok(Self {
            inside: Some(host),
            ..Self::new(INSIDE)?
        })
    }

    /// The same client, which shows this key.
    pub(crate) fn with_key(self, key: &str) -> Result<Self> {
        let mut key = HeaderValue::try_from(format!("Bearer {key}"))
            .map_err(|_| usage("the API key has characters that no key has"))?;
        key.set_sensitive(true);
        Ok(Self {
            key: Some(key),
            ..self
        })
    }

    /// The host, where it is in this process and ends with it.
    pub(crate) fn host(&self) -> Option<&Inside> {
        self.inside.as_deref()
    }

    /// The key that it shows.
    pub(crate) fn key(&self) -> Option<&str> {
        let header = self.key.as_ref()?.to_str().ok()?;
        header.strip_prefix("Bearer ")
    }

    /// True when the host is this machine by its address.
    pub(crate) fn is_local(&self) -> bool {
        let Some(host) = self.base.host_str() else {
            return false;
        };
        let address = host.trim_start_matches('[').trim_end_matches(']');
        host == "localhost" || address.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
    }

    /// Sends a request and reads the answer.
    ///
    /// **Errors**: the host's own, as it gave it; `unavailable` when it can't be reached or does
    /// not answer in time; `upstream_error` when what answers is no Cofferdam.
    pub(crate) async fn send<T: DeserializeOwned>(
        &self,
        request: Request<'_>,
    ) -> Result<Answer<T>> {
        let time = request.time;
        let builder = self
            .builder(request)
            .header(ACCEPT, "application/json")
            .timeout(time);
        let response = self.carry(builder).await?;
        let response = self.accepted(response).await?;
        let text = self.text(response).await?;
        match serde_json::from_str(&text) {
            Ok(value) => Ok(Answer { text, value }),
            Err(error) => Err(self.foreign(&format!("its answer: {error}"))),
        }
    }

    /// Opens a stream of server-sent events, after the event of this id.
    ///
    /// **Errors**: as [`Client::send`].
    pub(crate) async fn stream(
        &self,
        path: &[&str],
        last_event_id: Option<&str>,
    ) -> Result<Response> {
        let mut builder = self
            .builder(Request::get(path))
            .header(ACCEPT, "text/event-stream");
        if let Some(id) = last_event_id {
            builder = builder.header("last-event-id", id);
        }
        let sent = tokio::time::timeout(SILENCE_MAX, self.carry(builder)).await;
        let response = sent.map_err(|_| self.silent())??;
        self.accepted(response).await
    }

    /// Opens an answer of this kind, to be read piece by piece.
    ///
    /// **Errors**: as [`Client::send`].
    pub(crate) async fn open(&self, request: Request<'_>, kind: &'static str) -> Result<Response> {
        let builder = self.builder(request).header(ACCEPT, kind);
        let sent = tokio::time::timeout(ANSWER_TIME, self.carry(builder)).await;
        let response = sent.map_err(|_| self.silent())??;
        self.accepted(response).await
    }

    /// The next piece of an answer; `None` at its end.
    ///
    /// **Errors**: `unavailable` when it breaks off, or nothing comes.
    pub(crate) async fn next_piece(&self, response: &mut Response) -> Result<Option<Vec<u8>>> {
        let piece = tokio::time::timeout(ANSWER_TIME, response.chunk()).await;
        let piece = piece.map_err(|_| self.silent())?;
        let piece = piece.map_err(|_| self.broke())?;
        Ok(piece.map(|piece| piece.to_vec()))
    }

    /// The next piece of a stream; `None` at its end, however it came about.
    pub(crate) async fn piece(&self, response: &mut Response) -> Option<Vec<u8>> {
        match tokio::time::timeout(SILENCE_MAX, response.chunk()).await {
            Ok(Ok(Some(piece))) => Some(piece.to_vec()),
            Ok(Ok(None) | Err(_)) | Err(_) => None,
        }
    }

    /// Something that answers, but not as a Cofferdam does.
    pub(crate) fn foreign(&self, what: &str) -> Error {
        let message = format!(
            "what answers at {} is no Cofferdam of this kind: {what}",
            self.base
        );
        Failure::new(Code::UpstreamError, message).into()
    }

    /// A request to the MCP endpoint, to build on.
    pub(crate) fn mcp(&self, method: Method, query: &[(&str, String)]) -> RequestBuilder {
        let mut url = self.url(&["mcp"]);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        self.to(method, url)
    }

    /// True when the host answers, whatever it says. It is asked without the key: where it is gone,
    /// somebody else may have its port.
    pub(crate) async fn is_there(&self) -> bool {
        let request = self.http.request(Method::GET, self.url(&["healthz"]));
        let request = request.timeout(CONNECT_TIME);
        self.carry(request).await.is_ok()
    }

    /// Takes a request to the host, and the head of its answer back.
    ///
    /// **Cancel**: the host stops what it does for the request.
    pub(crate) async fn carry(&self, request: RequestBuilder) -> Result<Response> {
        let Some(host) = &self.inside else {
            let sent = request.send().await;
            return sent.map_err(|error| self.unreached(&error));
        };
        let request = request
            .build()
            .map_err(|error| broken("make a request", &error))?;
        let time = request.timeout().copied().unwrap_or(CALL_TIME);
        let request = http::Request::<reqwest::Body>::try_from(request)
            .map_err(|error| broken("make a request", &error))?;
        let request = request.map(|body| body.as_bytes().unwrap_or_default().to_vec());
        let answered = tokio::time::timeout(time, host.answer(request)).await;
        let response = answered.map_err(|_| self.silent())?;
        Ok(response.map(reqwest::Body::wrap_stream).into())
    }

    fn builder(&self, request: Request<'_>) -> RequestBuilder {
        let path = [&["api", "v1"], request.path].concat();
        let mut url = self.url(&path);
        if !request.query.is_empty() {
            url.query_pairs_mut().extend_pairs(request.query);
        }
        let mut builder = self.to(request.method, url);
        if request.is_async {
            builder = builder.header(PREFER, RESPOND_ASYNC);
        }
        match request.body {
            Some((kind, body)) => builder.header(CONTENT_TYPE, kind).body(body),
            None => builder,
        }
    }

    fn url(&self, path: &[&str]) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        url
    }

    /// A request with the key.
    fn to(&self, method: Method, url: Url) -> RequestBuilder {
        let builder = self.http.request(method, url);
        match &self.key {
            Some(key) => builder.header(AUTHORIZATION, key.clone()),
            None => builder,
        }
    }

    /// The response, when it is a success.
    async fn accepted(&self, response: Response) -> Result<Response> {
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let text = self.text(response).await?;
        Err(self.refusal(status, &text))
    }

    /// What the host says that is no success.
    pub(crate) fn refusal(&self, status: StatusCode, text: &str) -> Error {
        match serde_json::from_str::<ErrorBody>(text) {
            Ok(body) => body.into(),
            Err(_) => self.foreign(&format!("it answers HTTP {status}")),
        }
    }

    pub(crate) async fn text(&self, mut response: Response) -> Result<String> {
        let mut bytes = Vec::new();
        while let Some(piece) = response
            .chunk()
            .await
            .map_err(|error| self.unreached(&error))?
        {
            if bytes.len() + piece.len() > ANSWER_BYTES_MAX {
                return Err(self.foreign(&format!("it sends more than {ANSWER_BYTES_MAX} bytes")));
            }
            bytes.extend_from_slice(&piece);
        }
        String::from_utf8(bytes).map_err(|_| self.foreign("its answer is not UTF-8"))
    }

    fn unreached(&self, error: &reqwest::Error) -> Error {
        if error.is_timeout() && !error.is_connect() {
            return self.silent();
        }
        if !error.is_connect() {
            return self.broke();
        }
        let message = format!(
            "no host answers at {}; start one there, or name another with --server",
            self.base
        );
        Failure::new(Code::Unavailable, message).into()
    }

    /// The connection ended before the answer did.
    pub(crate) fn broke(&self) -> Error {
        let message = format!("the connection to {} broke", self.base);
        Failure::new(Code::Unavailable, message).into()
    }

    /// The host answers no more.
    pub(crate) fn gone(&self) -> Error {
        let message = format!("the host at {} is gone", self.base);
        Failure::new(Code::Unavailable, message).into()
    }

    pub(crate) fn silent(&self) -> Error {
        let message = format!("the host at {} did not answer in time", self.base);
        Failure::new(Code::Unavailable, message).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(server: &str, request: Request<'_>) -> String {
        let client = Client::new(server).unwrap_or_else(|error| panic!("{error:?}"));
        let request = client.builder(request).build().expect("a request");
        request.url().to_string()
    }

    #[test]
    fn paths_and_parameters_are_escaped() {
        for (server, path, expected) in [
            ("http://h:1", vec!["tools"], "http://h:1/api/v1/tools"),
            ("http://h/x/", vec!["tools"], "http://h/x/api/v1/tools"),
            (
                "http://h",
                vec!["tools", "a-b@^1.2 <2/..", "call"],
                "http://h/api/v1/tools/a-b@^1.2%20%3C2%2F../call",
            ),
        ] {
            assert_eq!(url(server, Request::get(&path)), expected);
        }
        let request = Request::get(&["tools"])
            .with("limit", Some(2))
            .with("after", None::<String>)
            .with("prefix", Some("a&b="));
        assert_eq!(
            url("http://h", request),
            "http://h/api/v1/tools?limit=2&prefix=a%26b%3D"
        );
    }

    #[test]
    fn addresses_that_are_no_host_are_refused() {
        for (server, part) in [
            ("https://h", "TLS arrives with the doors"),
            ("ftp://h", "not an http:// URL"),
            ("h:8000", "not an http:// URL"),
            ("127.0.0.1:8000", "not the URL of a host"),
            ("http://user:secret@h", "no user"),
            ("http://h?key=1", "no user, query or fragment"),
            ("", "not the URL of a host"),
        ] {
            let Err(Error::Failure(failure)) = Client::new(server) else {
                panic!("{server} was taken");
            };
            assert_eq!(failure.code, Code::InvalidInput);
            assert!(
                failure.message.contains(part),
                "{server}: {}",
                failure.message
            );
        }
    }

    #[test]
    fn only_loopback_is_this_machine() {
        for (server, is_local) in [
            ("http://127.0.0.1:8000", true),
            ("http://127.1.2.3", true),
            ("http://[::1]:8000", true),
            ("http://localhost", true),
            ("http://localhost.example.org", false),
            ("http://10.0.0.1", false),
            ("http://[::2]", false),
        ] {
            let client = Client::new(server).unwrap_or_else(|error| panic!("{error:?}"));
            assert_eq!(client.is_local(), is_local, "{server}");
        }
    }

    #[test]
    fn a_key_is_shown_and_never_printed() {
        let client = Client::new("http://h").and_then(|client| client.with_key("ck_secret"));
        let client = client.unwrap_or_else(|error| panic!("{error:?}"));
        let request = client
            .builder(Request::get(&["tools"]))
            .build()
            .expect("a request");
        assert_eq!(request.headers()[AUTHORIZATION], "Bearer ck_secret");
        assert!(!format!("{request:?}").contains("secret"));
    }
}
