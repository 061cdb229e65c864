//! Paths of requests in one spelling, and the globs that cover them.

use std::fmt;
use std::str::FromStr;

use super::target::Malformed;

/// The path of a request, as it is both decided about and sent.
///
/// **Shape**: starts with `/`; no empty segment but the last; no `.` or `..`; percent signs only
/// where RFC 3986 needs them, with upper-case digits.
///
/// **Errors** of [`Self::normalised`]: what some server could read as another path. Encoded
/// slashes, backslashes, control characters and percent signs that hide a second encoding; empty
/// segments; dot segments with parameters; characters that have to be encoded.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Path(String);

impl Path {
    /// Most bytes of a path: what common servers take for a whole request line.
    const MAX: usize = 8 << 10;

    /// The one spelling of a path; an empty one is `/`.
    pub fn normalised(text: &str) -> Result<Self, Malformed> {
        if text.is_empty() {
            return Ok(Self("/".to_owned()));
        }
        if text.len() > Self::MAX {
            return Err(Malformed("the path is too long"));
        }
        let decoded = decode(text)?;
        let mut segments = Vec::new();
        let parts = decoded
            .strip_prefix('/')
            .ok_or(Malformed("the path does not start with `/`"))?;
        let mut parts = parts.split('/').peekable();
        while let Some(part) = parts.next() {
            let is_last = parts.peek().is_none();
            match part {
                "" if !is_last => return Err(Malformed("the path has an empty segment")),
                "." | ".." => {
                    if part == ".." {
                        segments.pop();
                    }
                    if is_last {
                        segments.push("");
                    }
                }
                _ if is_dotted(part) => {
                    return Err(Malformed("a dot segment of the path has parameters"));
                }
                _ => segments.push(part),
            }
        }
        Ok(Self(format!("/{}", segments.join("/"))))
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn segments(&self) -> Vec<&str> {
        self.0.split('/').skip(1).collect()
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// True for `.;x` and `..;x`, which some servers read as `.` and `..`.
fn is_dotted(segment: &str) -> bool {
    segment
        .split_once(';')
        .is_some_and(|(name, _)| matches!(name, "." | ".."))
}

/// Takes out the percent-encoding that nothing needs.
fn decode(text: &str) -> Result<String, Malformed> {
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        match first {
            b'%' => {
                let [high, low, tail @ ..] = rest else {
                    return Err(Malformed(
                        "a percent sign of the path is not followed by two digits",
                    ));
                };
                let byte = hex(*high).zip(hex(*low)).map(|(high, low)| high << 4 | low);
                let byte = byte.ok_or(Malformed(
                    "a percent sign of the path is not followed by two digits",
                ))?;
                rest = tail;
                encoded(byte, &mut decoded)?;
            }
            b'/' => decoded.push('/'),
            byte if is_plain(*byte) => decoded.push(char::from(*byte)),
            _ => {
                return Err(Malformed(
                    "a character of the path has to be percent-encoded",
                ));
            }
        }
    }
    // Also where the digits behind were encoded themselves.
    let hides =
        |rest: &str| matches!(rest.as_bytes(), [a, b, ..] if hex(*a).and(hex(*b)).is_some());
    if decoded.split("%25").skip(1).any(hides) {
        return Err(Malformed("the path is encoded twice"));
    }
    Ok(decoded)
}

fn encoded(byte: u8, decoded: &mut String) -> Result<(), Malformed> {
    match byte {
        b'/' | b'\\' => Err(Malformed("the path has an encoded slash")),
        0..=0x1f | 0x7f => Err(Malformed("the path has an encoded control character")),
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            decoded.push(char::from(byte));
            Ok(())
        }
        _ => {
            const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
            decoded.push('%');
            for nibble in [byte >> 4, byte & 0xf] {
                decoded.push(char::from(DIGITS[usize::from(nibble)]));
            }
            Ok(())
        }
    }
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}

/// What RFC 3986 lets stand in a segment as it is.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@".contains(&byte)
}

/// Which paths an entry covers.
///
/// **Shape**: a path in which `*` stands for any characters within one segment that is not empty,
/// and a segment `**` for any number of segments, at the end for at least one: `/v1/**` is
/// everything below `/v1/`, and not `/v1`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathPattern(Path);

impl PathPattern {
    /// Every path.
    pub(super) fn any() -> Self {
        Self(Path("/**".to_owned()))
    }

    /// True when it covers the path.
    pub fn covers(&self, path: &Path) -> bool {
        spans(&self.0.segments(), &path.segments())
    }

    /// True when it covers the path, read as a deny: also as servers read it that drop parameters
    /// (`/admin;x` is `/admin`).
    pub fn spans(&self, path: &Path) -> bool {
        let segments = path.segments();
        let bare: Vec<&str> = segments
            .iter()
            .map(|segment| segment.split(';').next().unwrap_or_default())
            .collect();
        spans(&self.0.segments(), &segments) || spans(&self.0.segments(), &bare)
    }
}

impl FromStr for PathPattern {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let path = Path::normalised(text)?;
        if path.as_str() != text {
            return Err(Malformed("the path is not in its normal form"));
        }
        let mixed = |segment: &&str| segment.contains("**") && *segment != "**";
        if path.segments().iter().any(mixed) {
            return Err(Malformed("`**` has to be a segment of its own"));
        }
        Ok(Self(path))
    }
}

impl fmt::Display for PathPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Row by row: whether the pattern up to here covers the first so many segments. Time is the
/// product of both lengths, whatever the pattern.
fn spans(pattern: &[&str], segments: &[&str]) -> bool {
    let mut reached: Vec<bool> = vec![false; segments.len() + 1];
    reached[0] = true;
    for (at, part) in pattern.iter().enumerate() {
        let is_last = at + 1 == pattern.len();
        let mut next = vec![false; segments.len() + 1];
        if *part == "**" {
            let mut any = false;
            for (count, cell) in next.iter_mut().enumerate() {
                *cell = if is_last { any } else { any || reached[count] };
                any |= reached[count];
            }
        } else {
            for (count, segment) in segments.iter().enumerate() {
                next[count + 1] = reached[count] && spans_segment(part, segment);
            }
        }
        reached = next;
    }
    reached[segments.len()]
}

/// `*` is any run of characters; an empty segment is covered by an empty pattern alone.
fn spans_segment(pattern: &str, segment: &str) -> bool {
    if segment.is_empty() || !pattern.contains('*') {
        return pattern == segment;
    }
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| segment.strip_prefix(first)) else {
        return false;
    };
    let mut parts: Vec<&str> = parts.collect();
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        let Some(at) = rest.find(part) else {
            return false;
        };
        rest = &rest[at + part.len()..];
    }
    rest.len() >= last.len() && rest.ends_with(last)
}
