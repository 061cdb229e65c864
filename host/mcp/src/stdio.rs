//! The door on a pair of byte streams: one message per line, as the client's own child.

use std::io;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use cofferdam_types::call::Deaf;
use cofferdam_types::caller::Caller;
use cofferdam_types::workspace::Offer;
use futures::FutureExt;
use rmcp::model::{ErrorData, RequestId};
use serde_json::{Map, Value};
use tokio::io::{AsyncBufRead, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::answer::{self, Answer};
use crate::changes::{self, Filter};
use crate::door::{CALL, Client, Door, INITIALIZE, LISTEN, initialized};
use crate::in_flight::{Flight, InFlight};
use crate::line::{LINE_BYTES_MAX, Line, Lines};
use crate::message::{self, Message, Notification, Refused, Request};
use crate::progress::{self, Reports};
use crate::{error, version};

/// How long calls may go on once the client has closed its end: a client that pipes its requests in
/// gets its answers, and one that is gone is not outlived by much.
const DRAIN_TIME: Duration = Duration::from_secs(5);

/// Most messages that wait to be written. A client that doesn't read fills the pipe and then this;
/// then calls wait with their answers, progress is dropped, and nothing more is read.
const WAITING_MAX: usize = 256;

/// Bytes read at once.
const READ_BYTES: usize = 64 << 10;

/// Who is at the other end of the streams.
#[derive(Debug, Clone)]
pub struct Stdio {
    /// Whose calls these are.
    pub caller: Caller,
    /// The directory that calls may be shown.
    pub workspace: Option<Offer>,
}

/// Speaks MCP until `reader` ends, then lets calls end for 5 s; ends at once on `shutdown` or when
/// `writer` fails. Nothing but messages of the protocol is written.
///
/// **Cancel**: dropping the future stops every guest.
pub async fn stdio(
    door: Door,
    client: Stdio,
    reader: impl AsyncRead + Unpin,
    writer: impl AsyncWrite + Unpin,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let (out, messages) = mpsc::channel(WAITING_MAX);
    let connection = Connection {
        door,
        client: Client {
            caller: client.caller,
            workspace: client.workspace,
            version: version::UNSAID,
        },
        in_flight: InFlight::default(),
        tasks: JoinSet::new(),
        listening: CancellationToken::new(),
        listens: false,
        out,
    };
    let both = async {
        let writing = write(writer, messages);
        let serving = connection.serve(BufReader::with_capacity(READ_BYTES, reader));
        tokio::pin!(writing);
        tokio::select! {
            // It ends before the other only by failing.
            written = &mut writing => return written,
            served = serving => served?,
        }
        // A client that has closed its end and reads no more gets no more.
        let written = tokio::time::timeout(DRAIN_TIME, writing).await;
        written.unwrap_or(Ok(()))
    };
    tokio::select! {
        ended = both => ended,
        () = shutdown => Ok(()),
    }
}

/// Writes messages as they come, those that wait together at once.
async fn write(
    mut writer: impl AsyncWrite + Unpin,
    mut messages: mpsc::Receiver<Bytes>,
) -> io::Result<()> {
    let mut batch = Vec::new();
    while let Some(message) = messages.recv().await {
        let mut next = Some(message);
        while let Some(message) = next {
            batch.extend_from_slice(&message);
            batch.push(b'\n');
            next = messages
                .try_recv()
                .ok()
                .filter(|_| batch.len() < LINE_BYTES_MAX);
        }
        writer.write_all(&batch).await?;
        writer.flush().await?;
        batch.clear();
        batch.shrink_to(READ_BYTES);
    }
    Ok(())
}

struct Connection {
    door: Door,
    /// With the revision that the handshake settled on.
    client: Client,
    in_flight: InFlight,
    tasks: JoinSet<()>,
    /// Cancelled when nobody hears news any more.
    listening: CancellationToken,
    /// True once the handshake has made news welcome.
    listens: bool,
    out: mpsc::Sender<Bytes>,
}

impl Connection {
    async fn serve(mut self, reader: impl AsyncBufRead + Unpin) -> io::Result<()> {
        let mut lines = Lines::new(reader);
        loop {
            tokio::select! {
                line = lines.next() => match line? {
                    Some(line) => self.take(line).await,
                    None => break,
                },
                Some(ended) = self.tasks.join_next() => note(ended),
            }
        }
        self.listening.cancel();
        let drained = async {
            while let Some(ended) = self.tasks.join_next().await {
                note(ended);
            }
        };
        if tokio::time::timeout(DRAIN_TIME, drained).await.is_err() {
            let left = self.tasks.len();
            tracing::warn!(left, "calls were stopped: the client closed its end");
        }
        Ok(())
    }

    async fn take(&mut self, line: Line) {
        let line = match line {
            Line::Whole(line) if line.trim_ascii().is_empty() => return,
            Line::Whole(line) => line,
            Line::TooLong => {
                let reason = format!("a message has at most {LINE_BYTES_MAX} bytes");
                let error = ErrorData::invalid_request(reason, None);
                return self.send(answer::failure(None, error)).await;
            }
        };
        match message::read(&line) {
            Ok(Message::Request(request)) => {
                let id = request.id.clone();
                if let Err(error) = self.request(request).await {
                    self.send(answer::failure(Some(id), error)).await;
                }
            }
            Ok(Message::Notification(told)) => self.told(&told),
            Err(Refused { id, error }) => self.send(answer::failure(id, error)).await,
        }
    }

    fn told(&self, told: &Notification) {
        if told.method == "notifications/cancelled"
            && let Some(id) = told.params.get("requestId")
            && let Ok(id) = message::id(id.clone())
        {
            self.in_flight.cancel(&id);
        }
    }

    async fn request(&mut self, request: Request) -> Result<(), ErrorData> {
        if request.method == INITIALIZE {
            let (version, result) = initialized(&request.params)?;
            self.client.version = version;
            if !std::mem::replace(&mut self.listens, true) {
                self.tell_of_changes().await;
            }
            self.send(answer::message(&request.id, &Ok(result))).await;
            return Ok(());
        }
        let client = self.speaking(&request.params)?;
        match request.method.as_str() {
            CALL => self.start(client, request),
            LISTEN if !client.version.has_initialize() => self.listen(request).await,
            LISTEN => Err(error::unknown_method(LISTEN)),
            _ => {
                let id = request.id.clone();
                let answer = self.door.answer(&client, request, Arc::new(Deaf)).await;
                self.send(answer::message(&id, &answer)).await;
                Ok(())
            }
        }
    }

    /// The client, in the revision of this request.
    fn speaking(&self, params: &Map<String, Value>) -> Result<Client, ErrorData> {
        let mut client = self.client.clone();
        if let Some(version) = version::inline(params)? {
            client.version = version;
        }
        Ok(client)
    }

    fn start(&mut self, client: Client, request: Request) -> Result<(), ErrorData> {
        let token = progress::token(&request.params)?;
        let flight = self.in_flight.take_up(&request.id)?;
        let (door, out) = (self.door.clone(), self.out.clone());
        self.tasks.spawn(async move {
            let id = request.id.clone();
            let (observer, reports) = progress::for_token(token);
            let answer = door.answer(&client, request, observer).boxed();
            let answer = telling(answer, reports, &out);
            let answer = AssertUnwindSafe(answer).catch_unwind();
            let answer = flight.unless_cancelled(answer).await;
            // Before the client can read the answer and use the id again.
            drop(flight);
            match answer {
                Some(Ok(answer)) => deliver(&out, answer::message(&id, &answer)).await,
                Some(Err(_)) => deliver(&out, answer::failure(Some(id), broken())).await,
                None => {}
            }
        });
        Ok(())
    }

    /// Tells a client of the older revisions when the tools change.
    async fn tell_of_changes(&mut self) {
        let known = self.door.generation(&self.client.caller).await;
        let mut changes = self.door.changes(&self.client.caller, known);
        let (listening, out) = (self.listening.clone(), self.out.clone());
        self.tasks.spawn(async move {
            let telling = async {
                loop {
                    changes.next().await;
                    deliver(&out, changes::changed()).await;
                }
            };
            listening.run_until_cancelled(telling).await;
        });
    }

    async fn listen(&mut self, request: Request) -> Result<(), ErrorData> {
        let filter = Filter::read(&request.params)?;
        let flight = self.in_flight.take_up(&request.id)?;
        let known = self.door.generation(&self.client.caller).await;
        let changes = self.door.changes(&self.client.caller, known);
        let (listening, out) = (self.listening.clone(), self.out.clone());
        self.tasks.spawn(async move {
            let id = request.id;
            let telling = subscribed(&id, filter, changes, &flight, &out);
            if listening.run_until_cancelled(telling).await.is_none() {
                deliver(&out, changes::ended(&id)).await;
            }
        });
        Ok(())
    }

    async fn send(&self, message: Bytes) {
        deliver(&self.out, message).await;
    }
}

/// Sends a message. It is lost only when the writer has failed, and then the connection ends.
async fn deliver(out: &mpsc::Sender<Bytes>, message: Bytes) {
    out.send(message).await.ok();
}

/// The answer; meanwhile tells of progress, as far as the client reads it.
async fn telling(
    answer: impl Future<Output = Answer>,
    mut reports: Option<Reports>,
    out: &mpsc::Sender<Bytes>,
) -> Answer {
    tokio::pin!(answer);
    loop {
        tokio::select! {
            biased;
            answer = &mut answer => return answer,
            report = progress::next(&mut reports) => drop(out.try_send(report)),
        }
    }
}

/// Tells a subscription of changes until the client takes it back.
async fn subscribed(
    id: &RequestId,
    filter: Filter,
    mut changes: changes::Changes,
    flight: &Flight,
    out: &mpsc::Sender<Bytes>,
) {
    deliver(out, changes::acknowledged(id, filter)).await;
    let telling = async {
        loop {
            changes.next().await;
            if filter.tools {
                deliver(out, changes::changed_for(id)).await;
            }
        }
    };
    let _: Option<()> = flight.unless_cancelled(telling).await;
}

fn note(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "a task of the MCP door broke off");
    }
}

fn broken() -> ErrorData {
    ErrorData::internal_error("the host met a bug; it is logged", None)
}
