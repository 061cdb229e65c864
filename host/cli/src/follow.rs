//! A run's events as they come, over as many connections as it takes.

use std::collections::VecDeque;
use std::time::Duration;

use cofferdam_server::types::{Code, Failure, RunId};
use cofferdam_wire::event::EventView;
use cofferdam_wire::run::RunView;
use reqwest::Response;

use crate::client::{Client, Request};
use crate::error::{Error, Result};
use crate::sse::Parser;

/// Wait before the second attempt to connect; doubles up to the longest.
const WAIT_MIN: Duration = Duration::from_millis(200);
/// Longest wait between attempts.
const WAIT_MAX: Duration = Duration::from_secs(5);
/// Attempts without a single event in between: with the waits, about a minute and a half, in
/// which a host restarts.
const ATTEMPTS_MAX: u32 = 20;

/// One event: the host's text for programs, its meaning for people.
pub(crate) struct Entry {
    pub(crate) text: String,
    pub(crate) view: EventView,
}

/// Reads the events of a run to its end.
pub(crate) struct Follow<'a> {
    client: &'a Client,
    run_id: RunId,
    /// The number of the last event that was read.
    seen: u64,
    stream: Option<(Response, Parser)>,
    ready: VecDeque<Entry>,
    /// Connections in a row that brought nothing.
    attempts: u32,
    is_over: bool,
}

impl<'a> Follow<'a> {
    /// The events after `seen`.
    pub(crate) fn new(client: &'a Client, run_id: RunId, seen: u64) -> Self {
        Self {
            client,
            run_id,
            seen,
            stream: None,
            ready: VecDeque::new(),
            attempts: 0,
            is_over: false,
        }
    }

    /// The next event; `None` after the last one. Connects again when the connection breaks, and
    /// goes on after the event that came last.
    ///
    /// **Errors**: what the host refuses; `unavailable` when it stays away.
    pub(crate) async fn next(&mut self) -> Result<Option<Entry>> {
        loop {
            if let Some(entry) = self.ready.pop_front() {
                return Ok(Some(entry));
            }
            if self.is_over {
                return Ok(None);
            }
            match self.stream.take() {
                Some((response, parser)) => self.read(response, parser).await?,
                None => self.connect().await?,
            }
        }
    }

    async fn connect(&mut self) -> Result<()> {
        if self.attempts > 0 {
            let doubled = WAIT_MIN.saturating_mul(1 << (self.attempts - 1).min(16));
            tokio::time::sleep(doubled.min(WAIT_MAX)).await;
        }
        self.attempts += 1;
        let id = self.run_id.to_string();
        let last = format!("{id}:{}", self.seen);
        let last = (self.seen > 0).then_some(last.as_str());
        match self.client.stream(&["runs", &id, "events"], last).await {
            Ok(response) => self.stream = Some((response, Parser::default())),
            Err(Error::Failure(failure)) if may_pass(&failure) && self.attempts < ATTEMPTS_MAX => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Reads one piece of the stream.
    async fn read(&mut self, mut response: Response, mut parser: Parser) -> Result<()> {
        let Some(piece) = self.client.piece(&mut response).await else {
            return self.ended().await;
        };
        let messages = parser
            .feed(&piece)
            .map_err(|_| self.client.foreign("it sends an event without end"))?;
        for message in messages {
            // The host goes down; its stream ends behind this.
            if message.event == "stream.error" {
                continue;
            }
            let view: EventView = serde_json::from_str(&message.data)
                .map_err(|error| self.client.foreign(&format!("its event: {error}")))?;
            if view.run_id != self.run_id || view.event.seq <= self.seen {
                continue;
            }
            self.seen = view.event.seq;
            self.attempts = 0;
            self.is_over |= view.event.kind.is_terminal();
            let text = message.data;
            self.ready.push_back(Entry { text, view });
        }
        self.stream = Some((response, parser));
        Ok(())
    }

    /// The stream ended before the run did, or nothing was left to send.
    async fn ended(&mut self) -> Result<()> {
        let id = self.run_id.to_string();
        let path = ["runs", id.as_str()];
        let request = Request::get(&path);
        let run = match self.client.send::<RunView>(request).await {
            Ok(answer) => answer.value,
            Err(Error::Failure(failure)) if may_pass(&failure) && self.attempts < ATTEMPTS_MAX => {
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        // Two connections brought nothing, so that it was no accident: the last event was read.
        self.is_over = run.status.is_terminal() && self.attempts >= 2;
        if self.is_over || self.attempts < ATTEMPTS_MAX {
            return Ok(());
        }
        let message = "the host ends the stream of events again and again before the run ends";
        Err(Failure::new(Code::Unavailable, message).into())
    }
}

/// True when the same request may succeed later.
fn may_pass(failure: &Failure) -> bool {
    matches!(failure.code, Code::Unavailable | Code::RateLimited)
}
