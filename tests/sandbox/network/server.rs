//! A server that says what a test wants.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::Result;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// On a port of its own; it stops when dropped.
pub(crate) struct Server {
    pub(crate) port: u16,
    heard: Arc<Mutex<Vec<String>>>,
    _task: JoinSet<()>,
}

/// What it says to each request.
#[derive(Debug, Clone)]
pub(crate) enum Says {
    /// These bytes, and waits for the next request.
    Once(Vec<u8>),
    /// First these bytes, then those again and again, with a pause after each.
    Forever(Vec<u8>, Vec<u8>, Duration),
    /// `302` to this place, and `200` at `/end`.
    Redirect(String),
}

impl Server {
    pub(crate) async fn start(says: Says) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr()?.port();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let notes = heard.clone();
        let mut task = JoinSet::new();
        task.spawn(async move {
            let mut served = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                served.spawn(serve(stream, says.clone(), notes.clone()));
            }
        });
        Ok(Self {
            port,
            heard,
            _task: task,
        })
    }

    /// Answers everything with `200` and this text.
    pub(crate) async fn ok(body: &str) -> Result<Self> {
        Self::start(Says::Once(ok(body))).await
    }

    /// An entry below `network` that leads `api.good.test` here; `more` are further keys.
    pub(crate) fn entry(&self, more: &str) -> String {
        let Self { port, .. } = self;
        format!("network:\n  - {{host: api.good.test, scheme: http, at: '127.0.0.1:{port}'{more}}}")
    }

    /// The requests that came.
    pub(crate) fn heard(&self) -> Vec<String> {
        self.heard.lock().expect("no panic").clone()
    }
}

pub(crate) fn ok(body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{body}").into_bytes()
}

async fn serve(mut stream: TcpStream, says: Says, heard: Arc<Mutex<Vec<String>>>) {
    while let Some(request) = head(&mut stream).await {
        heard.lock().expect("no panic").push(request.clone());
        let said = match &says {
            Says::Once(bytes) => stream.write_all(bytes).await,
            Says::Redirect(_) if request.starts_with("GET /end") => {
                stream.write_all(&ok("end")).await
            }
            Says::Redirect(place) => {
                let found = format!("HTTP/1.1 302 Found\r\nlocation: {place}\r\n");
                let answer = format!("{found}content-length: 0\r\n\r\n");
                stream.write_all(answer.as_bytes()).await
            }
            Says::Forever(first, piece, pause) => {
                let mut said = stream.write_all(first).await;
                while said.is_ok() {
                    said = stream.write_all(piece).await;
                    if !pause.is_zero() {
                        tokio::time::sleep(*pause).await;
                    }
                }
                said
            }
        };
        if said.is_err() {
            return;
        }
    }
}

/// A request's head; `None` when the client is gone.
async fn head(stream: &mut TcpStream) -> Option<String> {
    let mut text = Vec::new();
    while !text.ends_with(b"\r\n\r\n") {
        text.push(stream.read_u8().await.ok()?);
    }
    Some(String::from_utf8_lossy(&text).into_owned())
}
