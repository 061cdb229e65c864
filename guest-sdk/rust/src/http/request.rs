use std::fmt;
use std::time::Duration;

use super::target::Target;
use super::{Error, Response, send};

/// One request, sent once by [`Request::send`].
#[derive(Clone)]
pub struct Request {
    pub(super) method: String,
    pub(super) url: String,
    pub(super) target: Target,
    pub(super) headers: Vec<(String, Vec<u8>)>,
    pub(super) body: Vec<u8>,
    pub(super) timeout: Option<Duration>,
}

impl Request {
    /// Of any method, in upper case as HTTP wants it.
    ///
    /// **Shape** of the URL: `https://host[:port][/path][?query]` in ASCII, without a user name;
    /// what follows a `#` is not sent. The host reads and judges it as it is.
    ///
    /// **Errors**: `Invalid`, for a URL of another shape.
    pub fn new(method: &str, url: &str) -> Result<Self, Error> {
        Ok(Self {
            method: method.to_owned(),
            url: url.to_owned(),
            target: Target::parse(url)?,
            headers: Vec::new(),
            body: Vec::new(),
            timeout: None,
        })
    }

    /// Reads what is there.
    ///
    /// **Errors**: as [`Request::new`].
    pub fn get(url: &str) -> Result<Self, Error> {
        Self::new("GET", url)
    }

    /// Sends something.
    ///
    /// **Errors**: as [`Request::new`].
    pub fn post(url: &str) -> Result<Self, Error> {
        Self::new("POST", url)
    }

    /// Adds a header; a second one of the same name stands beside the first.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers
            .push((name.to_owned(), value.as_ref().to_owned()));
        self
    }

    /// Sets the body. Its length is sent as `content-length`; its type is for the caller to say.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Waits no longer than this for each of: the connection, the beginning of the answer, the next
    /// of its bytes. Without it the host's own patience counts, and in any case the call's deadline.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// The method.
    pub fn method(&self) -> &str {
        &self.method
    }

    /// The URL as it was given.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The headers that were set, in their order.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &[u8])> {
        let headers = self.headers.iter();
        headers.map(|(name, value)| (name.as_str(), value.as_slice()))
    }

    /// The body that was set.
    pub fn content(&self) -> &[u8] {
        &self.body
    }

    /// Sends it and waits until the answer begins. Any status is an answer.
    ///
    /// **Errors**: [`Error`]. What a server received before a failure is not known.
    pub fn send(mut self) -> Result<Response, Error> {
        let has_length = self
            .headers
            .iter()
            .any(|(name, _)| name.eq_ignore_ascii_case("content-length"));
        // A server may wait for a body that an empty POST doesn't have.
        let says_length = !self.body.is_empty() || !matches!(&*self.method, "GET" | "HEAD");
        if says_length && !has_length {
            let length = self.body.len().to_string();
            self = self.header("content-length", length);
        }
        send(&self)
    }
}

impl fmt::Debug for Request {
    /// Without query, headers and body, which may hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.target.path_and_query.split('?').next();
        write!(
            f,
            "{} {}{}",
            self.method,
            self.target.authority,
            path.unwrap_or_default()
        )
    }
}
