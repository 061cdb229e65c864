//! The redactor once more, as simply as possible and by other means: every form is tried at every
//! byte, and base64 is found by encoding the secret between all kinds of neighbours and keeping
//! what never changes.

use std::collections::BTreeSet;

use cofferdam_types::{SecretName, SecretValue};

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

pub(super) struct Model {
    forms: Vec<(String, Vec<u8>)>,
    merges: bool,
}

impl Model {
    pub(super) fn new(secrets: &[(SecretName, SecretValue)]) -> Self {
        Self::of(secrets, &[0, 1, 2], true)
    }

    pub(super) fn without_an_alignment(secrets: &[(SecretName, SecretValue)]) -> Self {
        Self::of(secrets, &[0, 2], true)
    }

    pub(super) fn without_merging(secrets: &[(SecretName, SecretValue)]) -> Self {
        Self::of(secrets, &[0, 1, 2], false)
    }

    fn of(secrets: &[(SecretName, SecretValue)], alignments: &[usize], merges: bool) -> Self {
        let mut sorted: Vec<_> = secrets.to_vec();
        sorted.sort_by(|a, b| a.0.cmp(&b.0));
        let forms = sorted
            .iter()
            .flat_map(|(name, value)| {
                let text = value.reveal();
                let base = alignments.iter().flat_map(|before| {
                    [false, true].map(|url| stable(text.as_bytes(), *before, url))
                });
                let all: BTreeSet<_> = examples(text)
                    .into_iter()
                    .map(String::into_bytes)
                    .chain(base)
                    .collect();
                all.into_iter()
                    .map(|form| (name.to_string(), form))
                    .collect::<Vec<_>>()
            })
            .collect();
        Self { forms, merges }
    }

    pub(super) fn redact(&self, text: &str) -> String {
        let bytes = text.as_bytes();
        // The longest form at each byte, of the first secret that has it.
        let longest = |at: usize| {
            let here = self
                .forms
                .iter()
                .filter(|(_, form)| bytes[at..].starts_with(form));
            here.fold(None::<&(String, Vec<u8>)>, |best, next| match best {
                Some(best) if best.1.len() >= next.1.len() => Some(best),
                _ => Some(next),
            })
        };
        let mut redacted = Vec::new();
        let mut covered = 0;
        #[expect(
            clippy::needless_range_loop,
            reason = "the index is the place in the text"
        )]
        for at in 0..bytes.len() {
            let found = longest(at).filter(|_| self.merges || at >= covered);
            if let Some((name, form)) = found {
                if at >= covered {
                    redacted.extend_from_slice(format!("[redacted:{name}]").as_bytes());
                }
                covered = covered.max(at + form.len());
            }
            if at >= covered {
                redacted.push(bytes[at]);
            }
        }
        String::from_utf8(redacted).expect("text")
    }
}

/// Every form but those of base64, which depend on their neighbours.
pub(super) fn examples(text: &str) -> Vec<String> {
    let json = serde_json::to_string(text).expect("a text");
    let json = json[1..json.len() - 1].to_owned();
    let ascii: String = json
        .encode_utf16()
        .map(|unit| match u8::try_from(unit) {
            Ok(byte) if byte.is_ascii() => char::from(byte).to_string(),
            _ => format!("\\u{unit:04x}"),
        })
        .collect();
    let debug = format!("{text:?}");
    let html: String = text
        .chars()
        .map(|c| match c {
            '&' => "&amp;".to_owned(),
            '<' => "&lt;".to_owned(),
            '>' => "&gt;".to_owned(),
            '"' => "&quot;".to_owned(),
            '\'' => "&#39;".to_owned(),
            c => c.to_string(),
        })
        .collect();
    let mut all = vec![
        text.to_owned(),
        text.chars().rev().collect(),
        json.replace('/', "\\/"),
        json,
        ascii,
        debug[1..debug.len() - 1].to_owned(),
        html,
        hex(text.as_bytes(), b"0123456789abcdef"),
        hex(text.as_bytes(), b"0123456789ABCDEF"),
    ];
    for kept in ["-._~", "-._~!*'()", "-._*+", "none"] {
        let encoded: String = text
            .bytes()
            .map(|b| match char::from(b) {
                ' ' if kept == "-._*+" => "+".to_owned(),
                c if kept != "none" && c.is_ascii_alphanumeric() => c.to_string(),
                '+' => "%2B".to_owned(),
                c if kept != "none" && kept.contains(c) => c.to_string(),
                _ => format!("%{b:02X}"),
            })
            .collect();
        let mut lower = String::new();
        let mut digits = 0;
        for c in encoded.chars() {
            lower.push(if digits > 0 {
                c.to_ascii_lowercase()
            } else {
                c
            });
            digits = if c == '%' { 2 } else { i32::max(digits - 1, 0) };
        }
        all.extend([encoded, lower]);
    }
    all
}

/// What base64 writes for these bytes behind `before` others, whatever stands around them.
fn stable(bytes: &[u8], before: usize, url: bool) -> Vec<u8> {
    let around = [0x00, 0xff, 0x5a];
    let encodings: Vec<Vec<u8>> = around
        .iter()
        .flat_map(|left| {
            around.map(|right| encode(&[&vec![*left; before], bytes, &[right; 3]].concat()))
        })
        .collect();
    let same = |at: &usize| encodings.iter().all(|one| one[*at] == encodings[0][*at]);
    (0..encodings[0].len())
        .filter(same)
        .map(|at| match encodings[0][at] {
            b'+' if url => b'-',
            b'/' if url => b'_',
            digit => digit,
        })
        .collect()
}

/// Base64 bit by bit; what doesn't fill a digit is left out.
fn encode(bytes: &[u8]) -> Vec<u8> {
    let bits: Vec<usize> = bytes
        .iter()
        .flat_map(|byte| (0..8).rev().map(move |bit| usize::from(byte >> bit & 1)))
        .collect();
    bits.chunks_exact(6)
        .map(|six| ALPHABET[six.iter().fold(0, |digit, bit| digit * 2 + bit)])
        .collect()
}
fn hex(bytes: &[u8], digits: &[u8; 16]) -> String {
    let digit = |at: u8| char::from(digits[usize::from(at)]);
    let digits = bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]);
    digits.collect()
}
