//! The door over streamable HTTP, as a service that is mounted beside the API.

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use cofferdam_types::caller::Caller;
use cofferdam_types::workspace::Offer;
use futures::FutureExt;
use futures::future::{BoxFuture, Either};
use futures::stream::BoxStream;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use rmcp::model::{ErrorCode, ErrorData, ProtocolVersion, RequestId};
use tokio_util::sync::CancellationToken;

use self::headers::Accepts;
use self::session::{Session, Sessions};
use self::stream::{Places, Running, Subscription};
use crate::changes::Filter;
use crate::door::{Client, Door, INITIALIZE, LISTEN, initialized};
use crate::message::{self, Message, Notification, Refused};
use crate::{answer, error, progress, version};

mod headers;
mod session;
mod stream;

/// The body of an answer: all of it, or events as they come.
pub type Content = Either<Bytes, BoxStream<'static, Bytes>>;

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const EVENTS: HeaderValue = HeaderValue::from_static("text/event-stream");
/// What a proxy must not keep, change or hold back.
const UNCHANGED: HeaderValue = HeaderValue::from_static("no-cache, no-transform");
const METHODS: HeaderValue = HeaderValue::from_static("GET, POST, DELETE");

/// The service. A request carries its [`Caller`] among its extensions, and the directory that its
/// calls may be shown, an [`Offer`], if there is one; its body is whole and bounded. Cheap to clone.
#[derive(Clone)]
pub struct Http(Arc<Inner>);

struct Inner {
    door: Door,
    sessions: Sessions,
    places: Places,
    stop: CancellationToken,
}

/// An answer that is not a success, and the request it answers if that is known.
struct Rejection {
    status: StatusCode,
    id: Option<RequestId>,
    error: ErrorData,
}

/// A request on its way: who, what they say in headers, and in which session.
struct Posted<'h> {
    caller: Caller,
    workspace: Option<Offer>,
    headers: &'h HeaderMap,
    accepts: Accepts,
}

impl Http {
    /// Over this door, until `stop`: then streams end, so that nobody waits for them.
    pub fn new(door: Door, stop: CancellationToken) -> Self {
        Self(Arc::new(Inner {
            door,
            sessions: Sessions::default(),
            places: Places::default(),
            stop,
        }))
    }
}

impl tower::Service<Request<Bytes>> for Http {
    type Response = Response<Content>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    /// **Cancel**: dropping the future, or the stream of its answer, stops the guest.
    fn call(&mut self, request: Request<Bytes>) -> Self::Future {
        let inner = self.0.clone();
        async move { Ok(inner.respond(request).await) }.boxed()
    }
}

impl Inner {
    async fn respond(&self, request: Request<Bytes>) -> Response<Content> {
        let (mut parts, body) = request.into_parts();
        let Some(caller) = parts.extensions.remove::<Caller>() else {
            tracing::error!("a request came to the MCP door without its caller");
            return plain(StatusCode::INTERNAL_SERVER_ERROR);
        };
        let responded = match parts.method {
            Method::POST => {
                let posted = Posted {
                    caller,
                    workspace: parts.extensions.remove::<Offer>(),
                    headers: &parts.headers,
                    accepts: Accepts::read(&parts.headers),
                };
                self.post(posted, &body).await
            }
            Method::GET => self.get(&caller, &parts.headers),
            Method::DELETE => self.delete(&caller, &parts.headers),
            _ => Ok(no_such_method()),
        };
        responded.unwrap_or_else(|Rejection { status, id, error }| {
            whole(status, answer::failure(id, error))
        })
    }

    async fn post(&self, posted: Posted<'_>, body: &[u8]) -> Result<Response<Content>, Rejection> {
        if !posted.accepts.json {
            let reason = "answers are `application/json` and `text/event-stream`: accept both";
            let error = ErrorData::invalid_request(reason, None);
            return Err(Rejection {
                status: StatusCode::NOT_ACCEPTABLE,
                id: None,
                error,
            });
        }
        match message::read(body) {
            Ok(Message::Request(request)) => {
                let id = request.id.clone();
                let answered = self.request(posted, request).await;
                answered.map_err(|mut rejection| {
                    rejection.id = Some(id);
                    rejection
                })
            }
            Ok(Message::Notification(told)) => self.notified(&posted, &told),
            Err(Refused { id, error }) => Err(Rejection {
                status: StatusCode::BAD_REQUEST,
                id,
                error,
            }),
        }
    }

