//! JSON-RPC messages as they come in.

use cofferdam_types::Failure;
use cofferdam_wire::strict;
use rmcp::model::{ErrorData, RequestId};
use serde_json::{Map, Value, json};

/// Longest id that is a text, in bytes: it is repeated in the answer. Clients use UUIDs and numbers.
const ID_BYTES_MAX: usize = 256;

/// What a client sent.
#[derive(Debug)]
pub(crate) enum Message {
    /// Wants an answer.
    Request(Request),
    /// Wants none.
    Notification(Notification),
}

/// What has to be answered, under its id.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) id: RequestId,
    pub(crate) method: String,
    pub(crate) params: Map<String, Value>,
}

/// What is only told.
#[derive(Debug)]
pub(crate) struct Notification {
    pub(crate) method: String,
    pub(crate) params: Map<String, Value>,
}

/// A message that can't be acted on, and its id if that much could be read.
#[derive(Debug, PartialEq)]
pub(crate) struct Refused {
    pub(crate) id: Option<RequestId>,
    pub(crate) error: ErrorData,
}

/// Reads one message, strictly: names are taken as they are spelt, and a key that stands twice
/// anywhere is refused, so that nobody on the way can have understood something else.
pub(crate) fn read(bytes: &[u8]) -> Result<Message, Refused> {
    let value = strict::parse(bytes).map_err(|failure| unreadable(&failure))?;
    let Value::Object(mut fields) = value else {
        return Err(invalid(
            None,
            "a message is one object; batches are not taken",
        ));
    };
    let id = match fields.remove("id") {
        None => None,
        Some(value) => Some(id(value).map_err(|reason| invalid(None, reason))?),
    };
    if fields.get("jsonrpc").and_then(Value::as_str) != Some("2.0") {
        return Err(invalid(id, "`jsonrpc` is \"2.0\""));
    }
    let method = match fields.remove("method") {
        Some(Value::String(method)) => method,
        Some(_) => return Err(invalid(id, "`method` is a text")),
        None if fields.contains_key("result") || fields.contains_key("error") => {
            return Err(invalid(
                None,
                "this answers no request: this host sends none",
            ));
        }
        None => return Err(invalid(id, "`method` is missing")),
    };
    let params = match fields.remove("params") {
        None => Map::new(),
        Some(Value::Object(params)) => params,
        Some(_) => {
            let error = ErrorData::invalid_params("`params` is an object", None);
            return Err(Refused { id, error });
        }
    };
    Ok(match id {
        Some(id) => Message::Request(Request { id, method, params }),
        None => Message::Notification(Notification { method, params }),
    })
}

/// An id: a text or a whole number, never null.
pub(crate) fn id(value: Value) -> Result<RequestId, &'static str> {
    match value {
        Value::String(text) if text.len() <= ID_BYTES_MAX => Ok(RequestId::String(text.into())),
        Value::String(_) => Err("`id` has at most 256 bytes"),
        Value::Number(number) => {
            let whole = number.as_i64().map(RequestId::Number);
            whole.ok_or("`id` is a whole number of 64 bits")
        }
        _ => Err("`id` is a text or a whole number"),
    }
}

fn unreadable(failure: &Failure) -> Refused {
    let data = json!({"code": failure.code.as_str(), "details": failure.details});
    Refused {
        id: None,
        error: ErrorData::parse_error(failure.message.clone(), Some(data)),
    }
}

fn invalid(id: Option<RequestId>, reason: &'static str) -> Refused {
    Refused {
        id,
        error: ErrorData::invalid_request(reason, None),
    }
}

#[cfg(test)]
mod tests {
    use rmcp::model::ErrorCode;

    use super::*;

    #[track_caller]
    fn refused(text: &str, code: ErrorCode, id: Option<RequestId>) {
        let refused = read(text.as_bytes()).expect_err(text);
        assert_eq!((refused.error.code, refused.id), (code, id), "{text}");
    }

    #[test]
    fn what_is_no_message() {
        let some = || Some(RequestId::Number(7));
        for text in [
            "",
            "{",
            "\u{feff}{}",
            r#"{"jsonrpc":"2.0","id":1,"method":"ping","method":"ping"}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":{"b":1,"b":2}}}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"ping"} {}"#,
        ] {
            refused(text, ErrorCode::PARSE_ERROR, None);
        }
        for text in [
            "[]",
            r#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#,
            "null",
            "1",
            r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#,
            r#"{"jsonrpc":"2.0","id":1.5,"method":"ping"}"#,
            r#"{"jsonrpc":"2.0","id":1e300,"method":"ping"}"#,
            r#"{"jsonrpc":"2.0","id":9223372036854775808,"method":"ping"}"#,
            r#"{"jsonrpc":"2.0","id":true,"method":"ping"}"#,
            r#"{"jsonrpc":"2.0","id":[1],"method":"ping"}"#,
            r#"{"jsonrpc":"2.0","id":7,"result":{}}"#,
            r#"{"jsonrpc":"2.0","id":7,"error":{"code":1,"message":""}}"#,
            r#"{"method":"ping"}"#,
        ] {
            refused(text, ErrorCode::INVALID_REQUEST, None);
        }
        for text in [
            r#"{"jsonrpc":"1.0","id":7,"method":"ping"}"#,
            r#"{"JSONRPC":"2.0","id":7,"method":"ping"}"#,
            r#"{"jsonrpc":"2.0","id":7,"Method":"ping"}"#,
            r#"{"jsonrpc":"2.0","id":7,"method":1}"#,
        ] {
            refused(text, ErrorCode::INVALID_REQUEST, some());
        }
        for params in ["[]", "null", "1"] {
            let text = format!(r#"{{"jsonrpc":"2.0","id":7,"method":"ping","params":{params}}}"#);
            refused(&text, ErrorCode::INVALID_PARAMS, some());
        }
        let long = "x".repeat(257);
        let text = format!(r#"{{"jsonrpc":"2.0","id":"{long}","method":"ping"}}"#);
        refused(&text, ErrorCode::INVALID_REQUEST, None);
    }

    #[test]
    fn ids_come_back_as_they_are() {
        for id in [
            "0",
            "-1",
            "9223372036854775807",
            r#""""#,
            r#""1""#,
            r#""ä\"\\""#,
        ] {
            let text = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping","X":1}}"#);
            let Ok(Message::Request(request)) = read(text.as_bytes()) else {
                panic!("{text}");
            };
            assert_eq!(serde_json::to_string(&request.id).expect("JSON"), id);
        }
    }

    #[test]
    fn without_an_id_it_is_a_notification() {
        let text = r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"a":1}}"#;
        let Ok(Message::Notification(told)) = read(text.as_bytes()) else {
            panic!("{text}");
        };
        assert_eq!(told.method, "notifications/cancelled");
        assert_eq!(told.params["a"], 1);
    }
}
