//! Bytes to text, by the rules of the web: a byte order mark decides, then what the server says,
//! then what a page says of itself, then whether it is UTF-8, then what old pages mean.

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

use crate::content::Content;

/// Where a page may say its own encoding (WHATWG HTML, "prescan a byte stream").
const PRESCAN_BYTES: usize = 1024;

/// The encoding that a `content-type` names, when it is one of the web's.
pub(crate) fn declared(content_type: &str) -> Option<&'static Encoding> {
    content_type
        .split(';')
        .skip(1)
        .filter_map(|parameter| parameter.split_once('='))
        .find(|(name, _)| name.trim().eq_ignore_ascii_case("charset"))
        .and_then(|(_, value)| Encoding::for_label(value.trim().trim_matches('"').as_bytes()))
}

/// Nothing when the bytes are not text. What a declared encoding can't read becomes U+FFFD.
pub(crate) fn decode(
    body: &[u8],
    declared: Option<&'static Encoding>,
    content: Content,
    truncated: bool,
) -> Option<String> {
    if let Some((encoding, mark)) = Encoding::for_bom(body) {
        return Some(read(encoding, &body[mark..]));
    }
    if let Some(encoding) = declared {
        return Some(read(encoding, body));
    }
    let of_page = match content {
        Content::Html => in_page(body),
        Content::Text | Content::Bytes => None,
    };
    match (of_page, content) {
        (Some(encoding), _) => Some(read(encoding, body)),
        (None, _) if is_utf8(body, truncated) => Some(read(UTF_8, body)),
        (None, Content::Html | Content::Text) => Some(read(WINDOWS_1252, body)),
        (None, Content::Bytes) => None,
    }
}

/// True for UTF-8; a last character may be cut where the body is.
pub(crate) fn is_utf8(body: &[u8], truncated: bool) -> bool {
    match std::str::from_utf8(body) {
        Ok(_) => true,
        Err(error) => truncated && error.error_len().is_none(),
    }
}

fn read(encoding: &'static Encoding, body: &[u8]) -> String {
    encoding.decode_without_bom_handling(body).0.into_owned()
}

/// What a page's `<meta>` says.
fn in_page(body: &[u8]) -> Option<&'static Encoding> {
    let start = body[..body.len().min(PRESCAN_BYTES)].to_ascii_lowercase();
    let start = String::from_utf8_lossy(&start).into_owned();
    let label = start
        .split("<meta")
        .skip(1)
        .filter_map(|rest| rest.split('>').next())
        .find_map(label)?;
    // It was read as bytes of ASCII, so it can't be UTF-16, whatever it says.
    match Encoding::for_label(label.as_bytes())? {
        encoding if encoding == UTF_16LE || encoding == UTF_16BE => Some(UTF_8),
        encoding => Some(encoding),
    }
}

/// The value after `charset=`.
fn label(tag: &str) -> Option<&str> {
    let after = tag.split("charset").nth(1)?.trim_start();
    let value = after.strip_prefix('=')?.trim_start();
    let value = value.trim_start_matches(['"', '\'']);
    let end = value.find(|c: char| matches!(c, '"' | '\'' | ';' | '/') || c.is_whitespace());
    Some(&value[..end.unwrap_or(value.len())])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(content_type: &str, body: &[u8], content: Content, expected: Option<&str>) {
        let text = decode(body, declared(content_type), content, false);
        assert_eq!(text.as_deref(), expected, "{content_type} {body:?}");
    }

    #[test]
    fn the_first_that_says_something_decides() {
        let text = Content::Text;
        check("", "käse".as_bytes(), text, Some("käse"));
        check("", b"k\xe4se", text, Some("käse"));
        check(
            "text/plain; charset=ISO-8859-1",
            b"k\xe4se",
            text,
            Some("käse"),
        );
        check(
            "text/plain;Charset=\"shift_jis\"",
            b"\x83\x65",
            text,
            Some("テ"),
        );
        check(
            "text/plain; charset=nonsense",
            b"k\xe4se",
            text,
            Some("käse"),
        );
        check(
            "text/plain; charset=utf-8",
            b"k\xe4se",
            text,
            Some("k\u{fffd}se"),
        );
        check(
            "text/plain; charset=shift_jis",
            b"\xef\xbb\xbfa",
            text,
            Some("a"),
        );
        check("", b"\xff\xfea\0", text, Some("a"));
    }

    #[test]
    fn a_page_may_say_it_itself() {
        let html = Content::Html;
        for meta in [
            "<meta charset=koi8-r>",
            "<META CHARSET='KOI8-R' />",
            "<meta name=a><meta http-equiv=\"Content-Type\" content=\"text/html; charset=koi8-r\">",
        ] {
            let body = [meta.as_bytes(), b"\xd4"].concat();
            let expected = format!("{meta}т");
            check("text/html", &body, html, Some(&expected));
        }
        check(
            "",
            b"<meta charset=utf-16>a",
            html,
            Some("<meta charset=utf-16>a"),
        );
    }

    #[test]
    fn bytes_are_no_text() {
        check("", b"\x89PNG\xff", Content::Bytes, None);
        check("", b"plain", Content::Bytes, Some("plain"));
    }
}
