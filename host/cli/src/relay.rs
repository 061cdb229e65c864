//! MCP between this process's stdin and stdout and a host's `/mcp`.
//!
//! Each line of stdin becomes a POST, each message of the host a line of stdout, written at once.
//! Only what the protocol has for one of the two transports is done here: sessions, headers, the
//! stream of news, and what becomes of requests when one side goes away.

mod exchange;
mod line;
mod message;
mod session;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use cofferdam_server::types::WorkspaceName;
use cofferdam_server::types::workspace::Access;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::sync::{Mutex, Notify, mpsc};
use tokio::task::{AbortHandle, JoinSet};

use self::line::{LINE_BYTES_MAX, Line, lines};
use self::message::Message;
use self::session::Session;
use crate::client::Client;
use crate::error::{Error, Result};

/// Requests at once; with more, stdin is read no further. A client has a few.
const REQUESTS_MAX: usize = 1_024;
/// How long requests may go on once stdin has ended: enough for the answers of a script that pipes
/// its requests in, and a client that is gone is not outlived by a second.
const LEAVE_TIME: Duration = Duration::from_millis(600);
/// How long the host has to hear that the session is over; it forgets it in the end by itself.
const GOODBYE_TIME: Duration = Duration::from_millis(300);
/// Between two looks whether the host is there.
const PULSE: Duration = Duration::from_secs(5);
/// Before a host that did not answer is looked for once more.
const SECOND_LOOK: Duration = Duration::from_millis(300);

/// Where messages of the host go, one line each.
type Out = Mutex<Box<dyn AsyncWrite + Send + Unpin>>;

/// What all requests of a relay share.
struct Shared {
    client: Client,
    /// What stands in the address beside the path.
    query: Vec<(&'static str, String)>,
    out: Out,
    session: Session,
    /// Something makes one think that the host is gone.
    suspicion: Notify,
}

/// What is on its way to the host.
struct Flight {
    id: Value,
    task: AbortHandle,
}

/// Goes on until `stdin` ends or the host goes away.
///
/// **Errors**: `unavailable` when the host is gone.
pub(crate) async fn relay(
    client: Client,
    workspace: Option<(WorkspaceName, Access)>,
    stdin: impl AsyncRead + Unpin + Send + 'static,
    stdout: impl AsyncWrite + Send + Unpin + 'static,
) -> Result<()> {
    let query = workspace.map(|(name, access)| {
        let access = access.as_str().to_owned();
        vec![("workspace", name.to_string()), ("access", access)]
    });
    let shared = Arc::new(Shared {
        client,
        query: query.unwrap_or_default(),
        out: Mutex::new(Box::new(stdout)),
        session: Session::default(),
        suspicion: Notify::new(),
    });
    let mut relay = Relay {
        shared: Arc::clone(&shared),
        flights: HashMap::new(),
        tasks: JoinSet::new(),
        news: JoinSet::new(),
    };
    let lines = lines(stdin);
    let ended = tokio::select! {
        ended = relay.carry(lines) => ended,
        () = gone(&shared) => Err(shared.client.gone()),
    };
    relay.end(&ended).await;
    ended
}

/// One client's connection.
struct Relay {
    shared: Arc<Shared>,
    /// What awaits an answer, by its task.
    flights: HashMap<tokio::task::Id, Flight>,
    tasks: JoinSet<Result<()>>,
    /// Listens to the host's news.
    news: JoinSet<()>,
}

impl Relay {
    /// Carries messages until stdin ends, and then lets requests end for a moment.
    ///
    /// **Errors**: [`Error::Closed`] when nobody reads what the host says.
    async fn carry(&mut self, mut lines: mpsc::Receiver<Line>) -> Result<()> {
        loop {
            tokio::select! {
                line = lines.recv(), if self.tasks.len() < REQUESTS_MAX => match line {
                    Some(Line::Whole(line)) => self.take(line).await?,
                    Some(Line::TooLong) => {
                        self.shared.say(&message::too_long(LINE_BYTES_MAX)).await?;
                    }
                    None => break,
                },
                Some(ended) = self.tasks.join_next_with_id() => self.landed(ended)?,
            }
        }
        let leave = async {
            while let Some(ended) = self.tasks.join_next_with_id().await {
                self.landed(ended)?;
            }
            Ok(())
        };
        // What takes longer is stopped with the rest.
        tokio::time::timeout(LEAVE_TIME, leave)
            .await
            .unwrap_or(Ok(()))
    }

