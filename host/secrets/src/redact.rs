//! Takes secrets out of what leaves the host.
//!
//! Known are the forms in which programs print a text: as it is, backwards, in base64 (both
//! alphabets, wherever in the encoded text it stands), hexadecimal, percent-encoded, escaped for
//! JSON, HTML or Rust. Unknown, and found by nobody, are those that a tool makes up: compressed,
//! encrypted, cut to pieces. That is why a tool that needs no value gets none.

mod forms;
mod outcome;
mod stream;

use std::borrow::Cow;

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use cofferdam_types::{SecretName, SecretValue};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

pub use stream::Stream;

/// Fewest bytes of a secret's end or beginning that are taken out where a text was cut off. Fewer
/// than these say little and are often ordinary text.
const REST_BYTES_MIN: usize = 4;

/// Replaces secrets by `[redacted:<name>]`, in time that grows with the text alone.
///
/// Where the forms of secrets overlap, all of what they cover is replaced once, by the name of the
/// one that begins first.
pub struct Redactor(Option<Search>);

struct Search {
    automaton: AhoCorasick,
    forms: Vec<Form>,
    /// What stands in place of each secret.
    marks: Vec<String>,
    /// Bytes of the longest form.
    longest: usize,
}

/// A form of a secret.
struct Form {
    bytes: Zeroizing<Vec<u8>>,
    /// Which secret, among the marks.
    secret: usize,
}

/// Bytes to be replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Span {
    start: usize,
    end: usize,
    /// Whose form begins first; absent when that was said already.
    secret: Option<usize>,
}

impl Redactor {
    /// Replaces nothing.
    pub fn none() -> Self {
        Self(None)
    }

    /// Replaces these.
    pub fn new(secrets: &[(SecretName, SecretValue)]) -> Self {
        let mut sorted: Vec<_> = secrets.iter().collect();
        sorted.sort_by(|a, b| a.0.cmp(&b.0));
        let of = |(secret, one): (usize, &&(SecretName, SecretValue))| {
            let forms = forms::of(one.1.reveal()).into_iter();
            forms.map(move |bytes| Form { bytes, secret })
        };
        let mut forms: Vec<Form> = sorted.iter().enumerate().flat_map(of).collect();
        // Stable, so that of one form of several secrets the first one's stays.
        forms.sort_by(|a, b| a.bytes.as_slice().cmp(b.bytes.as_slice()));
        forms.dedup_by(|b, a| a.bytes.as_slice() == b.bytes.as_slice());
        if forms.is_empty() {
            return Self::none();
        }
        // Built for each call that can touch secrets, so what is built fast is right; its matches
        // overlap, as those of different secrets may.
        let automaton = AhoCorasick::builder()
            .kind(Some(AhoCorasickKind::ContiguousNFA))
            .build(forms.iter().map(|form| form.bytes.as_slice()))
            .expect("some megabytes of forms, of the gigabytes that the automaton numbers");
        let longest = forms.iter().map(|form| form.bytes.len()).max();
        Self(Some(Search {
            automaton,
            forms,
            marks: sorted
                .iter()
                .map(|(name, _)| format!("[redacted:{name}]"))
                .collect(),
            longest: longest.unwrap_or_default(),
        }))
    }

    /// True when there is nothing to replace, whatever the text.
    pub fn is_idle(&self) -> bool {
        self.0.is_none()
    }

    /// A text without the secrets.
    pub fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let Some(search) = &self.0 else {
            return Cow::Borrowed(text);
        };
        let spans = search.spans(text.as_bytes());
        search.replaced(text, &spans)
    }

    /// The text of what was cut out of a longer one, without the secrets and without what the cuts
    /// left of one at its ends.
    pub fn part<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let Some(search) = &self.0 else {
            return Cow::Borrowed(text);
        };
        let mut spans = search.rests(text.as_bytes());
        spans.extend(search.spans(text.as_bytes()));
        spans.sort_by_key(|span| (span.end, span.start));
        let spans = spans.into_iter().fold(Vec::new(), merged);
        search.replaced(text, &spans)
    }

    /// JSON without the secrets: in texts, in keys, and numbers that spell one.
    pub fn json(&self, value: &mut Value) {
        if self.is_idle() {
            return;
        }
        match value {
            Value::Null | Value::Bool(_) => {}
            Value::Number(number) => {
                let text = number.to_string();
                if let Cow::Owned(text) = self.text(&text) {
                    *value = Value::String(text);
                }
            }
            Value::String(text) => self.string(text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.json(item)),
            Value::Object(map) => self.map(map),
        }
    }

    /// The bytes of a text that comes in pieces.
    pub fn stream(&self) -> Stream<'_> {
        Stream::new(self.0.as_ref())
    }

    fn string(&self, text: &mut String) {
        if let Cow::Owned(redacted) = self.text(text) {
            *text = redacted;
        }
    }

    fn map(&self, map: &mut Map<String, Value>) {
        let is_plain = |key: &String| matches!(self.text(key), Cow::Borrowed(_));
        if map.keys().all(is_plain) {
            map.values_mut().for_each(|value| self.json(value));
            return;
        }
        let fields = std::mem::take(map).into_iter();
        *map = fields
            .map(|(mut key, mut value)| {
                self.string(&mut key);
                self.json(&mut value);
                (key, value)
            })
            .collect();
    }
}

