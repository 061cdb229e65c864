//! What the headers of a request say, and that the body says the same.

use http::header::ACCEPT;
use http::{HeaderMap, HeaderName};
use rmcp::model::{ErrorData, ProtocolVersion};
use serde_json::Value;

use crate::door::CALL;
use crate::message::Request;
use crate::version;

pub(crate) const SESSION: HeaderName = HeaderName::from_static("mcp-session-id");
pub(crate) const VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");
const METHOD: HeaderName = HeaderName::from_static("mcp-method");
const NAME: HeaderName = HeaderName::from_static("mcp-name");

/// Around a header's value that could not stand there as it is.
const ENCODED: (&str, &str) = ("=?base64?", "?=");

/// Which forms of an answer a client takes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Accepts {
    pub(crate) json: bool,
    pub(crate) stream: bool,
}

impl Accepts {
    /// A client that doesn't say takes JSON; a weight of zero means that it doesn't.
    pub(crate) fn read(headers: &HeaderMap) -> Self {
        let mut accepts = Self {
            json: !headers.contains_key(ACCEPT),
            stream: false,
        };
        let values = headers.get_all(ACCEPT).iter();
        let ranges = values.filter_map(|value| value.to_str().ok());
        for range in ranges.flat_map(|value| value.split(',')) {
            let mut parts = range.split(';').map(str::trim);
            let essence = parts.next().unwrap_or_default();
            if parts.any(is_zero_weight) {
                continue;
            }
            let is = |name: &str| essence.eq_ignore_ascii_case(name);
            accepts.json |= is("application/json") || is("application/*") || is("*/*");
            accepts.stream |= is("text/event-stream");
        }
        accepts
    }
}

fn is_zero_weight(part: &str) -> bool {
    let weight = part.strip_prefix("q=").or(part.strip_prefix("Q="));
    weight.is_some_and(|weight| weight.parse::<f32>().is_ok_and(|weight| weight == 0.0))
}

/// The revision that the header names, if it is there.
pub(crate) fn version(headers: &HeaderMap) -> Result<Option<ProtocolVersion>, ErrorData> {
    only(headers, &VERSION)?.map(version::known).transpose()
}

/// A header that stands at most once, as text.
pub(crate) fn only<'h>(
    headers: &'h HeaderMap,
    name: &HeaderName,
) -> Result<Option<&'h str>, ErrorData> {
    let mut values = headers.get_all(name).iter();
    let Some(first) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(mismatch(format!("the header `{name}` stands twice")));
    }
    let text = first.to_str();
    text.map(|text| Some(text.trim()))
        .map_err(|_| mismatch(format!("the header `{name}` is not plain text")))
}

/// Checks that the headers of a request say what its body does, for whoever stands between and
/// goes by the headers.
///
/// **Errors**: `-32020`.
pub(crate) fn check(headers: &HeaderMap, request: &Request) -> Result<(), ErrorData> {
    agree(headers, &METHOD, &request.method)?;
    match request.params.get("name") {
        Some(Value::String(name)) if request.method == CALL => agree(headers, &NAME, name),
        _ => Ok(()),
    }
}

fn agree(headers: &HeaderMap, name: &HeaderName, said: &str) -> Result<(), ErrorData> {
    let Some(value) = only(headers, name)? else {
        return Err(mismatch(format!("the header `{name}` is missing")));
    };
    let agrees = match encoded(value) {
        None => value == said,
        Some(text) => decoded(text).is_some_and(|bytes| bytes == said.as_bytes()),
    };
    if agrees {
        return Ok(());
    }
    Err(mismatch(format!(
        "the header `{name}` says something else than the body"
    )))
}

/// `-32020`: header and body differ.
pub(crate) fn mismatch(reason: String) -> ErrorData {
    ErrorData::header_mismatch(reason, None)
}

fn encoded(value: &str) -> Option<&str> {
    value.strip_prefix(ENCODED.0)?.strip_suffix(ENCODED.1)
}

