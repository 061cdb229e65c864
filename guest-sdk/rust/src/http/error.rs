use std::fmt;

use crate::ToolError;

/// Why a request got no answer, or an answer no end.
///
/// `?` makes a [`ToolError`] of it, with the code of its kind; what may succeed later is marked
/// retryable. For that conversion to exist this type is not a [`std::error::Error`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    kind: ErrorKind,
    message: String,
}

/// What an author can act on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The request can't be sent as it is written: its URL, method or a header.
    Invalid,
    /// The policy does not allow this request, or not to the address that the name stands for. The
    /// call's answer says which rule to change; the guest is told no more.
    Denied,
    /// The host's name has no address.
    Dns,
    /// Nobody answers at the address, or the connection broke.
    Connect,
    /// The server's certificate is not valid for it, or the handshake failed.
    Tls,
    /// The server took too long.
    Timeout,
    /// More bytes than allowed, in the request or in the answer.
    TooLarge,
    /// The answer is not HTTP.
    Protocol,
}

impl ErrorKind {
    /// The word for programs, as it stands in a [`ToolError`].
    pub fn code(self) -> &'static str {
        match self {
            Self::Invalid => "invalid_request",
            Self::Denied => "request_denied",
            Self::Dns => "dns_failed",
            Self::Connect => "connection_failed",
            Self::Tls => "tls_failed",
            Self::Timeout => "request_timed_out",
            Self::TooLarge => "body_too_large",
            Self::Protocol => "protocol_error",
        }
    }

    /// True when the same request may succeed later.
    pub fn is_retryable(self) -> bool {
        match self {
            Self::Dns | Self::Connect | Self::Timeout => true,
            Self::Invalid | Self::Denied | Self::Tls | Self::TooLarge | Self::Protocol => false,
        }
    }
}

impl Error {
    /// Of a kind, with a sentence for people.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
        }
    }

    /// What kind of failure it is.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// What is wrong, for people and models.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl From<Error> for ToolError {
    fn from(error: Error) -> Self {
        let made = Self::new(error.kind.code(), error.message);
        if error.kind.is_retryable() {
            made.retryable()
        } else {
            made
        }
    }
}
