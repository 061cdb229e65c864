use super::{Search, Span, merged};

/// Bytes that wait before a piece is searched, beside those that may belong to a secret which goes
/// on: searching more at once makes up for searching those twice.
const WAITING_BYTES_MIN: usize = 4 << 10;

/// The bytes of a text that comes in pieces, without the secrets, as if it had come at once.
///
/// Holds back what may be the beginning of a secret: give the end with [`Stream::finish`].
pub struct Stream<'a> {
    search: Option<&'a Search>,
    waiting: Vec<u8>,
    /// How many of the waiting bytes belong to a secret whose mark is out already.
    covered: usize,
}

impl<'a> Stream<'a> {
    pub(super) fn new(search: Option<&'a Search>) -> Self {
        Self {
            search,
            waiting: Vec::new(),
            covered: 0,
        }
    }

    /// Takes the next piece; gives what can be said by now.
    pub fn push(&mut self, piece: &[u8]) -> Vec<u8> {
        let Some(search) = self.search else {
            return piece.to_vec();
        };
        self.waiting.extend_from_slice(piece);
        if self.waiting.len() < 2 * search.longest + WAITING_BYTES_MIN {
            return Vec::new();
        }
        // Whatever covers a byte before this begins and ends in what is here.
        let decided = self.waiting.len() - (search.longest - 1);
        self.pass(search, decided)
    }

    /// Gives the rest.
    pub fn finish(mut self) -> Vec<u8> {
        match self.search {
            Some(search) => self.pass(search, self.waiting.len()),
            None => Vec::new(),
        }
    }

    /// Lets the first bytes go.
    fn pass(&mut self, search: &Search, decided: usize) -> Vec<u8> {
        let mut spans = search.spans(&self.waiting);
        if self.covered > 0 {
            let known = Span {
                start: 0,
                end: self.covered,
                secret: None,
            };
            let mut all = vec![known];
            all.append(&mut spans);
            all.sort_by_key(|span| (span.end, span.start));
            spans = all.into_iter().fold(Vec::new(), merged);
        }
        let mut passed = Vec::with_capacity(decided);
        let mut at = 0;
        self.covered = 0;
        for span in spans.iter().filter(|span| span.start < decided) {
            passed.extend_from_slice(&self.waiting[at..span.start]);
            passed.extend_from_slice(search.mark(span).as_bytes());
            at = span.end.min(decided);
            self.covered = span.end.saturating_sub(decided);
        }
        passed.extend_from_slice(&self.waiting[at..decided]);
        self.waiting.drain(..decided);
        passed
    }
}
