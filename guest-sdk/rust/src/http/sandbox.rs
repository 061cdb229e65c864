//! Requests through the host's `wasi:http`.

use std::time::Duration;

use super::bindings::wasi::http::outgoing_handler::handle;
use super::bindings::wasi::http::types::{
    ErrorCode, Fields, FutureIncomingResponse, HeaderError, IncomingBody, IncomingResponse, Method,
    OutgoingBody, OutgoingRequest, RequestOptions, Scheme, http_error_code,
};
use super::bindings::wasi::io::streams::{InputStream, StreamError};
use super::response::Source;
use super::{Error, ErrorKind, Request, Response};

/// What the host takes with one blocking write.
const WRITE_BYTES: usize = 4096;

pub(super) fn send(request: &Request) -> Result<Response, Error> {
    let options = request.timeout.map(options).transpose()?;
    let outgoing = OutgoingRequest::new(fields(&request.headers)?);
    let scheme = if request.target.is_tls {
        Scheme::Https
    } else {
        Scheme::Http
    };
    let accepted = outgoing
        .set_method(&method(&request.method))
        .and_then(|()| outgoing.set_scheme(Some(&scheme)))
        .and_then(|()| outgoing.set_authority(Some(&request.target.authority)))
        .and_then(|()| outgoing.set_path_with_query(Some(&request.target.path_and_query)));
    accepted.map_err(|()| Error::new(ErrorKind::Invalid, "the method or the URL is not valid"))?;
    let body = outgoing
        .body()
        .map_err(|()| Error::new(ErrorKind::Invalid, "the request has no body to write"))?;
    let future = handle(outgoing, options).map_err(|code| error(&code))?;
    // Only now does somebody take the bytes; before, a long body would wait for ever. An answer may
    // come before the body is read, so a body that nobody takes is no failure of its own.
    let written = write(body, &request.body);
    let response = wait(&future).map_err(|error| match &written {
        Err(earlier) if error.kind() == ErrorKind::Connect => earlier.clone(),
        _ => error,
    })?;
    let headers = response.headers().entries();
    let status = response.status();
    Ok(Response::from_parts(
        status,
        headers,
        Box::new(open(response)?),
    ))
}

fn options(timeout: Duration) -> Result<RequestOptions, Error> {
    let nanoseconds = u64::try_from(timeout.as_nanos()).unwrap_or(u64::MAX);
    let options = RequestOptions::new();
    options
        .set_connect_timeout(Some(nanoseconds))
        .and_then(|()| options.set_first_byte_timeout(Some(nanoseconds)))
        .and_then(|()| options.set_between_bytes_timeout(Some(nanoseconds)))
        .map_err(|()| Error::new(ErrorKind::Invalid, "the host knows no such timeout"))?;
    Ok(options)
}

fn fields(headers: &[(String, Vec<u8>)]) -> Result<Fields, Error> {
    let fields = Fields::new();
    for (name, value) in headers {
        fields.append(name, value).map_err(|error| {
            let why = match error {
                HeaderError::InvalidSyntax => "is not a header as HTTP writes them",
                HeaderError::Forbidden => "is for the host to set",
                HeaderError::Immutable => "can't be set any more",
            };
            Error::new(ErrorKind::Invalid, format!("the header {name:?} {why}"))
        })?;
    }
    Ok(fields)
}

fn method(name: &str) -> Method {
    match name {
        "GET" => Method::Get,
        "HEAD" => Method::Head,
        "POST" => Method::Post,
        "PUT" => Method::Put,
        "DELETE" => Method::Delete,
        "CONNECT" => Method::Connect,
        "OPTIONS" => Method::Options,
        "TRACE" => Method::Trace,
        "PATCH" => Method::Patch,
        _ => Method::Other(name.to_owned()),
    }
}

fn write(body: OutgoingBody, content: &[u8]) -> Result<(), Error> {
    if !content.is_empty() {
        let stream = body.write().map_err(|()| interrupted())?;
        for chunk in content.chunks(WRITE_BYTES) {
            stream
                .blocking_write_and_flush(chunk)
                .map_err(|error| broken(&error))?;
        }
    }
    OutgoingBody::finish(body, None).map_err(|code| error(&code))
}

