//! What a relay has to know of a message, and those that it writes itself.

use cofferdam_server::types::{Code, Failure};
use reqwest::header::HeaderValue;
use serde_json::{Map, Value, json};

/// In `_meta`: the revision that a request speaks, from the one on that has no handshake.
const VERSION_KEY: &str = "io.modelcontextprotocol/protocolVersion";
/// The first revision whose requests say in headers what they are.
const FIRST_STATELESS: &str = "2026-07-28";
/// Of JSON-RPC: a line that is no JSON.
const PARSE_ERROR: i32 = -32700;
/// Of JSON-RPC: JSON that is no message.
const INVALID_REQUEST: i32 = -32600;
/// Something of the host that JSON-RPC has no word for; `data.code` says what.
const SERVER_ERROR: i32 = -32000;

/// A message of the client.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Message {
    /// Wants an answer.
    Request { id: Value, head: Head },
    /// Wants none: a notification, or an answer to the host.
    Told { head: Head, cancels: Option<Value> },
}

/// What the headers say of a message.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Head {
    pub(super) method: String,
    /// What it is about: a tool, a prompt or a resource.
    pub(super) name: Option<String>,
    /// The revision, when the message says so itself.
    pub(super) version: Option<String>,
}

impl Message {
    /// Reads a line.
    ///
    /// **Errors**: the line that answers it.
    pub(super) fn read(line: &[u8]) -> Result<Self, String> {
        let value: Value = serde_json::from_slice(line)
            .map_err(|error| refusal(&Value::Null, PARSE_ERROR, &format!("no JSON: {error}")))?;
        let Value::Object(message) = value else {
            let reason = "a message is a JSON object";
            return Err(refusal(&Value::Null, INVALID_REQUEST, reason));
        };
        let head = Head::of(&message);
        let id = message.get("id").filter(|id| !id.is_null());
        match id {
            Some(id) if message.contains_key("method") => Ok(Self::Request {
                id: id.clone(),
                head,
            }),
            _ => {
                let is_cancel = head.method == "notifications/cancelled";
                let params = message.get("params").filter(|_| is_cancel);
                let cancels = params.and_then(|params| params.get("requestId")).cloned();
                Ok(Self::Told { head, cancels })
            }
        }
    }
}

impl Head {
    fn of(message: &Map<String, Value>) -> Self {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let params = message.get("params").unwrap_or(&Value::Null);
        let method = message.get("method").and_then(text).unwrap_or_default();
        let name = match method.as_str() {
            "tools/call" | "prompts/get" => text(&params["name"]),
            "resources/read" => text(&params["uri"]),
            _ => None,
        };
        Self {
            name,
            version: text(&params["_meta"][VERSION_KEY]),
            method,
        }
    }

    /// True for the request that opens a session.
    pub(super) fn is_handshake(&self) -> bool {
        self.method == "initialize"
    }

    /// True when the headers have to say what the message is.
    pub(super) fn is_stateless(&self) -> bool {
        let version = self.version.as_deref();
        version.is_some_and(|version| version >= FIRST_STATELESS)
    }
}

/// A text as a header's value, encoded where it could not stand there as it is.
pub(super) fn header(text: &str) -> HeaderValue {
    let is_plain = text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    let is_trimmed = text.trim() == text && !text.starts_with("=?base64?");
    let plain = HeaderValue::from_str(text).ok();
    let plain = plain.filter(|_| is_plain && is_trimmed);
    plain.unwrap_or_else(|| {
        let encoded = format!("=?base64?{}?=", base64(text.as_bytes()));
        HeaderValue::from_str(&encoded).unwrap_or(HeaderValue::from_static(""))
    })
}

/// Base64 with the standard letters and padding.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let at = |index: usize| u32::from(group.get(index).copied().unwrap_or(0));
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for place in 0..4 {
            let letter = LETTERS[(bits >> (18 - 6 * place) & 63) as usize];
            text.push(if place <= group.len() {
                letter.into()
            } else {
                '='
            });
        }
    }
    text
}

/// The answer to a request that did not come to the host, or whose answer did not come back.
pub(super) fn failed(id: &Value, failure: &Failure) -> String {
    let code = match failure.code {
        Code::InvalidInput => INVALID_REQUEST,
        _ => SERVER_ERROR,
    };
    json!({
        "jsonrpc": "2.0", "id": id,
        "error": {
            "code": code, "message": failure.message,
            "data": {"code": failure.code.as_str(), "details": failure.details},
        },
    })
    .to_string()
}

/// The answer to a line that is longer than a message may be.
pub(super) fn too_long(bytes_max: usize) -> String {
    let reason = format!("a message has at most {bytes_max} bytes");
    refusal(&Value::Null, INVALID_REQUEST, &reason)
}

fn refusal(id: &Value, code: i32, reason: &str) -> String {
    json!({"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": reason}}).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &Value) -> Message {
        Message::read(value.to_string().as_bytes()).expect("a message")
    }

    #[test]
    fn a_message_says_what_its_headers_have_to() {
        let call = json!({
            "jsonrpc": "2.0", "id": "a", "method": "tools/call",
            "params": {"name": "t", "_meta": {VERSION_KEY: "2026-07-28"}},
        });
        let head = Head {
            method: "tools/call".to_owned(),
            name: Some("t".to_owned()),
            version: Some("2026-07-28".to_owned()),
        };
        assert!(head.is_stateless());
        assert_eq!(
            read(&call),
            Message::Request {
                id: json!("a"),
                head
            }
        );
        let older = json!({"id": 1, "method": "tools/call", "params": {"name": "t"}});
        let Message::Request { head, .. } = read(&older) else {
            panic!("a request");
        };
        assert!(!head.is_stateless());
        let told = json!({"method": "notifications/cancelled", "params": {"requestId": 7}});
        let Message::Told { cancels, .. } = read(&told) else {
            panic!("a notification");
        };
        assert_eq!(cancels, Some(json!(7)));
        let answer = json!({"id": 1, "result": {}});
        assert!(matches!(read(&answer), Message::Told { cancels: None, .. }));
        for (line, code) in [
            ("{", PARSE_ERROR),
            ("[]", INVALID_REQUEST),
            ("1", INVALID_REQUEST),
        ] {
            let refused = Message::read(line.as_bytes()).expect_err("no message");
            let refused: Value = serde_json::from_str(&refused).expect("JSON");
            assert_eq!(refused["error"]["code"], code, "{line}");
        }
    }

    #[test]
    fn what_a_header_can_not_hold_is_encoded() {
        for (text, value) in [
            ("files-read", "files-read"),
            ("a b", "a b"),
            ("", ""),
            (" a", "=?base64?IGE=?="),
            ("ä", "=?base64?w6Q=?="),
            ("a\nb", "=?base64?YQpi?="),
            ("=?base64?x?=", "=?base64?PT9iYXNlNjQ/eD89?="),
            ("äöü", "=?base64?w6TDtsO8?="),
        ] {
            assert_eq!(header(text), value, "{text:?}");
        }
    }
}
