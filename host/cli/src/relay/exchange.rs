//! One message to the host, and what comes back.

use std::collections::VecDeque;
use std::time::Duration;

use cofferdam_server::types::Code;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderName};
use reqwest::{Method, RequestBuilder, Response};
use serde_json::Value;

use super::Shared;
use super::message::{self, Head, header};
use super::session::Settled;
use crate::client::{CALL_TIME, Client};
use crate::error::{Error, Result};
use crate::sse::Parser;

const SESSION: HeaderName = HeaderName::from_static("mcp-session-id");
const VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");
const METHOD: HeaderName = HeaderName::from_static("mcp-method");
const NAME: HeaderName = HeaderName::from_static("mcp-name");
const JSON: &str = "application/json";
const EVENTS: &str = "text/event-stream";

/// Before the stream of news is opened again after it broke.
const LISTEN_AGAIN: Duration = Duration::from_secs(1);

impl Shared {
    /// Sends a request and says what comes back.
    ///
    /// **Errors**: [`Error::Closed`]. **Cancel**: breaks the connection off, which stops a call in
    /// the revisions without sessions.
    pub(super) async fn request(&self, id: &Value, head: &Head, line: Vec<u8>) -> Result<()> {
        match self.answered(head, line).await {
            Err(Error::Failure(failure)) => {
                if failure.code == Code::Unavailable {
                    self.suspicion.notify_one();
                }
                self.say(&message::failed(id, &failure)).await
            }
            ended => ended,
        }
    }

    async fn answered(&self, head: &Head, line: Vec<u8>) -> Result<()> {
        let response = self.post(head, line).await?;
        let session = response.headers().get(SESSION).cloned();
        let mut messages = Messages::of(&self.client, response).await?;
        while let Some(text) = messages.next().await? {
            let message: Value = serde_json::from_str(&text).unwrap_or_default();
            if !message.is_object() {
                return Err(self.client.broke());
            }
            if message.get("method").is_some() {
                self.say(&text).await?;
                continue;
            }
            let version = message["result"]["protocolVersion"].as_str();
            if let Some(version) = version.filter(|_| head.is_handshake()) {
                self.session.settle(Some(Settled {
                    id: session,
                    version: version.to_owned(),
                }));
            }
            return self.say(&text).await;
        }
        if messages.is_stream() {
            return Err(self.client.broke());
        }
        // The client took it back and wants no answer.
        Ok(())
    }

    /// Sends what wants no answer. Where that fails there is nobody to tell.
    pub(super) async fn tell(&self, head: &Head, line: Vec<u8>) {
        if let Err(error) = self.post(head, line).await {
            tracing::warn!(?error, method = head.method, "the host was not told");
            self.suspicion.notify_one();
        }
    }

    /// Says the host's news, for as long as the session lasts.
    pub(super) async fn listen(&self) {
        loop {
            if let Err(Error::Closed) = self.news().await {
                return;
            }
            self.suspicion.notify_one();
            tokio::time::sleep(LISTEN_AGAIN).await;
        }
    }

    async fn news(&self) -> Result<()> {
        let builder = self
            .client
            .mcp(Method::GET, &self.query)
            .header(ACCEPT, EVENTS);
        let response = self.client.carry(self.in_session(builder)).await?;
        // A host that has no news to tell says so by its status.
        if !response.status().is_success() {
            return Err(Error::Closed);
        }
        let mut messages = Messages::of(&self.client, response).await?;
        while let Some(text) = messages.next().await? {
            // Stdout carries messages and nothing else, whatever a host says.
            if serde_json::from_str::<Value>(&text).is_ok_and(|message| message.is_object()) {
                self.say(&text).await?;
            }
        }
        Ok(())
    }

    /// Ends the session.
    pub(super) async fn close(&self) {
        if self
            .session
            .settled()
            .is_some_and(|settled| settled.id.is_some())
        {
            let builder = self.client.mcp(Method::DELETE, &self.query);
            let sent = self.client.carry(self.in_session(builder)).await;
            if let Err(error) = sent {
                tracing::debug!(?error, "the session ends by itself");
            }
        }
    }

    async fn post(&self, head: &Head, line: Vec<u8>) -> Result<Response> {
        let builder = self.client.mcp(Method::POST, &self.query);
        let builder = builder
            .header(ACCEPT, format!("{JSON}, {EVENTS}"))
            .header(CONTENT_TYPE, JSON)
            .body(line);
        let builder = match &head.version {
            _ if head.is_handshake() => builder,
            Some(version) => builder.header(VERSION, header(version)),
            None => self.in_session(builder),
        };
        let builder = if head.is_stateless() {
            let builder = builder.header(METHOD, header(&head.method));
            match &head.name {
                Some(name) => builder.header(NAME, header(name)),
                None => builder,
            }
        } else {
            builder
        };
        let sent = tokio::time::timeout(CALL_TIME, self.client.carry(builder)).await;
        sent.unwrap_or_else(|_| Err(self.client.silent()))
    }

    fn in_session(&self, builder: RequestBuilder) -> RequestBuilder {
        let Some(Settled { id, version }) = self.session.settled() else {
            return builder;
        };
        let builder = builder.header(VERSION, header(&version));
        match id {
            Some(id) => builder.header(SESSION, id),
            None => builder,
        }
    }
}

/// The messages of an answer, as they come.
struct Messages<'a> {
    client: &'a Client,
    /// The rest, where it comes in events.
    stream: Option<(Response, Parser)>,
    is_stream: bool,
    ready: VecDeque<String>,
}

impl<'a> Messages<'a> {
    /// **Errors**: the host's own, where it says no message.
    async fn of(client: &'a Client, response: Response) -> Result<Self> {
        let kind = response.headers().get(CONTENT_TYPE);
        let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let mut messages = Self {
            client,
            stream: None,
            is_stream: kind.starts_with(EVENTS),
            ready: VecDeque::new(),
        };
        let status = response.status();
        if messages.is_stream && status.is_success() {
            messages.stream = Some((response, Parser::default()));
            return Ok(messages);
        }
        let text = client.text(response).await?;
        let body: Value = serde_json::from_str(&text).unwrap_or_default();
        if body.get("jsonrpc").is_some() {
            messages.ready.push_back(text);
        } else if !status.is_success() {
            return Err(client.refusal(status, &text));
        } else if !text.is_empty() {
            return Err(client.foreign("its answer is no message of the protocol"));
        }
        Ok(messages)
    }

    fn is_stream(&self) -> bool {
        self.is_stream
    }

    /// The next one; `None` at the end, however it came about.
    async fn next(&mut self) -> Result<Option<String>> {
        loop {
            if let Some(text) = self.ready.pop_front() {
                return Ok(Some(text));
            }
            let Some((response, parser)) = &mut self.stream else {
                return Ok(None);
            };
            let Ok(Some(piece)) = response.chunk().await else {
                return Ok(None);
            };
            let events = parser
                .feed(&piece)
                .map_err(|_| self.client.foreign("it sends an event without end"))?;
            // Some hosts begin a stream with an event that only carries an id.
            let texts = events.into_iter().map(|event| event.data);
            self.ready.extend(texts.filter(|text| !text.is_empty()));
        }
    }
}