fn wait(future: &FutureIncomingResponse) -> Result<IncomingResponse, Error> {
    loop {
        match future.get() {
            Some(Ok(Ok(response))) => return Ok(response),
            Some(Ok(Err(code))) => return Err(error(&code)),
            Some(Err(())) => return Err(interrupted()),
            None => future.subscribe().block(),
        }
    }
}

/// A body and the stream over it, dropped in this order.
struct Incoming {
    stream: InputStream,
    _body: IncomingBody,
}

fn open(response: IncomingResponse) -> Result<Incoming, Error> {
    let body = response.consume().map_err(|()| interrupted())?;
    let stream = body.stream().map_err(|()| interrupted())?;
    Ok(Incoming {
        stream,
        _body: body,
    })
}

impl Source for Incoming {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
        loop {
            match self.stream.blocking_read(buffer.len() as u64) {
                // A host may wake a reader with nothing; the end is said by closing.
                Ok(bytes) if bytes.is_empty() => {}
                Ok(bytes) => {
                    let length = bytes.len().min(buffer.len());
                    buffer[..length].copy_from_slice(&bytes[..length]);
                    return Ok(length);
                }
                Err(StreamError::Closed) => return Ok(0),
                Err(failed) => return Err(broken(&failed)),
            }
        }
    }
}

fn interrupted() -> Error {
    Error::new(ErrorKind::Connect, "the connection broke")
}

fn broken(failed: &StreamError) -> Error {
    match failed {
        StreamError::Closed => interrupted(),
        StreamError::LastOperationFailed(cause) => match http_error_code(cause) {
            Some(code) => error(&code),
            None => interrupted(),
        },
    }
}

fn error(code: &ErrorCode) -> Error {
    use ErrorCode as Code;
    let (kind, message) = match code {
        Code::HttpRequestDenied => (
            ErrorKind::Denied,
            "the policy does not allow this request; the call's denials say what would",
        ),
        Code::DestinationIpProhibited => (
            ErrorKind::Denied,
            "the policy does not allow the address that this name stands for",
        ),
        Code::DnsTimeout => (ErrorKind::Dns, "looking the name up took too long"),
        Code::DnsError(_) | Code::DestinationNotFound => {
            (ErrorKind::Dns, "the host's name has no address")
        }
        Code::DestinationUnavailable
        | Code::DestinationIpUnroutable
        | Code::ConnectionRefused
        | Code::ConnectionLimitReached => (ErrorKind::Connect, "nobody answers at this address"),
        Code::ConnectionTerminated | Code::HttpResponseIncomplete => {
            (ErrorKind::Connect, "the connection broke")
        }
        Code::ConnectionTimeout => (ErrorKind::Timeout, "connecting took too long"),
        Code::ConnectionReadTimeout | Code::ConnectionWriteTimeout | Code::HttpResponseTimeout => {
            (ErrorKind::Timeout, "the server took too long")
        }
        Code::TlsCertificateError => (
            ErrorKind::Tls,
            "the server's certificate is not valid for this name",
        ),
        Code::TlsProtocolError | Code::TlsAlertReceived(_) => {
            (ErrorKind::Tls, "the encrypted connection could not be made")
        }
        Code::HttpRequestBodySize(_)
        | Code::HttpRequestUriTooLong
        | Code::HttpRequestHeaderSectionSize(_)
        | Code::HttpRequestHeaderSize(_)
        | Code::HttpRequestTrailerSectionSize(_)
        | Code::HttpRequestTrailerSize(_) => {
            (ErrorKind::TooLarge, "the request is larger than allowed")
        }
        Code::HttpResponseBodySize(_)
        | Code::HttpResponseHeaderSectionSize(_)
        | Code::HttpResponseHeaderSize(_)
        | Code::HttpResponseTrailerSectionSize(_)
        | Code::HttpResponseTrailerSize(_) => {
            (ErrorKind::TooLarge, "the answer is larger than allowed")
        }
        Code::HttpRequestLengthRequired
        | Code::HttpRequestMethodInvalid
        | Code::HttpRequestUriInvalid => (ErrorKind::Invalid, "the request is not valid"),
        Code::HttpResponseTransferCoding(_)
        | Code::HttpResponseContentCoding(_)
        | Code::HttpUpgradeFailed
        | Code::HttpProtocolError
        | Code::LoopDetected
        | Code::ConfigurationError
        | Code::InternalError(_) => (ErrorKind::Protocol, "the answer can't be understood"),
    };
    Error::new(kind, message)
}
