//! In which forms a text shows up.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

/// Bytes of the longest secret that is looked for as a whole. A longer one is looked for piece by
/// piece, so that what has to be remembered of a text stays short.
const WHOLE_BYTES_MAX: usize = 1 << 10;
/// Bytes of a piece, some less where a character would be cut.
const PIECE_BYTES: usize = 48;
/// Fewest bytes of a line that is looked for by itself: the lines of a private key have 64.
const LINE_BYTES_MIN: usize = 32;
/// Bytes of the longest secret that is looked for in its rarer forms too. Beyond it they would
/// take more memory than they are worth: what is that long is a chain of certificates.
const RARE_BYTES_MAX: usize = 8 << 10;

type Bytes = Zeroizing<Vec<u8>>;

/// Every form of a secret, perhaps some twice.
pub(super) fn of(secret: &str) -> Vec<Bytes> {
    let rare = secret.len() <= RARE_BYTES_MAX;
    let mut forms = Vec::new();
    let mut pieces = if secret.len() <= WHOLE_BYTES_MAX {
        vec![secret]
    } else {
        pieces(secret)
    };
    let alone = |line: &&str| line.len() >= LINE_BYTES_MIN && !line.contains(char::is_whitespace);
    if secret.contains('\n') && rare {
        pieces.extend(secret.lines().filter(alone));
    }
    for piece in pieces {
        forms.push(piece.as_bytes().to_vec());
        forms.extend(base64(piece.as_bytes()));
        forms.push(hex(piece, |text, byte| write!(text, "{byte:02x}")));
        forms.push(json(piece));
        if rare {
            forms.extend(rarer(piece));
        }
    }
    forms.into_iter().map(Zeroizing::new).collect()
}

/// A long text in pieces of characters, the last one as long as the others.
fn pieces(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let end = text.floor_char_boundary(at + PIECE_BYTES);
        if end == text.len() {
            at = text.floor_char_boundary(text.len() - PIECE_BYTES);
        }
        pieces.push(&text[at..end]);
        at = end;
    }
    pieces
}

fn rarer(text: &str) -> Vec<Vec<u8>> {
    let mut forms = vec![
        text.chars().rev().collect::<String>().into_bytes(),
        hex(text, |text, byte| write!(text, "{byte:02X}")),
        inner(&format!("{text:?}")),
        String::from_utf8_lossy(&json(text))
            .replace('/', "\\/")
            .into_bytes(),
        ascii_json(text),
        text.replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;")
            .replace('"', "&quot;")
            .replace('\'', "&#39;")
            .into_bytes(),
    ];
    forms.extend(percent(text));
    forms
}

/// The characters that base64 has for these bytes whatever stands before and behind them: at each
/// of the three places that a byte can have in a group, in both alphabets. A character at either
/// end that also depends on a neighbour is left out.
fn base64(bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    (0..3).flat_map(move |before| {
        let padded = [&[0; 2][..before], bytes].concat();
        let first = (8 * before).div_ceil(6);
        let last = 8 * padded.len() / 6;
        [STANDARD_NO_PAD, URL_SAFE_NO_PAD]
            .map(|alphabet| alphabet.encode(&padded).as_bytes()[first..last].to_vec())
    })
}

fn hex(text: &str, digits: impl Fn(&mut String, u8) -> std::fmt::Result) -> Vec<u8> {
    let mut hex = String::with_capacity(text.len() * 2);
    let written = text.bytes().try_for_each(|byte| digits(&mut hex, byte));
    debug_assert!(written.is_ok(), "writing to a string does not fail");
    hex.into_bytes()
}

fn json(text: &str) -> Vec<u8> {
    inner(&serde_json::Value::from(text).to_string())
}

/// JSON as those write it who keep to ASCII.
fn ascii_json(text: &str) -> Vec<u8> {
    let mut ascii = String::new();
    let mut units = [0; 2];
    for c in String::from_utf8_lossy(&json(text)).chars() {
        if c.is_ascii() {
            ascii.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut units) {
            let written = write!(ascii, "\\u{unit:04x}");
            debug_assert!(written.is_ok(), "writing to a string does not fail");
        }
    }
    ascii.into_bytes()
}

/// Percent-encoded: by those who leave alone what RFC 3986 calls unreserved, what JavaScript's
/// `encodeURIComponent` does, what a form does, and nothing; in digits of either case.
fn percent(text: &str) -> impl Iterator<Item = Vec<u8>> {
    let encode = |keeps: fn(u8) -> bool, plus: bool, upper: bool| {
        let mut encoded = String::with_capacity(text.len() * 3);
        for byte in text.bytes() {
            let written = match byte {
                b' ' if plus => encoded.write_char('+'),
                byte if keeps(byte) => encoded.write_char(char::from(byte)),
                byte if upper => write!(encoded, "%{byte:02X}"),
                byte => write!(encoded, "%{byte:02x}"),
            };
            debug_assert!(written.is_ok(), "writing to a string does not fail");
        }
        encoded.into_bytes()
    };
    let unreserved = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
    let component = |b: u8| b.is_ascii_alphanumeric() || b"-._~!*'()".contains(&b);
    let form = |b: u8| b.is_ascii_alphanumeric() || b"-._*".contains(&b);
    let mut forms = Vec::new();
    for upper in [true, false] {
        forms.push(encode(unreserved, false, upper));
        forms.push(encode(component, false, upper));
        forms.push(encode(form, true, upper));
        forms.push(encode(|_| false, false, upper));
    }
    forms.into_iter()
}

/// Without the quotes around it.
fn inner(quoted: &str) -> Vec<u8> {
    quoted.as_bytes()[1..quoted.len() - 1].to_vec()
}
