//! Lines of a byte stream, bounded.

use std::io;

use tokio::io::{AsyncBufRead, AsyncBufReadExt};

/// Longest message on stdio in bytes: as much as a request over HTTP may have.
pub(crate) const LINE_BYTES_MAX: usize = 4 << 20;

/// What stands between two line ends.
#[derive(Debug, PartialEq)]
pub(crate) enum Line {
    Whole(Vec<u8>),
    /// More than [`LINE_BYTES_MAX`]; it was read past and not kept.
    TooLong,
}

/// Reads lines.
pub(crate) struct Lines<R> {
    reader: R,
    /// The line so far.
    begun: Vec<u8>,
    /// True while the rest of a line that is too long is read past.
    skipping: bool,
}

impl<R: AsyncBufRead + Unpin> Lines<R> {
    pub(crate) fn new(reader: R) -> Self {
        Self {
            reader,
            begun: Vec::new(),
            skipping: false,
        }
    }

    /// The next line, also one that the stream ends in; `None` at its end.
    ///
    /// **Cancel**: what was read of the line stays.
    pub(crate) async fn next(&mut self) -> io::Result<Option<Line>> {
        loop {
            let available = self.reader.fill_buf().await?;
            if available.is_empty() {
                let last = self.begun.is_empty() && !self.skipping;
                return Ok((!last).then(|| self.finish()));
            }
            let end = available.iter().position(|byte| *byte == b'\n');
            let piece = &available[..end.unwrap_or(available.len())];
            if self.begun.len() + piece.len() > LINE_BYTES_MAX {
                self.skipping = true;
                self.begun = Vec::new();
            }
            if !self.skipping {
                self.begun.extend_from_slice(piece);
            }
            let read = piece.len() + usize::from(end.is_some());
            self.reader.consume(read);
            if end.is_some() {
                return Ok(Some(self.finish()));
            }
        }
    }

    fn finish(&mut self) -> Line {
        let line = std::mem::take(&mut self.begun);
        if std::mem::take(&mut self.skipping) {
            Line::TooLong
        } else {
            Line::Whole(line)
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::BufReader;

    use super::*;

    async fn lines(bytes: &[u8], buffer: usize) -> Vec<Line> {
        let mut lines = Lines::new(BufReader::with_capacity(buffer, bytes));
        let mut all = Vec::new();
        while let Some(line) = lines.next().await.expect("a slice can be read") {
            all.push(line);
        }
        all
    }

    #[tokio::test]
    async fn lines_are_whole_whatever_pieces_they_come_in() {
        let whole = |text: &str| Line::Whole(text.into());
        for buffer in [1, 2, 3, 64] {
            assert_eq!(lines(b"", buffer).await, []);
            assert_eq!(
                lines(b"a\n\nbc", buffer).await,
                [whole("a"), whole(""), whole("bc")]
            );
            assert_eq!(lines(b"a\n", buffer).await, [whole("a")]);
        }
    }

    #[tokio::test]
    async fn a_line_that_is_too_long_is_not_kept() {
        let mut bytes = vec![b'x'; LINE_BYTES_MAX];
        bytes.push(b'\n');
        assert_eq!(
            lines(&bytes, 8192).await,
            [Line::Whole(vec![b'x'; LINE_BYTES_MAX])]
        );
        bytes.insert(0, b'x');
        bytes.extend_from_slice(b"ok\n");
        assert_eq!(
            lines(&bytes, 8192).await,
            [Line::TooLong, Line::Whole(b"ok".to_vec())]
        );
        bytes.truncate(LINE_BYTES_MAX + 1);
        assert_eq!(lines(&bytes, 8192).await, [Line::TooLong]);
    }
}
