//! Load: clients that keep their connection and send the next request when the last is answered.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// One connection and the request it sends over and over.
struct Client {
    stream: TcpStream,
    request: Vec<u8>,
    buffer: Vec<u8>,
}

impl Client {
    async fn connect(address: &str, request: Vec<u8>) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            request,
            buffer: Vec::with_capacity(16 << 10),
        })
    }

    /// Sends the request and reads the whole answer.
    async fn exchange(&mut self) -> Result<()> {
        self.stream.write_all(&self.request).await?;
        self.buffer.clear();
        loop {
            ensure!(
                self.stream.read_buf(&mut self.buffer).await? > 0,
                "the connection was closed"
            );
            let Some(head) = self
                .buffer
                .windows(4)
                .position(|window| window == b"\r\n\r\n")
            else {
                continue;
            };
            let text = std::str::from_utf8(&self.buffer[..head])?.to_ascii_lowercase();
            ensure!(text.starts_with("http/1.1 200"), "{text}");
            let (_, rest) = text
                .split_once("content-length: ")
                .context("an answer without its length")?;
            let length: usize = rest.lines().next().unwrap_or_default().trim().parse()?;
            while self.buffer.len() < head + 4 + length {
                ensure!(
                    self.stream.read_buf(&mut self.buffer).await? > 0,
                    "the answer breaks off"
                );
            }
            return Ok(());
        }
    }
}

/// A `POST` of JSON.
pub(crate) fn post(path: &str, key: &str, body: &str) -> Vec<u8> {
    format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// Requests a second that `clients` connections get answered within `time`.
pub(crate) async fn rate(
    address: &str,
    request: &[u8],
    clients: usize,
    time: Duration,
) -> Result<f64> {
    let mut tasks = JoinSet::new();
    let begin = Instant::now();
    for _ in 0..clients {
        let mut client = Client::connect(address, request.to_vec()).await?;
        tasks.spawn(async move {
            let mut count = 0_u32;
            while begin.elapsed() < time {
                client.exchange().await?;
                count += 1;
            }
            anyhow::Ok(count)
        });
    }
    let mut sum = 0_u32;
    while let Some(count) = tasks.join_next().await {
        sum += count??;
    }
    Ok(f64::from(sum) / begin.elapsed().as_secs_f64())
}