    async fn take(&mut self, line: Vec<u8>) -> Result<()> {
        let message = match Message::read(&line) {
            Ok(message) => message,
            Err(answer) => return self.shared.say(&answer).await,
        };
        let shared = Arc::clone(&self.shared);
        match message {
            // Whatever follows needs the session that this opens.
            Message::Request { id, head } if head.is_handshake() => {
                shared.session.settle(None);
                shared.request(&id, &head, line).await?;
                let settled = shared.session.settled();
                if settled.is_some_and(|settled| settled.id.is_some()) {
                    self.news.abort_all();
                    self.news.spawn(async move { shared.listen().await });
                }
            }
            Message::Request { id, head } => {
                let of = id.clone();
                let request = async move { shared.request(&of, &head, line).await };
                let task = self.tasks.spawn(request);
                self.flights.insert(task.id(), Flight { id, task });
            }
            Message::Told { head, cancels } => {
                if let Some(id) = cancels {
                    self.cancel(&id);
                }
                self.tasks.spawn(async move {
                    shared.tell(&head, line).await;
                    Ok(())
                });
            }
        }
        Ok(())
    }

    /// Breaks the connection of a request off, by which the host knows in the revisions without
    /// sessions; in the others, the notification tells it.
    fn cancel(&mut self, id: &Value) {
        for flight in self.flights.values().filter(|flight| flight.id == *id) {
            flight.task.abort();
        }
    }

    fn landed(
        &mut self,
        ended: std::result::Result<(tokio::task::Id, Result<()>), tokio::task::JoinError>,
    ) -> Result<()> {
        match ended {
            Ok((task, ended)) => {
                self.flights.remove(&task);
                ended
            }
            Err(error) => {
                self.flights.remove(&error.id());
                if error.is_panic() {
                    tracing::error!(%error, "a request broke off");
                }
                Ok(())
            }
        }
    }

    /// Stops what is left, and says so to whoever can still be told.
    async fn end(mut self, ended: &Result<()>) {
        self.news.shutdown().await;
        self.tasks.shutdown().await;
        match ended {
            Ok(()) => {
                let goodbye = self.shared.close();
                // A host that doesn't hear it forgets the session by itself.
                tokio::time::timeout(GOODBYE_TIME, goodbye).await.ok();
            }
            Err(Error::Failure(failure)) => {
                for flight in self.flights.values() {
                    let answer = message::failed(&flight.id, failure);
                    if self.shared.say(&answer).await.is_err() {
                        return;
                    }
                }
            }
            Err(Error::Closed) => {}
        }
    }
}

impl Shared {
    /// Writes a message to stdout, at once.
    ///
    /// **Errors**: [`Error::Closed`].
    async fn say(&self, message: &str) -> Result<()> {
        let mut line = Vec::with_capacity(message.len() + 1);
        // Line ends stand between the parts of a message only, never in a text of it.
        line.extend(message.bytes().map(|byte| match byte {
            b'\n' | b'\r' => b' ',
            byte => byte,
        }));
        line.push(b'\n');
        let mut out = self.out.lock().await;
        out.write_all(&line).await.map_err(|_| Error::Closed)?;
        out.flush().await.map_err(|_| Error::Closed)
    }
}

/// Resolves when the host is gone: it could not be reached twice in a row.
async fn gone(shared: &Shared) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(PULSE) => {}
            () = shared.suspicion.notified() => {}
        }
        if shared.client.is_there().await {
            continue;
        }
        tokio::time::sleep(SECOND_LOOK).await;
        if !shared.client.is_there().await {
            return;
        }
    }
}
