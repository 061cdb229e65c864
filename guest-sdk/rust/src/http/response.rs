use std::fmt;
use std::io::{self, Read};

use super::{Error, ErrorKind};

/// An answer: its status and headers are here, its body is still to be read.
pub struct Response {
    status: u16,
    headers: Headers,
    body: Body,
}

/// The headers of an answer, in the order of the server.
#[derive(Debug, Clone, Default)]
pub struct Headers(Vec<(String, Vec<u8>)>);

/// The bytes of an answer as they come. Dropping it before its end closes the connection.
pub struct Body(Box<dyn Source>);

/// Where bytes come from.
pub(super) trait Source {
    /// Bytes written to the front of `buffer`, which is not empty; 0 at the end.
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Error>;
}

impl Source for io::Cursor<Vec<u8>> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
        Ok(Read::read(self, buffer).unwrap_or_default())
    }
}

impl Response {
    /// An answer made by hand, for a test.
    pub fn new(status: u16, headers: &[(&str, &str)], body: &[u8]) -> Self {
        let headers = headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()))
            .collect();
        Self::from_parts(status, headers, Box::new(io::Cursor::new(body.to_vec())))
    }

    pub(super) fn from_parts(
        status: u16,
        headers: Vec<(String, Vec<u8>)>,
        source: Box<dyn Source>,
    ) -> Self {
        Self {
            status,
            headers: Headers(headers),
            body: Body(source),
        }
    }

    /// The status: 200 and the like.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// All headers.
    pub fn headers(&self) -> &Headers {
        &self.headers
    }

    /// The first header of this name, in any case, when its value is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)
    }

    /// The body, to be read as it comes.
    pub fn into_body(self) -> Body {
        self.body
    }

    /// The whole body.
    ///
    /// **Errors**: `TooLarge` when it has more than `bytes_max` bytes, of which none are given
    /// then; else those of a broken connection.
    pub fn bytes(self, bytes_max: usize) -> Result<Vec<u8>, Error> {
        let mut body = self.body;
        let bytes = body.take_up_to(bytes_max)?;
        if bytes.len() == bytes_max && !body.is_at_end()? {
            let message = format!("the answer has more than the {bytes_max} bytes asked for");
            return Err(Error::new(ErrorKind::TooLarge, message));
        }
        Ok(bytes)
    }

    /// The whole body as text in UTF-8.
    ///
    /// **Errors**: as [`Response::bytes`]; `Protocol` for a body that is not UTF-8.
    pub fn text(self, bytes_max: usize) -> Result<String, Error> {
        String::from_utf8(self.bytes(bytes_max)?)
            .map_err(|_| Error::new(ErrorKind::Protocol, "the answer is not text in UTF-8"))
    }
}

impl fmt::Debug for Response {
    /// Without headers and body, which may hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

impl Headers {
    /// The first of this name, in any case, when its value is text.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter()
            .find(|(given, _)| given.eq_ignore_ascii_case(name))
            .and_then(|(_, value)| std::str::from_utf8(value).ok())
    }

    /// Name and value of each.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        let headers = self.0.iter();
        headers.map(|(name, value)| (name.as_str(), value.as_slice()))
    }
}

impl Body {
    /// The next bytes, at most `bytes_max`; fewer only at the end.
    ///
    /// **Errors**: those of a broken connection. What was read before is lost.
    pub fn take_up_to(&mut self, bytes_max: usize) -> Result<Vec<u8>, Error> {
        /// Bytes asked for at once.
        const CHUNK: usize = 64 * 1024;
        let mut bytes = Vec::new();
        while bytes.len() < bytes_max {
            let start = bytes.len();
            bytes.resize(start + CHUNK.min(bytes_max - start), 0);
            let read = self.0.read(&mut bytes[start..])?;
            bytes.truncate(start + read);
            if read == 0 {
                break;
            }
        }
        Ok(bytes)
    }

    /// True when nothing is left. Takes one byte away when something is.
    fn is_at_end(&mut self) -> Result<bool, Error> {
        Ok(self.0.read(&mut [0])? == 0)
    }
}

impl Read for Body {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        self.0
            .read(buffer)
            .map_err(|error| io::Error::other(error.to_string()))
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Body")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(bytes: usize) -> Response {
        Response::new(200, &[("Content-Type", "text/plain")], &vec![b'a'; bytes])
    }

    #[test]
    fn a_body_may_fill_its_limit() {
        for (has, limit, fits) in [
            (0, 0, true),
            (0, 10, true),
            (10, 10, true),
            (11, 10, false),
            (1, 0, false),
            (200_000, 200_000, true),
            (200_001, 200_000, false),
        ] {
            match response(has).bytes(limit) {
                Ok(bytes) => assert!(fits && bytes.len() == has, "{has} of {limit}"),
                Err(error) => {
                    assert!(!fits, "{has} of {limit}");
                    assert_eq!(error.kind(), ErrorKind::TooLarge);
                }
            }
        }
    }

    #[test]
    fn headers_are_found_in_any_case() {
        let response = response(0);
        assert_eq!(response.header("content-type"), Some("text/plain"));
        assert_eq!(response.header("content-length"), None);
    }

    #[test]
    fn a_body_is_a_reader() {
        let mut text = String::new();
        let read = response(70_000).into_body().read_to_string(&mut text);
        assert_eq!(read.expect("a body in memory"), 70_000);
    }

    #[test]
    fn only_text_is_text() {
        let bad = Response::new(200, &[], &[0xff]).text(9);
        assert_eq!(bad.expect_err("no UTF-8").kind(), ErrorKind::Protocol);
    }
}
