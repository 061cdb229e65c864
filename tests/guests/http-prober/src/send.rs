use cofferdam_sdk::{ToolError, data, tool};
use wasip2::http::outgoing_handler::handle;
use wasip2::http::types::{
    ErrorCode, Fields, FutureIncomingResponse, IncomingResponse, Method, OutgoingBody,
    OutgoingRequest, RequestOptions, Scheme,
};
use wasip2::io::streams::{OutputStream, StreamError};

/// One request.
#[data]
pub(crate) struct Probe {
    /// The method, as it is.
    #[serde(default = "get")]
    method: String,
    /// The scheme, as it is.
    #[serde(default = "http")]
    scheme: String,
    /// Host and port.
    authority: String,
    /// Path and query.
    #[serde(default = "root")]
    path: String,
    /// Names and values.
    #[serde(default)]
    headers: Vec<(String, String)>,
    /// Text to send.
    #[serde(default)]
    body: String,
    /// How often to send it.
    #[serde(default)]
    times: u32,
    /// True to leave the body open for good.
    #[serde(default)]
    unfinished: bool,
    /// Nanoseconds for every timeout there is.
    #[serde(default)]
    timeout_ns: Option<u64>,
}

fn get() -> String {
    "GET".to_owned()
}

fn http() -> String {
    "http".to_owned()
}

fn root() -> String {
    "/".to_owned()
}

/// What came of it.
#[data(output)]
pub(crate) struct Outcome {
    /// The status of the answer; 0 without one.
    status: u16,
    /// The beginning of its body.
    body: String,
    /// All bytes of its body.
    bytes: u64,
    /// What went wrong, in the words of the interface; empty when nothing did.
    error: String,
}

/// Sends requests, one after the other or all before the first answer is read.
#[tool(capabilities(network))]
pub(crate) fn send(
    /// What to send.
    probes: Vec<Probe>,
    /// True to send all before any answer is read.
    #[default(false)]
    at_once: bool,
) -> Result<Vec<Outcome>, ToolError> {
    let sent = probes.iter().map(Sent::new);
    if at_once {
        let all: Vec<_> = sent.collect();
        Ok(all.into_iter().map(outcome).collect())
    } else {
        Ok(sent.map(outcome).collect())
    }
}

/// A request under way, with what must stay open for it.
struct Sent {
    answer: FutureIncomingResponse,
    // The stream goes first: it is a part of the body.
    _body: Option<(OutputStream, OutgoingBody)>,
}

impl Sent {
    fn new(probe: &Probe) -> Result<Self, String> {
        let headers = Fields::new();
        for (name, value) in &probe.headers {
            headers
                .append(name, value.as_bytes())
                .map_err(|error| format!("header: {error:?}"))?;
        }
        let request = OutgoingRequest::new(headers);
        let method = method(&probe.method);
        request.set_method(&method).map_err(|()| "method")?;
        let scheme = match probe.scheme.as_str() {
            "http" => Scheme::Http,
            "https" => Scheme::Https,
            other => Scheme::Other(other.to_owned()),
        };
        request.set_scheme(Some(&scheme)).map_err(|()| "scheme")?;
        let authority = Some(probe.authority.as_str());
        request.set_authority(authority).map_err(|()| "authority")?;
        let path = Some(probe.path.as_str());
        request.set_path_with_query(path).map_err(|()| "path")?;
        let body = request.body().map_err(|()| "body")?;
        let answer = handle(request, Some(options(probe)?)).map_err(|error| word(&error))?;
        let stream = body.write().map_err(|()| "stream")?;
        for _ in 0..probe.times {
            if stream
                .blocking_write_and_flush(probe.body.as_bytes())
                .is_err()
            {
                break;
            }
        }
        if probe.unfinished {
            return Ok(Self {
                answer,
                _body: Some((stream, body)),
            });
        }
        drop(stream);
        // A body that is refused is told with the answer.
        OutgoingBody::finish(body, None).ok();
        Ok(Self {
            answer,
            _body: None,
        })
    }

    fn answered(&self) -> Result<IncomingResponse, String> {
        self.answer.subscribe().block();
        match self.answer.get() {
            Some(Ok(Ok(answer))) => Ok(answer),
            Some(Ok(Err(error))) => Err(word(&error)),
            _ => Err("no answer".to_owned()),
        }
    }
}

fn method(text: &str) -> Method {
    match text {
        "GET" => Method::Get,
        "HEAD" => Method::Head,
        "POST" => Method::Post,
        "DELETE" => Method::Delete,
        "CONNECT" => Method::Connect,
        other => Method::Other(other.to_owned()),
    }
}

fn options(probe: &Probe) -> Result<RequestOptions, String> {
    let options = RequestOptions::new();
    let timeout = probe.timeout_ns;
    options
        .set_connect_timeout(timeout)
        .map_err(|()| "timeout")?;
    options
        .set_first_byte_timeout(timeout)
        .map_err(|()| "timeout")?;
    options
        .set_between_bytes_timeout(timeout)
        .map_err(|()| "timeout")?;
    Ok(options)
}

fn outcome(sent: Result<Sent, String>) -> Outcome {
    let mut outcome = Outcome {
        status: 0,
        body: String::new(),
        bytes: 0,
        error: String::new(),
    };
    let read = sent.and_then(|sent| {
        let answer = sent.answered()?;
        outcome.status = answer.status();
        read(&answer, &mut outcome)
    });
    if let Err(error) = read {
        outcome.error = error;
    }
    outcome
}

fn read(answer: &IncomingResponse, outcome: &mut Outcome) -> Result<(), String> {
    const KEPT: usize = 1_000;
    let body = answer.consume().map_err(|()| "body")?;
    let stream = body.stream().map_err(|()| "stream")?;
    loop {
        match stream.blocking_read(64 << 10) {
            Ok(bytes) => {
                outcome.bytes += bytes.len() as u64;
                let room = KEPT.saturating_sub(outcome.body.len()).min(bytes.len());
                outcome
                    .body
                    .push_str(&String::from_utf8_lossy(&bytes[..room]));
            }
            Err(StreamError::Closed) => return Ok(()),
            Err(StreamError::LastOperationFailed(error)) => {
                let error = wasip2::http::types::http_error_code(&error);
                return Err(error.map_or_else(|| "failed".to_owned(), |error| word(&error)));
            }
        }
    }
}

/// The name of an error, without what is inside.
fn word(error: &ErrorCode) -> String {
    let text = format!("{error:?}");
    let end = text.find([' ', '(', '{']).unwrap_or(text.len());
    text[..end].trim_start_matches("ErrorCode::").to_owned()
}
