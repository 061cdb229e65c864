use std::os::fd::OwnedFd;

use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe::Receiver;

use crate::error::Error;

/// Read at once from a pipe, which holds as much.
const CHUNK_BYTES: usize = 64 << 10;

/// What a program wrote to one of its streams.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Output {
    /// The beginning, at most as long as its limit.
    pub bytes: Vec<u8>,
    /// How much it wrote in all.
    pub total_bytes: u64,
}

impl Output {
    /// True when the end is missing.
    pub fn is_truncated(&self) -> bool {
        self.total_bytes > self.bytes.len() as u64
    }

    /// Reads a pipe to its end and keeps the first `max` bytes. What is over is read as well, so
    /// that the program doesn't wait for a reader.
    pub(crate) async fn capture(pipe: OwnedFd, max: u64, into: &mut Self) -> Result<(), Error> {
        let mut pipe =
            Receiver::from_owned_fd(pipe).map_err(|error| Error::launcher("a pipe", error))?;
        let mut chunk = vec![0; CHUNK_BYTES];
        loop {
            let count = pipe
                .read(&mut chunk)
                .await
                .map_err(|error| Error::launcher("reading its output", error))?;
            if count == 0 {
                return Ok(());
            }
            let room = max.saturating_sub(into.bytes.len() as u64);
            let kept = count.min(usize::try_from(room).unwrap_or(usize::MAX));
            into.bytes.extend_from_slice(&chunk[..kept]);
            into.total_bytes += count as u64;
        }
    }
}
