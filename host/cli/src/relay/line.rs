//! Messages on stdin, one per line.

use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader};
use tokio::sync::mpsc;

/// Longest message in bytes: what a request to the host may have.
pub(super) const LINE_BYTES_MAX: usize = 4 << 20;

/// Lines that were read and not yet looked at. Reading goes no further than that.
const WAITING_MAX: usize = 16;

/// A line.
#[derive(Debug, PartialEq)]
pub(super) enum Line {
    Whole(Vec<u8>),
    /// More than [`LINE_BYTES_MAX`]; it was read past and not kept.
    TooLong,
}

/// The lines of a stream, whose end is that of the channel. Read by a task of their own, so that
/// nothing of a line is lost where somebody waits for it and for other things.
pub(super) fn lines(reader: impl AsyncRead + Unpin + Send + 'static) -> mpsc::Receiver<Line> {
    let (sender, receiver) = mpsc::channel(WAITING_MAX);
    tokio::spawn(async move {
        let mut reader = BufReader::new(reader);
        // A stream that can't be read is at its end.
        while let Ok(Some(line)) = next(&mut reader).await {
            if sender.send(line).await.is_err() {
                return;
            }
        }
    });
    receiver
}

/// The next line that is not empty; `None` at the end.
async fn next(reader: &mut (impl AsyncBufRead + Unpin)) -> std::io::Result<Option<Line>> {
    loop {
        let mut line = Vec::new();
        let max = LINE_BYTES_MAX as u64 + 1;
        if (&mut *reader)
            .take(max)
            .read_until(b'\n', &mut line)
            .await?
            == 0
        {
            return Ok(None);
        }
        let is_whole = line.pop_if(|last| *last == b'\n').is_some();
        if line.len() > LINE_BYTES_MAX {
            if !is_whole {
                skip(reader).await?;
            }
            return Ok(Some(Line::TooLong));
        }
        if !line.trim_ascii().is_empty() {
            return Ok(Some(Line::Whole(line)));
        }
    }
}

/// Reads past the rest of a line.
async fn skip(reader: &mut (impl AsyncBufRead + Unpin)) -> std::io::Result<()> {
    loop {
        let piece = reader.fill_buf().await?;
        let end = piece.iter().position(|byte| *byte == b'\n');
        let (read, is_over) = match end {
            Some(end) => (end + 1, true),
            None => (piece.len(), piece.is_empty()),
        };
        reader.consume(read);
        if is_over {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    async fn read(bytes: Vec<u8>) -> Vec<Line> {
        let mut lines = lines(Cursor::new(bytes));
        let mut all = Vec::new();
        while let Some(line) = lines.recv().await {
            all.push(line);
        }
        all
    }

    #[tokio::test]
    async fn lines_end_with_a_newline_or_the_stream() {
        let whole = |text: &str| Line::Whole(text.into());
        assert_eq!(
            read(b"a\n\n \nb\r\nc".to_vec()).await,
            [whole("a"), whole("b\r"), whole("c")]
        );
        assert_eq!(read(Vec::new()).await, []);
    }

    #[tokio::test]
    async fn a_line_has_a_limit() {
        let longest = vec![b'x'; LINE_BYTES_MAX];
        let mut stream = longest.clone();
        stream.push(b'\n');
        stream.extend(vec![b'y'; 3 * LINE_BYTES_MAX]);
        stream.extend(b"\nz\n");
        let z = Line::Whole(b"z".to_vec());
        assert_eq!(read(stream).await, [Line::Whole(longest), Line::TooLong, z]);
        assert_eq!(read(vec![b'x'; LINE_BYTES_MAX + 1]).await, [Line::TooLong]);
    }
}
