//! Server-sent events, read as the WHATWG HTML standard says (9.2.6, "Interpreting an event
//! stream"), from pieces that may be cut anywhere.

/// Most bytes of one event: several times the largest result and arguments that it may carry.
const EVENT_BYTES_MAX: usize = 32 << 20;

/// One event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Message {
    /// Its name; empty where the stream gives none.
    pub(crate) event: String,
    /// Its data lines, joined.
    pub(crate) data: String,
}

/// An event grew past its limit: whoever sends it is no Cofferdam.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TooLarge;

/// Reads the events of one stream. The field `id` is passed over: a run's events carry their
/// number in their data.
#[derive(Debug, Default)]
pub(crate) struct Parser {
    /// The bytes of a line that has not ended.
    line: Vec<u8>,
    /// The line before ended with CR: a LF that follows belongs to it.
    is_after_cr: bool,
    /// The first line has ended; only before it may stand a byte order mark.
    is_begun: bool,
    event: String,
    data: String,
    has_data: bool,
}

impl Parser {
    /// Takes the next piece, and answers the events that end in it.
    ///
    /// **Errors**: [`TooLarge`]; the stream can't be read on.
    pub(crate) fn feed(&mut self, piece: &[u8]) -> Result<Vec<Message>, TooLarge> {
        let mut messages = Vec::new();
        for &byte in piece {
            let is_second_half = std::mem::take(&mut self.is_after_cr) && byte == b'\n';
            match byte {
                _ if is_second_half => {}
                b'\r' | b'\n' => {
                    self.is_after_cr = byte == b'\r';
                    messages.extend(self.end_line());
                }
                _ if self.line.len() + self.data.len() >= EVENT_BYTES_MAX => return Err(TooLarge),
                _ => self.line.push(byte),
            }
        }
        Ok(messages)
    }

    /// Takes the line that has ended; an empty one ends the event.
    fn end_line(&mut self) -> Option<Message> {
        let line = String::from_utf8_lossy(&self.line).into_owned();
        self.line.clear();
        let line = match line.strip_prefix('\u{feff}') {
            Some(rest) if !self.is_begun => rest,
            _ => &line,
        };
        self.is_begun = true;
        if line.is_empty() {
            return self.end_event();
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.event),
            "data" => {
                if std::mem::replace(&mut self.has_data, true) {
                    self.data.push('\n');
                }
                self.data.push_str(value);
            }
            // A comment has an empty name; `id`, `retry` and unknown fields say nothing here.
            _ => {}
        }
        None
    }

    /// An event without data is none.
    fn end_event(&mut self) -> Option<Message> {
        let event = std::mem::take(&mut self.event);
        let data = std::mem::take(&mut self.data);
        std::mem::take(&mut self.has_data).then_some(Message { event, data })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(stream: &[u8]) -> Vec<(String, String)> {
        let messages = Parser::default().feed(stream).expect("a small stream");
        messages.into_iter().map(|m| (m.event, m.data)).collect()
    }

    #[test]
    fn streams_are_read_as_the_standard_says() {
        let message = |event: &str, data: &str| (event.to_owned(), data.to_owned());
        for (stream, messages) in [
            ("data: a\n\n", vec![message("", "a")]),
            ("event: x\r\ndata: a\r\n\r\n", vec![message("x", "a")]),
            ("event: x\rdata: a\r\r", vec![message("x", "a")]),
            ("data: a\ndata:b\ndata\n\n", vec![message("", "a\nb\n")]),
            ("data:  two spaces\n\n", vec![message("", " two spaces")]),
            (": alive\n\n:\ndata: a\n\n", vec![message("", "a")]),
            (
                "id: r:7\nretry: 10\nwhat: x\ndata: a:b\n\n",
                vec![message("", "a:b")],
            ),
            ("event: lost\n\ndata: a\n\n", vec![message("", "a")]),
            (
                "\u{feff}data: a\n\n\u{feff}data: b\n\n",
                vec![message("", "a")],
            ),
            ("data\n\n", vec![message("", "")]),
            ("data: cut off\n", vec![]),
            ("\n\n\n", vec![]),
            (
                "data: ä\n\ndata: 🦀\n\n",
                vec![message("", "ä"), message("", "🦀")],
            ),
        ] {
            assert_eq!(read(stream.as_bytes()), messages, "{stream:?}");
        }
    }

    #[test]
    fn an_endless_line_is_refused() {
        let mut parser = Parser::default();
        let piece = vec![b'x'; 1 << 20];
        let refused = (0..40).find(|_| parser.feed(&piece) == Err(TooLarge));
        assert_eq!(refused, Some(EVENT_BYTES_MAX >> 20));
    }

    proptest! {
        #[test]
        fn it_does_not_matter_where_a_stream_is_cut(
            stream in "(data|event|id|x|:|: ?|\r\n|\n|\r|ä|🦀|a){0,40}",
            cuts in prop::collection::vec(0..200usize, 0..6),
        ) {
            let bytes = stream.as_bytes();
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
            cuts.extend([0, bytes.len()]);
            cuts.sort_unstable();
            let mut parser = Parser::default();
            let mut messages = Vec::new();
            for pair in cuts.windows(2) {
                messages.extend(parser.feed(&bytes[pair[0]..pair[1]]).expect("a small stream"));
            }
            let messages: Vec<_> = messages.into_iter().map(|m| (m.event, m.data)).collect();
            prop_assert_eq!(messages, read(bytes));
        }
    }
}