impl Search {
    /// What secrets cover of these bytes, in order; no two overlap.
    fn spans(&self, bytes: &[u8]) -> Vec<Span> {
        self.automaton
            .find_overlapping_iter(bytes)
            .map(|found| Span {
                start: found.start(),
                end: found.end(),
                secret: Some(self.forms[found.pattern().as_usize()].secret),
            })
            .fold(Vec::new(), merged)
    }

    /// The end of a secret that the bytes begin with, and the beginning of one that they end with.
    fn rests(&self, bytes: &[u8]) -> Vec<Span> {
        let mut spans = Vec::new();
        for form in &self.forms {
            let secret = Some(form.secret);
            let window = form.bytes.len().saturating_sub(1).min(bytes.len());
            let head = overlap(&form.bytes, &bytes[..window]);
            if head >= REST_BYTES_MIN {
                let (start, end) = (0, head);
                spans.push(Span { start, end, secret });
            }
            let tail = overlap(&bytes[bytes.len() - window..], &form.bytes[..window]);
            if tail >= REST_BYTES_MIN {
                let (start, end) = (bytes.len() - tail, bytes.len());
                spans.push(Span { start, end, secret });
            }
        }
        spans
    }

    fn replaced<'a>(&self, text: &'a str, spans: &[Span]) -> Cow<'a, str> {
        if spans.is_empty() {
            return Cow::Borrowed(text);
        }
        let mut redacted = Vec::with_capacity(text.len());
        let mut at = 0;
        for span in spans {
            redacted.extend_from_slice(&text.as_bytes()[at..span.start]);
            redacted.extend_from_slice(self.mark(span).as_bytes());
            at = span.end;
        }
        redacted.extend_from_slice(&text.as_bytes()[at..]);
        // A rest of a secret may begin or end within a character.
        Cow::Owned(String::from_utf8_lossy(&redacted).into_owned())
    }

    /// What stands in place of a span.
    fn mark(&self, span: &Span) -> &str {
        span.secret.map_or("", |secret| &self.marks[secret])
    }
}

/// Adds a span that ends behind all others, or with them, to spans that don't overlap.
fn merged(mut spans: Vec<Span>, mut next: Span) -> Vec<Span> {
    while let Some(last) = spans.last().filter(|last| last.end > next.start) {
        let begins_first = last.start < next.start
            || (last.start == next.start && (last.end == next.end || last.secret.is_none()));
        next = Span {
            start: last.start.min(next.start),
            end: last.end.max(next.end),
            secret: if begins_first {
                last.secret
            } else {
                next.secret
            },
        };
        spans.pop();
    }
    spans.push(next);
    spans
}

/// How many bytes the end of `left` and the beginning of `right` have in common, at most all of
/// `right`. The failure function of Knuth, Morris and Pratt, so in linear time.
fn overlap(left: &[u8], right: &[u8]) -> usize {
    let mut borders = Vec::with_capacity(right.len());
    let mut border = 0;
    for (at, byte) in right.iter().enumerate() {
        while at > 0 && border > 0 && right[border] != *byte {
            border = borders[border - 1];
        }
        border += usize::from(at > 0 && right[border] == *byte);
        borders.push(border);
    }
    let mut matched = 0;
    for byte in left {
        while matched > 0 && right.get(matched) != Some(byte) {
            matched = borders[matched - 1];
        }
        matched += usize::from(right.get(matched) == Some(byte));
    }
    matched
}

#[cfg(test)]
mod tests;