    fn notified(
        &self,
        posted: &Posted<'_>,
        told: &Notification,
    ) -> Result<Response<Content>, Rejection> {
        headers::version(posted.headers)?;
        if let Some(session) = self.session(&posted.caller, posted.headers)?
            && told.method == "notifications/cancelled"
            && let Some(id) = told.params.get("requestId")
            && let Ok(id) = message::id(id.clone())
        {
            session.in_flight.cancel(&id);
        }
        Ok(plain(StatusCode::ACCEPTED))
    }

    async fn request(
        &self,
        posted: Posted<'_>,
        request: message::Request,
    ) -> Result<Response<Content>, Rejection> {
        if request.method == INITIALIZE {
            return self.initialize(posted, &request).await;
        }
        let inline = version::inline(&request.params)?;
        let header = headers::version(posted.headers)?;
        let (version, session) = match (inline, header) {
            (Some(inline), Some(header)) if inline == header => (inline, None),
            (Some(_), _) => {
                let name = headers::VERSION;
                let reason = format!("the header `{name}` says something else than the body");
                return Err(headers::mismatch(reason).into());
            }
            (None, Some(header)) if !header.has_initialize() => {
                return Err(version::unsaid().into());
            }
            (None, header) => {
                let session = self.session(&posted.caller, posted.headers)?;
                let settled = session.as_ref().map(|session| session.version.clone());
                (header.or(settled).unwrap_or(version::UNSAID), session)
            }
        };
        if !version.has_initialize() {
            headers::check(posted.headers, &request)?;
        }
        let client = Client {
            caller: posted.caller,
            workspace: posted.workspace,
            version,
        };
        if request.method == LISTEN && !client.version.has_initialize() {
            return self.listen(&client, request, posted.accepts).await;
        }
        self.answer(client, request, posted.accepts, session).await
    }

    async fn initialize(
        &self,
        posted: Posted<'_>,
        request: &message::Request,
    ) -> Result<Response<Content>, Rejection> {
        let (version, result) = initialized(&request.params)?;
        let asked = request.params.get("protocolVersion");
        let header = headers::only(posted.headers, &headers::VERSION)?;
        if header.is_some_and(|header| asked.is_none_or(|asked| asked != header)) {
            let name = headers::VERSION;
            let reason = format!("the header `{name}` says something else than the body");
            return Err(headers::mismatch(reason).into());
        }
        let known = self.door.generation(&posted.caller).await;
        let ambient = self.door.ambient();
        let id = self
            .sessions
            .open(ambient, &posted.caller, version, known)?;
        let message = answer::message(&request.id, &Ok(result));
        let mut response = whole(StatusCode::OK, message);
        // Hexadecimal digits, which a header can hold.
        if let Ok(id) = HeaderValue::try_from(id) {
            response.headers_mut().insert(headers::SESSION, id);
        }
        Ok(response)
    }

    /// Answers as JSON, unless there is progress to tell of before.
    async fn answer(
        &self,
        client: Client,
        request: message::Request,
        accepts: Accepts,
        session: Option<Arc<Session>>,
    ) -> Result<Response<Content>, Rejection> {
        let token = progress::token(&request.params)?.filter(|_| accepts.stream);
        let flight = session.map(|session| session.in_flight.take_up(&request.id));
        let flight = flight.transpose()?;
        let (observer, mut reports) = progress::for_token(token);
        let (id, version) = (request.id.clone(), client.version.clone());
        let door = self.door.clone();
        let mut answer = async move { door.answer(&client, request, observer).await }.boxed();
        let first = async {
            tokio::select! {
                biased;
                answer = &mut answer => Ok(answer),
                report = progress::next(&mut reports) => Err(report),
            }
        };
        let first = match &flight {
            Some(flight) => flight.unless_cancelled(first).await,
            None => Some(first.await),
        };
        Ok(match first {
            // Taken back by the client, which wants no answer.
            None => plain(StatusCode::ACCEPTED),
            Some(Ok(answer)) => {
                let status = status(answer.as_ref().err(), &version);
                whole(status, answer::message(&id, &answer))
            }
            Some(Err(report)) => {
                let answer = async move { answer::message(&id, &answer.await) }.boxed();
                let running = Running {
                    answer,
                    reports,
                    flight,
                };
                events(stream::call(&report, running))
            }
        })
    }

