use std::fmt;

use cofferdam_types::call::Denial;
use thiserror::Error;

/// Why nothing, or no more, came back.
#[derive(Debug, Error)]
pub enum Error {
    /// It may not be sent. Nothing went out for it, unless it is a redirect that may not be
    /// followed.
    #[error("{}", .0.reason)]
    Denied(Box<Denial>),

    /// The other side, or the way there, failed.
    #[error("{kind}: {detail}")]
    Upstream {
        /// In one word.
        kind: Upstream,
        /// What happened, for the log; without anything that the other side chose.
        detail: String,
    },

    /// It took longer than the tool asked for, the host waits, or the call has left.
    #[error("nothing came in time")]
    Timeout,

    /// More than may be.
    #[error("{limit} reached: at most {most}")]
    Limit {
        /// Of what.
        limit: Limit,
        /// How much.
        most: u64,
    },

    /// What the tool gave as its request's body failed or does not have the length it announced.
    #[error("the body of the request is not what was announced")]
    RequestBody,
}

/// Where a connection failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Upstream {
    /// The name has no address.
    Dns,
    /// Nobody answers at the address.
    Connect,
    /// The certificate, or the handshake.
    Tls,
    /// What came is no proper answer.
    Protocol,
    /// The connection ended in the middle.
    Reset,
}

impl Upstream {
    /// The word in errors.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Protocol => "protocol",
            Self::Reset => "reset",
        }
    }
}

impl fmt::Display for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Of what there was too much.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Limit {
    /// Requests of one call.
    Requests,
    /// Requests of one call at once.
    Connections,
    /// Bytes of a request's body, or sent on a raw connection.
    RequestBytes,
    /// Bytes of a response's body, or received on a raw connection.
    ResponseBytes,
    /// Number or bytes of a request's headers.
    RequestHead,
    /// Number or bytes of a response's headers.
    ResponseHead,
}

impl Limit {
    /// The word in errors.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::Connections => "connections",
            Self::RequestBytes => "request_bytes",
            Self::ResponseBytes => "response_bytes",
            Self::RequestHead => "request_head",
            Self::ResponseHead => "response_head",
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Error {
    pub(crate) fn upstream(kind: Upstream, detail: impl fmt::Display) -> Self {
        let detail = detail.to_string();
        Self::Upstream { kind, detail }
    }

    pub(crate) fn limit(limit: Limit, most: u64) -> Self {
        Self::Limit { limit, most }
    }
}

impl From<Denial> for Error {
    fn from(denial: Denial) -> Self {
        Self::Denied(Box::new(denial))
    }
}
