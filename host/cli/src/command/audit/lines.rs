use std::io::ErrorKind;
use std::path::Path;

use cofferdam_server::types::{Code, Failure};
use cofferdam_wire::error::ErrorBody;
use reqwest::Response;
use tokio::io::{AsyncRead, AsyncReadExt};

use crate::client::{Client, Request};
use crate::error::{Error, Result, broken, usage};

/// Longest line that is read: a record has some kilobytes, and its size is bounded by what a call
/// leaves.
const LINE_BYTES_MAX: usize = 16 << 20;
/// Bytes of a file read at once.
const PIECE_BYTES: usize = 64 << 10;

/// The lines of an export, of a host or of a file.
pub(super) struct Lines {
    source: Source,
    waiting: Vec<u8>,
    /// Where the next line begins in `waiting`.
    at: usize,
    is_over: bool,
}

#[expect(clippy::large_enum_variant, reason = "there is one of it")]
enum Source {
    Host(Client, Response),
    File(Box<dyn AsyncRead + Unpin + Send>),
}

impl Lines {
    /// Of the host's chain, or of a part of it.
    pub(super) async fn of_host(client: Client, request: Request<'_>) -> Result<Self> {
        let response = client.open(request, "application/x-ndjson").await?;
        Ok(Self::of(Source::Host(client, response)))
    }

    /// Of a file; `-` is standard input.
    pub(super) async fn of_file(path: &Path) -> Result<Self> {
        if path == Path::new("-") {
            return Ok(Self::of(Source::File(Box::new(tokio::io::stdin()))));
        }
        let file = tokio::fs::File::open(path).await;
        let file =
            file.map_err(|error| usage(format!("can't read {}: {error}", path.display())))?;
        Ok(Self::of(Source::File(Box::new(file))))
    }

    fn of(source: Source) -> Self {
        Self {
            source,
            waiting: Vec::new(),
            at: 0,
            is_over: false,
        }
    }

    /// The next line; `None` at the end.
    ///
    /// **Errors**: what the host says in the middle; a line that is too long or no text.
    pub(super) async fn next(&mut self) -> Result<Option<String>> {
        let mut searched = self.at;
        loop {
            let end = self.waiting[searched..]
                .iter()
                .position(|byte| *byte == b'\n');
            if let Some(end) = end {
                let line = self.waiting[self.at..searched + end].to_vec();
                self.at = searched + end + 1;
                return Self::checked(line).map(Some);
            }
            if self.is_over {
                let line = self.waiting.split_off(self.at);
                self.waiting.clear();
                self.at = 0;
                return if line.is_empty() {
                    Ok(None)
                } else {
                    Self::checked(line).map(Some)
                };
            }
            self.waiting.drain(..self.at);
            self.at = 0;
            searched = self.waiting.len();
            if searched > LINE_BYTES_MAX {
                return Err(usage(format!(
                    "a line has more than {LINE_BYTES_MAX} bytes"
                )));
            }
            self.read().await?;
        }
    }

    async fn read(&mut self) -> Result<()> {
        match &mut self.source {
            Source::Host(client, response) => match client.next_piece(response).await? {
                Some(piece) => self.waiting.extend_from_slice(&piece),
                None => self.is_over = true,
            },
            Source::File(file) => {
                let mut piece = vec![0; PIECE_BYTES];
                let read = match file.read(&mut piece).await {
                    Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(()),
                    read => read.map_err(|error| broken("read the file", &error))?,
                };
                self.is_over = read == 0;
                self.waiting.extend_from_slice(&piece[..read]);
            }
        }
        Ok(())
    }

    /// The line as text, unless it is what a host says that can't go on.
    fn checked(line: Vec<u8>) -> Result<String> {
        let line = String::from_utf8(line).map_err(|_| Self::foreign())?;
        if line.starts_with(r#"{"error":"#)
            && let Ok(body) = serde_json::from_str::<ErrorBody>(&line)
        {
            return Err(body.into());
        }
        Ok(line)
    }

    /// What is said of a line that is none of an export.
    pub(super) fn foreign() -> Error {
        let message = "this is no line as `audit export` writes it";
        Failure::new(Code::InvalidInput, message).into()
    }
}