    async fn listen(
        &self,
        client: &Client,
        request: message::Request,
        accepts: Accepts,
    ) -> Result<Response<Content>, Rejection> {
        if !accepts.stream {
            return Err(not_acceptable());
        }
        let filter = Filter::read(&request.params)?;
        let known = self.door.generation(&client.caller).await;
        Ok(events(stream::subscription(Subscription {
            id: request.id,
            filter,
            changes: self.door.changes(&client.caller, known),
            _place: self.places.take(&client.caller)?,
            stop: self.stop.clone(),
        })))
    }

    /// The stream of a session's news.
    fn get(&self, caller: &Caller, headers: &HeaderMap) -> Result<Response<Content>, Rejection> {
        let version = headers::version(headers)?;
        let stateless = version.is_some_and(|version| !version.has_initialize());
        let Some(session) = self.session(caller, headers)?.filter(|_| !stateless) else {
            return Ok(no_such_method());
        };
        if !Accepts::read(headers).stream {
            return Err(not_acceptable());
        }
        let stream = session.stream();
        let changes = self.door.changes(stream.caller(), stream.known());
        Ok(events(stream::session(stream, changes, self.stop.clone())))
    }

    fn delete(&self, caller: &Caller, headers: &HeaderMap) -> Result<Response<Content>, Rejection> {
        let Some(id) = headers::only(headers, &headers::SESSION)? else {
            return Ok(no_such_method());
        };
        if self.sessions.end(id, caller) {
            Ok(plain(StatusCode::NO_CONTENT))
        } else {
            Err(no_such_session())
        }
    }

    /// The session that the headers name. Somebody else's is as if it weren't.
    fn session(
        &self,
        caller: &Caller,
        headers: &HeaderMap,
    ) -> Result<Option<Arc<Session>>, Rejection> {
        match headers::only(headers, &headers::SESSION)? {
            None => Ok(None),
            Some(id) => match self.sessions.get(id, caller) {
                Some(session) => Ok(Some(session)),
                None => Err(no_such_session()),
            },
        }
    }
}

impl From<ErrorData> for Rejection {
    fn from(error: ErrorData) -> Self {
        let is_limit = error
            .data
            .as_ref()
            .is_some_and(|d| d["code"] == "rate_limited");
        let status = if is_limit {
            StatusCode::TOO_MANY_REQUESTS
        } else {
            StatusCode::BAD_REQUEST
        };
        Self {
            status,
            id: None,
            error,
        }
    }
}

/// The status of an answer. The older revisions know only that there is one.
fn status(error: Option<&ErrorData>, version: &ProtocolVersion) -> StatusCode {
    match error {
        Some(error) if !version.has_initialize() => match error.code {
            ErrorCode::METHOD_NOT_FOUND => StatusCode::NOT_FOUND,
            ErrorCode::UNSUPPORTED_PROTOCOL_VERSION | ErrorCode::HEADER_MISMATCH => {
                StatusCode::BAD_REQUEST
            }
            _ => StatusCode::OK,
        },
        _ => StatusCode::OK,
    }
}

fn no_such_session() -> Rejection {
    Rejection {
        status: StatusCode::NOT_FOUND,
        id: None,
        error: error::of(cofferdam_types::Failure::new(
            cofferdam_types::Code::NotFound,
            "there is no such session; send `initialize` again",
        )),
    }
}

fn not_acceptable() -> Rejection {
    Rejection {
        status: StatusCode::NOT_ACCEPTABLE,
        id: None,
        error: ErrorData::invalid_request("this answers with `text/event-stream`", None),
    }
}

fn no_such_method() -> Response<Content> {
    let mut response = plain(StatusCode::METHOD_NOT_ALLOWED);
    response.headers_mut().insert(ALLOW, METHODS);
    response
}

fn plain(status: StatusCode) -> Response<Content> {
    let mut response = Response::new(Either::Left(Bytes::new()));
    *response.status_mut() = status;
    response
}

fn whole(status: StatusCode, message: Bytes) -> Response<Content> {
    let mut response = Response::new(Either::Left(message));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, JSON);
    response
}

fn events(events: BoxStream<'static, Bytes>) -> Response<Content> {
    let mut response = Response::new(Either::Right(events));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, EVENTS);
    headers.insert(CACHE_CONTROL, UNCHANGED);
    response
}
