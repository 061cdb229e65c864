//! The plain words that come before TLS on a mail server's connection.
//!
//! Nothing that the server says in them is believed or handed on: all of it could be somebody
//! else's. What it sends along with its last plain answer is refused, since it would be read as if
//! it had come inside TLS.

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::error::{Error, Upstream};

/// Most bytes of a line: RFC 5321 has 512, and extensions longer ones.
const LINE_MAX: usize = 2_048;
/// Most lines of one answer.
const LINES_MAX: usize = 100;

/// Up to the moment where the client begins with TLS on a connection to send mail (RFC 3207).
pub(crate) async fn smtp<S>(stream: &mut S) -> Result<(), Error>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    smtp_answer(stream, b"220").await?;
    write(stream, b"EHLO localhost\r\n").await?;
    smtp_answer(stream, b"250").await?;
    write(stream, b"STARTTLS\r\n").await?;
    smtp_answer(stream, b"220").await
}

/// The same on a connection to read mail (RFC 3501).
pub(crate) async fn imap<S>(stream: &mut S) -> Result<(), Error>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    if !line(stream).await?.starts_with(b"* OK") {
        return Err(refused());
    }
    write(stream, b"a STARTTLS\r\n").await?;
    for _ in 0..LINES_MAX {
        let line = line(stream).await?;
        if line.starts_with(b"a OK") {
            return Ok(());
        }
        if !line.starts_with(b"* ") {
            break;
        }
    }
    Err(refused())
}

/// All lines of an answer with this code.
async fn smtp_answer<S: AsyncRead + Unpin>(stream: &mut S, code: &[u8]) -> Result<(), Error> {
    for _ in 0..LINES_MAX {
        let line = line(stream).await?;
        match line.strip_prefix(code).map(<[u8]>::first) {
            Some(Some(b'-')) => {}
            Some(Some(b' ') | None) => return Ok(()),
            _ => break,
        }
    }
    Err(refused())
}

/// One line without its end. Read byte by byte, so that nothing behind it is taken.
async fn line<S: AsyncRead + Unpin>(stream: &mut S) -> Result<Vec<u8>, Error> {
    let mut line = Vec::new();
    while line.len() < LINE_MAX {
        let byte = stream
            .read_u8()
            .await
            .map_err(|error| Error::upstream(Upstream::Reset, error.kind()))?;
        match byte {
            b'\n' if line.last() == Some(&b'\r') => {
                line.pop();
                return Ok(line);
            }
            byte => line.push(byte),
        }
    }
    Err(Error::upstream(
        Upstream::Protocol,
        "the server's line does not end",
    ))
}

async fn write<S: AsyncWrite + Unpin>(stream: &mut S, bytes: &[u8]) -> Result<(), Error> {
    stream
        .write_all(bytes)
        .await
        .map_err(|error| Error::upstream(Upstream::Reset, error.kind()))
}

fn refused() -> Error {
    Error::upstream(Upstream::Tls, "the server does not begin with TLS")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Both upgrades against a server that says this and hears nothing.
    fn say(bytes: &[u8]) -> (bool, bool) {
        let bytes = bytes.to_vec();
        let run = async move {
            let mut results = Vec::new();
            for is_smtp in [true, false] {
                let (mut ours, mut theirs) = tokio::io::duplex(1 << 20);
                theirs.write_all(&bytes).await.expect("room");
                theirs.shutdown().await.expect("an open stream");
                let upgraded = if is_smtp {
                    smtp(&mut ours).await
                } else {
                    imap(&mut ours).await
                };
                results.push(upgraded.is_ok());
            }
            (results[0], results[1])
        };
        tokio::runtime::Builder::new_current_thread()
            .build()
            .expect("a runtime")
            .block_on(run)
    }

    #[test]
    fn only_a_whole_agreement_counts() {
        let check = |said: &str, smtp: bool, imap: bool| {
            assert_eq!(say(said.as_bytes()), (smtp, imap), "{said:?}");
        };
        check("220 hi\r\n250-a\r\n250 STARTTLS\r\n220 go\r\n", true, false);
        check("220-hi\r\n220 hi\r\n250 a\r\n220\r\n", true, false);
        check("220 hi\r\n250 a\r\n454 no\r\n", false, false);
        check("220 hi\r\n250-a\r\n251 b\r\n220 go\r\n", false, false);
        check("220 hi\n250 a\n220 go\n", false, false);
        check("* OK hi\r\na OK go\r\n", false, true);
        check("* OK hi\r\n* CAPABILITY\r\na OK go\r\n", false, true);
        check("* OK hi\r\na NO\r\n", false, false);
        check("* PREAUTH hi\r\na OK go\r\n", false, false);
        check(&format!("220 {}", "x".repeat(5_000)), false, false);
        check(&"220-x\r\n".repeat(200), false, false);
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            prop_assert_eq!(say(&bytes), (false, false));
        }
    }
}
