//! Files as streams. One operation is under way at a time, on a thread that may block.

use std::sync::Arc;

use bytes::Bytes;
use cofferdam_files::{Error, File, READ_BYTES_MAX};
use wasmtime_wasi::async_trait;
use wasmtime_wasi::p2::{InputStream, OutputStream, Pollable, StreamError, StreamResult};
use wasmtime_wasi::runtime::{AbortOnDropJoinHandle, spawn_blocking};

use super::errors::{self, QuotaReached};

/// Where an output stream writes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place {
    /// From here on.
    At(u64),
    /// At the end of the file, wherever that is.
    End,
}

/// A file that is read from a place on.
pub(super) struct Input {
    file: Arc<File>,
    at: u64,
    state: Reading,
}

enum Reading {
    Idle,
    Waiting(AbortOnDropJoinHandle<Result<Vec<u8>, Error>>),
    Ready(Bytes),
    Failed(Error),
    Closed,
}

impl Input {
    pub(super) fn new(file: Arc<File>, at: u64) -> Self {
        Self {
            file,
            at,
            state: Reading::Idle,
        }
    }

    fn start(&mut self, size: usize) {
        let (file, at) = (self.file.clone(), self.at);
        let size = size.clamp(1, READ_BYTES_MAX) as u64;
        self.state = Reading::Waiting(spawn_blocking(move || file.read(size, at)));
    }
}

#[async_trait]
impl Pollable for Input {
    async fn ready(&mut self) {
        if let Reading::Idle = self.state {
            self.start(READ_BYTES_MAX);
        }
        if let Reading::Waiting(task) = &mut self.state {
            self.state = match task.await {
                Ok(bytes) if bytes.is_empty() => Reading::Closed,
                Ok(bytes) => Reading::Ready(bytes.into()),
                Err(error) => Reading::Failed(error),
            };
        }
    }
}

#[async_trait]
impl InputStream for Input {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        match &mut self.state {
            Reading::Idle => {
                if size > 0 {
                    self.start(size);
                }
                Ok(Bytes::new())
            }
            Reading::Waiting(_) => Ok(Bytes::new()),
            Reading::Ready(bytes) => {
                let taken = bytes.split_to(bytes.len().min(size));
                self.at += taken.len() as u64;
                if bytes.is_empty() {
                    self.state = Reading::Idle;
                }
                Ok(taken)
            }
            Reading::Failed(error) => {
                let error = failed(*error);
                self.state = Reading::Closed;
                Err(error)
            }
            Reading::Closed => Err(StreamError::Closed),
        }
    }

    async fn cancel(&mut self) {
        if let Reading::Waiting(task) = std::mem::replace(&mut self.state, Reading::Closed) {
            task.cancel().await;
        }
    }
}

/// A file that is written from a place on.
pub(super) struct Output {
    file: Arc<File>,
    place: Place,
    state: Writing,
}

enum Writing {
    Ready,
    Waiting(AbortOnDropJoinHandle<Result<u64, Error>>),
    Failed(Error),
    Closed,
}

impl Output {
    pub(super) fn new(file: Arc<File>, place: Place) -> Self {
        Self {
            file,
            place,
            state: Writing::Ready,
        }
    }

    fn take_failure(&mut self) -> Option<StreamError> {
        let Writing::Failed(error) = self.state else {
            return None;
        };
        self.state = Writing::Closed;
        Some(failed(error))
    }
}

#[async_trait]
impl Pollable for Output {
    async fn ready(&mut self) {
        if let Writing::Waiting(task) = &mut self.state {
            self.state = match task.await {
                Ok(written) => {
                    if let Place::At(at) = &mut self.place {
                        *at = at.saturating_add(written);
                    }
                    Writing::Ready
                }
                Err(error) => Writing::Failed(error),
            };
        }
    }
}

#[async_trait]
impl OutputStream for Output {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        match self.state {
            Writing::Ready => {}
            Writing::Closed => return Err(StreamError::Closed),
            Writing::Waiting(_) | Writing::Failed(_) => {
                return Err(StreamError::trap("a write without a permit"));
            }
        }
        let (file, place) = (self.file.clone(), self.place);
        self.state = Writing::Waiting(spawn_blocking(move || write_all(&file, &bytes, place)));
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        match self.take_failure() {
            Some(error) => Err(error),
            None if matches!(self.state, Writing::Closed) => Err(StreamError::Closed),
            None => Ok(()),
        }
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        if let Some(error) = self.take_failure() {
            return Err(error);
        }
        match self.state {
            Writing::Ready => Ok(READ_BYTES_MAX),
            Writing::Waiting(_) => Ok(0),
            Writing::Failed(_) | Writing::Closed => Err(StreamError::Closed),
        }
    }

    async fn cancel(&mut self) {
        if let Writing::Waiting(task) = std::mem::replace(&mut self.state, Writing::Closed) {
            task.cancel().await;
        }
    }
}

fn write_all(file: &File, mut bytes: &[u8], place: Place) -> Result<u64, Error> {
    let mut total = 0;
    while !bytes.is_empty() {
        let written = match place {
            Place::At(at) => file.write(bytes, at.saturating_add(total))?,
            Place::End => file.append(bytes)?,
        };
        if written == 0 {
            return Err(Error::NoSpace);
        }
        total += written as u64;
        bytes = &bytes[written..];
    }
    Ok(total)
}

/// An error for the stream's user, which `filesystem-error-code` can read; the end of the call for
/// a quota.
fn failed(error: Error) -> StreamError {
    match errors::code(error) {
        Ok(_) => StreamError::LastOperationFailed(wasmtime::Error::new(error)),
        Err(reached @ QuotaReached { .. }) => StreamError::Trap(wasmtime::Error::new(reached)),
    }
}