/// Base64 with the standard letters and padding, in its one form.
fn decoded(text: &str) -> Option<Vec<u8>> {
    let text = text.as_bytes();
    if !text.len().is_multiple_of(4) {
        return None;
    }
    let padding = text.iter().rev().take_while(|byte| **byte == b'=').count();
    let letters = text.get(..text.len() - padding).filter(|_| padding <= 2)?;
    let mut bytes = Vec::with_capacity(letters.len());
    for group in letters.chunks(4) {
        let mut bits = 0_u32;
        for letter in group {
            bits = bits << 6 | sextet(*letter)?;
        }
        let missing = 4 - group.len();
        bits <<= 6 * missing;
        let [_, three @ ..] = bits.to_be_bytes();
        let (kept, dropped) = three.split_at_checked(3 - missing)?;
        if dropped.iter().any(|byte| *byte != 0) {
            return None;
        }
        bytes.extend_from_slice(kept);
    }
    Some(bytes)
}

fn sextet(letter: u8) -> Option<u32> {
    let value = match letter {
        b'A'..=b'Z' => letter - b'A',
        b'a'..=b'z' => letter - b'a' + 26,
        b'0'..=b'9' => letter - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    };
    Some(value.into())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use serde_json::json;

    use super::*;

    #[test]
    fn base64_is_read_in_its_one_form() {
        for (text, bytes) in [
            ("", Some("")),
            ("Zg==", Some("f")),
            ("Zm8=", Some("fo")),
            ("Zm9v", Some("foo")),
            ("ZmlsZXMtcmVhZA==", Some("files-read")),
            ("Zh==", None),
            ("Zm9=", None),
            ("Zg", None),
            ("Zg=", None),
            ("Z===", None),
            ("====", None),
            ("Zg==Zg==", None),
            ("Zm 9v", None),
            ("Zm-_", None),
        ] {
            assert_eq!(
                decoded(text),
                bytes.map(|text| text.as_bytes().to_vec()),
                "{text}"
            );
        }
    }

    fn call(headers: &[(&'static str, &'static str)]) -> Result<(), ErrorData> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_static(value));
        }
        let params = json!({"name": "files-read"});
        let request = Request {
            id: rmcp::model::RequestId::Number(1),
            method: CALL.to_owned(),
            params: params.as_object().expect("an object").clone(),
        };
        check(&map, &request)
    }

    #[test]
    fn headers_say_what_the_body_does() {
        let method = ("mcp-method", "tools/call");
        let name = ("mcp-name", "files-read");
        for right in [
            [method, name],
            [method, ("mcp-name", " files-read\t")],
            [method, ("mcp-name", "=?base64?ZmlsZXMtcmVhZA==?=")],
        ] {
            assert_eq!(call(&right), Ok(()), "{right:?}");
        }
        for wrong in [
            vec![],
            vec![method],
            vec![name],
            vec![method, name, name],
            vec![method, method, name],
            vec![("mcp-method", "TOOLS/CALL"), name],
            vec![("mcp-method", "tools/list"), name],
            vec![method, ("mcp-name", "Files-read")],
            vec![method, ("mcp-name", "files-write")],
            vec![method, ("mcp-name", "=?base64?ZmlsZXMtd3JpdGU=?=")],
            vec![method, ("mcp-name", "=?base64?ZmlsZXMtcmVhZA?=")],
            vec![method, ("mcp-name", "=?BASE64?ZmlsZXMtcmVhZA==?=")],
        ] {
            let error = call(&wrong).expect_err("refused");
            assert_eq!(error.code.0, -32020, "{wrong:?}");
        }
    }

    #[test]
    fn what_a_client_accepts() {
        for (accept, json, stream) in [
            (None, true, false),
            (Some("application/json, text/event-stream"), true, true),
            (Some("text/event-stream"), false, true),
            (Some("TEXT/EVENT-STREAM;q=0.5, */*"), true, true),
            (Some("application/json;q=0, text/html"), false, false),
            (Some("application/*"), true, false),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(accept) = accept {
                headers.insert(ACCEPT, HeaderValue::from_static(accept));
            }
            assert_eq!(
                Accepts::read(&headers),
                Accepts { json, stream },
                "{accept:?}"
            );
        }
    }
}
