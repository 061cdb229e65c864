//! What a guest prints: the end of it is kept, all of it is counted, nothing blocks or traps.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

/// What a guest may write at once; larger writes come in parts.
const WRITE_BYTES: usize = 64 << 10;

/// The end of a stream.
#[derive(Default)]
struct Tail {
    kept: Vec<u8>,
    total: u64,
}

/// One of a guest's output streams. Clones write to the same tail.
#[derive(Clone)]
pub(crate) struct Capture {
    tail: Arc<Mutex<Tail>>,
    max: usize,
}

impl Capture {
    /// Keeps the last `max` bytes.
    pub(crate) fn new(max: u64) -> Self {
        Self {
            tail: Arc::default(),
            max: usize::try_from(max).unwrap_or(usize::MAX),
        }
    }

    fn tail(&self) -> MutexGuard<'_, Tail> {
        self.tail.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, bytes: &[u8]) {
        let mut tail = self.tail();
        tail.total += bytes.len() as u64;
        tail.kept
            .extend_from_slice(&bytes[bytes.len().saturating_sub(self.max)..]);
        // Cutting only when there is twice too much keeps the cost of a byte constant.
        if tail.kept.len() > 2 * self.max {
            let cut = tail.kept.len() - self.max;
            tail.kept.drain(..cut);
        }
    }

    /// All bytes that were written, kept or not.
    pub(crate) fn total(&self) -> u64 {
        self.tail().total
    }

    /// The end as text, cut to the limit at a character's start, and how many bytes it leaves out.
    pub(crate) fn text(&self) -> (String, u64) {
        let tail = self.tail();
        let mut start = tail.kept.len().saturating_sub(self.max);
        if start > 0 || tail.total > tail.kept.len() as u64 {
            while start < tail.kept.len() && tail.kept[start] & 0xC0 == 0x80 {
                start += 1;
            }
        }
        let kept = &tail.kept[start..];
        (
            String::from_utf8_lossy(kept).into_owned(),
            tail.total - kept.len() as u64,
        )
    }
}

impl IsTerminal for Capture {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Capture {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        // Only the preview 1 and 3 bindings ask for this, and neither is linked.
        Box::new(tokio::io::sink())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

#[async_trait::async_trait]
impl Pollable for Capture {
    async fn ready(&mut self) {}
}

impl OutputStream for Capture {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.push(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(WRITE_BYTES)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_end_and_counts_the_rest() {
        let capture = Capture::new(10);
        for _ in 0..1_000 {
            capture.push("äbc".as_bytes());
        }
        let (text, dropped) = capture.text();
        assert_eq!(text, "bcäbcäbc");
        assert_eq!((capture.total(), dropped), (4_000, 3_990));
        capture.push(&[b'x'; 100]);
        assert_eq!(capture.text().0, "x".repeat(10));
    }

    #[test]
    fn short_output_is_kept_whole() {
        let capture = Capture::new(10);
        capture.push(b"hello");
        assert_eq!(capture.text(), ("hello".to_owned(), 0));
    }
}
